# SPDX-License-Identifier: BSD-3-Clause
"""Binary `LogisticRegression` as a trained model."""

from copy import deepcopy

import numpy as np
from sklearn.base import clone

from sklearn_softunlearn._losses import BinaryLogLoss
from sklearn_softunlearn._responses import LogisticResponse
from sklearn_softunlearn._sklearn_compat import class_weights
from sklearn_softunlearn.models._linear import LinearModel


class LogisticModel(LinearModel):
    """Fitted binary `sklearn.linear_model.LogisticRegression`.

    scikit-learn minimises, over coefficients w and intercept b::

        C * sum_i s_i * loss_i(w, b) + |w|^2 / 2

    where s_i is the sample weight times the class weight. Divided by C this is the
    objective J of `TrainedModel` with ``Omega = |w|^2 / (2 C)``. Two exceptions:

    - no penalty (``C=inf`` or ``penalty=None``): ``Omega = 0``;
    - ``solver="liblinear"`` also penalises the intercept, on the scale
      ``intercept / intercept_scaling``.

    Parameters
    ----------
    estimator : LogisticRegression
        Fitted; neither it nor the arrays are modified.
    X : {ndarray, CSR array} of shape (n_samples, n_features), float64
    y : ndarray of shape (n_samples,)
        Class indices, 0 or 1.
    sample_weight : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the estimator has more than two classes or a penalty other than l2.
    """

    def __init__(self, estimator, X, y, sample_weight):
        _check_supported(estimator)
        self.estimator = estimator
        row_weight = sample_weight * class_weights(estimator, y, sample_weight)[y]
        super().__init__(
            X,
            y,
            row_weight,
            coef=estimator.coef_,
            intercept=estimator.intercept_ if estimator.fit_intercept else None,
            loss=BinaryLogLoss(),
            response=LogisticResponse(),
        )

    def penalty_curvature(self):
        """1 / C for the coefficients; for the intercept only with liblinear."""
        curvature = np.full(self.parameters.shape, _l2_strength(self.estimator))
        if self.has_intercept:
            curvature[-1] *= _intercept_penalty(self.estimator)
        return curvature

    def with_parameters(self, parameters):
        """Copy of the fitted estimator with other coefficients."""
        corrected = deepcopy(self.estimator)
        coef, intercept = self.split(parameters)
        # The dtype of the original: a model trained in float32 predicts in float32.
        corrected.coef_ = coef.astype(self.estimator.coef_.dtype)
        corrected.intercept_ = intercept.astype(self.estimator.coef_.dtype)
        return corrected

    def refitted_parameters(self, row_weight):
        """Parameters of a clone refitted with these effective row weights."""
        refitted = clone(self.estimator)
        # The class weights are already part of row_weight. Left in place,
        # "balanced" would be computed anew and change the objective.
        refitted.set_params(class_weight=None)
        # Without rows of weight 0, so that a class that is gone is noticed.
        kept = row_weight > 0
        refitted.fit(self.X[kept], self.y[kept], sample_weight=row_weight[kept])
        return _parameters(refitted)


def _parameters(estimator):
    if not estimator.fit_intercept:
        return estimator.coef_.astype(np.float64).ravel()
    return np.append(estimator.coef_.ravel(), estimator.intercept_).astype(np.float64)


def _l2_strength(estimator):
    if getattr(estimator, "penalty", "l2") is None or np.isinf(estimator.C):
        return 0.0
    return 1.0 / estimator.C


def _intercept_penalty(estimator):
    if estimator.solver != "liblinear":
        return 0.0
    return 1.0 / estimator.intercept_scaling**2


def _check_supported(estimator):
    n_classes = len(estimator.classes_)
    if n_classes > 2:
        raise ValueError(
            f"y has {n_classes} classes. Only binary LogisticRegression is supported "
            "so far: merge classes, or correct one class against the rest."
        )
    if getattr(estimator, "multi_class", None) == "multinomial":
        raise ValueError(
            "LogisticRegression(multi_class='multinomial') with two classes fits a "
            "redundant second output. Leave multi_class at its default."
        )
    l1_ratio = getattr(estimator, "l1_ratio", None)
    penalty = getattr(estimator, "penalty", "deprecated")
    if penalty in ("l1", "elasticnet") or (penalty == "deprecated" and l1_ratio):
        raise ValueError(
            "LogisticRegression with an l1 penalty is not supported: its optimum is "
            "not differentiable in the row weights. Use the l2 penalty (l1_ratio=0)."
        )
