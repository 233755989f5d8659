# SPDX-License-Identifier: BSD-3-Clause
"""Exact weights for a request: parameters, what explains them, or comes nearest."""

from dataclasses import replace

import numpy as np

from sklearn_softunlearn.corrector.report._binding import unmet_note
from sklearn_softunlearn.corrector.stages._faces import (
    explained_over_faces,
    least_loss_over_faces,
)
from sklearn_softunlearn.corrector.stages._weight_problem import (
    nothing_to_correct,
    say_unmet,
)
from sklearn_softunlearn.updates import (
    UpdateResult,
    minimize_l1,
    minimize_reweighted,
)
from sklearn_softunlearn.weights import ExactSolution, Reach

# Of the way from the fitted parameters: less unexplained than this is rounding.
_EXPLAINED = 1e-7
# Squared Newton decrement of the retrained parameters, of the row weight.
_RETRAINED = 1e-18
# Of J: what the nearest weights may cost beyond twice the least rise.
_FAR = 0.05
# Halvings of a request that no weights explain.
_HALVINGS = 7


def solve_exactly(problem, options, delta, bounds):
    """Weights and parameters for a request.

    Parameters
    ----------
    problem : ExactProblem
    options : ExactDeletion
    delta : float
    bounds : tuple of float
        Smallest and largest deletion weight.

    Returns
    -------
    ExactSolution, UpdateResult, ndarray of shape (n_parameters,)
        The last is the step that was asked for; where the weights cannot explain it,
        the parameters of the result are those that the weights retrain to.
    """
    if nothing_to_correct(problem.state):
        return _nothing(problem, 1.0)
    if delta == 0.0:
        return _nothing(problem, 0.0)
    found = _solved(problem, options, delta, bounds)
    if _is_astray(problem, found):
        found = _within_bounds(problem, options, delta, bounds)
    return found


def _nothing(problem, reached):
    n_functionals, fitted = len(problem.state.value), problem.model.parameters
    solution = ExactSolution(
        np.zeros(len(problem.row_weight)),
        np.zeros(n_functionals),
        0.0,
        "optimal",
        Reach(reached),
    )
    return solution, UpdateResult(fitted, 0, "nothing to do"), np.zeros_like(fitted)


def _is_astray(problem, found):
    """Whether the nearest weights retrain to a model that costs far more than asked."""
    solution, result, shift = found
    if solution.status != "bounds of the weights":
        return False
    fitted = problem.model.parameters
    nearest, asked = (
        problem.model.objective(problem.row_weight, theta) - problem.least
        for theta in (result.parameters, fitted + shift)
    )
    # A net that was stopped early may even gain by training on.
    return nearest - asked > max(asked, _FAR * abs(problem.least))


def _within_bounds(problem, options, delta, bounds):
    """The largest request, by halving, whose weights do not lead astray."""
    best, low, high = _nothing(problem, 0.0), 0.0, delta
    for _ in range(_HALVINGS):
        request = 0.5 * (low + high)
        tried = _solved(problem, options, request, bounds)
        if _is_astray(problem, tried):
            high = request
        else:
            best, low = tried, request
    solution, result, shift = best
    status = "bounds of the weights"
    reach = Reach(min(low, solution.problem.delta_max), bounds[1])
    solution = replace(solution, status=status, problem=reach)
    return solution, replace(result, status=status), shift


def _solved(problem, options, delta, bounds):
    fitted = problem.model.parameters
    problem, found, reached = least_loss_over_faces(
        problem, delta, tol=options.tol, max_iter=options.max_iter
    )
    theta = found.point.theta
    explanation = explained_over_faces(problem, theta, *bounds)
    final, status = theta, "optimal" if found.converged else "not converged"
    if reached < delta:
        status = "out of reach"
    if explanation.left > _EXPLAINED:
        remaining = problem.row_weight * (1.0 - explanation.weights)
        model = problem.model.with_row_weight(remaining).at(theta)
        final = retrained(model, remaining)
        status = "bounds of the weights"
        reached = 1.0 - surrogate_left(problem, final)
    weights, (lower, upper) = explanation.weights, bounds
    solution = ExactSolution(
        weights,
        _of_functionals(problem, found.multipliers),
        explanation.left,
        status,
        Reach(delta if status == "optimal" else max(reached, 0.0), upper),
        int(np.sum(weights <= lower)) if lower < 0.0 else 0,
        int(np.sum(weights >= upper)),
        found.n_iter,
        bounded=problem.utility_tol is not None,
    )
    result = UpdateResult(final, found.n_iter, status)
    return solution, result, theta - fitted


def report_unmet(state, solution, delta, on_infeasible):
    """Raise or warn if a request was not met, as the user wants it."""
    note = unmet_note(state, solution, delta)
    if note is not None and on_infeasible != "ignore":
        say_unmet(note, on_infeasible)


def retrained(model, row_weight):
    """Parameters at the optimum with these row weights, from those of a model."""
    if np.any(model.l1_strength()):
        tolerance = _RETRAINED * float(np.sum(row_weight))
        return minimize_l1(model, row_weight, model.parameters, tolerance)
    return minimize_reweighted(model, row_weight, tol=_RETRAINED).parameters


def surrogate_left(problem, theta):
    """Share of the smooth metric that is left at some parameters."""
    state = problem.state
    value = state.metric.criterion.value(
        state.model.raw_prediction(state.X, theta), state.rows
    )
    return float(np.max(state.remaining(value))) / state.metric_value


def _of_functionals(problem, multipliers):
    found = problem.criterion.of_functionals(multipliers, problem.state.rows)
    return np.append(found, np.zeros(len(problem.state.value) - len(found)))
