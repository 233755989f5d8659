# SPDX-License-Identifier: BSD-3-Clause
"""Least squares: `LinearRegression`, `Ridge`, `RidgeClassifier` and their CV forms."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeClassifier

from sklearn_softunlearn._sklearn_compat import class_weights
from sklearn_softunlearn.models._fitted import FittedLinearModel
from sklearn_softunlearn.pointwise import (
    HalfSquaredError,
    IdentityResponse,
    OneVsRestLoss,
    SquaredMargin,
    margin_response,
)


class LinearRegressionModel(FittedLinearModel):
    """Fitted `sklearn.linear_model.LinearRegression`.

    scikit-learn minimises ``sum_i s_i (y_i - f_i)^2``. Divided by 2 this is J with the
    half squared error and ``Omega = 0``.

    Raises
    ------
    ValueError
        If the estimator has several targets or constrained coefficients.
    """

    convergence_advice = "there is no iteration: give the rows it was fitted with"

    def __init__(self, estimator, X, y, sample_weight):
        _check_positive(estimator)
        check_one_target(estimator)
        super().__init__(
            estimator,
            X,
            y,
            sample_weight,
            loss=HalfSquaredError(),
            response=IdentityResponse(),
        )


class RidgeModel(LinearRegressionModel):
    """Fitted `sklearn.linear_model.Ridge` or `RidgeCV`.

    scikit-learn minimises ``sum_i s_i (y_i - f_i)^2 + alpha |w|^2``. Divided by 2 this
    is J with the half squared error and ``Omega = alpha |w|^2 / 2``. `RidgeCV` has the
    alpha that it chose, which is held: a refit is that of a `Ridge` with this alpha.

    Raises
    ------
    ValueError
        If the estimator has several targets or constrained coefficients.
    """

    convergence_advice = "lower tol, or use solver='auto'"

    def l2_strength(self):
        """Alpha for the coefficients, 0 for the intercept."""
        return self.per_parameter(_alpha(self.estimator), 0.0)

    def refit_estimator(self, row_weight):
        """Unfitted Ridge with the same alpha."""
        return _refit_with_alpha(self.estimator, Ridge)


class RidgeClassifierModel(FittedLinearModel):
    """Fitted `sklearn.linear_model.RidgeClassifier` or `RidgeClassifierCV`.

    Least squares on targets of -1 and +1, one output for each class if there are more
    than two; scikit-learn minimises
    ``sum_i s_i sum_a (t_ia - f_ia)^2 + alpha |w|^2``, where s_i is the sample weight
    times the class weight. Divided by 2 this is J with ``Omega = alpha |w|^2 / 2``. A
    "balanced" class weight counts rows, not their weights.

    Raises
    ------
    ValueError
        If the coefficients are constrained to be positive.
    """

    convergence_advice = "lower tol, or use solver='auto'"

    def __init__(self, estimator, X, y, sample_weight):
        _check_positive(estimator)
        super().__init__(
            estimator,
            X,
            y,
            sample_weight * class_weights(estimator, y, None)[y],
            loss=OneVsRestLoss(SquaredMargin()),
            response=margin_response(len(estimator.classes_)),
        )

    def l2_strength(self):
        """Alpha for the coefficients, 0 for the intercepts."""
        return self.per_parameter(_alpha(self.estimator), 0.0)

    def refit_estimator(self, row_weight):
        """Unfitted RidgeClassifier with the same alpha and no class weights."""
        return _refit_with_alpha(self.estimator, RidgeClassifier, class_weight=None)


def check_one_target(estimator):
    """Raise ValueError if a regressor was fitted to several targets."""
    if np.ndim(estimator.coef_) == 2 and len(estimator.coef_) > 1:
        raise ValueError(
            f"{type(estimator).__name__} was fitted to {len(estimator.coef_)} targets. "
            "Only one target is supported: correct one model for each."
        )


def _alpha(estimator):
    chosen = getattr(estimator, "alpha_", estimator.__dict__.get("alpha"))
    return float(np.ravel(chosen)[0])


def _refit_with_alpha(estimator, plain, **options):
    if isinstance(estimator, plain):
        return clone(estimator).set_params(**options)
    return plain(
        alpha=_alpha(estimator), fit_intercept=estimator.fit_intercept, **options
    )


def _check_positive(estimator):
    if getattr(estimator, "positive", False):
        raise ValueError(
            f"{type(estimator).__name__}(positive=True) is not supported: its optimum "
            "lies on a constraint. Use positive=False."
        )
