# SPDX-License-Identifier: BSD-3-Clause
"""A requirement with a confidence, and thresholds as candidates of a search."""

import pickle

import numpy as np
import pytest
import sklearn
from fairlearn.metrics import demographic_parity_difference
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_softunlearn import (
    GroupMetric,
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    bootstrap_intervals,
    learn_then_test,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import RequirementNotMetWarning

DP = "demographic_parity_difference"
PROMISE = Requirement(metric_at_most=0.1, confidence=0.95)


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(3000, random_state=0)


def searched(data, **options):
    X, y, group = data
    search = SoftUnlearnCorrectorCV(LogisticRegression(), deltas=6, **options)
    return search.fit(X, y, sensitive_features=group)


def test_a_promise_is_stricter_than_a_mean(data):
    mean = searched(data, refit=Requirement(metric_at_most=0.1))
    promised = searched(data, refit=PROMISE)
    assert promised.delta_ > mean.delta_
    bounds = promised.cv_results_[f"bound_test_{DP}"]
    kept = promised.cv_results_["kept"]
    assert np.all(bounds[kept] <= 0.1)
    estimates = -promised.cv_results_[f"mean_test_{DP}"]
    assert np.all(bounds[kept] > estimates[kept] - 0.02)
    best = np.where(kept, promised.cv_results_["mean_test_accuracy"], 0).max()
    assert promised.cv_results_["mean_test_accuracy"][promised.best_index_] == best


def test_a_split_of_its_own_tests_the_model_that_is_returned(data):
    promise = Requirement(metric_at_most=0.12, confidence=0.95)
    search = searched(data, refit=promise, test_size=0.4, random_state=1)
    held_out = search.sample_weight_ == 1.0
    assert search.deletion_weights_.shape == (3000,)
    assert len(search.corrector_.deletion_weights_) == 1800
    again = searched(data, refit=promise, test_size=0.4, random_state=1)
    assert again.delta_ == search.delta_
    assert held_out.sum() >= 1200
    assert search.cv_results_["kept"].any()


def test_grid_search_finds_the_same_from_counts(data):
    X, y, group = data
    promise = clone(PROMISE).set_params(metric=DP)
    with sklearn.config_context(enable_metadata_routing=True):
        theirs = GridSearchCV(
            SoftUnlearnCorrector(LogisticRegression()),
            {"delta": np.linspace(0, 1, 6)},
            scoring=promise.scoring(),
            refit=promise,
            return_train_score=True,
        ).fit(X, y, sensitive_features=group)
    ours = searched(data, refit=promise)
    assert theirs.best_params_["delta"] == ours.delta_
    np.testing.assert_allclose(
        theirs.cv_results_[f"bound_test_{DP}"], ours.cv_results_[f"bound_test_{DP}"]
    )


def test_grid_search_pools_the_rows_of_all_folds(data):
    X, y, group = data
    requirement = Requirement(metric_at_most=0.1, metric=DP)
    with sklearn.config_context(enable_metadata_routing=True):
        theirs = GridSearchCV(
            SoftUnlearnCorrector(LogisticRegression()),
            {"delta": np.linspace(0, 1, 6)},
            scoring=requirement.scoring(), refit=requirement,
        ).fit(X, y, sensitive_features=group)  # fmt: skip
    ours = searched(data, refit=requirement)
    column = f"pooled_test_{DP}"
    np.testing.assert_allclose(theirs.cv_results_[column], ours.cv_results_[column])
    assert theirs.best_params_["delta"] == ours.delta_


def test_what_cannot_be_promised_is_said_with_the_rows_that_lack(data):
    promise = Requirement(metric_at_most=0.03, confidence=0.95)
    with pytest.warns(RequirementNotMetWarning, match="more rows of group") as caught:
        search = searched(data, refit=promise)
    text = str(caught[0].message)
    assert "support the promise at most" in text
    assert not search.cv_results_["kept"].any()
    training = search.path_  # the safest on the training rows, near delta 1
    assert search.delta_ >= 0.8
    assert len(training) == 6


def test_a_loss_of_accuracy_is_promised(data):
    promise = Requirement(utility_loss_at_most=0.03, confidence=0.95)
    search = searched(data, refit=promise)
    bounds = search.cv_results_["bound_test_accuracy"]
    accuracy = search.cv_results_["mean_test_accuracy"]
    kept = search.cv_results_["kept"]
    assert kept[0]
    assert bounds[0] == 0.0
    tested = np.isfinite(bounds)
    assert np.all(bounds[tested] >= accuracy[0] - accuracy[tested] - 1e-12)
    gaps = search.cv_results_[f"mean_test_{DP}"]
    assert gaps[search.best_index_] == gaps[kept].max()


@pytest.mark.parametrize("names", [("0", "1"), ("a | b", "c | d | e")])
def test_grid_search_counts_what_a_correction_gets_wrong(data, names):
    X, y, group = data
    group = np.array(names)[group]
    promise = Requirement(utility_loss_at_most=0.03, confidence=0.95)
    ours = SoftUnlearnCorrectorCV(LogisticRegression(), deltas=6, refit=promise)
    ours.fit(X, y, sensitive_features=group)
    promise = clone(promise).set_params(metric=DP)
    with sklearn.config_context(enable_metadata_routing=True):
        theirs = GridSearchCV(
            make_pipeline(
                FunctionTransformer(), SoftUnlearnCorrector(LogisticRegression())
            ),
            {"softunlearncorrector__delta": np.linspace(0, 1, 6)},
            scoring=promise.scoring(), refit=promise, return_train_score=True,
        ).fit(X, y, sensitive_features=group)  # fmt: skip
    for column in ("bound_test_accuracy", "kept", f"pooled_test_{DP}"):
        np.testing.assert_allclose(theirs.cv_results_[column], ours.cv_results_[column])
    assert theirs.best_params_ == {"softunlearncorrector__delta": ours.delta_}


def test_grid_search_says_why_a_loss_has_no_bound(data):
    X, y, group = data
    promise = Requirement(utility_loss_at_most=0.03, confidence=0.95, metric=DP)
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="LogisticRegression does not know"):
        promise.scoring()(model, X, y, sensitive_features=group)
    cv_results = {
        "param_delta": [0.0, 1.0],
        f"mean_test_{DP}": [-0.2, -0.1],
        "mean_test_accuracy": [0.9, 0.8],
    }
    with pytest.raises(ValueError, match="warnings say why"):
        promise(cv_results)
    with pytest.raises(ValueError, match="the utility is 'f1'"):
        clone(promise).set_params(utility="f1")(
            cv_results | {"mean_test_f1": [0.5, 0.4]}
        )


