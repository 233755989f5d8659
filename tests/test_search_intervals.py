# SPDX-License-Identifier: BSD-3-Clause
"""Intervals in ``cv_results_``: those of answers to rows that were held out."""

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold

from sklearn_softunlearn import (
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    fairness_scorer,
)
from sklearn_softunlearn.datasets import make_biased_classification

GAP = "demographic_parity_difference"
CV = StratifiedKFold(3)


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(900, random_state=0)


@pytest.fixture(scope="module")
def held_out(data):
    """Labels and scores of fold models for the rows held out, by delta."""
    X, y, group = data
    labels, scores = (np.zeros((2, len(y))) for _ in range(2))
    for train, test in CV.split(X, y):
        path = SoftUnlearnCorrector().path(
            X[train], y[train], sensitive_features=group[train], deltas=[0.0, 0.6]
        )
        for k, corrector in enumerate(path):
            labels[k, test] = corrector.predict(X[test])
            scores[k, test] = corrector.predict_proba(X[test])[:, 1]
    return labels, scores


def _search(data, **options):
    return _fitted(data, **options).cv_results_


def _fitted(data, **options):
    X, y, group = data
    defaults = {"deltas": [0.0, 0.6], "cv": CV, "random_state": 0, "n_bootstrap": 4000}
    search = SoftUnlearnCorrectorCV(**defaults | options)
    return search.fit(X, y, sensitive_features=group)


@pytest.fixture(scope="module")
def of_labels(data):
    return _search(data)


def _naive(group, of_rows, n_draws=800):
    """Values of both models in draws of rows within groups, one after the other."""
    rng, found = np.random.default_rng(1), []
    rows_of = [np.flatnonzero(group == g) for g in np.unique(group)]
    for _ in range(n_draws):
        rows = np.concatenate([rng.choice(rows, len(rows)) for rows in rows_of])
        found.append(of_rows(rows))
    return np.transpose(found)


def test_pooled_scores_are_those_of_all_held_out_answers(data, held_out, of_labels):
    _, y, group = data
    labels, _ = held_out
    results = of_labels
    gaps = [
        demographic_parity_difference(y, p, sensitive_features=group) for p in labels
    ]
    np.testing.assert_allclose(results[f"pooled_test_{GAP}"], -np.array(gaps))
    accuracy = [accuracy_score(y, p) for p in labels]
    np.testing.assert_allclose(results["pooled_test_accuracy"], accuracy)
    np.testing.assert_allclose(
        results[f"change_test_{GAP}"], [0.0, gaps[0] - gaps[1]], atol=1e-12
    )


def test_intervals_are_those_of_a_loop_over_draws(data, held_out, of_labels):
    _, _, group = data
    labels, _ = held_out
    results = of_labels

    def gaps(rows):
        means = [
            [p[rows][group[rows] == g].mean() for g in np.unique(group)] for p in labels
        ]
        return -np.ptp(means, axis=1)

    draws = _naive(group, gaps)
    for name, of in (("", draws), ("change_", draws - draws[0])):
        expected = np.quantile(of, [0.025, 0.975], axis=1)
        ours = [results[f"{name}{end}_test_{GAP}"] for end in ("low", "high")]
        np.testing.assert_allclose(ours, expected, atol=0.01)


def test_scores_are_drawn_when_a_number_is_given(data, held_out):
    _, y, group = data
    _, scores = held_out
    scoring = {"gap": fairness_scorer("log_loss_difference"), "loss": "neg_log_loss"}
    results = _search(data, scoring=scoring, refit="loss", n_bootstrap=2000)
    score_of_row = np.log(np.where(y == 1, scores, 1 - scores))
    pooled = [-log_loss(y, p) for p in scores]
    np.testing.assert_allclose(results["pooled_test_loss"], pooled)
    draws = _naive(group, lambda rows: score_of_row[:, rows].mean(axis=1))
    low, high = results["low_test_loss"], results["high_test_loss"]
    # Of all rows, whatever their group.
    np.testing.assert_allclose(
        [low, high], np.quantile(draws, [0.025, 0.975], axis=1), atol=0.008
    )
    assert results["pooled_test_gap"].shape == (2,)
    unasked = _search(data, scoring=scoring, refit="loss", n_bootstrap=None)
    np.testing.assert_allclose(unasked["pooled_test_loss"], pooled)
    assert not [name for name in unasked if name.startswith("low")]


