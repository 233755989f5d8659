# SPDX-License-Identifier: BSD-3-Clause
"""Squared errors are promised where their range is known, and refused elsewhere."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sklearn_softunlearn import (
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    learn_then_test,
)
from sklearn_softunlearn.confidence._betting import limits_by_betting
from sklearn_softunlearn.datasets import make_biased_classification


def _promised(metric="mean_squared_error_group_max", at_most=3.0, **options):
    rng = np.random.default_rng(0)
    y, group = rng.exponential(size=400).clip(0, 6), np.repeat(["a", "b"], 200)
    return learn_then_test(
        y, {"mean": np.ones(400)}, sensitive_features=group, metric=metric,
        at_most=at_most, n_bootstrap=50, **options,
    )  # fmt: skip


@pytest.mark.parametrize("error", ["mean_squared_error", "root_mean_squared_error"])
@pytest.mark.parametrize("transform", ["difference", "group_max"])
def test_squared_errors_are_refused_by_name(error, transform):
    with pytest.raises(ValueError, match=r"heavy tails.*value_range"):
        _promised(f"{error}_{transform}")


@pytest.mark.parametrize("error", ["mean_squared_error", "root_mean_squared_error"])
def test_a_known_range_gives_a_bound(error):
    found = _promised(f"{error}_group_max", value_range=(0, 25))
    assert found.best == "mean"
    line = found.results.iloc[0]
    assert line["estimate"] < line["bound"] <= 3.0


def test_a_smaller_range_gives_a_smaller_bound():
    bounds = [
        _promised(value_range=(0, top)).results["bound"][0] for top in (25, 250, 2500)
    ]
    assert bounds == sorted(bounds)


def test_limits_by_betting_hold_for_skewed_numbers():
    """One value in 40 carries most of the mean; limits of t fail too often."""
    rng = np.random.default_rng(0)
    shape = (400, 100)
    values = np.where(rng.random(shape) < 0.025, 20.0, rng.random(shape))
    truth = 0.025 * 20.0 + 0.975 * 0.5
    limits = np.array([limits_by_betting(v, (0.0, 20.0), 0.05) for v in values])
    assert np.mean(limits[:, 1] < truth) < 0.05
    assert np.mean(limits[:, 0] > truth) < 0.05
    t_limit = values.mean(axis=1) + 1.66 * values.std(axis=1, ddof=1) / 10
    assert np.mean(t_limit < truth) > 0.1


def test_limits_by_betting_are_those_of_a_grid():
    """The smallest mean on a grid at which the capital stays below 1 / alpha."""
    values = np.random.default_rng(1).beta(2, 5, size=60)
    order = np.random.default_rng(0).permutation(60)
    x, capital, low = values[order], [], limits_by_betting(values, (0, 1), 0.05)[0]
    grid = np.linspace(1e-3, 0.999, 999)
    for m in grid:
        wealth, most, total, spread = 1.0, 1.0, 0.5, 0.25
        for t, each in enumerate(x):
            stake = np.sqrt(2 * np.log(20) / (60 * spread / (t + 1)))
            wealth *= 1 + min(stake, 0.75 / m) * (each - m)
            most, total = max(most, wealth), total + each
            spread += (each - total / (t + 2)) ** 2
        capital.append(most)
    expected = grid[np.flatnonzero(np.array(capital) < 20)[0]]
    assert low == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"value_range": (0, 5)}, "not true of"),
        ({"value_range": (5, 0)}, "smaller number first"),
        ({"value_range": (0, np.inf)}, "finite"),
        ({"value_range": 5}, "two numbers"),
        ({"value_range": (0, 25), "metric": "r2_score_difference"}, "no plain means"),
        (
            {"value_range": (0, 25), "sample_weight": np.arange(400) % 2 + 1.0},
            "no sample_weight",
        ),
    ],
)
def test_ranges_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _promised(**options)


def test_labels_have_no_range():
    y, group = np.arange(200) % 2, np.arange(200) % 3
    with pytest.raises(ValueError, match="counts labels"):
        learn_then_test(
            y, {"m": y}, sensitive_features=group, at_most=1.0, value_range=(0, 1)
        )


def test_a_requirement_takes_the_range():
    X, _, group = make_biased_classification(600, random_state=0)
    y = np.clip(X[:, 0], -2, 2)
    promise = Requirement(
        metric_at_most=2.0, confidence=0.9, value_range=(0, 36.0)
    )  # fmt: skip
    search = SoftUnlearnCorrectorCV(
        _ridge(), deltas=[0.0, 0.05], cv=2, refit=promise
    ).fit(X, y, sensitive_features=group)  # fmt: skip
    bounds = search.cv_results_["bound_test_mean_squared_error_group_max"]
    assert np.all(bounds[search.cv_results_["kept"]] <= 2.0)
    assert search.cv_results_["kept"].any()


def _ridge():
    metric = "mean_squared_error_group_max"
    return SoftUnlearnCorrector(Ridge(), metric=metric, weighting="soft")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric_at_most": 1.0, "value_range": (0, 1)}, "with a confidence"),
        (
            {"utility_loss_at_most": 1.0, "confidence": 0.9, "value_range": (0, 1)},
            "bound of the metric",
        ),
    ],
)
def test_a_requirement_refuses_a_range_without_use(options, message):
    with pytest.raises(ValueError, match=message):
        Requirement(**options).bound()
