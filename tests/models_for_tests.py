# SPDX-License-Identifier: BSD-3-Clause
"""A small problem on which every stage can be checked against refits."""

from types import SimpleNamespace

import numpy as np
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn.corrector.stages._linearization import (
    NamedCriterion,
    linearize,
)
from sklearn_softunlearn.criteria import EvaluationRows, MeanLoss, resolve_criterion
from sklearn_softunlearn.influence._curvature import Cholesky
from sklearn_softunlearn.models import LogisticModel


def precise_logistic(**options):
    """LogisticRegression that is solved to rounding, for finite differences."""
    return LogisticRegression(
        solver="newton-cholesky", tol=1e-12, max_iter=200, **options
    )


def small_problem(
    metric="demographic_parity_difference",
    curvature=None,
    n_samples=120,
    sample_weight=None,
    seed=0,
    **options,
):
    """Fitted model, evaluation rows of its own and the linearisation on them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * n_samples, 3))
    group = (X[:, 0] + rng.normal(size=len(X)) > 0).astype(int)
    y = (X @ [1.0, 1.0, -1.0] + group + rng.logistic(size=len(X)) > 0.5).astype(int)
    train, held_out = slice(None, n_samples), slice(n_samples, None)
    weight = np.ones(n_samples) if sample_weight is None else sample_weight
    estimator = precise_logistic(**options).fit(
        X[train], y[train], sample_weight=weight
    )
    model = LogisticModel(estimator, X[train], y[train], weight)
    rows = EvaluationRows(
        y[held_out],
        np.ones(n_samples),
        model.loss,
        model.response,
        group[held_out],
        ("a", "b"),
    )
    state = linearize(
        model,
        X[held_out],
        rows,
        NamedCriterion(str(metric), resolve_criterion(metric, "metric")),
        NamedCriterion("loss", MeanLoss()),
        curvature or Cholesky(),
    )
    return SimpleNamespace(
        X=X[train],
        y=y[train],
        X_eval=X[held_out],
        rows=rows,
        weight=weight,
        estimator=estimator,
        model=model,
        state=state,
    )


def functionals(problem, parameters):
    """Values of all functionals at other parameters."""
    raw = problem.model.raw_prediction(problem.X_eval, parameters)
    criteria = (problem.state.metric.criterion, problem.state.utility.criterion)
    return np.concatenate([c.value(raw, problem.rows) for c in criteria])
