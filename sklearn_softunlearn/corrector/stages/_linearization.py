# SPDX-License-Identifier: BSD-3-Clause
"""Metric and utility at the fitted parameters, and the influences of all rows on them.

Nothing here depends on the request, so that one linearisation serves every delta.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import linalg
from sklearn.utils.validation import check_memory

from sklearn_softunlearn.calls import code_key, remedy_for_names
from sklearn_softunlearn.criteria import Criterion, EvaluationRows, check_shapes
from sklearn_softunlearn.influence import Cholesky, functional_influence
from sklearn_softunlearn.models import TrainedModel

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
    row_influence : ndarray of shape (n_samples, n_statistics)
        What deleting a row does to the statistics that the functionals are made of.
    factors : ndarray of shape (n_statistics, n_functionals)
        Derivatives of the functionals by the statistics.
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
    row_influence: np.ndarray
    factors: np.ndarray
    value: np.ndarray
    n_metric: int

    @cached_property
    def influence(self):
        """On the functionals: those of the metric, then those of the utility.

        Of shape (n_samples, n_functionals), where a gap between G groups has G (G - 1)
        functionals; hence not before it is asked for.
        """
        return self.row_influence @ self.factors

    def first_order_change(self, weights):
        """Of each functional, to first order."""
        return self.factors.T @ (self.row_influence.T @ weights)

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

    def kept_utility(self, utility_tol):
        """What each functional of the utility may be; None is no bound at all."""
        utility = self.value[self.n_metric :]
        if utility_tol is None:
            return np.full(len(utility), np.inf)
        kept = self.utility.criterion.worst(utility, self.rows)
        return kept + utility_tol * np.abs(kept)

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
    cached = check_memory(memory).cache(_solved, ignore=["model", "rows"])
    key = None if memory is None else _cache_key(model, rows, criteria, curvature)
    with remedy_for_names():
        solve, influence, factors, values = cached(
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
        row_influence=influence,
        factors=factors,
        value=np.concatenate(values),
        n_metric=values[0].size,
    )


def _cache_key(model, rows, criteria, curvature):
    """What stands for the model, the rows and the user's own code where results stay.

    The loss is the model's, and that of a net, which holds the net, is another one
    whenever it is loaded.
    """
    if rows.loss is model.loss:
        rows = replace(rows, loss=None)
    return model.cache_key(), rows, code_key(criteria, curvature)


def _solved(model, X, raw, rows, criteria, curvature, row_weight, whole, key):
    """Solver (None unless ``whole``), influences, their factors, and values.

    The ``key`` is that of `_cache_key`.
    """
    solve = curvature.factorize(model, row_weight)
    factors = [criterion.gradient_factors(raw, rows) for criterion in criteria]
    values = [criterion.value(raw, rows) for criterion in criteria]
    for criterion, value, factor in zip(criteria, values, factors, strict=True):
        check_shapes(criterion, value, factor, raw, rows)
    inner = np.concatenate([f[0] for f in factors], axis=2)
    outer = linalg.block_diag(*[f[1] for f in factors])
    influence, outer = functional_influence(model, solve, X, inner, outer)
    return solve if whole else None, influence, outer, values
