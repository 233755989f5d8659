# SPDX-License-Identifier: BSD-3-Clause
"""Exact weights of a model whose training with other weights can be retraced: trees.

With eps the parameters are those of training with weights ``s (1 - eps)``: a function
theta(eps) that the model computes, and differentiates. The smallest weights that meet
a request,

    min_eps  1/2 sum_i r_i eps_i^2   s.t.   F_j(theta(eps)) <= target_j,
                                            lower <= eps <= upper

are found by linearising F at the weights so far, training once more with the smallest
weights for the linear problem, and so on. Weights and model agree by construction.
The first of these problems is soft-weighted unlearning to first order. Of the leaf
values of trees this is preferred to parameters of least loss with weights that explain
them (`_exact`): leaves of few rows leave many equations and few rows to fulfil them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_softunlearn.corrector.stages._linearization import OPTIMUM
from sklearn_softunlearn.corrector.stages._weight_problem import nothing_to_correct
from sklearn_softunlearn.criteria import CriterionList
from sklearn_softunlearn.influence import row_influence
from sklearn_softunlearn.updates import UpdateResult
from sklearn_softunlearn.weights import ExactSolution, Reach, WeightProblem

# Of the metric, or of the utility: by how much a target may be missed.
_MISSED = 1e-4
# Of the norm of the weights: once the targets are met, they are settled if training
# once more changes them by less. The norm is then that of the smallest to its square.
_SETTLED = 0.01
# After so many trainings, weights that meet the request are good enough, unless they
# exceed it by more than this share of the metric.
_PATIENCE, _BEYOND = 5, 5e-3
# A step is taken if the excess falls by this share of what it promises.
_SUFFICIENT, _SHORTEST = 0.1, 2.0**-6


@dataclass(frozen=True)
class Retraced:
    """Weights, and the model that training with them gives.

    Attributes
    ----------
    weights : ndarray of shape (n_samples,)
    parameters : ndarray of shape (n_parameters,)
    training : object
        With `pull`: the derivative of the training by the weights.
    raw : ndarray of shape (n_eval, n_outputs)
    value : ndarray of shape (n_functionals,)
        Of the metric, and of the utility if it is bounded.
    """

    weights: np.ndarray
    parameters: np.ndarray
    training: Any
    raw: np.ndarray
    value: np.ndarray


class RetracedProblem:
    """Training under limits on the metric, for any request; see `ExactProblem`.

    Parameters
    ----------
    state : Linearization
    sample_weight : ndarray of shape (n_samples,)
        Of the user, for the training rows.
    utility_tol : float or None
        How much each functional of the utility may rise, relative to its value.
    """

    def __init__(self, state, sample_weight, utility_tol):
        self.state, self.model = state, state.model
        self.cost, self.utility_tol = sample_weight, utility_tol
        criteria, worst, span = [state.metric.criterion], [state.worst], [state.span]
        size = [np.full(state.n_metric, max(state.metric_value, OPTIMUM))]
        if utility_tol is not None:
            kept = state.kept_utility(utility_tol)
            criteria.append(state.utility.criterion)
            worst.append(kept)
            span.append(np.zeros(len(kept)))
            size.append(np.maximum(np.abs(kept), OPTIMUM))
        self.criterion = CriterionList(criteria)
        self.worst, self.span, self.size = map(np.concatenate, (worst, span, size))

    def meet(self, options, delta, bounds):
        """Weights and parameters for a request.

        Parameters
        ----------
        options : ExactDeletion
        delta : float
        bounds : tuple of float
            Smallest and largest deletion weight.

        Returns
        -------
        ExactSolution, UpdateResult, ndarray of shape (n_parameters,)
            The last is the step of the parameters.
        """
        fitted = self.model.parameters
        here, n_iter = self._trained(np.zeros(len(self.cost))), 0
        found, converged = None, delta == 0.0 or nothing_to_correct(self.state)
        while not converged and n_iter < options.max_iter:
            found = self._linear(here, bounds).solve(delta)
            moved, length = self._search(here, found.weights, delta)
            if moved is None:
                break
            change = self._norm(moved.weights - here.weights)
            size = max(self._norm(moved.weights), OPTIMUM)
            here, n_iter = moved, n_iter + 1
            settled = length == 1.0 and change <= _SETTLED * size
            met = -_BEYOND <= self._excess(here, delta) <= _MISSED
            converged = settled or (met and n_iter >= _PATIENCE)
        solution = self._solution(here, found, delta, bounds, n_iter, converged)
        result = UpdateResult(here.parameters, n_iter, solution.status)
        return solution, result, here.parameters - fitted

    def _trained(self, weights):
        parameters, training = self.model.trained(
            self.model.row_weight * (1.0 - weights)
        )
        raw = self.model.raw_prediction(self.state.X, parameters)
        value = self.criterion.value(raw, self.state.rows)
        return Retraced(weights, parameters, training, raw, value)

    def _linear(self, here, bounds):
        """The weight problem with the functionals linear at these weights."""
        inner, outer = self.criterion.gradient_factors(here.raw, self.state.rows)
        gradient = self.model.vjp(self.state.X, inner)
        influence = row_influence(self.model, here.training, gradient) @ outer
        return WeightProblem(
            influence,
            self.worst - here.value + influence.T @ here.weights,
            self.span,
            lower=bounds[0],
            upper=bounds[1],
            norm_weight=None if np.all(self.cost == 1.0) else self.cost,
        )

    def _excess(self, here, delta):
        """By how much the worst target is missed, negative if all are met; a share."""
        over = (here.value - self.worst + delta * self.span) / self.size
        return float(np.max(over))

    def _search(self, here, weights, delta):
        """Training with the weights, or between, so that the excess falls."""
        before, length = self._excess(here, delta), 1.0
        while length > _SHORTEST:
            mixed = here.weights + length * (weights - here.weights)
            moved = self._trained(mixed)
            enough = max(_MISSED, (1.0 - _SUFFICIENT * length) * before)
            if self._excess(moved, delta) <= enough:
                return moved, length
            length *= 0.5
        return None, 0.0

    def _norm(self, weights):
        return float(np.sqrt(self.cost @ weights**2))

    def _solution(self, here, found, delta, bounds, n_iter, converged):
        left = self._excess(here, delta)
        status, reached = "optimal", delta
        if left > _MISSED:
            beyond = found is not None and found.status == "infeasible"
            status = "bounds of the weights" if beyond else "not converged"
            value = here.value[: self.state.n_metric]
            remains = float(np.max(self.state.remaining(value)))
            reached = max(1.0 - remains / self.state.metric_value, 0.0)
        elif not converged:
            status = "not converged"
        lower, upper = bounds
        multipliers = np.zeros(len(self.state.value))
        if found is not None:
            multipliers[: len(found.multipliers)] = found.multipliers
        return ExactSolution(
            here.weights,
            multipliers,
            0.0,
            status,
            Reach(reached, upper),
            int(np.sum(here.weights <= lower)) if lower < 0.0 else 0,
            int(np.sum(here.weights >= upper)),
            n_iter,
            bounded=self.utility_tol is not None,
        )
