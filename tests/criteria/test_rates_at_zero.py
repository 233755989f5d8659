# SPDX-License-Identifier: BSD-3-Clause
"""Rates are counted: what no row does has the rate 0, what all rows do the rate 1.

1 minus a mean of ones is 1e-16, and the ratio of two such numbers anything.
"""

import warnings

import fairlearn.metrics as fm
import numpy as np
import pytest
import sklearn.metrics as skm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin

from sklearn_softunlearn import audit, bootstrap_intervals, fairness_scorer
from sklearn_softunlearn.criteria import (
    EvaluationRows,
    GroupMetric,
    GroupValues,
    LogisticResponse,
)

RATES = [
    "selection_rate", "true_positive_rate", "false_negative_rate",
    "false_positive_rate", "true_negative_rate", "accuracy_score", "zero_one_loss",
]  # fmt: skip
MADE = [skm.precision_score, skm.f1_score, skm.balanced_accuracy_score]
RATIOS = {
    "demographic_parity_ratio": fm.demographic_parity_ratio,
    "equal_opportunity_ratio": fm.equal_opportunity_ratio,
    "equalized_odds_ratio": fm.equalized_odds_ratio,
    **{
        f"{function.__name__}_ratio": fm.make_derived_metric(
            metric=function, transform="ratio"
        )
        for function in [
            *(getattr(fm, rate, None) or getattr(skm, rate) for rate in RATES),
            *MADE,
        ]
    },
}
DIFFERENCES = {
    name.replace("_ratio", "_difference"): function
    for name, function in {
        "demographic_parity_ratio": fm.demographic_parity_difference,
        "equal_opportunity_ratio": fm.equal_opportunity_difference,
        "equalized_odds_ratio": fm.equalized_odds_difference,
        "zero_one_loss_ratio": fm.zero_one_loss_difference,
        "false_negative_rate_ratio": fm.false_negative_rate_difference,
        "true_negative_rate_ratio": fm.true_negative_rate_difference,
    }.items()
}


class Answering(ClassifierMixin, BaseEstimator):
    """Says what is in the first column."""

    classes_ = np.array([0, 1])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0].astype(int)


def three_and_six(wrong=()):
    """Groups of 3 and 6 rows with both labels, predicted right but for some rows."""
    y = np.array([0, 1, 1, 0, 0, 1, 1, 1, 0])
    predicted = y.copy()
    predicted[list(wrong)] = 1 - predicted[list(wrong)]
    return y, predicted, np.repeat(["a", "b"], [3, 6])


def of_rows(metric, y, predicted, group, weight=None):
    """A metric on the rows, as a report measures it."""
    names, codes = np.unique(group, return_inverse=True)
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    rows = EvaluationRows(
        np.asarray(y), weight, None, LogisticResponse(), codes, tuple(names)
    )
    raw = np.where(np.asarray(predicted) == 1, 3.0, -3.0)[:, None]
    return metric, raw, rows


def in_a_report(metric, *table):
    criterion, raw, rows = of_rows(metric, *table)
    return criterion.user_value(criterion.hard_value(raw, rows), rows)


def in_resampling(metric, *table):
    """As intervals and audits measure it: under weightings of the rows."""
    criterion, raw, rows = of_rows(metric, *table)
    functionals = criterion.reweighted(raw, rows, rows.sample_weight[:, None])
    return criterion.user_value(functionals[:, 0], rows)


def in_a_scorer(metric, y, predicted, group, weight=None):
    scorer = fairness_scorer(metric, greater_is_better=True)
    weight = {} if weight is None else {"sample_weight": np.asarray(weight)}
    X = np.asarray(predicted)[:, None]
    return scorer(Answering(), X, y, sensitive_features=group, **weight)


WAYS = [in_a_report, in_resampling, in_a_scorer]


@st.composite
def tables(draw):
    """Few rows in few groups with both labels, and rates of 0 and 1 more often."""
    n_groups = draw(st.integers(2, 4))
    y, predicted, group = [], [], []
    for name in "abcd"[:n_groups]:
        for label in (0, 1):
            n = draw(st.integers(1, 7))
            hits = draw(st.sampled_from([0, n, draw(st.integers(0, n))]))
            y += [label] * n
            predicted += [1] * hits + [0] * (n - hits)
            group += [name] * n
    weight = st.lists(st.sampled_from([0.1, 0.3, 1.0, 7.0]), min_size=len(y))
    weight = draw(st.none() | weight.map(lambda w: w[: len(y)]))
    return np.array(y), np.array(predicted), np.array(group), weight


