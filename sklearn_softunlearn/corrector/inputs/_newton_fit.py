# SPDX-License-Identifier: BSD-3-Clause
"""The fit of a base estimator to rows in blocks: Newton's method, a sum over blocks.

The objective is the one that scikit-learn minimises (see `TrainedModel`), its minimum
the same to the tolerance of either solver.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn import linear_model
from sklearn.base import clone, is_classifier

from sklearn_softunlearn.corrector.inputs._targets import encode_target
from sklearn_softunlearn.models import checked_array, first_rows, model_class
from sklearn_softunlearn.updates import minimize_reweighted

# By type: a subclass may have a fit of its own.
_FITTED = (
    linear_model.LogisticRegression,
    linear_model.LinearRegression,
    linear_model.Ridge,
    linear_model.RidgeClassifier,
    linear_model.PoissonRegressor,
    linear_model.GammaRegressor,
    linear_model.TweedieRegressor,
)
# Squared Newton decrement per unit of row weight: parameters to 1e-8 and better.
_TOLERANCE = 1e-16
_MAX_STEPS = 100


def check_fitted_by_newton(estimator):
    """Raise TypeError unless `fit_by_newton` knows how to fit the estimator."""
    if type(estimator) not in _FITTED:
        names = ", ".join(each.__name__ for each in _FITTED)
        raise TypeError(
            f"estimator: {type(estimator).__name__} is not fitted to rows in blocks. "
            f"(a) Give one of {names}; (b) fit it elsewhere, on a sample or with "
            "another library, and pass it in a FrozenEstimator."
        )


def fit_by_newton(unfitted, X, y, sample_weight=None):
    """A clone of the estimator, fitted.

    Parameters
    ----------
    unfitted : estimator
        Of a class that `check_fitted_by_newton` accepts.
    X : RowBlocks
    y : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,), default=None

    Raises
    ------
    ValueError
        If the optimum is on the edge of an l1 penalty.
    """
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    form = _form(unfitted, X, y[weight > 0])
    codes = encode_target(y, form.classes_, "y") if is_classifier(form) else y
    made_from = model_class(form)
    X = checked_array(X, "X", **made_from.array_options)
    model = made_from(form, X, np.asarray(codes, dtype=_kind(form)), weight)
    if np.any(model.l1_strength()):
        raise ValueError(
            f"estimator: {type(unfitted).__name__} with an l1 penalty is not fitted to "
            "rows in blocks. Fit it elsewhere, on a sample or with another library, "
            "and pass it in a FrozenEstimator."
        )
    found = minimize_reweighted(
        model.at(_start(model, codes, weight)),
        model.row_weight,
        max_iter=_MAX_STEPS,
        tol=_TOLERANCE,
    )
    fitted = model.with_parameters(found.parameters)
    if hasattr(fitted, "n_iter_") and fitted.n_iter_ is not None:
        fitted.n_iter_ = np.full_like(fitted.n_iter_, found.n_iter)
    return fitted


def _kind(estimator):
    return np.intp if is_classifier(estimator) else np.float64


def _form(unfitted, X, y):
    """The estimator with all fitted attributes, of the right form and any values.

    A fit to a few rows gives them, whatever the version of scikit-learn.
    """
    rows = first_rows(X)
    if is_classifier(unfitted):
        few = np.unique(y)
    else:
        few = y[: rows.shape[0]]
    positions = np.resize(np.arange(rows.shape[0]), len(few))
    rows = rows.iloc[positions] if isinstance(rows, pd.DataFrame) else rows[positions]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(unfitted).fit(rows, few)


def _start(model, y, weight):
    """Zeros; of a deviance, whose mean must be positive, the intercept for the mean."""
    start = np.zeros(model.parameters.size)
    mean = float(np.average(y, weights=weight))
    if model.has_intercept and hasattr(model.loss, "log_link"):
        start[-1] = np.log(mean) if model.loss.log_link else mean
    return start
