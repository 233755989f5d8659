# SPDX-License-Identifier: BSD-3-Clause
"""All leaf values as the optimum of one objective."""

import numpy as np
from scipy import optimize

from sklearn_softunlearn.models.trees._model import TreeModel


class JointLeaves(TreeModel):
    """Leaf values of all trees as a linear model over the leaves of each row.

    Boosting stops before the optimum of its loss, and a forest never looks at it. The
    objective therefore has a linear *tilt* t, which makes the fitted values theta_hat
    stationary::

        J(theta) = sum_i s_i loss_i(theta) + l2 |theta|^2 / 2 + t . theta
        t        = - sum_i s_i grad loss_i(theta_hat) - l2 theta_hat

    With ``l2 > 0`` J is strictly convex: in every tree a row is in one leaf, so that
    without it a constant could wander from one tree to another. It is the weight of
    one average training row; between 1 and 1000 rows it was seen to hardly matter.
    """

    _L2_ROWS = 1.0

    def __init__(self, ensemble, X, y, sample_weight):
        super().__init__(ensemble, X, y, sample_weight)
        self._l2 = self._L2_ROWS * float(np.mean(self.row_weight))
        gradient = self.loss_parameter_gradient(self.row_weight)
        self._tilt = -gradient - self._l2 * self.parameters

    def penalty_curvature(self):
        """The same l2 for every leaf value."""
        return np.full(self.parameters.size, self._l2)

    def penalty_slope(self):
        """The tilt."""
        return self._tilt.copy()

    def refitted_parameters(self, row_weight):
        """Minimiser of J with these row weights, the structure held."""
        found = optimize.minimize(
            lambda theta: self.objective(row_weight, theta),
            self.parameters,
            jac=lambda theta: self.objective_gradient(row_weight, theta),
            hessp=lambda theta, v: self._hessian_product(row_weight, theta, v),
            method="trust-krylov",
            options={"gtol": 1e-9 * float(np.sum(row_weight))},
        )
        return found.x

    def _hessian_product(self, row_weight, parameters, direction):
        model = self.at(parameters)
        raw = model.loss_curvature(row_weight) @ self.jvp(self.X, direction[:, None])
        return self.vjp(self.X, raw)[:, 0] + self._l2 * direction
