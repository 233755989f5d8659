# SPDX-License-Identifier: BSD-3-Clause
"""A request as constraints on the deletion weights, and the weights chosen for it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_softunlearn.corrector.report._binding import what_binds
from sklearn_softunlearn.corrector.stages._linearization import OPTIMUM
from sklearn_softunlearn.exceptions import (
    InfeasibleDeltaError,
    InfeasibleDeltaWarning,
    NothingToCorrectWarning,
    warn,
)
from sklearn_softunlearn.weights import WeightProblem


@dataclass(frozen=True)
class FirstOrder:
    """The constraints of the weights to first order, built when first asked for.

    Attributes
    ----------
    row_influence, factors : ndarray
        As in `Linearization`.
    slack, tighten : ndarray of shape (n_functionals,)
    upper : float
    norm_weight : ndarray of shape (n_samples,) or None
    """

    row_influence: np.ndarray
    factors: np.ndarray
    slack: np.ndarray
    tighten: np.ndarray
    upper: float
    norm_weight: np.ndarray | None

    @cached_property
    def problem(self):
        """A `WeightProblem`."""
        return WeightProblem(
            self.row_influence @ self.factors,
            self.slack,
            self.tighten,
            upper=self.upper,
            norm_weight=self.norm_weight,
        )


def first_order(state, sample_weight, *, utility_tol, max_weight):
    """The constraints of the weights, in the units of the influences.

    With F_j the functionals of the metric, M_j what each is measured against (their
    maximum, for one metric) and P_j its value at parity (0 for a difference), the
    weights eps must satisfy, at request delta::

        a_j . eps <= (1 - delta) * M_j + delta * P_j - F_j      of the metric
        u_k . eps <= M_k - U_k + utility_tol * |M_k|            of the utility

    Without a ``utility_tol`` the last kind asks nothing.

    Rows that the user weighted by s count s times in the norm of the weights: a row
    of weight 2 is the same as two rows.
    """
    utility = state.value[state.n_metric :]
    # More than any weights within their bounds reach.
    on_utility = state.row_influence @ state.factors[:, state.n_metric :]
    farthest = 2.0 * np.sum(np.abs(on_utility), axis=0)
    allowed = np.minimum(state.kept_utility(utility_tol) - utility, farthest + 1.0)
    slack = np.concatenate([state.worst - state.value[: state.n_metric], allowed])
    tighten = np.concatenate([state.span, np.zeros(len(utility))])
    norm_weight = None if np.all(sample_weight == 1.0) else sample_weight
    return FirstOrder(
        state.row_influence, state.factors, slack, tighten, max_weight, norm_weight
    )


def choose_weights(
    state, problem, weighting, *, delta, regularization, on_infeasible, start=None
):
    """Deletion weights for a request.

    ``weighting`` is None for soft weights, else an object such as `HardDeletion`;
    ``start`` is the solution for a smaller delta.

    Returns
    -------
    WeightSolution

    Raises
    ------
    InfeasibleDeltaError
        If the request is out of reach and ``on_infeasible="raise"``.
    """
    if delta > 0 and nothing_to_correct(state):
        delta = 0.0
    if weighting is None:
        solution = problem.solve(delta, regularization=regularization, start=start)
    else:
        worst = int(np.argmax(state.remaining(state.value[: state.n_metric])))
        solution = weighting.choose(problem, problem.constraints[:, worst], delta)
    if on_infeasible == "ignore":
        return solution
    if solution.status == "infeasible":
        _report_infeasible(state.metric.name, delta, solution, on_infeasible)
    elif solution.status.endswith("fell short"):
        say_unmet(
            f"delta={delta:g} is out of reach of hard deletion: all rows whose "
            f"deletion is predicted to lower {state.metric.name} were deleted. (a) "
            "Lower delta; (b) weighting='soft' also uses parts of rows.",
            on_infeasible,
        )
    return solution


def nothing_to_correct(state):
    """Whether the metric is at its optimum already, which is said."""
    if state.metric_value > OPTIMUM:
        return False
    warn(
        f"{state.metric.name} is {state.metric_value:.3g} away from its optimum on the "
        "evaluation data: there is nothing to correct and the model is unchanged.",
        NothingToCorrectWarning,
    )
    return True


def _report_infeasible(name, delta, solution, on_infeasible):
    message = (
        f"delta={delta:g} is out of reach: at most {solution.delta_max:.4g} of the "
        f"current {name} can be removed with weights within their bounds and "
        "no loss of utility beyond utility_tol. "
    )
    say_unmet(message + what_binds(solution.problem), on_infeasible)


def say_unmet(message, on_infeasible):
    """Raise `InfeasibleDeltaError` or warn `InfeasibleDeltaWarning`."""
    if on_infeasible == "raise":
        raise InfeasibleDeltaError(message)
    warn(
        message + " The largest attainable improvement was used.",
        InfeasibleDeltaWarning,
    )
