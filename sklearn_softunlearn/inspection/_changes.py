# SPDX-License-Identifier: BSD-3-Clause
"""What retraining without single rows changes, and what is estimated of it."""

import numpy as np
from threadpoolctl import threadpool_limits

from sklearn_softunlearn.calls import run_parallel
from sklearn_softunlearn.influence import (
    exact_row_influence,
    largest_leverage,
    leverage_matrices,
)
from sklearn_softunlearn.inspection._retraining import (
    RowDeletion,
    on_active_set,
    optimum,
    refit_without,
    released_penalty,
)


def from_optimum(state, rows, n_jobs):
    """Changes of all functionals, and leverages, where one objective is minimised."""
    exact, leverage = with_leverage(state, rows)
    penalty = _effect_of_penalty(state, rows)
    actual, one_step = _actual_changes(state, rows, n_jobs)
    found = {
        "actual": actual,
        "first_order": state.influence[rows] + penalty,
        "leverage_exact": exact + penalty,
        "one_step": one_step,
    }
    return found, leverage


def by_refits(state, rows, n_jobs):
    """The same of a model that is refitted in closed form, which has no leverage."""
    before = _functionals(state, state.model.parameters)

    def changes(index):
        ends = refit_without(state.model, state.solve, index)
        return [_functionals(state, end) - before for end in ends]

    actual, one_step = _of_each_row(changes, rows, len(before), n_jobs)
    found = {
        "actual": actual,
        "first_order": state.influence[rows],
        "leverage_exact": None,
        "one_step": one_step,
    }
    return found, None


def check_hessian(state, what, instead):
    """Refuse trees that are refitted, of which no H^-1 is known.

    Raises
    ------
    ValueError
        With the words of the caller, what needs it and what to do instead.
    """
    if hasattr(state.solve, "pull"):
        raise ValueError(
            f"{what} needs the Hessian of an objective, and trees that are refitted "
            f"minimise none. {instead}"
        )


def directions_of(state):
    """Vector v = H^-1 grad F of every functional."""
    criterion, raw = state.metric.criterion, state.raw_prediction
    gradient, jacobian = criterion.gradient_factors(raw, state.rows)
    return state.solve(state.model.vjp(state.X, gradient)) @ jacobian


def with_leverage(state, indices):
    """Leverage-exact influences of some rows, and their leverages."""
    check_hessian(
        state, "leverage=True", "Use trees='joint', or leave_one_out, which refits."
    )
    with threadpool_limits(1, user_api="blas"):
        matrices = leverage_matrices(state.model, state.solve, indices)
    values = exact_row_influence(state.model, matrices, directions_of(state), indices)
    return values, largest_leverage(matrices)


def _effect_of_penalty(state, indices):
    """What a smaller penalty without each row does to the functionals."""
    released = [released_penalty(state.model, index) for index in indices]
    size = state.model.parameters.size
    return np.reshape(released, (len(indices), size)) @ directions_of(state)


def _actual_changes(state, indices, n_jobs):
    """Changes of all functionals by retraining, and by its first step alone."""
    start = optimum(state.model, state.solve)
    model, solve = on_active_set(state.model, state.solve, start, state.curvature)
    before = _functionals(state, start)

    def changes(index):
        deletion = RowDeletion(model, solve, index)
        ends = deletion.parameters(start), start + deletion.first_step
        return [_functionals(state, end) - before for end in ends]

    return _of_each_row(changes, indices, len(before), n_jobs)


def _of_each_row(changes, indices, n_functionals, n_jobs):
    """Pairs of changes, as two arrays of shape (n_rows, n_functionals)."""
    each = ((index,) for index in indices)
    found = run_parallel(changes, each, n_jobs=n_jobs, prefer="threads")
    return np.reshape(found, (len(indices), 2, n_functionals)).swapaxes(0, 1)


def _functionals(state, parameters):
    raw = state.model.raw_prediction(state.X, parameters)
    return state.metric.criterion.value(raw, state.rows)
