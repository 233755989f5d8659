# SPDX-License-Identifier: BSD-3-Clause
"""Retraining without one row."""

from functools import cached_property

import numpy as np

from sklearn_softunlearn.influence import (
    amplified_gradient,
    first_order_shift,
    leverage_matrices,
    resolve_curvature,
)
from sklearn_softunlearn.updates import (
    SHRINKAGE,
    is_optimal,
    minimize_l1,
    minimize_reweighted,
    signs_of,
)

# Of the squared Newton decrement of the deletion: parameters right to 1e-8 of the step.
_RELATIVE_TOL = 1e-16
# Of the row weight: where the gradient is rounding.
_ABSOLUTE_TOL = 1e-26
_MAX_STEPS = 12


def optimum(model, solve):
    """Parameters at the optimum of the training objective.

    Solvers stop at a tolerance which is large beside the effect of one row.
    """
    weight = model.row_weight
    tolerance = _ABSOLUTE_TOL * np.sum(weight)
    found = _descend(
        lambda theta: model.objective_gradient(weight, theta),
        lambda gradient: solve(gradient[:, None])[:, 0],
        model.parameters,
        tolerance,
    )
    if found is not None and is_optimal(model, weight, found, tolerance):
        return found
    if np.any(model.l1_strength()):
        return minimize_l1(model, weight, model.parameters, tolerance)
    return minimize_reweighted(model, weight).parameters


def on_active_set(model, solve, theta, curvature):
    """The model and the solver on the active set of an optimum.

    Those given, unless the solver of the estimator stopped at another active set.
    """
    signs = signs_of(model, theta)
    if np.array_equal(signs, signs_of(model, model.parameters)):
        return model, solve
    moved = model.with_signs(signs).at(theta)
    return moved, curvature.factorize(moved, moved.row_weight)


class RowDeletion:
    """The training objective without one row, solved with the factor that has it.

    Every step solves with ``H - J_i.T C_i J_i`` through the factor of H (Woodbury), so
    that it costs two passes over the data. Where this stalls (a row of high leverage
    moves the parameters far), Newton steps with new factors follow; likewise where a
    coefficient under an l1 penalty reaches zero or leaves it.
    """

    def __init__(self, model, solve, index):
        self.rows = np.array([index])
        self._solve = solve
        self._own = model.X[self.rows]
        self._leverage = leverage_matrices(model, solve, self.rows)
        self._curvature = model.loss_curvature(model.row_weight)[index]
        self.row_weight = model.row_weight.copy()
        self.row_weight[index] = 0.0
        # Of a mean loss, a fit without the row has another penalty.
        self.model = model.penalized_as(self.row_weight)
        self._released = released_penalty(model, index)

    @cached_property
    def _amplified(self):
        """(H - J_i.T C_i J_i) times the first step, of shape (n_parameters, 1)."""
        amplified = amplified_gradient(self.model, self._leverage, self.rows)
        return self.model.vjp(self._own, amplified[:, :, None])

    @cached_property
    def first_step(self):
        """The leverage-exact change of the parameters, of shape (n_parameters,)."""
        step = self._solve(self._amplified)[:, 0]
        return step + self._step(self._released) if np.any(self._released) else step

    def parameters(self, start):
        """Parameters at the optimum without the row, from the optimum with it."""
        tolerance = max(
            _ABSOLUTE_TOL * np.sum(self.row_weight),
            _RELATIVE_TOL * abs(self._amplified[:, 0] @ self.first_step),
        )
        near = start + self.first_step
        found = _descend(self._gradient, self._step, near, tolerance)
        if found is not None and is_optimal(
            self.model, self.row_weight, found, tolerance
        ):
            return found
        if np.any(self.model.l1_strength()):
            return minimize_l1(self.model, self.row_weight, start, tolerance)
        return self._with_new_factors(tolerance)

    def _gradient(self, theta):
        return self.model.objective_gradient(self.row_weight, theta)

    def _step(self, gradient):
        """(H - J_i.T C_i J_i)^-1 gradient, of shape (n_parameters,)."""
        solved = self._solve(gradient[:, None])
        raw = self.model.jvp(self._own, solved)[0, :, 0]
        rest = np.eye(len(raw)) - self._leverage[0]
        amplified = np.linalg.solve(rest, self._curvature @ raw)
        back = self.model.vjp(self._own, amplified[None, :, None])
        return (solved + self._solve(back))[:, 0]

    def _with_new_factors(self, tolerance):
        near = minimize_reweighted(self.model, self.row_weight).parameters
        curvature = resolve_curvature("auto", near.size)
        solve = curvature.factorize(self.model, self.row_weight, near)
        found = _descend(
            self._gradient, lambda g: solve(g[:, None])[:, 0], near, tolerance
        )
        return near if found is None else found


def refit_without(model, training, index):
    """Parameters without a row, by training itself and by its first order.

    For models whose training can be repeated in closed form: trees that are refitted.
    """
    deleted = np.zeros(len(model.row_weight))
    deleted[index] = 1.0
    refitted = model.refitted_parameters(model.row_weight * (1.0 - deleted))
    return refitted, model.parameters + first_order_shift(model, training, deleted)


def released_penalty(model, index):
    """Gradient of what a fit without the row lacks of the penalty, (n_parameters,).

    Zeros, unless the estimator minimises a mean loss.
    """
    row_weight = model.row_weight.copy()
    row_weight[index] = 0.0
    return model.penalty_gradient() - model.penalized_as(row_weight).penalty_gradient()


def _descend(gradient_at, step_for, theta, tolerance):
    """Steps until the squared decrement is within tolerance; None where they stall."""
    last = np.inf
    for _ in range(_MAX_STEPS):
        gradient = gradient_at(theta)
        step = step_for(gradient)
        decrement = gradient @ step
        if decrement <= tolerance:
            return theta
        if not decrement < SHRINKAGE * last:
            return None
        theta, last = theta - step, decrement
    return None
