# SPDX-License-Identifier: BSD-3-Clause
"""What a search takes: groups that stay together, a metric, a requirement."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
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
)
from sklearn_softunlearn.datasets import make_biased_classification

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
