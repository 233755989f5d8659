# SPDX-License-Identifier: BSD-3-Clause
"""All leaf values as the optimum of one objective."""

from functools import cached_property

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, cg

from sklearn_softunlearn.models.trees._model import TreeModel

# Of the row weight: squared Newton decrement at the optimum.
_ENOUGH = 1e-14
_MAX_STEPS, _MAX_PRODUCTS, _SHORTEST = 50, 200, 2.0**-20
# Residuals of a Newton step, and of a derivative.
_INEXACT, _DERIVATIVE = 1e-3, 1e-8
# Leaf values up to which one factor of H makes conjugate gradients short.
_LARGEST_FACTOR = 4096


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
        return self.trained(row_weight)[0]

    def trained(self, row_weight):
        """Minimiser of J with these row weights, and what has its derivative."""
        theta, enough = self.parameters, _ENOUGH * float(np.sum(row_weight))
        for _ in range(_MAX_STEPS):
            training = JointTraining(self.at(theta), row_weight, self._precondition)
            gradient = training.model.objective_gradient(row_weight)
            step = training.solve(gradient[:, None], _INEXACT)[:, 0]
            decrement = float(gradient @ step)
            if decrement <= enough:
                break
            theta = self._searched(row_weight, theta, step, decrement)
        return theta, training

    def _searched(self, row_weight, theta, step, decrement):
        """The step, halved until J falls."""
        before, length = self.objective(row_weight, theta), 1.0
        while length > _SHORTEST:
            moved = theta - length * step
            if self.objective(row_weight, moved) <= before - 1e-4 * length * decrement:
                return moved
            length *= 0.5
        return theta

    @cached_property
    def _precondition(self):
        """Solves with H at the fitted parameters, or with its diagonal."""
        curvature = self.loss_curvature(self.row_weight)
        if self.parameters.size > _LARGEST_FACTOR:
            diagonal = self.gram_diagonal(curvature) + self._l2
            return lambda vector: vector / diagonal
        hessian = self.gram(curvature)
        hessian[np.diag_indices_from(hessian)] += self._l2
        factor = linalg.cho_factor(hessian, lower=True, overwrite_a=True)
        return lambda vector: linalg.cho_solve(factor, vector)


class JointTraining:
    """The optimum of J with certain row weights, and its derivative by the weights."""

    def __init__(self, model, row_weight, precondition):
        self.model = model
        self._curvature = model.loss_curvature(row_weight)
        size = (model.parameters.size,) * 2
        self._hessian = LinearOperator(size, matvec=self._product, dtype=float)
        self._inverse = LinearOperator(size, matvec=precondition, dtype=float)

    def _product(self, vector):
        model = self.model
        raw = self._curvature @ model.jvp(model.X, vector.reshape(-1, 1))
        penalty = model.penalty_curvature() * vector.ravel()
        return model.vjp(model.X, raw)[:, 0] + penalty

    def solve(self, columns, tol):
        """H^-1 columns, by conjugate gradients."""
        solved = [
            cg(self._hessian, column, rtol=tol, maxiter=_MAX_PRODUCTS, M=self._inverse)
            for column in columns.T
        ]
        return np.column_stack([solution for solution, _ in solved])

    def pull(self, gradients):
        """Effect of deleting each row on functionals of the leaf values."""
        model = self.model
        products = model.jvp(model.X, self.solve(gradients, _DERIVATIVE))
        weighted = model.row_weight[:, None] * model.loss_gradient()
        return np.einsum("ikm,ik->im", products, weighted)
