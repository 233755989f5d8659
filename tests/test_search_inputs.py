# SPDX-License-Identifier: BSD-3-Clause
"""What a search takes: groups that stay together, a metric, a requirement."""

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import (
    GroupMetric,
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    fairness_scorer,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import RequirementNotMetWarning

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.SmallGroupWarning",
    "ignore::sklearn_softunlearn.exceptions.CorrectionWarning",
    "ignore::sklearn_softunlearn.exceptions.RequirementNotMetWarning",
)
N = 480
X, y, GROUP = make_biased_classification(N, random_state=0)
PERSON = np.arange(N) % 7
FITTED = []


class Noting(LogisticRegression):
    """Notes which rows it is fitted to."""

    def fit(self, X, y, sample_weight=None):
        FITTED.append(np.asarray(X)[:, 0])
        return super().fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def nothing_noted():
    FITTED.clear()


def corrector(**options):
    return SoftUnlearnCorrector(Noting(), weighting="soft", **options)


def persons_fitted():
    row_of = {value: row for row, value in enumerate(X[:, 0])}
    return [{PERSON[row_of[value]] for value in rows} for rows in FITTED]


@pytest.mark.parametrize(
    ("cv", "n_folds"),
    [
        (GroupKFold(3), 3),
        (StratifiedGroupKFold(3), 3),
        (LeaveOneGroupOut(), 7),
        (GroupShuffleSplit(2, random_state=0), 2),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("form", [np.asarray, list, pd.Series])
def test_groups_stay_on_one_side_of_each_fold(cv, n_folds, form):
    search = SoftUnlearnCorrectorCV(corrector(), deltas=[0.0, 0.1], cv=cv)
    search.fit(X, y, sensitive_features=GROUP, groups=form(PERSON))
    assert search.n_splits_ == n_folds
    *folds, everyone = FITTED
    assert len(everyone) == N
    for rows, (train, _) in zip(folds, cv.split(X, y, PERSON), strict=True):
        np.testing.assert_array_equal(rows, X[train, 0])
        assert len(set(PERSON[train])) < 7


def test_a_grid_search_over_groups_has_the_same_folds():
    cv, deltas = GroupKFold(3), [0.0, 0.1]
    search = SoftUnlearnCorrectorCV(
        corrector(), deltas=deltas, cv=cv, scoring="roc_auc"
    )
    search.fit(X, y, sensitive_features=GROUP, groups=PERSON)
    grid = GridSearchCV(corrector(), {"delta": deltas}, cv=cv, scoring="roc_auc")
    grid.fit(X, y, sensitive_features=GROUP, groups=PERSON)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"]
    )


def test_groups_are_routed():
    search = SoftUnlearnCorrectorCV(corrector(), deltas=[0.0, 0.1], cv=GroupKFold(3))
    pipeline = make_pipeline(StandardScaler(), search)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline.fit(X, y, sensitive_features=GROUP, groups=PERSON)
    assert pipeline[-1].n_splits_ == 3


def test_rows_that_test_a_promise_are_of_other_persons():
    refit = Requirement(metric_at_most=0.5, confidence=0.9)
    search = SoftUnlearnCorrectorCV(
        corrector(), deltas=[0.0, 0.1], cv=GroupKFold(2), refit=refit, test_size=0.3,
        random_state=0,
    )  # fmt: skip
    search.fit(X, y, sensitive_features=GROUP, groups=PERSON)
    first, second, fitted = persons_fitted()
    assert first | second == fitted and not first & second
    assert len(fitted) == 4  # three of seven test
    tests = ~np.isin(PERSON, list(fitted))
    assert not np.any(search.deletion_weights_[tests])


@pytest.mark.parametrize("groups", [PERSON[:-1], np.where(PERSON, PERSON, np.nan)])
def test_groups_of_another_length_or_with_gaps_are_refused(groups):
    search = SoftUnlearnCorrectorCV(corrector(), cv=GroupKFold(3))
    with pytest.raises(ValueError, match=r"groups has \d+ values, \d+ of them missing"):
        search.fit(X, y, sensitive_features=GROUP, groups=groups)
    assert not FITTED


@pytest.mark.parametrize(
    "metric",
    [
        "equal_opportunity_difference",
        GroupMetric("selection_rate_group_min"),
        ["demographic_parity_difference", "equal_opportunity_difference"],
        "loss",
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["model", "pipeline", "corrector"])
def test_a_search_takes_a_metric(metric, kind):
    model = LogisticRegression()
    pipeline = make_pipeline(StandardScaler(), model)
    given = {"model": model, "pipeline": pipeline}
    estimator = given.get(kind, SoftUnlearnCorrector(model, delta=0.3))
    options = {"deltas": [0.0], "cv": 2, "scoring": "accuracy"}
    search = SoftUnlearnCorrectorCV(estimator, metric=metric, **options)
    search.fit(X, y, sensitive_features=GROUP)

    inner = SoftUnlearnCorrector(pipeline if kind == "pipeline" else model)
    by_hand = SoftUnlearnCorrectorCV(inner.set_params(metric=metric), **options)
    by_hand.fit(X, y, sensitive_features=GROUP)
    np.testing.assert_array_equal(search.influence_, by_hand.influence_)
    assert search.functional_names_ == by_hand.functional_names_
    assert estimator.get_params().get("metric") != metric


def test_without_a_metric_that_of_the_corrector_stays():
    metric = "equal_opportunity_difference"
    search = SoftUnlearnCorrectorCV(corrector(metric=metric), deltas=[0.0], cv=2)
    search.fit(X, y, sensitive_features=GROUP)
    assert f"mean_test_{metric}" in search.cv_results_


@pytest.mark.parametrize(
    "requirement",
    [
        lambda: Requirement(metric_at_most=0.1, metric_at_least=0.2),
        lambda: Requirement(metric_at_most=0.1, utility_at_least=0.5),
        lambda: Requirement(metric_at_most=0.1, metric="beauty"),
        lambda: Requirement(utility_loss_at_most=0.1, utility="grace"),
        lambda: Requirement(metric_at_most="low"),
        lambda: Requirement(),
        lambda: Requirement(metric_at_most=0.1, confidence=2.0),
    ],
)
def test_an_invalid_requirement_fails_before_any_fold(requirement):
    with pytest.raises((ValueError, TypeError)):
        SoftUnlearnCorrectorCV(
            corrector(), deltas=[0.1, 0.2], cv=2, refit=requirement()
        ).fit(X, y, sensitive_features=GROUP)
    assert not FITTED


# --------------------------------------------------------- what scorers ask for

COST = np.random.default_rng(0).uniform(0.1, 3.0, N)
REGION = np.random.default_rng(1).choice(["east", "west"], N)


def mean_cost(y_true, y_pred, cost, unit=1.0):
    return unit * np.mean(cost * (y_true != y_pred))


def of_most_persons(y_true, y_pred, groups):
    return len(set(groups[y_true == y_pred]))


def routed_scorers():
    """Of what fit is given beside X, y and the groups; under routing."""
    cost, alias = (make_scorer(mean_cost, greater_is_better=False) for _ in range(2))
    weighted, brier = make_scorer(accuracy_score), make_scorer(brier_score_loss)
    fair = fairness_scorer("demographic_parity_difference")
    return {
        "cost": (cost.set_score_request(cost=True), {"cost": COST}),
        "alias": (alias.set_score_request(cost="price"), {"price": list(COST)}),
        "unit": (
            make_scorer(mean_cost).set_score_request(cost=True, unit=True),
            {"cost": pd.Series(COST), "unit": 2.5},
        ),
        "exposure": (
            weighted.set_score_request(sample_weight="exposure"),
            {"exposure": COST},
        ),
        "groups of their own": (
            fair.set_score_request(sensitive_features="region"),
            {"region": REGION},
        ),
        "persons": (
            make_scorer(of_most_persons).set_score_request(groups=True),
            {"groups": PERSON},
        ),
        "sample_weight": (
            brier.set_score_request(sample_weight=True),
            {"sample_weight": COST},
        ),
    }


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def routed_corrector(**options):
    model = LogisticRegression().set_fit_request(sample_weight=True)
    corrector = SoftUnlearnCorrector(model, weighting="soft", **options)
    return corrector.set_fit_request(sample_weight=True)


def searched(scoring, **fit_params):
    search = SoftUnlearnCorrectorCV(
        routed_corrector(), deltas=[0.0, 0.3], cv=3, scoring=scoring
    )
    return search.fit(X, y, sensitive_features=GROUP, **fit_params)


def test_a_scorer_that_leaves_the_weights_open_is_refused_as_in_a_grid_search(routing):
    for scoring in ("accuracy", make_scorer(brier_score_loss)):
        grid = GridSearchCV(
            routed_corrector(), {"delta": [0.0, 0.3]}, cv=3, scoring=scoring
        )
        # Scorers of older scikit-learn leave nothing open.
        try:
            grid.fit(X, y, sensitive_features=GROUP, sample_weight=COST)
            as_there = nullcontext()
        except UnsetMetadataPassedError:
            as_there = pytest.raises(UnsetMetadataPassedError, match="sample_weight")
        with as_there:
            searched(scoring, sample_weight=COST)
    unweighted = make_scorer(accuracy_score).set_score_request(sample_weight=False)
    searched(unweighted, sample_weight=COST)
    searched("accuracy")  # nothing is left open without weights


def test_rows_count_in_the_scorers_of_a_search_with_and_without_routing():
    model = SoftUnlearnCorrector(weighting="soft")
    plain = SoftUnlearnCorrectorCV(model, deltas=[0.0, 0.3], cv=3)
    plain.fit(X, y, sensitive_features=GROUP, sample_weight=COST)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = searched(None, sample_weight=COST)
    for name in ("demographic_parity_difference", "accuracy"):
        column = f"mean_test_{name}"
        np.testing.assert_allclose(
            routed.cv_results_[column], plain.cv_results_[column]
        )


@pytest.mark.parametrize(
    "name", [
        "cost", "unit", "exposure", "groups of their own", "persons", "sample_weight",
    ],
)  # fmt: skip
def test_scorers_get_what_they_ask_for_as_in_a_grid_search(routing, name):
    scorer, passed = routed_scorers()[name]
    options = {"cv": GroupKFold(3) if name == "persons" else 3, "scoring": scorer}
    deltas = [0.0, 0.3]
    search = SoftUnlearnCorrectorCV(routed_corrector(), deltas=deltas, **options)
    search.fit(X, y, sensitive_features=GROUP, **passed)
    grid = GridSearchCV(routed_corrector(), {"delta": deltas}, **options)
    grid.fit(X, y, sensitive_features=GROUP, **passed)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"]
    )
    without = {"groups": PERSON} if name == "persons" else {}
    plain = SoftUnlearnCorrectorCV(
        routed_corrector(), deltas=deltas, cv=options["cv"], scoring="accuracy"
    ).fit(X, y, sensitive_features=GROUP, **without)
    scores = [s.cv_results_["mean_test_score"] for s in (search, plain)]
    assert not np.allclose(*scores)


def test_an_alias_is_found_behind_a_pipeline_and_in_several_scorers(routing):
    (cost, passed), (fair, more) = (
        routed_scorers()[name] for name in ("alias", "groups of their own")
    )
    search = SoftUnlearnCorrectorCV(
        routed_corrector(), deltas=[0.0, 0.3], cv=3, refit="cost",
        scoring={"cost": cost, "fair": fair, "accuracy": "accuracy"},
    )  # fmt: skip
    given = {"sensitive_features": GROUP} | passed | more
    within = make_pipeline(StandardScaler(), search).fit(X, y, **given)[-1]
    alone = search.fit(StandardScaler().fit_transform(X), y, **given)
    for name in ("cost", "fair", "accuracy"):
        np.testing.assert_array_equal(
            within.cv_results_[f"mean_test_{name}"],
            alone.cv_results_[f"mean_test_{name}"],
        )


@pytest.mark.parametrize("test_size", [None, 0.3])
def test_a_promise_is_about_the_groups_that_its_scorer_asks_for(routing, test_size):
    fair, passed = routed_scorers()["groups of their own"]
    refit = Requirement(metric_at_most=0.01, confidence=0.9, metric="gap")
    said = []
    for scorer, group, more in (
        (fair, GROUP, passed),
        (fairness_scorer("demographic_parity_difference"), REGION, {}),
    ):
        search = SoftUnlearnCorrectorCV(
            routed_corrector(metric="loss"), deltas=[0.0], cv=GroupKFold(2),
            scoring={"gap": scorer, "accuracy": "accuracy"}, refit=refit,
            test_size=test_size, random_state=0,
        )  # fmt: skip
        with pytest.warns(RequirementNotMetWarning) as caught:
            search.fit(X, y, sensitive_features=group, groups=np.arange(N), **more)
        said.append([str(each.message) for each in caught])
    assert said[0] == said[1]


def test_what_nobody_asks_for_is_refused(routing):
    search = SoftUnlearnCorrectorCV(routed_corrector(), deltas=[0.0], cv=2)
    with pytest.raises(TypeError, match="nonsense"):
        search.fit(X, y, sensitive_features=GROUP, nonsense=COST)