def test_a_regression_is_promised(data):
    X, y, group = data
    corrector = SoftUnlearnCorrector(Ridge(), metric="mean_prediction_difference")
    promise = Requirement(metric_at_most=0.1, confidence=0.9)
    search = SoftUnlearnCorrectorCV(corrector, deltas=5, refit=promise)
    search.fit(X, X[:, 0] + y, sensitive_features=group)
    assert search.cv_results_["kept"].any()


@pytest.mark.parametrize(
    ("refit", "message"),
    [
        (Requirement(metric_at_most=0.1, metric_at_least=0.2), "exactly one"),
        (Requirement(metric_at_most=-1), "metric_at_most=-1"),
        (Requirement(metric_at_most=0.1, metric="gap"), "must name a scorer"),
        (Requirement(metric_at_most=0.1, confidence=95), "confidence=95"),
        (Requirement(metric_at_least=0.1, confidence=0.9), "at_most, not at_least"),
        ("acuracy", "refit='acuracy'"),
    ],
)
def test_an_invalid_requirement_fails_before_any_fold(data, refit, message):
    class Unfittable(LogisticRegression):
        def fit(self, X, y):
            raise AssertionError("a fold was fitted")

    X, y, group = data
    search = SoftUnlearnCorrectorCV(Unfittable(), refit=refit)
    with pytest.raises(ValueError, match=message):
        search.fit(X, y, sensitive_features=group)


def test_other_misuse_is_refused(data):
    X, y, group = data
    for options, message in [
        ({"test_size": 0.3}, "test_size holds out rows"),
        ({"test_size": 1.5, "refit": PROMISE}, "test_size=1.5"),
        ({"threshold": 0.4}, "threshold=0.4"),
        ({"refit": PROMISE, "cv": ShuffleSplit(2, random_state=0)}, "tested twice"),
        ({"refit": Requirement(utility_loss_at_most=0.1), "deltas": [0.5]}, "put 0"),
    ]:
        search = SoftUnlearnCorrectorCV(LogisticRegression(), **{"deltas": 3} | options)
        with pytest.raises(ValueError, match=message):
            search.fit(X, y, sensitive_features=group)
    regression = SoftUnlearnCorrectorCV(Ridge(), threshold="tuned")
    with pytest.raises(ValueError, match="needs a classifier"):
        regression.fit(X, X[:, 0], sensitive_features=group)
    three = SoftUnlearnCorrectorCV(LogisticRegression(), threshold="tuned", deltas=2)
    with pytest.raises(ValueError, match="two classes"):
        three.fit(X, np.arange(3000) % 3, sensitive_features=group)


