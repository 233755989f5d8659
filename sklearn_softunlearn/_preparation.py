# SPDX-License-Identifier: BSD-3-Clause
"""From a fitted estimator and tables of rows to influences and a weight problem."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_softunlearn._base_fit import remedy_for_values
from sklearn_softunlearn._correction import (
    Linearization,
    NamedCriterion,
    linearize,
    weight_problem,
)
from sklearn_softunlearn._curvature import resolve_curvature
from sklearn_softunlearn._evaluation import Split, encode_target
from sklearn_softunlearn._groups import Groups, check_same_groups
from sklearn_softunlearn.criteria import (
    EvaluationRows,
    criterion_name,
    resolve_criterion,
)
from sklearn_softunlearn.models import embed, model_class, predictor
from sklearn_softunlearn.weights import WeightProblem


@dataclass(frozen=True)
class Prepared:
    """What a correction computes before it looks at delta.

    Attributes
    ----------
    base : estimator
        Fitted, uncorrected.
    split : Split
    state : Linearization
    groups : Groups or None
    problem : WeightProblem
    """

    base: Any
    split: Split
    state: Linearization
    groups: Groups | None
    problem: WeightProblem


def prepare(base, split, *, metric, utility, curvature, utility_tol, max_weight):
    """Influences and weight problem of a fitted estimator."""
    state, groups = linearize_estimator(
        base,
        split.training,
        split.evaluation,
        metric=metric,
        utility=utility,
        curvature=curvature,
    )
    problem = weight_problem(
        state,
        split.training.sample_weight,
        utility_tol=utility_tol,
        max_weight=max_weight,
    )
    return Prepared(base, split, state, groups, problem)


def linearize_estimator(base, training, evaluation, *, metric, utility, curvature):
    """Linearise metric and utility at the parameters of a fitted estimator.

    Parameters
    ----------
    base : fitted estimator, alone, frozen or a Pipeline
    training, evaluation : Table
        They may be the same object.
    metric, utility, curvature : as in `SoftUnlearnCorrector`

    Returns
    -------
    Linearization, Groups or None
    """
    named = [
        NamedCriterion(criterion_name(given), resolve_criterion(given, parameter))
        for given, parameter in ((metric, "metric"), (utility, "utility"))
    ]
    groups = _groups(training, evaluation, any(c.criterion.needs_groups for c in named))
    last = predictor(base)
    X = _embedded(base, training)
    y = encode_target(training.y, last.classes_, "y")
    model = model_class(last)(last, X, y, training.sample_weight)
    same = evaluation is training
    X_eval = X if same else _embedded(base, evaluation)
    rows = EvaluationRows(
        y if same else encode_target(evaluation.y, last.classes_, "y_val"),
        evaluation.sample_weight,
        model.loss,
        model.response,
        None if groups is None else groups.codes,
        () if groups is None else groups.names,
    )
    solver = resolve_curvature(curvature, model.parameters.size)
    return linearize(model, X_eval, rows, *named, solver), groups


def _groups(training, evaluation, needed):
    if not needed:
        return None
    groups = evaluation.groups()
    # With validation data the groups of the training rows may be unknown.
    if evaluation is not training and training.sensitive_features is not None:
        check_same_groups(training.groups(), groups)
    return groups


def _embedded(base, table):
    with remedy_for_values():
        return check_array(
            embed(base, table.X),
            accept_sparse="csr",
            dtype=np.float64,
            input_name=f"X{table.suffix}",
        )
