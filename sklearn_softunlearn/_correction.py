# SPDX-License-Identifier: BSD-3-Clause
"""The three stages on arrays: influence, weights, update.

`linearize` does what does not depend on the request; `correct` does the rest and can
be called for many values of delta.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from sklearn_softunlearn._influence import first_order_shift, row_influence
from sklearn_softunlearn._report import CorrectionReport, ReportLine
from sklearn_softunlearn.criteria import Criterion, EvaluationRows
from sklearn_softunlearn.exceptions import (
    BaseNotConvergedWarning,
    InfeasibleDeltaError,
    InfeasibleDeltaWarning,
    NothingToCorrectWarning,
    warn,
)
from sklearn_softunlearn.models import TrainedModel
from sklearn_softunlearn.weights import WeightProblem, hard_weights

# A metric below this has nothing left to correct.
OPTIMUM = 1e-10

# Share of the training objective that a Newton step may still gain before the base
# model counts as unconverged. At scikit-learn's default tolerance it is below 1e-6.
_CONVERGED = 1e-5


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
        """Smooth value of the metric: its largest functional."""
        return float(np.max(self.value[: self.n_metric]))


def linearize(model, X, rows, metric, utility, curvature):
    """Influences of all training rows on metric and utility.

    Parameters
    ----------
    model : TrainedModel
    X : array of shape (n_eval, n_features)
    rows : EvaluationRows
    metric, utility : NamedCriterion
    curvature : object
        With a method `factorize`.

    Returns
    -------
    Linearization

    Raises
    ------
    ValueError
        If a criterion is undefined on the evaluation rows.
    """
    solve = curvature.factorize(model, model.row_weight)
    warn_if_unconverged(model, solve)
    raw = model.fitted_raw_prediction if X is model.X else model.raw_prediction(X)
    criteria = (metric.criterion, utility.criterion)
    for criterion in criteria:
        criterion.check(rows)
    factors = [criterion.gradient_factors(raw, rows) for criterion in criteria]
    # One product with the data for all statistics of all criteria.
    gradient = model.vjp(X, np.concatenate([f[0] for f in factors], axis=2))
    influence = row_influence(model, solve(gradient)) @ linalg.block_diag(
        *[f[1] for f in factors]
    )
    values = [criterion.value(raw, rows) for criterion in criteria]
    return Linearization(
        model=model,
        X=X,
        rows=rows,
        raw_prediction=raw,
        metric=metric,
        utility=utility,
        solve=solve,
        influence=influence,
        value=np.concatenate(values),
        n_metric=values[0].size,
    )


def weight_problem(state, sample_weight, *, utility_tol, max_weight):
    """The constraints of the weights, in the units of the influences.

    With F_j the functionals of the metric and M their maximum, the weights eps must
    satisfy, at request delta::

        a_j . eps <= (1 - delta) * M - F_j      for every functional of the metric
        u_k . eps <= utility_tol * |U_k|        for every functional of the utility

    Rows that the user weighted by s count s times in the norm of the weights: a row
    of weight 2 is the same as two rows.
    """
    metric = np.arange(state.value.size) < state.n_metric
    value = state.value
    slack = np.where(metric, state.metric_value - value, utility_tol * np.abs(value))
    return WeightProblem(
        state.influence,
        slack,
        np.where(metric, state.metric_value, 0.0),
        upper=max_weight,
        norm_weight=None if np.all(sample_weight == 1.0) else sample_weight,
    )


def choose_weights(state, problem, weighting, *, delta, regularization, on_infeasible):
    """Deletion weights for a request, soft or hard.

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
            f"{state.metric.name} is {state.metric_value:.3g} on the evaluation data, "
            "its optimum: there is nothing to correct and the model is unchanged.",
            NothingToCorrectWarning,
        )
        delta = 0.0
    if weighting == "hard":
        worst = int(np.argmax(state.value[: state.n_metric]))
        return hard_weights(problem, state.influence[:, worst], delta)
    solution = problem.solve(delta, regularization=regularization)
    if solution.status == "infeasible":
        _report_infeasible(state.metric.name, delta, solution, on_infeasible)
    return solution


def correct(state, solution, update, *, delta, sample_weight):
    """Move the parameters with the given weights.

    Returns
    -------
    parameters : ndarray of shape (n_parameters,)
    report : CorrectionReport
    """
    weights = solution.weights
    model = state.model
    if np.any(weights):
        shift = first_order_shift(model, state.solve, weights)
        parameters = update.update(model, weights, shift)
    else:  # exactly unchanged, whatever the update would do
        parameters, shift = model.parameters, np.zeros_like(model.parameters)
    if not np.all(np.isfinite(parameters)):
        raise FloatingPointError(f"{update!r} diverged: parameters are not finite.")
    report = _report(state, solution, parameters, shift, delta, sample_weight)
    return parameters, report


def warn_if_unconverged(model, solve):
    """Warn if the parameters are not at the optimum of the training objective."""
    gradient = model.objective_gradient(model.row_weight)
    gain = 0.5 * gradient @ solve(gradient[:, None])[:, 0]
    share = gain / max(model.objective(model.row_weight), np.finfo(float).tiny)
    if share > _CONVERGED:
        warn(
            "The base model has not converged: the gradient of its training objective "
            f"has norm {np.linalg.norm(gradient):.3g}, and one Newton step would lower "
            f"the objective by {share:.1e} of its value. Influences assume the "
            "optimum. (a) Scale the features; (b) raise max_iter or lower tol; (c) use "
            "solver='newton-cholesky'. For a FrozenEstimator: (d) pass fit the very "
            "rows and sample weights that the model was trained with.",
            BaseNotConvergedWarning,
        )


def _report_infeasible(name, delta, solution, on_infeasible):
    message = (
        f"delta={delta:g} is out of reach: at most {solution.delta_max:.4g} of the "
        f"current {name} can be removed with weights within their bounds and "
        "no loss of utility beyond utility_tol. Lower delta, or raise utility_tol."
    )
    if on_infeasible == "raise":
        raise InfeasibleDeltaError(message)
    warn(
        message + " The largest attainable improvement was used.",
        InfeasibleDeltaWarning,
    )


def _report(state, solution, parameters, shift, delta, sample_weight):
    weights = solution.weights
    before = state.raw_prediction
    after = state.model.raw_prediction(state.X, parameters)
    predicted = before + state.model.jvp(state.X, shift[:, None])[:, :, 0]
    change = state.influence.T @ weights
    lines = []
    for named, part in (
        (state.metric, slice(None, state.n_metric)),
        (state.utility, slice(state.n_metric, None)),
    ):
        measure, hard = named.criterion.value, named.criterion.hard_value
        lines.append(
            ReportLine(
                named.name,
                "surrogate",
                float(np.max(state.value[part])),
                float(np.max(state.value[part] + change[part])),
                float(np.max(measure(after, state.rows))),
            )
        )
        values = [
            float(np.max(hard(f, state.rows))) for f in (before, predicted, after)
        ]
        lines.append(ReportLine(named.name, named.criterion.hard_kind, *values))
    return CorrectionReport(
        lines=tuple(lines),
        n_evaluation=len(before),
        delta=float(delta),
        deleted_mass=float(sample_weight @ weights),
        total_mass=float(np.sum(sample_weight)),
        status=solution.status,
    )
