# SPDX-License-Identifier: BSD-3-Clause
"""From a fitted estimator and tables of rows to influences and a weight problem."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sklearn.utils import check_array

from sklearn_softunlearn.corrector.inputs._base_fit import remedy_for_values
from sklearn_softunlearn.corrector.inputs._evaluation import Split
from sklearn_softunlearn.corrector.inputs._groups import Groups, check_same_groups
from sklearn_softunlearn.corrector.inputs._targets import (
    encoded_target,
    with_positive_class,
)
from sklearn_softunlearn.corrector.stages._attacked_rows import (
    attacks_in,
    with_attacked_rows,
)
from sklearn_softunlearn.corrector.stages._convergence import (
    warn_if_unconverged,
    warn_of_steps,
)
from sklearn_softunlearn.corrector.stages._exact import ExactProblem
from sklearn_softunlearn.corrector.stages._linearization import (
    Linearization,
    NamedCriterion,
    linearize,
)
from sklearn_softunlearn.corrector.stages._own_word import check_own_word
from sklearn_softunlearn.corrector.stages._retraced import RetracedProblem
from sklearn_softunlearn.corrector.stages._weight_problem import first_order
from sklearn_softunlearn.criteria import (
    EvaluationRows,
    criterion_name,
    resolve_criterion,
)
from sklearn_softunlearn.influence import resolve_curvature
from sklearn_softunlearn.models import (
    checked_array,
    cross_fitted_steps,
    embed,
    model_class,
    predictor,
    unlike_steps,
)

# Of the objective's value: a training that may end farther off tells nothing.
_TELLS = 0.1


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
    utility_tol : float or None
    max_weight : float
    layer : "last", "all", "lora" or list of str
    """

    base: Any
    split: Split
    state: Linearization
    groups: Groups | None
    utility_tol: float | None
    max_weight: float
    layer: Any = "last"

    @cached_property
    def first_order(self):
        """The weights to first order, a `FirstOrder`."""
        return first_order(
            self.state,
            self.split.training.sample_weight,
            utility_tol=self.utility_tol,
            max_weight=self.max_weight,
        )

    @cached_property
    def exact(self):
        """The weights to the end, an `ExactProblem` or a `RetracedProblem`."""
        retraced = self.state.model.retraced
        problem = RetracedProblem if retraced else ExactProblem
        weight = self.split.training.sample_weight
        return problem(self.state, weight, self.utility_tol)


def prepare(
    base,
    split,
    *,
    metric,
    utility,
    curvature,
    layer,
    trees,
    utility_tol,
    max_weight,
    pos_label=None,
    memory=None,
):
    """Influences of a fitted estimator, and what the weights are to keep."""
    state, groups = linearize_estimator(
        base,
        split.training,
        split.evaluation,
        metric=metric,
        utility=utility,
        curvature=curvature,
        layer=layer,
        trees=trees,
        pos_label=pos_label,
        memory=memory,
    )
    return Prepared(base, split, state, groups, utility_tol, max_weight, layer)


def linearize_estimator(
    base,
    training,
    evaluation,
    *,
    metric,
    utility,
    curvature,
    layer="last",
    trees="auto",
    pos_label=None,
    memory=None,
):
    """Linearise metric and utility at the parameters of a fitted estimator.

    Parameters
    ----------
    base : fitted estimator, alone, frozen or a Pipeline
    training, evaluation : Table
        They may be the same object.
    metric, utility, curvature, layer, trees, pos_label, memory
        As in `SoftUnlearnCorrector`.

    Returns
    -------
    Linearization, Groups or None
    """
    named = [
        NamedCriterion(criterion_name(given), resolve_criterion(given, parameter))
        for given, parameter in ((metric, "metric"), (utility, "utility"))
    ]
    groups = _groups(training, evaluation, [each.criterion for each in named])
    last = predictor(base)
    make_model = model_class(last, layer, trees)
    options = make_model.array_options
    X = _embedded(base, training, layer, options)
    y = encoded_target(training, last)
    model = make_model(last, X, y, training.sample_weight)
    same = evaluation is training
    X_eval = X if same else _embedded(base, evaluation, layer, options)
    check_own_word(base, model, training, evaluation, layer)
    rows = EvaluationRows(
        y if same else encoded_target(evaluation, last),
        evaluation.sample_weight,
        model.loss,
        model.response,
        None if groups is None else groups.codes,
        () if groups is None else groups.names,
        None if groups is None else groups.labels.reshape(len(groups.labels), -1),
        () if groups is None else groups.columns,
        tuple(getattr(last, "classes_", ())),
        X_eval,
    )
    attacks = attacks_in([each.criterion for each in named], rows)
    if attacks:
        inputs = _numbers_to_attack(evaluation.seen_by(base), options)
        X_eval, rows = with_attacked_rows(model, X_eval, rows, inputs, attacks)
    rows = with_positive_class(rows, pos_label)
    named = [_bound(each, rows) for each in named]
    solver = model.curvature or resolve_curvature(
        curvature, model.parameters.size, model.curvature_beyond_dense
    )
    state = linearize(model, X_eval, rows, *named, solver, memory=memory)
    _warn_of_training(state, base, training)
    return state, groups


def _warn_of_training(state, base, training):
    """Warn if the model was not trained on these rows as they are, to the end."""
    known = training.inputs is not None  # what the last step of a Pipeline was given
    named = [] if known else cross_fitted_steps(base)
    if not (known or named) and state.model.converged_share > _TELLS:
        # Training that ends anywhere does not tell that it was on other numbers.
        named = unlike_steps(base, training.X, training.y)
    if named:
        warn_of_steps(named)
        return

    def causes():
        return [] if known else unlike_steps(base, training.X, training.y)

    warn_if_unconverged(state, causes)


def _bound(named, rows):
    named.criterion.check(rows)
    return NamedCriterion(named.name, named.criterion.bind(rows))


def _groups(training, evaluation, criteria):
    criteria = [criterion for criterion in criteria if criterion.needs_groups]
    if not criteria:
        return None
    groups = evaluation.groups()
    # With validation data the groups of the training rows may be unknown.
    if evaluation is not training and training.sensitive_features is not None:
        marginal = all(criterion.marginal for criterion in criteria)
        check_same_groups(training.groups(), groups, marginal=marginal)
    return groups


def _numbers_to_attack(X, options):
    try:
        return check_array(X, **options)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "AdversarialLoss perturbs the numbers of one array, which X is not after "
            f"the transformers ({type(X).__name__}): {error}"
        ) from error


def _embedded(base, table, layer, options):
    with remedy_for_values():
        X = embed(predictor(base), table.seen_by(base), layer)
        return checked_array(X, f"X{table.suffix}", **options)
