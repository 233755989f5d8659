# SPDX-License-Identifier: BSD-3-Clause
"""The one place that knows scikit-learn's private parts and version differences."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from copy import deepcopy
from inspect import signature
from typing import Any, TypeVar

import numpy as np
from sklearn import __version__, get_config
from sklearn.base import clone, is_classifier
from sklearn.ensemble._forest import _generate_sample_indices
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.validation import _num_samples, validate_data

from sklearn_softunlearn.arguments import check_real, named

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to set, and a fit that tells nobody."""

        def _init_callback_context(self, **options):
            return NoCallbackContext()

    def _with_callbacks(method):
        return method


_Method = TypeVar("_Method", bound=Callable[..., Any])


def with_callbacks(method: _Method) -> _Method:
    """The fit of an estimator that supports callbacks, with its own signature."""
    return _with_callbacks(method)


__all__ = [
    "CallbackSupportMixin",
    "HistogramTrees",
    "NoCallbackContext",
    "bootstrap_weights",
    "check_features",
    "check_sample_weight",
    "class_weights",
    "forest_class_weights",
    "gradient_boosting_base",
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


def check_features(estimator, X, *, reset=True):
    """Names and number of the columns of X: learnt, or compared with those of fit.

    Raises
    ------
    ValueError
        If X has no rows, or other columns than in fit.
    """
    with named("X"):
        if n_rows(X) == 0:
            raise ValueError("X has no rows. Give at least one.")
        validate_data(estimator, X, reset=reset, skip_check_array=True)


def check_sample_weight(sample_weight, X, parameter="sample_weight"):
    """Sample weights as a float64 vector: finite, nonnegative, not all zero."""
    if sample_weight is None:
        return np.ones(n_rows(X))
    check_real(sample_weight, parameter)
    with named(parameter):
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


class HistogramTrees:
    """The trees of a fitted HistGradientBoosting estimator, which keeps them private.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Never modified.
    """

    def __init__(self, estimator):
        self._estimator = estimator
        self._leaves = [
            np.flatnonzero(tree.nodes["is_leaf"])
            for tree in _histogram_trees(estimator)
        ]

    def baseline(self):
        """Raw prediction before the first round, of shape (n_outputs,)."""
        baseline = self._estimator._baseline_prediction
        return np.asarray(baseline, dtype=np.float64).reshape(-1)

    def leaf_values(self):
        """Values of the leaves of each tree, class by class within a round."""
        trees = _histogram_trees(self._estimator)
        return [
            tree.nodes["value"][leaves].copy()
            for tree, leaves in zip(trees, self._leaves, strict=True)
        ]

    def with_leaf_values(self, values):
        """Copy of the estimator with other values in the leaves of each tree."""
        changed = deepcopy(self._estimator)
        trees = _histogram_trees(changed)
        for tree, leaves, own in zip(trees, self._leaves, values, strict=True):
            tree.nodes["value"][leaves] = own
        return changed

    def leaf_numbers(self, X):
        """Number of the leaf of each row within each tree, (n_samples, n_trees).

        There is no `apply`: a copy whose leaf values are numbers predicts them.
        """
        counted = self.with_leaf_values([np.arange(len(v)) for v in self._leaves])
        X = counted._preprocess_X(X, reset=False)
        known, index = counted._bin_mapper.make_known_categories_bitsets()
        found = np.empty((len(X), len(self._leaves)), dtype=np.int32)
        for t, tree in enumerate(_histogram_trees(counted)):
            found[:, t] = tree.predict(
                X, known_cat_bitsets=known, f_idx_map=index, n_threads=1
            )
        return found

    def trained_rows(self, y):
        """Whether each row was trained on, and not held out to stop early.

        None if that cannot be told: scikit-learn draws the rows from a seed that it
        keeps, unless rows were given to the fit as validation data.
        """
        estimator = self._estimator
        if not estimator.do_early_stopping_ or estimator.validation_fraction is None:
            return np.ones(len(y), bool)
        stratify = y if is_classifier(estimator) else None
        kept, _ = train_test_split(
            np.arange(len(y)),
            test_size=estimator.validation_fraction,
            stratify=stratify,
            random_state=estimator._random_seed,
        )
        trained = np.zeros(len(y), bool)
        trained[kept] = True
        return trained


def _histogram_trees(estimator):
    return [tree for round_ in estimator._predictors for tree in round_]


def forest_class_weights(forest, y, sample_weight):
    """Weight of each class, in the order of `classes_`, outside of a bootstrap."""
    if getattr(forest, "bootstrap", False) and (
        forest.class_weight == "balanced_subsample"
    ):
        return np.ones(len(forest.classes_))
    counted = clone(forest)
    if forest.class_weight == "balanced_subsample":
        counted.set_params(class_weight="balanced")
    counted.classes_ = forest.classes_
    draws = hasattr(forest, "_sample_weight")
    return class_weights(counted, y, sample_weight if draws else None)


def bootstrap_weights(forest, tree, y, row_weight):
    """Weight of each row in the training of one tree of a forest with a bootstrap.

    scikit-learn draws rows by their weights since 1.9, and then counts them; before,
    all rows were as likely and their counts multiplied their weights.
    """
    draws = hasattr(forest, "_sample_weight")
    options = (forest._sample_weight,) if draws else ()
    seed = forest.estimators_[tree].random_state
    size = forest._n_samples_bootstrap
    drawn = _generate_sample_indices(seed, len(y), size, *options)
    weight = np.bincount(drawn, minlength=len(y)).astype(np.float64)
    if getattr(forest, "class_weight", None) == "balanced_subsample":
        weight *= compute_sample_weight("balanced", y, indices=drawn)
    return weight if draws else weight * row_weight


def gradient_boosting_base(estimator):
    """Raw prediction of a GradientBoosting estimator before its first tree."""
    row = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    return np.asarray(estimator._raw_predict_init(row), dtype=np.float64).reshape(-1)


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