def test_delta_and_threshold_are_chosen_together(data):
    X, y, group = data
    alone = searched(data, refit=Requirement(metric_at_most=0.05))
    search = searched(data, refit=Requirement(metric_at_most=0.05), threshold="tuned")
    assert isinstance(search.estimator_, FixedThresholdClassifier)
    assert set(search.best_params_) == {"delta", "threshold"}
    assert len(search.cv_results_["params"]) == 6 * 21
    margin = search.corrector_.decision_function(X)
    np.testing.assert_array_equal(search.predict(X), margin > search.threshold_)
    np.testing.assert_allclose(
        search.predict_proba(X), search.corrector_.predict_proba(X)
    )
    accuracy = [
        s.cv_results_["mean_test_accuracy"][s.best_index_] for s in (alone, search)
    ]
    assert accuracy[1] >= accuracy[0]  # the candidates hold those of delta alone
    loaded = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))
    words = SoftUnlearnCorrectorCV(
        LogisticRegression(), deltas=3, threshold="tuned",
        refit=Requirement(metric_at_most=0.05),
    ).fit(X, np.array(["no", "yes"])[y], sensitive_features=group)  # fmt: skip
    assert set(words.predict(X)) <= {"no", "yes"}


def test_one_model_has_the_bound_of_two_rates():
    """Against the formula, with the exact limits of scipy's binomial test."""
    group = np.repeat(["a", "b"], [300, 80])
    predicted = np.concatenate([np.arange(300) < 120, np.arange(80) < 20]).astype(int)
    found = learn_then_test(
        predicted, {"m": predicted}, sensitive_features=group, at_most=0.3
    )
    limits = [
        stats.binomtest(k, n).proportion_ci(0.9) for k, n in [(120, 300), (20, 80)]
    ]
    distance = np.hypot(limits[0].high - 0.4, 0.25 - limits[1].low)
    assert found.smallest_bound == pytest.approx(0.15 + distance)
    assert found.best == "m"
    gap = demographic_parity_difference(predicted, predicted, sensitive_features=group)
    assert found.results["estimate"][0] == pytest.approx(gap)


def test_more_rows_do_what_was_said_of_them():
    group = np.repeat(["a", "b"], [4000, 200])
    predicted = np.concatenate([np.arange(4000) % 2, np.arange(200) % 2])
    options = {"at_most": 0.04}
    found = learn_then_test(
        predicted, {"m": predicted}, sensitive_features=group, **options
    )
    assert found.best is None
    words = found.needed.split()
    assert words[-6:] == ["at", "the", "same", "rates,", "would", "do"]
    more = int(words[1])
    assert "group 'b'" in found.needed
    group = np.concatenate([group, np.repeat("b", more)])
    predicted = np.concatenate([predicted, np.arange(more) % 2])
    found = learn_then_test(
        predicted, {"m": predicted}, sensitive_features=group, **options
    )
    assert found.smallest_bound == pytest.approx(0.04, abs=0.002)


@pytest.mark.parametrize(
    ("metric", "limit"),
    [
        (DP, {"at_most": 0.0}),
        ("demographic_parity_ratio", {"at_least": 1.0}),
        ("equalized_odds_difference", {"at_most": 0.0}),
        ("accuracy_score_group_min", {"at_least": 1.0}),
        ("f1_score_difference", {"at_most": 0.0}),
    ],
)
def test_a_promise_is_seldom_broken(metric, limit):
    """Three groups of a known population: 200 tables of 400 rows, 5 % may be wrong.

    The full simulation is in ``benchmarks/studies/confidence.py``.
    """
    rng = np.random.default_rng(0)
    group = np.repeat(["a", "b", "c"], [6000, 3000, 1000])
    score = rng.random(10000)
    y = (rng.random(10000) < score).astype(int)
    predicted = (score + 0.15 * (group == "a") > 0.55).astype(int)
    truth = bootstrap_intervals(
        y, {"m": predicted}, sensitive_features=group, metrics=[metric], n_bootstrap=1
    )["estimate"][0]
    sign = -1 if GroupMetric(metric).more_is_better else 1
    broken = 0
    for _ in range(200):
        rows = rng.integers(10000, size=400)
        bound = learn_then_test(
            y[rows], {"m": predicted[rows]}, sensitive_features=group[rows],
            metric=metric, **limit,
        ).smallest_bound  # fmt: skip
        broken += sign * bound < sign * truth
    assert broken <= 18  # 99.9 % of binomial(200, 0.05) are below


def test_sample_weights_count_in_the_bound():
    rng = np.random.default_rng(0)
    group, y = rng.integers(0, 2, 500), rng.integers(0, 2, 500)
    kept = np.arange(500) % 4 > 0
    options = {"at_most": 0.1}
    deleted = learn_then_test(
        y[kept], {"m": y[kept]}, sensitive_features=group[kept], **options
    )
    weighted = learn_then_test(
        y, {"m": y}, sensitive_features=group, sample_weight=kept * 2.0, **options
    )
    assert weighted.smallest_bound == pytest.approx(deleted.smallest_bound)
    uneven = learn_then_test(
        y, {"m": y}, sensitive_features=group,
        sample_weight=kept * rng.exponential(size=500), **options,
    )  # fmt: skip
    gap = uneven.results["estimate"][0]
    even = deleted.smallest_bound - deleted.results["estimate"][0]
    assert uneven.smallest_bound - gap > 1.1 * even
