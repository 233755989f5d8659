# SPDX-License-Identifier: BSD-3-Clause
"""The report's intervals: counted once, drawn when asked, those of the rows."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_softunlearn import SoftUnlearnCorrector, bootstrap_intervals
from sklearn_softunlearn.datasets import make_biased_classification


@pytest.fixture(scope="module")
def rows():
    return make_biased_classification(1500, random_state=0)


def _fitted(rows, estimator=None, *, sample_weight=None, **options):
    X, y, group = rows
    options = {"weighting": "soft", "utility_tol": 0.0, "delta": 0.6} | options
    corrector = SoftUnlearnCorrector(estimator or LogisticRegression(), **options)
    return corrector.fit(X, y, sensitive_features=group, sample_weight=sample_weight)


def test_intervals_are_those_of_the_labels(rows):
    X, y, group = rows
    corrector = _fitted(rows)
    found = corrector.report_.intervals(n_bootstrap=500, random_state=0)
    models = {"before": corrector.base_estimator_, "after": corrector}
    expected = bootstrap_intervals(
        y,
        {name: model.predict(X) for name, model in models.items()},
        sensitive_features=group,
        metrics=["demographic_parity_difference"],
        n_bootstrap=500,
        random_state=0,
    )
    ours = found[found["name"] == "demographic_parity_difference"]
    assert ours["model"].tolist() == ["before", "after", "after - before"]
    columns = ["n", "estimate", "low", "high"]
    np.testing.assert_allclose(
        ours[columns].to_numpy(float), expected[columns].to_numpy(float), atol=0.006
    )
    line = corrector.report_["demographic_parity_difference", "fairlearn"]
    assert ours["estimate"].iloc[0] == pytest.approx(line.before)
    assert ours["estimate"].iloc[1] == pytest.approx(line.after)
    loss = found[found["kind"] == "zero-one loss"].iloc[1]
    assert loss["estimate"] == pytest.approx(np.mean(corrector.predict(X) != y))


def test_the_printed_report_has_sizes_intervals_and_notes(rows):
    corrector = _fitted(rows)
    report, group = corrector.report_, rows[2]
    sizes = {str(g): int(np.sum(group == g)) for g in np.unique(group)}
    assert report.group_sizes == sizes
    text = " ".join(str(report).split())
    assert f"rows by group: 0 {sizes['0']}, 1 {sizes['1']}" in text
    assert "95% intervals of demographic_parity_difference (fairlearn): before" in text
    assert "the change of loss (zero-one loss) is within noise" in text
    assert "within noise" in report._repr_html_()
    assert str(_fitted(rows).report_) == str(report)  # the draws have a seed


def test_a_report_stays_small_and_equal(rows):
    report = _fitted(rows).report_
    assert len(pickle.dumps(report)) < 20_000
    assert report == pickle.loads(pickle.dumps(report))
    assert str(pickle.loads(pickle.dumps(report))) == str(report)


def test_a_few_weights_are_counted_and_many_drawn_when_asked(rows):
    few = np.where(rows[1] == 1, 2.0, 1.0)
    assert "95% intervals" in str(_fitted(rows, sample_weight=few).report_)
    many = np.random.default_rng(0).random(len(few))
    report = _fitted(rows, sample_weight=many).report_
    assert "report_.intervals()" in str(report)
    found = report.intervals(n_bootstrap=50)
    line = report["demographic_parity_difference", "fairlearn"]
    assert found["estimate"].iloc[0] == pytest.approx(line.before)


def test_equal_weights_do_not_count(rows):
    twice = _fitted(rows, sample_weight=np.full(len(rows[1]), 2.0)).report_
    once = _fitted(rows).report_
    columns = ["estimate", "low", "high"]
    np.testing.assert_allclose(
        twice.intervals()[columns], once.intervals()[columns], atol=0.01
    )


def test_several_criteria_and_classes(rows):
    X, _, group = rows
    y = np.digitize(X[:, 0] + 0.5 * group, [-0.5, 0.7])
    corrector = _fitted(
        (X, y, group),
        metric=["accuracy_score_difference", "demographic_parity_difference"],
        delta=0.1,
    )
    found = corrector.report_.intervals(n_bootstrap=50)
    assert set(found["name"]) == {
        "accuracy_score_difference",
        "demographic_parity_difference",
        "loss",
    }


def test_a_regression_has_no_labels(rows):
    X, _, group = rows
    report = _fitted(
        (X, X[:, 0] + group, group),
        Ridge(),
        metric="mean_prediction_difference",
        delta=0.2,
    ).report_
    assert report.intervals().empty
    assert report.group_sizes == {}
    assert "intervals" not in str(report)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"confidence_level": 1.5}, "confidence_level"), ({"n_bootstrap": 0}, "n_boot")],
)
def test_what_cannot_be_asked_is_refused(rows, options, message):
    with pytest.raises(ValueError, match=message):
        _fitted(rows).report_.intervals(**options)
