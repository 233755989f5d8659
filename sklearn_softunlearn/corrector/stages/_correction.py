# SPDX-License-Identifier: BSD-3-Clause
"""The three stages on arrays: influence, weights, update.

`linearize` does what does not depend on the request; `correct` does the rest and can
be called for many values of delta.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy import linalg
from sklearn.utils.validation import check_memory

from sklearn_softunlearn.corrector.report._binding import what_binds
from sklearn_softunlearn.criteria import Criterion, EvaluationRows, check_shapes
from sklearn_softunlearn.exceptions import (
    InfeasibleDeltaError,
    InfeasibleDeltaWarning,
    NothingToCorrectWarning,
    warn,
)
from sklearn_softunlearn.influence import Cholesky, first_order_shift, row_influence
from sklearn_softunlearn.models import TrainedModel
from sklearn_softunlearn.updates import UpdateProblem, UpdateResult
from sklearn_softunlearn.weights import WeightProblem

# A metric below this has nothing left to correct.
OPTIMUM = 1e-10


@dataclass(frozen=True)
class NamedCriterion:
    """A criterion with the name that the user gave it."""

    name: str
    criterion: Criterion


@dataclass(frozen=True)
class Linearization:
    """Metric and utility at the fitted parameters, and their influences.

    Attributes
    ----------
    model : TrainedModel
    X : array of shape (n_eval, n_features)
        Evaluation rows, as the model sees them.
    rows : EvaluationRows
    raw_prediction : ndarray of shape (n_eval, n_outputs)
        Of the evaluation rows, at the fitted parameters.
    metric, utility : NamedCriterion
    curvature : object
        With a method `factorize`.
    solve : callable
        Maps G to H^-1 G.
    influence : ndarray of shape (n_samples, n_functionals)
        The functionals of the metric, then those of the utility.
    value : ndarray of shape (n_functionals,)
        Current value of the functionals.
    n_metric : int
        Number of functionals of the metric.
    """

    model: TrainedModel
    X: np.ndarray
    rows: EvaluationRows
    raw_prediction: np.ndarray
    metric: NamedCriterion
    utility: NamedCriterion
    curvature: object
    solve: Callable
    influence: np.ndarray
    value: np.ndarray
    n_metric: int

    @property
    def names(self):
        """Name of each functional."""
        return [
            name
            for named in (self.metric, self.utility)
            for name in named.criterion.names(self.rows)
        ]

    @property
    def metric_value(self):
        """What delta = 1 removes of the metric: its distance from parity.

        For a difference this is the metric itself; of several metrics, the largest.
        """
        return float(np.max(self.worst - self.parity))

    @cached_property
    def worst(self):
        """What each functional of the metric is measured against."""
        value = self.value[: self.n_metric]
        return self.metric.criterion.worst(value, self.rows)

    @cached_property
    def parity(self):
        """What delta = 1 asks of each functional of the metric."""
        value = self.value[: self.n_metric]
        return self.metric.criterion.parity(value, self.rows)

    @cached_property
    def span(self):
        """What delta = 1 removes of each functional; 0 for what is beyond parity."""
        return np.maximum(self.worst - self.parity, 0.0)

    def targets(self, delta):
        """What a request asks of each functional of the metric."""
        return self.worst - delta * self.span

    def remaining(self, value):
        """Distance of each functional of the metric from parity, on a common scale.

        The largest is `metric_value` at the fitted parameters, and
        ``(1 - delta) * metric_value`` where a request is met, whatever the metrics.
        """
        return self.scale * (value - self.parity)

    @cached_property
    def scale(self):
        """Brings several metrics to the scale of `metric_value`; 1 for one metric."""
        scale = np.zeros_like(self.span)
        return np.divide(
            self.metric_value, self.span, out=scale, where=self.span > OPTIMUM
        )


def linearize(model, X, rows, metric, utility, curvature, row_weight=None, memory=None):
    """Influences of all training rows on metric and utility.

    Parameters
    ----------
    model : TrainedModel
    X : array of shape (n_eval, n_features)
    rows : EvaluationRows
    metric, utility : NamedCriterion
    curvature : object
        With a method `factorize`.
    row_weight : ndarray of shape (n_samples,), default=None
        Weights of the objective whose Hessian is used; None for those of the model.
    memory : None, str or object with the joblib.Memory interface, default=None
        Caches the influences, and the factor of H if it is a dense one.

    Returns
    -------
    Linearization

    Raises
    ------
    ValueError
        If a criterion returns arrays of the wrong shapes.
    """
    row_weight = model.row_weight if row_weight is None else row_weight
    # First, since the model keeps it: what is cached must not depend on when.
    raw = model.fitted_raw_prediction if X is model.X else model.raw_prediction(X)
    criteria = (metric.criterion, utility.criterion)
    # Other solvers hold the model, that is, the data.
    whole = memory is None or isinstance(curvature, Cholesky)
    cached = check_memory(memory).cache(_solved, ignore=["model"])
    key = None if memory is None else model.cache_key()
    solve, influence, values = cached(
        model, X, raw, rows, criteria, curvature, row_weight, whole, key
    )
    return Linearization(
        model=model,
        X=X,
        rows=rows,
        raw_prediction=raw,
        metric=metric,
        utility=utility,
        curvature=curvature,
        solve=curvature.factorize(model, row_weight) if solve is None else solve,
        influence=influence,
        value=np.concatenate(values),
        n_metric=values[0].size,
    )


def _solved(model, X, raw, rows, criteria, curvature, row_weight, whole, key):
    """Solver (None unless ``whole``), influences and values of the criteria.

    The ``key`` stands for the model where results are cached.
    """
    solve = curvature.factorize(model, row_weight)
    factors = [criterion.gradient_factors(raw, rows) for criterion in criteria]
    values = [criterion.value(raw, rows) for criterion in criteria]
    for criterion, value, factor in zip(criteria, values, factors, strict=True):
        check_shapes(criterion, value, factor, raw, rows)
    # One product with the data for all statistics of all criteria.
    gradient = model.vjp(X, np.concatenate([f[0] for f in factors], axis=2))
    influence = row_influence(model, solve(gradient)) @ linalg.block_diag(
        *[f[1] for f in factors]
    )
    return solve if whole else None, influence, values


def weight_problem(state, sample_weight, *, utility_tol, max_weight):
    """The constraints of the weights, in the units of the influences.

    With F_j the functionals of the metric, M_j what each is measured against (their
    maximum, for one metric) and P_j its value at parity (0 for a difference), the
    weights eps must satisfy, at request delta::

        a_j . eps <= (1 - delta) * M_j + delta * P_j - F_j      of the metric
        u_k . eps <= M_k - U_k + utility_tol * |M_k|            of the utility

    Rows that the user weighted by s count s times in the norm of the weights: a row
    of weight 2 is the same as two rows.
    """
    utility = state.value[state.n_metric :]
    kept = state.utility.criterion.worst(utility, state.rows)
    slack = np.concatenate(
        [
            state.worst - state.value[: state.n_metric],
            kept - utility + utility_tol * np.abs(kept),
        ]
    )
    tighten = np.concatenate([state.span, np.zeros(len(utility))])
    return WeightProblem(
        state.influence,
        slack,
        tighten,
        upper=max_weight,
        norm_weight=None if np.all(sample_weight == 1.0) else sample_weight,
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
    if delta > 0 and state.metric_value <= OPTIMUM:
        warn(
            f"{state.metric.name} is {state.metric_value:.3g} away from its optimum "
            "on the evaluation data: there is nothing to correct and the model is "
            "unchanged.",
            NothingToCorrectWarning,
        )
        delta = 0.0
    if weighting is None:
        solution = problem.solve(delta, regularization=regularization, start=start)
    else:
        worst = int(np.argmax(state.remaining(state.value[: state.n_metric])))
        solution = weighting.choose(problem, state.influence[:, worst], delta)
    if on_infeasible == "ignore":
        return solution
    if solution.status == "infeasible":
        _report_infeasible(state.metric.name, delta, solution, on_infeasible)
    elif solution.status.endswith("fell short"):
        _say_infeasible(
            f"delta={delta:g} is out of reach of hard deletion: all rows whose "
            f"deletion is predicted to lower {state.metric.name} were deleted. (a) "
            "Lower delta; (b) weighting='soft' also uses parts of rows.",
            on_infeasible,
        )
    return solution


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


def _report_infeasible(name, delta, solution, on_infeasible):
    message = (
        f"delta={delta:g} is out of reach: at most {solution.delta_max:.4g} of the "
        f"current {name} can be removed with weights within their bounds and "
        "no loss of utility beyond utility_tol. "
    )
    _say_infeasible(message + what_binds(solution.problem), on_infeasible)


def _say_infeasible(message, on_infeasible):
    if on_infeasible == "raise":
        raise InfeasibleDeltaError(message)
    warn(
        message + " The largest attainable improvement was used.",
        InfeasibleDeltaWarning,
    )