@given(st.sampled_from([*RATIOS, *DIFFERENCES]), tables())
@settings(max_examples=150)
def test_a_metric_is_fairlearns_whatever_the_counts(name, table):
    y, predicted, group, weight = table
    names = [name]
    if name == "equalized_odds_ratio":  # whose worst of two forgets one that is NaN
        names = ["true_positive_rate_ratio", "false_positive_rate_ratio"]
    options = {"sensitive_features": group, "sample_weight": weight}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # precision of a group without predictions
        theirs = [
            (RATIOS | DIFFERENCES)[each](y, predicted, **options) for each in names
        ]
    # Where all groups are at 0 they are alike; fairlearn divides 0 by 0.
    expected = np.min(np.nan_to_num(theirs, nan=1.0))
    for way in WAYS:
        assert way(GroupMetric(name), *table) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name",
    ["zero_one_loss", "false_negative_rate", "false_positive_rate"],
)
def test_groups_without_an_error_are_alike(way, name):
    assert way(GroupMetric(f"{name}_ratio"), *three_and_six()) == 1.0
    assert way(GroupMetric(f"{name}_difference"), *three_and_six()) == 0.0
    assert way(GroupMetric(f"{name}_group_max"), *three_and_six()) == 0.0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name", ["zero_one_loss", "false_negative_rate", "true_negative_rate"]
)
def test_one_group_at_zero_has_the_ratio_zero(way, name):
    wrong = {"false_negative_rate": [5], "true_negative_rate": [0]}.get(name, [5])
    assert way(GroupMetric(f"{name}_ratio"), *three_and_six(wrong)) == 0.0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name", ["accuracy_score", "true_positive_rate", "true_negative_rate",
             "precision_score", "f1_score", "balanced_accuracy_score"]
)  # fmt: skip
def test_groups_that_are_always_right_differ_by_nothing(way, name):
    """Not by 1e-16: a requirement of 0 would be missed."""
    assert way(GroupMetric(f"{name}_difference"), *three_and_six()) == 0.0
    assert way(GroupMetric(f"{name}_ratio"), *three_and_six()) == 1.0


def test_equal_rates_of_groups_of_other_sizes_are_equal():
    """1 of 3 and 2 of 6, which sums of sixths and of thirds would tell apart."""
    y, predicted = np.ones(9, dtype=int), np.array([1, 0, 0, 1, 1, 0, 0, 0, 0])
    group = np.repeat(["a", "b"], [3, 6])
    for way in WAYS:
        assert way(GroupMetric("selection_rate_difference"), y, predicted, group) == 0
        assert way(GroupMetric("zero_one_loss_ratio"), y, predicted, group) == 1


@given(tables())
@settings(max_examples=25)
def test_each_rate_of_each_group_is_fairlearns(table):
    y, predicted, group, weight = table
    functions = {rate: getattr(fm, rate, None) or getattr(skm, rate) for rate in RATES}
    frame = fm.MetricFrame(
        metrics=functions,
        y_true=y,
        y_pred=predicted,
        sensitive_features=group,
        sample_params={rate: {"sample_weight": weight} for rate in functions},
    )
    for rate in RATES:
        values, raw, rows = of_rows(GroupValues(rate), *table)
        found = values.hard_value(raw, rows)
        expected = [*frame.by_group[rate], frame.overall[rate]]
        np.testing.assert_allclose(found, expected, atol=1e-15)
        assert [v == 0 for v in found] == [e < 1e-15 for e in expected]


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.SmallGroupWarning")
def test_intervals_of_what_never_happens_are_zero():
    y, predicted, group = three_and_six()
    found = bootstrap_intervals(
        y,
        {"model": predicted},
        sensitive_features=group,
        metrics=["zero_one_loss", "false_negative_rate", "zero_one_loss_ratio"],
        n_bootstrap=50,
        random_state=0,
    )
    rates = found[found["metric"] != "zero_one_loss_ratio"]
    assert not rates[["estimate", "low", "high"]].to_numpy().any()
    ratio = found[found["metric"] == "zero_one_loss_ratio"]
    assert (ratio[["estimate", "low", "high"]].to_numpy() == 1).all()


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.SmallGroupWarning")
@pytest.mark.parametrize(("wrong", "ratio"), [([], 1.0), ([5], 0.0)])
def test_an_audit_counts_as_well(wrong, ratio):
    y, predicted, group = three_and_six(wrong)
    done = audit(
        Answering(),
        np.column_stack([predicted, y]),
        y,
        before=Answering(),
        sensitive_features=group,
        metric="zero_one_loss_ratio",
        n_bootstrap=0,
    )
    line = done.frame().set_index("name").loc["zero_one_loss_ratio"]
    assert (line["before"], line["after"]) == (ratio, ratio)
