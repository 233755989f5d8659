# SPDX-License-Identifier: BSD-3-Clause
"""The one place that knows scikit-learn's private parts and version differences."""

from inspect import signature

import numpy as np
from sklearn import __version__, get_config
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _num_samples

__all__ = [
    "check_sample_weight",
    "class_weights",
    "n_rows",
    "routing_enabled",
    "safe_indexing",
    "sklearn_version",
]

n_rows = _num_samples
safe_indexing = _safe_indexing


def class_weights(estimator, y, sample_weight):
    """Weight that the estimator gives to each class, in the order of `classes_`.

    scikit-learn counts sample weights in "balanced" since 1.7 and rows before.
    """
    options = {}
    if "sample_weight" in signature(compute_class_weight).parameters:
        options["sample_weight"] = sample_weight
    classes = np.asarray(estimator.classes_)
    return compute_class_weight(
        estimator.class_weight, classes=classes, y=classes[y], **options
    )


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


def routing_enabled():
    """Whether metadata routing is switched on in scikit-learn's configuration."""
    return bool(get_config()["enable_metadata_routing"])


def sklearn_version():
    """Version of scikit-learn as (major, minor)."""
    major, minor = __version__.split(".")[:2]
    return int(major), int(minor)
