# SPDX-License-Identifier: BSD-3-Clause
"""`PoissonRegressor`, `GammaRegressor` and `TweedieRegressor`."""

import numpy as np
from sklearn.linear_model import GammaRegressor, PoissonRegressor

from sklearn_softunlearn.models._fitted import FittedLinearModel, MeanLossMixin
from sklearn_softunlearn.pointwise import (
    ExponentialResponse,
    HalfTweedieDeviance,
    IdentityResponse,
)


class TweedieModel(MeanLossMixin, FittedLinearModel):
    """Fitted `PoissonRegressor`, `GammaRegressor` or `TweedieRegressor`.

    scikit-learn minimises, with the deviance d of the distribution::

        sum_i s_i d(y_i, mu_i) / (2 S) + alpha |w|^2 / 2,    S = sum_i s_i

    Multiplied by S this is J with the half deviance and
    ``Omega = S alpha |w|^2 / 2``; the intercept is not penalised. The mean is
    ``mu = exp(f)``, or ``mu = f`` for a TweedieRegressor with an identity link.

    Deletion leaves Omega as it is. A refit with other weights, whose sum is S',
    therefore has ``alpha * S / S'``.
    """

    convergence_advice = "raise max_iter or lower tol; (c) use solver='newton-cholesky'"

    def __init__(self, estimator, X, y, sample_weight):
        power, log_link = _distribution(estimator)
        self._mass = float(np.sum(sample_weight))
        super().__init__(
            estimator,
            X,
            y,
            sample_weight,
            loss=HalfTweedieDeviance(power, log_link),
            response=ExponentialResponse() if log_link else IdentityResponse(),
        )

    def l2_strength(self):
        """``S * alpha`` for the coefficients, 0 for the intercept."""
        return self.per_parameter(self._mass * self.estimator.alpha, 0.0)

    def refit_estimator(self, row_weight):
        """Unfitted estimator whose penalty is as strong as in the original fit."""
        alpha = self.estimator.alpha * self._mass / np.sum(row_weight)
        return super().refit_estimator(row_weight).set_params(alpha=alpha)


def _distribution(estimator):
    """Power of the deviance, and whether the link is the logarithm."""
    if isinstance(estimator, PoissonRegressor):
        return 1, True
    if isinstance(estimator, GammaRegressor):
        return 2, True
    link = estimator.link
    return estimator.power, estimator.power > 0 if link == "auto" else link == "log"
