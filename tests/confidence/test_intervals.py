# SPDX-License-Identifier: BSD-3-Clause
"""Bootstrap intervals: by counts as by brute force, and as fairlearn's."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import log_loss, roc_auc_score

from sklearn_softunlearn import EvaluationRows, GroupMetric, bootstrap_intervals
from sklearn_softunlearn.confidence._resampling import PairedAnswers
from sklearn_softunlearn.criteria import GroupLoss, MeanLoss
from sklearn_softunlearn.pointwise import AsGivenResponse


@pytest.fixture
def labels():
    """Labels of 600 rows in groups a, b, c, and those of two models, a mild second."""
    rng = np.random.default_rng(0)
    group = rng.choice(["a", "b", "c"], 600, p=[0.5, 0.3, 0.2])
    score = rng.random(600)
    y = (rng.random(600) < score).astype(int)
    before = (score + 0.3 * (group == "a") > 0.6).astype(int)
    after = (score + 0.1 * (group == "a") > 0.6).astype(int)
    return y, {"before": before, "after": after}, group


def _rows(y, group, classes, weight=None):
    names, codes = np.unique(group, return_inverse=True)
    weight = np.ones(len(y)) if weight is None else weight
    return EvaluationRows(
        y, weight, None, AsGivenResponse(), codes, tuple(names), classes=classes
    )


@pytest.mark.parametrize(
    "criterion",
    [
        GroupMetric("demographic_parity_difference"),
        GroupMetric("demographic_parity_ratio", method="to_overall"),
        GroupMetric("equalized_odds_difference", agg="mean"),
        GroupMetric("accuracy_score_group_min"),
        GroupMetric("balanced_accuracy_score_difference"),
        GroupMetric("precision_score_ratio"),
        GroupMetric("f1_score_group_min"),
        GroupMetric("roc_auc_score_difference"),
        GroupMetric("log_loss_group_max"),
        MeanLoss(),
        GroupLoss(),
    ],
    ids=lambda c: c.name,
)
def test_many_weightings_at_once_are_each_on_its_own(labels, criterion):
    y, _, group = labels
    rng = np.random.default_rng(1)
    p = rng.random(len(y))
    answers = np.column_stack([1 - p, p])
    if getattr(criterion, "takes", "labels") == "labels":
        answers = np.eye(2)[(p > 0.5).astype(int)]
    weight = rng.integers(0, 3, size=(len(y), 7)).astype(float)
    together = criterion.reweighted(answers, _rows(y, group, (0, 1)), weight)
    one_by_one = [
        criterion.hard_value(answers, _rows(y, group, (0, 1), w)) for w in weight.T
    ]
    np.testing.assert_allclose(together, np.transpose(one_by_one), atol=1e-12)
    values = criterion.user_value(together, _rows(y, group, (0, 1)))
    rows = _rows(y, group, (0, 1))
    alone = [criterion.user_value(v, rows) for v in one_by_one]
    np.testing.assert_allclose(values, alone, atol=1e-12)


@pytest.mark.parametrize("metric", ["r2_score_difference", "mean_prediction_ratio"])
def test_numbers_in_many_weightings(metric):
    rng = np.random.default_rng(2)
    y, group = 100 + rng.normal(size=60), rng.integers(0, 2, 60).astype(str)
    answers = (y + rng.normal(size=60))[:, None]
    weight = rng.random((60, 5))
    criterion = GroupMetric(metric)
    together = criterion.reweighted(answers, _rows(y, group, ()), weight)
    alone = [criterion.hard_value(answers, _rows(y, group, (), w)) for w in weight.T]
    np.testing.assert_allclose(together, np.transpose(alone), rtol=1e-9)


def test_a_weighting_without_a_counted_row_is_nan():
    rows = _rows(np.array([1, 0, 1]), np.array(["a", "a", "b"]), (0, 1))
    weight = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    criterion = GroupMetric("equal_opportunity_difference")
    values = criterion.user_value(
        criterion.reweighted(np.eye(3, 2), rows, weight), rows
    )
    assert np.isnan(values).tolist() == [False, True]


def test_the_cells_of_labels_draw_what_rows_draw(labels):
    """Same law of the draws, with and without weights, as from row by row."""
    y, predictions, group = labels
    weight = np.where(group == "a", 1.0, 2.5)
    rows = _rows(y, group, (0, 1), weight)
    hard = [np.eye(2)[p] for p in predictions.values()]
    criterion = GroupMetric("demographic_parity_difference")
    quantiles = []
    for make in (PairedAnswers.of_labels, PairedAnswers.of_rows):
        paired = make(rows, hard)
        assert paired.count.sum() == 600
        assert paired.rows.sample_weight.sum() == pytest.approx(weight.sum())
        draws = np.hstack(list(paired.draws(4000, np.random.default_rng(0))))
        of_groups = [draws[m].sum(axis=0) for m in (paired.rows.group_codes == 0,)]
        assert np.allclose(of_groups, np.sum(group == "a"))
        values = criterion.reweighted(paired.answers[0], paired.rows, draws)
        quantiles.append(np.quantile(values.max(axis=0), [0.05, 0.5, 0.95]))
    np.testing.assert_allclose(*quantiles, atol=0.004)


def test_uneven_weights_are_drawn_row_by_row(labels):
    y, predictions, group = labels
    weight = np.random.default_rng(3).exponential(size=len(y))
    found = bootstrap_intervals(
        y, predictions, sensitive_features=group, sample_weight=weight,
        metrics=["demographic_parity_difference"], random_state=0,
    )  # fmt: skip
    rng, draws = np.random.default_rng(0), []
    rows_of = [np.flatnonzero(group == g) for g in "abc"]
    for _ in range(1000):
        taken = [rng.choice(rows, len(rows)) for rows in rows_of]
        rates = [np.average(predictions["before"][t], weights=weight[t]) for t in taken]
        draws.append(max(rates) - min(rates))
    expected = np.quantile(draws, [0.025, 0.975])
    ours = found.loc[0, ["low", "high"]].astype(float)
    np.testing.assert_allclose(ours, expected, atol=0.015)


def test_intervals_agree_with_fairlearn(labels):
    y, predictions, group = labels
    rates = {"selection_rate": selection_rate, "true_positive_rate": true_positive_rate}
    found = bootstrap_intervals(
        y, predictions, sensitive_features=group, random_state=0, n_bootstrap=4000,
        metrics=[*rates, "true_positive_rate_difference"],
    ).set_index(["metric", "group", "model"])  # fmt: skip
    frame = MetricFrame(
        metrics=rates,
        y_true=y, y_pred=predictions["after"], sensitive_features=group,
        n_boot=150, ci_quantiles=[0.025, 0.975], random_state=0,
    )  # fmt: skip
    for metric in rates:
        for g in "abc":
            ours = found.loc[(metric, g, "after")]
            assert ours["estimate"] == pytest.approx(frame.by_group[metric][g])
            theirs = [ci[metric][g] for ci in frame.by_group_ci]
            assert [ours["low"], ours["high"]] == pytest.approx(theirs, abs=0.025)
        ours = found.loc[(metric, "overall", "after")]
        theirs = [ci[metric] for ci in frame.overall_ci]
        assert [ours["low"], ours["high"]] == pytest.approx(theirs, abs=0.015)
    ours = found.loc[("true_positive_rate_difference", "", "after")]
    theirs = [ci["true_positive_rate"] for ci in frame.difference_ci()]
    assert [ours["low"], ours["high"]] == pytest.approx(theirs, abs=0.03)


def test_a_difference_is_paired(labels):
    y, predictions, group = labels
    found = bootstrap_intervals(
        y, predictions, sensitive_features=group, metrics=["selection_rate"],
        random_state=0,
    ).set_index(["group", "model"])  # fmt: skip
    width = found["high"] - found["low"]
    change = width["a", "after - before"]
    assert 0 < change < 0.7 * np.hypot(width["a", "before"], width["a", "after"])
    assert width["b", "after - before"] == 0.0
    assert found["n"]["a", "after"] == np.sum(group == "a")


def test_scores_are_counted_as_scikit_learn_counts_them(labels):
    y, predictions, group = labels
    p = np.random.default_rng(4).random(len(y))
    found = bootstrap_intervals(
        y, {"model": predictions["after"]}, scores={"model": p},
        sensitive_features=group, n_bootstrap=200, random_state=0,
        metrics=["log_loss", "roc_auc_score", "mean_prediction"],
    ).set_index(["metric", "group"])  # fmt: skip
    a = group == "a"
    assert found["estimate"]["log_loss", "a"] == pytest.approx(log_loss(y[a], p[a]))
    assert found["estimate"]["roc_auc_score", "overall"] == pytest.approx(
        roc_auc_score(y, p)
    )
    assert found["estimate"]["mean_prediction", "a"] == pytest.approx(p[a].mean())
    inside = (found["low"] < found["estimate"]) & (found["estimate"] < found["high"])
    assert inside.all()


def test_strings_frames_and_several_columns(labels):
    y, predictions, group = labels
    words = np.array(["no", "yes"])
    features = pd.DataFrame({"g": group, "h": np.arange(600) % 2})
    found = bootstrap_intervals(
        words[y], {k: words[v] for k, v in predictions.items()},
        sensitive_features=features, metrics=["selection_rate"], random_state=0,
        n_bootstrap=50,
    )  # fmt: skip
    assert set(found["group"]) == {
        "a, 0",
        "a, 1",
        "b, 0",
        "b, 1",
        "c, 0",
        "c, 1",
        "overall",
    }
    other = bootstrap_intervals(
        words[y], {k: words[v] for k, v in predictions.items()},
        sensitive_features=features, metrics=["selection_rate"], random_state=0,
        n_bootstrap=50, pos_label="no",
    )  # fmt: skip
    np.testing.assert_allclose(
        other.query("model != 'after - before'")["estimate"],
        1 - found.query("model != 'after - before'")["estimate"],
    )


def test_weight_zero_is_a_row_deleted(labels):
    y, predictions, group = labels
    kept = np.arange(600) % 3 > 0
    options = {"metrics": ["accuracy_score"], "random_state": 0}
    deleted = bootstrap_intervals(
        y[kept], {k: v[kept] for k, v in predictions.items()},
        sensitive_features=group[kept], **options,
    )  # fmt: skip
    weighted = bootstrap_intervals(
        y, predictions, sensitive_features=group, sample_weight=kept, **options
    )
    pd.testing.assert_frame_equal(deleted, weighted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confidence_level": 95}, "confidence_level=95"),
        ({"n_bootstrap": 0}, "n_bootstrap=0"),
        ({"metrics": ["log_loss"]}, "needs scores"),
        ({"metrics": ["selection_rat"]}, "selection_rat"),
        (
            {"metrics": ["mean_squared_error"], "predictions": {"m": ["x", "y"]}},
            "number",
        ),
        ({"predictions": {}}, "predictions is empty"),
        ({"predictions": {"m": [0.2, 0.9]}}, "numbers with a fraction"),
        ({"sensitive_features": ["a", None]}, "in 1 of 2"),
    ],
)
def test_what_cannot_be_measured_is_refused(change, message):
    given = {"y_true": [0, 1], "predictions": {"m": [0, 1]}}
    given |= {"sensitive_features": ["a", "b"]} | change
    if "mean_squared_error" in given.get("metrics", []):
        given["y_true"] = ["x", "z"]
        message = "needs numbers"
    with pytest.raises(ValueError, match=message):
        bootstrap_intervals(**given)
