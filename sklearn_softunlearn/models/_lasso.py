# SPDX-License-Identifier: BSD-3-Clause
"""`Lasso`, `ElasticNet` and their CV forms, on the active set."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import ElasticNet, Lasso, LassoCV

from sklearn_softunlearn.models._fitted import FittedLinearModel, MeanLossMixin
from sklearn_softunlearn.models._ridge import check_one_target
from sklearn_softunlearn.pointwise import HalfSquaredError, IdentityResponse


class ElasticNetModel(MeanLossMixin, FittedLinearModel):
    """Fitted `sklearn.linear_model.Lasso`, `ElasticNet`, `LassoCV` or `ElasticNetCV`.

    scikit-learn minimises, with r the l1_ratio (1 for the Lasso)::

        sum_i s_i (y_i - f_i)^2 / (2 S) + alpha (r |w|_1 + (1 - r) |w|^2 / 2)

    with ``S = sum_i s_i``. Multiplied by S this is J with the half squared error and
    ``Omega = S alpha (r |w|_1 + (1 - r) |w|^2 / 2)``; the intercept is not penalised.
    Zeros are held at 0, see `FittedLinearModel`.

    Deletion leaves Omega as it is. A refit with other weights, whose sum is S',
    therefore has ``alpha * S / S'``. The CV forms hold the alpha and the l1_ratio that
    they chose.

    Raises
    ------
    ValueError
        If the coefficients are constrained to be positive.
    """

    def __init__(self, estimator, X, y, sample_weight):
        check_one_target(estimator)
        if estimator.positive:
            raise ValueError(
                f"{type(estimator).__name__}(positive=True) is not supported: its "
                "optimum lies on a constraint. Use positive=False."
            )
        self._mass = float(np.sum(sample_weight))
        super().__init__(
            estimator,
            X,
            y,
            sample_weight,
            loss=HalfSquaredError(),
            response=IdentityResponse(),
        )

    def l2_strength(self):
        """``S alpha (1 - r)`` for the coefficients, 0 for the intercept."""
        alpha, ratio = _penalty(self.estimator)
        return self.per_parameter(self._mass * alpha * (1.0 - ratio), 0.0)

    def l1_strength(self):
        """``S alpha r`` for the coefficients, 0 for the intercept."""
        alpha, ratio = _penalty(self.estimator)
        return self.per_parameter(self._mass * alpha * ratio, 0.0)

    def refit_estimator(self, row_weight):
        """Unfitted estimator whose penalty is as strong as in the original fit."""
        alpha, ratio = _penalty(self.estimator)
        alpha *= self._mass / np.sum(row_weight)
        if isinstance(self.estimator, ElasticNet):
            return clone(self.estimator).set_params(alpha=alpha)
        shared = ("fit_intercept", "max_iter", "tol", "random_state", "selection")
        options = {name: getattr(self.estimator, name) for name in shared}
        return ElasticNet(alpha=alpha, l1_ratio=ratio, **options)


def _penalty(estimator):
    """The alpha and the l1_ratio, chosen or given."""
    if isinstance(estimator, ElasticNet):
        ratio = 1.0 if isinstance(estimator, Lasso) else estimator.l1_ratio
        return estimator.alpha, ratio
    ratio = 1.0 if isinstance(estimator, LassoCV) else estimator.l1_ratio_
    return float(estimator.alpha_), float(ratio)