def test_numbers_of_a_regression(data):
    X, _, group = data
    y = X[:, 0] + group + np.random.default_rng(0).normal(size=len(X))
    search = SoftUnlearnCorrectorCV(
        LinearRegression(),
        metric="mean_prediction_difference",
        deltas=[0.0, 0.5],
        scoring={"r2": "r2", "mse": "neg_mean_squared_error"},
        refit="r2",
        n_bootstrap=200,
    ).fit(X, y, sensitive_features=group)
    results = search.cv_results_
    for name in ("r2", "mse"):
        low, pooled, high = (
            results[f"{end}_test_{name}"] for end in ("low", "pooled", "high")
        )
        assert np.all((low < pooled) & (pooled < high))
    # Of folds of one size the mean squared error pooled is the mean of the folds.
    np.testing.assert_allclose(results["pooled_test_mse"], results["mean_test_mse"])
    fitted = LinearRegression().fit(X, y)
    assert -results["pooled_test_mse"][0] > mean_squared_error(y, fitted.predict(X))


def test_of_every_threshold_and_with_weights(data, of_labels):
    X, y, group = data
    weight = np.where(group == 1, 2.0, 1.0)
    search = SoftUnlearnCorrectorCV(
        LogisticRegression(), deltas=[0.0, 0.6], cv=CV, threshold="tuned",
        n_bootstrap=50,
    ).fit(X, y, sensitive_features=group, sample_weight=weight)  # fmt: skip
    results = search.cv_results_
    assert results["pooled_test_accuracy"].shape == (42,)
    own = results["param_threshold"] == 0.0
    # Parity does not depend on weights that a group shares.
    unweighted = of_labels[f"pooled_test_{GAP}"]
    assert results[f"pooled_test_{GAP}"][own] == pytest.approx(unweighted, abs=0.1)
    assert results["change_test_accuracy"][np.flatnonzero(own)[0]] == 0.0


@pytest.mark.parametrize(
    "options",
    [
        {"n_bootstrap": 0},
        {"cv": RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)},
        {"scoring": lambda estimator, X, y: estimator.score(X, y)},
    ],
    ids=["none asked", "rows held out twice", "a function"],
)
def test_where_there_are_none(data, options):
    assert not [name for name in _search(data, **options) if "low_test" in name]


@pytest.mark.parametrize("limit", [0.02, 0.05, 0.1])
def test_draws_do_not_change_the_choice(data, limit):
    options = {"deltas": 6, "refit": Requirement(metric_at_most=limit)}
    drawn, without = (
        _fitted(data, **options, n_bootstrap=n_bootstrap) for n_bootstrap in (20, 0)
    )
    assert without.best_index_ == drawn.best_index_
    for name in (GAP, "accuracy"):
        column = f"pooled_test_{name}"
        np.testing.assert_allclose(
            without.cv_results_[column], drawn.cv_results_[column], rtol=1e-12
        )


def test_without_the_model_before_correction_nothing_changed(data):
    results = _search(data, deltas=[0.3, 0.6], refit=Requirement(metric_at_most=0.5))
    assert f"low_test_{GAP}" in results
    assert not [name for name in results if name.startswith("change")]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"confidence_level": 95}, "confidence_level"), ({"n_bootstrap": -1}, "n_boot")],
)
def test_what_cannot_be_drawn_is_refused(data, options, message):
    with pytest.raises(ValueError, match=message):
        _search(data, **options)
