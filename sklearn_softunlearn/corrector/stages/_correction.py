# SPDX-License-Identifier: BSD-3-Clause
"""The last stage: deletion weights move the parameters, by the update of the user."""

from functools import partial

import numpy as np

from sklearn_softunlearn.corrector.stages._linearization import linearize
from sklearn_softunlearn.influence import first_order_shift
from sklearn_softunlearn.updates import UpdateProblem, UpdateResult
from sklearn_softunlearn.weights import WeightProblem


def correct(state, solution, shift, update, *, delta):
    """Move the parameters with the given weights, of first-order change ``shift``.

    Returns
    -------
    UpdateResult
    """
    if not np.any(solution.weights):  # exactly unchanged, whatever the update would do
        return UpdateResult(state.model.parameters, 0, "nothing to do")
    result = update.update(update_problem(state, solution, shift, delta))
    if not np.all(np.isfinite(result.parameters)):
        raise FloatingPointError(f"{update!r} diverged: parameters are not finite.")
    return result


def update_problem(state, solution, shift, delta):
    """What an update is given."""
    criterion = state.metric.criterion

    def functionals(parameters):
        raw = state.model.raw_prediction(state.X, parameters)
        return raw, state.remaining(criterion.value(raw, state.rows))

    def metric_gradient(parameters):
        raw, value = functionals(parameters)
        worst = np.argmax(value)
        gradient = criterion.gradient(raw, state.rows)[:, :, [worst]]
        gradient *= state.scale[worst]
        return state.model.at(parameters).vjp(state.X, gradient)[:, 0]

    start = state.metric_value
    # Where delta was out of reach, the target is what the weights attain.
    attained = solution.delta_max if solution.status == "infeasible" else delta
    return UpdateProblem(
        model=state.model,
        deletion_weights=solution.weights,
        shift=shift,
        metric=lambda parameters: float(np.max(functionals(parameters)[1])),
        metric_gradient=metric_gradient,
        target=(1.0 - attained) * start,
        relinearize=partial(_missing_weights, state, solution, state.targets(attained)),
    )


def _missing_weights(state, solution, target, parameters, used):
    """Weights to add at new parameters, and the shift that they bring from there.

    The influences are those of the objective reweighted by the weights used so far.
    Weights may be taken back, and the utility must not get worse from here on.
    """
    remaining = state.model.row_weight * (1.0 - used)
    model = state.model.at(parameters)
    moved = linearize(
        model,
        state.X,
        state.rows,
        state.metric,
        state.utility,
        state.curvature,
        row_weight=remaining,
    )
    bounds = np.zeros(moved.value.size)
    bounds[: moved.n_metric] = target - moved.value[: moved.n_metric]
    problem = WeightProblem(
        moved.influence,
        bounds,
        np.zeros(moved.value.size),
        lower=-used,
        upper=solution.problem.upper - used,
    )
    added = problem.solve(0.0)
    if added.status == "infeasible":
        return np.zeros_like(used), np.zeros_like(parameters)
    return added.weights, first_order_shift(model, moved.solve, added.weights)
