# SPDX-License-Identifier: BSD-3-Clause
"""The scorer's counts are fairlearn's numbers, for every metric of labels."""

import fairlearn.metrics
import numpy as np
import pandas as pd
import pytest

from sklearn_softunlearn._scorer._group_means import count, counted_metric, counted_rows
from sklearn_softunlearn._scorer._metrics import (
    _SCORE_METRICS,
    VALUE_METRICS,
    _fairlearn_names,
)

NAMES = [
    name
    for name in _fairlearn_names()
    if not name.startswith(VALUE_METRICS + _SCORE_METRICS)
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(0, 2, (2, 400))
    features = pd.DataFrame(
        {"a": rng.choice(list("xyz"), 400), "b": rng.integers(0, 2, 400)}
    )
    return y, predicted, features, rng.uniform(0.1, 2.0, 400)


@pytest.mark.parametrize("columns", [["a"], ["a", "b"]], ids=len)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_counts_are_those_of_fairlearn(data, name, weighted, columns):
    y, predicted, features, weight = data
    metric = getattr(fairlearn.metrics, name)
    options = {"sample_weight": weight} if weighted else {}
    groups = features[columns]
    theirs = metric(
        y, predicted, sensitive_features=groups.squeeze(axis="columns"), **options
    )
    rows = counted_rows(y, groups, options.get("sample_weight"))
    ours = count(counted_metric(metric, {}), predicted, rows)

    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("params", [{"method": "to_overall"}, {"agg": "mean"}], ids=str)
def test_options_are_those_of_fairlearn(data, params):
    y, predicted, features, _ = data
    name = "equalized_odds_difference" if "agg" in params else "selection_rate_ratio"
    metric = getattr(fairlearn.metrics, name)
    theirs = metric(y, predicted, sensitive_features=features["a"], **params)
    rows = counted_rows(y, features[["a"]], None)
    ours = count(counted_metric(metric, params), predicted, rows)

    assert ours == pytest.approx(theirs, abs=1e-12)


def test_functions_of_users_are_called():
    def selection_rate_difference(y_true, y_pred, *, sensitive_features):
        return 0.25

    assert counted_metric(selection_rate_difference, {}) is None
    known = fairlearn.metrics.selection_rate_difference
    assert counted_metric(known, {"other": 1}) is None
