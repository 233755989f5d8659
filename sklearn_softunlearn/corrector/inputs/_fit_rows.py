# SPDX-License-Identifier: BSD-3-Clause
"""The rows of a fit, from all the arguments that a user gives."""

from dataclasses import dataclass
from typing import Any

from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator

from sklearn_softunlearn._sklearn_compat import (
    check_features,
    inside_cross_validation,
    n_rows,
)
from sklearn_softunlearn.corrector.inputs._evaluation import (
    make_table,
    split_rows,
    validation_table,
)
from sklearn_softunlearn.corrector.inputs._regroup import regrouped
from sklearn_softunlearn.corrector.inputs._targets import check_target
from sklearn_softunlearn.models import first_rows, indexable_rows

# What `fit` takes beside X, y and sample_weight and does not pass on.
ROW_ARGUMENTS = (
    "sensitive_features",
    "X_val",
    "y_val",
    "sensitive_features_val",
    "sample_weight_val",
)


@dataclass(frozen=True, eq=False)
class ValidationData:
    """Rows to measure metric and utility on, kept whole by cross-validation.

    scikit-learn's cross-validation cuts every argument of `fit` that has as many rows
    as X, with the indices of the training rows of X. A validation set that happens to
    have as many rows would be cut too. This object has no length, so it is passed on
    as it is.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_validation, n_features)
    y : array-like of shape (n_validation,)
    sensitive_features : array-like of shape (n_validation,) or \
            (n_validation, n_columns), default=None
    sample_weight : array-like of shape (n_validation,), default=None

    Examples
    --------
    >>> from sklearn_softunlearn import SoftUnlearnCorrector, ValidationData
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> held_out = ValidationData(X[500:], y[500:], group[500:])
    >>> corrector = SoftUnlearnCorrector().fit(X[:500], y[:500], X_val=held_out)
    >>> corrector.deletion_weights_.shape
    (500,)
    """

    X: Any
    y: Any
    sensitive_features: Any = None
    sample_weight: Any = None


def rows_of_fit(
    corrector,
    estimator,
    X,
    y,
    sample_weight,
    *,
    sensitive_features,
    X_val,
    y_val,
    sensitive_features_val,
    sample_weight_val,
):
    """Training and evaluation rows, from the arguments of `fit`.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If the rows do not fit each other or the estimator, or the validation data may
        have been cut by cross-validation.
    """
    ids = corrector.sensitive_feature_ids
    table = make_table(X, y, sensitive_features, sample_weight, ids, "", estimator)
    check_target(table, estimator)
    if X_val is not None and not isinstance(X_val, ValidationData):
        X_val, y_val = indexable_rows(estimator, X_val, y_val)
    given = (X_val, y_val, sensitive_features_val, sample_weight_val)
    if isinstance(X_val, ValidationData):
        given = _unpacked(*given)
    elif X_val is not None:
        _check_not_cut(X, X_val)
    if given[0] is not None:
        _check_columns(corrector, given[0])
    table, validation = regrouped(
        [table, validation_table(*given, ids, estimator)], **group_rule(corrector)
    )
    return split_rows(
        table,
        validation,
        corrector.validation_fraction,
        corrector.random_state,
        already_trained=isinstance(estimator, FrozenEstimator),
        classes=is_classifier(estimator),
    )


def group_rule(corrector):
    """How a corrector wants groups to be formed, as options of `regrouped`."""
    names = ("bins", "min_group_size", "small_groups")
    return {name: getattr(corrector, name) for name in names}


def _unpacked(validation, *others):
    if any(other is not None for other in others):
        raise ValueError(
            "X_val is a ValidationData, which holds everything, but y_val, "
            "sensitive_features_val or sample_weight_val is given too. Give one."
        )
    return (
        validation.X,
        validation.y,
        validation.sensitive_features,
        validation.sample_weight,
    )


def _check_not_cut(X, X_val):
    if n_rows(X) == n_rows(X_val) and inside_cross_validation():
        raise ValueError(
            f"X_val has as many rows ({n_rows(X_val)}) as X in this fold. "
            "Cross-validation cuts arguments of the length of X with the indices of "
            "the training rows, so X_val may be a part of what you gave. Wrap it, "
            "X_val=ValidationData(X_val, y_val, ...), and it is kept whole."
        )


def _check_columns(corrector, X_val):
    try:
        check_features(corrector, first_rows(X_val), reset=False)
    except ValueError as error:
        raise ValueError(
            "X_val does not have the columns of X. Give the same columns in the "
            f"same order. {error}"
        ) from error
