# SPDX-License-Identifier: BSD-3-Clause
"""The one place that knows scikit-learn's private parts and version differences."""

import sys
from contextlib import contextmanager
from inspect import signature

import numpy as np
from sklearn import __version__, get_config
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _num_samples

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:
        """Nothing to set, and a fit that tells nobody."""

        def _init_callback_context(self, **options):
            return NoCallbackContext()

    def with_callbacks(method):
        """The method itself."""
        return method


__all__ = [
    "CallbackSupportMixin",
    "NoCallbackContext",
    "check_sample_weight",
    "class_weights",
    "inside_cross_validation",
    "n_rows",
    "routing_enabled",
    "safe_indexing",
    "sklearn_version",
    "with_callbacks",
]

n_rows = _num_samples
safe_indexing = _safe_indexing


def class_weights(estimator, y, sample_weight):
    """Weight that the estimator gives to each class, in the order of `classes_`.

    scikit-learn counts sample weights in "balanced" since 1.7 and rows before.
    """
    options = {}
    if balanced_counts_sample_weight():
        options["sample_weight"] = sample_weight
    classes = np.asarray(estimator.classes_)
    return compute_class_weight(
        estimator.class_weight, classes=classes, y=classes[y], **options
    )


def balanced_counts_sample_weight():
    """Whether class_weight="balanced" depends on the sample weights: since 1.7."""
    return "sample_weight" in signature(compute_class_weight).parameters


def check_sample_weight(sample_weight, X, parameter="sample_weight"):
    """Sample weights as a float64 vector: finite, nonnegative, not all zero."""
    if sample_weight is None:
        return np.ones(n_rows(X))
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name=parameter
    )
    if weight.shape != (n_rows(X),):
        raise ValueError(
            f"{parameter} has shape {weight.shape} where X has {n_rows(X)} rows. Give "
            "one weight for each row."
        )
    if np.any(weight < 0):
        raise ValueError(
            f"{parameter} has {np.sum(weight < 0)} negative values (smallest "
            f"{weight.min():g}). Weights count rows: give values >= 0."
        )
    if not np.any(weight > 0):
        raise ValueError(
            f"{parameter} is zero for every row, which leaves no row to learn from. "
            "Give a positive weight to some rows of each class."
        )
    return weight


class NoCallbackContext:
    """Stands in for a callback context where there are no callbacks."""

    def subcontext(self, **options):
        """Itself: nothing is below it either."""
        return self

    def call_on_fit_task_begin(self, **arguments):
        """Do nothing."""

    def call_on_fit_task_end(self, **arguments):
        """Do nothing."""

    @contextmanager
    def propagate_callback_context(self, sub_estimator):
        """Do nothing."""
        yield


# Functions of scikit-learn that cut the arguments of a fit to the rows of a fold.
_CUTTING = {
    "_fit_and_score",
    "_fit_and_predict",
    "_fit_and_score_over_thresholds",
    "_fit_classifier_calibrator_pair",
    "_permutation_test_score",
    "_incremental_fit_estimator",
}


def inside_cross_validation():
    """Whether a cross-validation of scikit-learn is on the call stack.

    Nothing that it passes to `fit` says so, hence the look at the stack.
    """
    frame = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if frame.f_code.co_name in _CUTTING and module.startswith("sklearn."):
            return True
        frame = frame.f_back
    return False


def routing_enabled():
    """Whether metadata routing is switched on in scikit-learn's configuration."""
    return bool(get_config()["enable_metadata_routing"])


def sklearn_version():
    """Version of scikit-learn as (major, minor)."""
    major, minor = __version__.split(".")[:2]
    return int(major), int(minor)
