# SPDX-License-Identifier: BSD-3-Clause
"""What a user would pick instead, each as predictors along its own knob.

Every method is a function ``(train, val, metric, knobs)`` that yields predictors;
``train`` and ``val`` have X, y and groups. A predictor maps features and groups to the
probability of label 1: 0 or 1 unless it is randomised. All train `LogisticRegression`
on the same encoded features, with its default solver and penalty; some take another
``model``, a function that makes one.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.preprocessing import CorrelationRemover
from fairlearn.reductions import (
    DemographicParity,
    EqualizedOdds,
    ExponentiatedGradient,
    GridSearch,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from benchmarks.data.label_metrics import DP, violation
from sklearn_softunlearn import HardDeletion, SoftUnlearnCorrector, SparseDeletion


def logistic():
    """The model that every method starts from."""
    return LogisticRegression(max_iter=1000)


@dataclass(frozen=True)
class Predictor:
    """Probability of label 1, for features and, where they are needed, groups.

    ``score`` is what it takes for the probability of class 1, of features alone; None
    for labels without one. ``asked`` and ``realised`` are gaps on the rows that the
    method was given, in its own measure; None where it is not asked for a gap.
    """

    label: object
    needs_groups: bool = False
    score: object = None
    asked: float | None = None
    realised: float | None = None

    def __call__(self, X, groups):
        """Array of shape (n_samples,)."""
        return np.asarray(self.label(X, groups), dtype=float)


def by_labels(model):
    """Predictor of a fitted classifier that needs no groups."""
    return Predictor(
        lambda X, groups: model.predict(X),
        score=lambda X: model.predict_proba(X)[:, 1],
    )


def asked_of(predictor, part, metric, asked):
    """The predictor with the gap of its labels on a part beside the asked one."""
    label = predictor(part.X, part.groups)
    realised = violation(metric, part.y, label, part.groups)
    return replace(predictor, asked=asked, realised=realised)


def unconstrained(train, val, metric, knobs, *, model=logistic):
    """The model as fitted."""
    yield by_labels(model().fit(train.X, train.y))


def exponentiated_gradient(train, val, metric, bounds, *, model=logistic):
    """Reductions (Agarwal et al. 2018), for several bounds on the violation."""
    moment = DemographicParity if metric == DP else EqualizedOdds
    base = next(unconstrained(train, val, metric, bounds, model=model))
    before = asked_of(base, train, metric, None).realised
    for bound in bounds:
        method = ExponentiatedGradient(
            model(), moment(difference_bound=bound), eps=bound
        ).fit(train.X, train.y, sensitive_features=train.groups)
        found = Predictor(partial(_expected, method), score=partial(_mixed, method))
        yield asked_of(found, train, metric, min(bound, before))


def _expected(method, X, groups):
    return method._pmf_predict(X)[:, 1]


def _mixed(method, X):
    """Mean of the probabilities of its models, weighted as they are drawn."""
    return sum(
        weight * model.predict_proba(X)[:, 1]
        for weight, model in zip(method.weights_, method.predictors_, strict=True)
        if weight > 0
    )


def grid_search(train, val, metric, sizes):
    """Reductions with a grid of multipliers; each grid point is a candidate."""
    moment = DemographicParity if metric == DP else EqualizedOdds
    for size in sizes:
        method = GridSearch(logistic(), moment(), grid_size=size)
        method.fit(train.X, train.y, sensitive_features=train.groups)
        yield from map(by_labels, method.predictors_)


def threshold_optimizer(train, val, metric, tolerances, *, model=logistic):
    """Thresholds for each group (Hardt et al. 2016), with a tolerance for parity.

    fairlearn knows no tolerance for equalized odds.
    """
    base = model().fit(train.X, train.y)
    constraint = "demographic_parity" if metric == DP else "equalized_odds"
    tolerances = tolerances if metric == DP else [None]
    for tolerance in tolerances:
        method = ThresholdOptimizer(
            estimator=base,
            constraints=constraint,
            prefit=True,
            predict_method="predict_proba",
            tol=tolerance,
        ).fit(train.X, train.y, sensitive_features=train.groups)
        found = Predictor(partial(_expected_by_group, method), needs_groups=True)
        yield asked_of(found, train, metric, tolerance or 0.0)


def _expected_by_group(method, X, groups):
    return method._pmf_predict(X, sensitive_features=groups)[:, 1]


def oxonfair(
    train, val, metric, targets, *, inferred=True, model=logistic, sure_from=0.0
):
    """OxonFair (Delaney et al. 2024): thresholds by group, chosen on validation rows.

    With ``inferred`` the groups of new rows are those that a model of them says. Rows
    of which it is less sure than ``sure_from`` are a group of their own; with 2/3, its
    default, it fails where no row is one.
    """
    from oxonfair import DataDict, FairPredictor
    from oxonfair import group_metrics as measures

    # The largest difference; demographic_parity averages those of all pairs.
    wanted = measures.pos_pred_rate.max_diff
    if metric != DP:
        wanted = measures.equalized_odds_max
    of_groups = inferred and _SaidGroups(train, val, model)
    method = FairPredictor(
        model().fit(train.X, train.y),
        DataDict(val.y, val.X, val.groups),
        inferred_groups=of_groups,
        threshold=sure_from,
    )
    base = next(unconstrained(train, val, metric, targets, model=model))
    before = asked_of(base, val, metric, None).realised
    for target in targets:
        # One search serves all targets; with five groups it takes a minute.
        method.fit(measures.accuracy, wanted, target, recompute=False)
        chosen = deepcopy(method)  # the next target moves the thresholds

        def label(X, groups, chosen=chosen):
            # The target is asked for, and not used.
            data = DataDict(np.zeros(len(groups), dtype=int), X, groups)
            return np.asarray(chosen.predict({"data": X} if inferred else data))

        found = Predictor(label, needs_groups=not inferred)
        yield asked_of(found, val, metric, min(target, before))


class _SaidGroups:
    """Probabilities of the groups that a model says of some row.

    OxonFair 0.3 fails where there is a group that is never said.
    """

    def __init__(self, train, val, model):
        self.model = model().fit(train.X, train.groups)
        self.said = np.unique(np.argmax(self.model.predict_proba(val.X), axis=1))

    def predict_proba(self, X):
        """Array of shape (n_samples, n_groups_said)."""
        return self.model.predict_proba(X)[:, self.said]


def correlation_remover(train, val, metric, alphas):
    """Features without their linear correlation with the groups."""
    levels = np.unique(train.groups)[1:]

    def with_groups(X, groups):
        return np.column_stack([X, groups[:, None] == levels]).astype(float)

    X, n_features = with_groups(train.X, train.groups), train.X.shape[1]
    ids = list(range(n_features, n_features + len(levels)))
    for alpha in alphas:
        remover = CorrelationRemover(sensitive_feature_ids=ids, alpha=alpha).fit(X)
        model = logistic().fit(remover.transform(X), train.y)

        def label(X, groups, remover=remover, model=model):
            return model.predict(remover.transform(with_groups(X, groups)))

        yield Predictor(label, needs_groups=True)


def reweighing(train, val, metric, strengths, *, model=logistic):
    """Weights P(g) P(y) / P(g, y) (Kamiran & Calders 2012), to a power in [0, 1]."""
    _, codes = np.unique(train.groups, return_inverse=True)
    joint = np.bincount(2 * codes + train.y).reshape(-1, 2) / len(train.y)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    weight = (independent / joint)[codes, train.y]
    for strength in strengths:
        weighted = model().fit(train.X, train.y, sample_weight=weight**strength)
        yield by_labels(weighted)


def influence_lp(train, val, metric, deltas):
    """Influence-based reweighing (Li & Liu, ICML 2022), written from its formula.

    The total weight that is removed is minimised, subject to the influences on the
    metric and on the loss; the model is trained again with what is left::

        min_w sum_i w_i   s.t.  a_j.w <= (1 - delta) * max F - F_j,  u.w <= 0,
                                0 <= w <= 1

    The source states one metric row; here every pair of groups has one.
    """
    return _retrained_with(train, metric, deltas, weighting=SparseDeletion())


def hard_deletion(train, val, metric, deltas):
    """The rows of most harmful influence deleted, the rest trained again."""
    return _retrained_with(train, metric, deltas, weighting=HardDeletion())


def _retrained_with(train, metric, deltas, weighting):
    """Models trained with the weights along delta, utility held to first order."""
    base = logistic().fit(train.X, train.y)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(base), metric=metric, weighting=weighting, utility_tol=0.0
    )
    path = corrector.path(
        train.X, train.y, deltas=deltas, sensitive_features=train.groups
    )
    for corrected in path:
        yield _retrained(train, corrected.sample_weight_)


def _retrained(train, weight):
    kept = weight > 0.0
    model = logistic().fit(train.X[kept], train.y[kept], sample_weight=weight[kept])
    return by_labels(model)
