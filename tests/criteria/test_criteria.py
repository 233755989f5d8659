# SPDX-License-Identifier: BSD-3-Clause
"""Every criterion: gradient against finite differences, labels against fairlearn."""

import fairlearn.metrics as fm
import numpy as np
import pytest
from sklearn.metrics import log_loss, zero_one_loss

from sklearn_softunlearn._losses import BinaryLogLoss
from sklearn_softunlearn._responses import LogisticResponse
from sklearn_softunlearn.criteria import (
    EvaluationRows,
    GroupRateDifference,
    MeanLoss,
    resolve_criterion,
)

GROUP_METRICS = [
    "demographic_parity_difference",
    "equal_opportunity_difference",
    "equalized_odds_difference",
]


def make_rows(n_groups, seed=0, n_samples=60):
    rng = np.random.default_rng(seed)
    rows = EvaluationRows(
        y=rng.integers(0, 2, n_samples),
        sample_weight=rng.uniform(0.1, 3, n_samples),
        loss=BinaryLogLoss(),
        response=LogisticResponse(),
        group_codes=np.arange(n_samples) % n_groups,
        group_names=tuple("abcdef"[:n_groups]),
    )
    return rows, rng.normal(scale=2, size=(n_samples, 1))


@pytest.mark.parametrize("name", [*GROUP_METRICS, "loss"])
@pytest.mark.parametrize("n_groups", [2, 4])
def test_gradient_is_derivative_of_value(name, n_groups):
    criterion = resolve_criterion(name, "metric")
    rows, raw = make_rows(n_groups)
    gradient = criterion.gradient(raw, rows)
    step = 1e-5
    for row in range(0, len(raw), 7):
        shift = np.zeros_like(raw)
        shift[row] = step
        up, down = (
            criterion.value(raw + shift, rows),
            criterion.value(raw - shift, rows),
        )

        np.testing.assert_allclose(
            gradient[row, 0], (up - down) / (2 * step), rtol=1e-6, atol=1e-11
        )


@pytest.mark.parametrize("name", [*GROUP_METRICS, "loss"])
def test_factors_multiply_to_the_gradient(name):
    criterion = resolve_criterion(name, "metric")
    rows, raw = make_rows(5)
    statistics, jacobian = criterion.gradient_factors(raw, rows)

    assert (
        jacobian.shape[1]
        == len(criterion.names(rows))
        == criterion.value(raw, rows).size
    )
    np.testing.assert_array_equal(statistics @ jacobian, criterion.gradient(raw, rows))


@pytest.mark.parametrize("name", GROUP_METRICS)
@pytest.mark.parametrize("n_groups", [2, 3, 6])
@pytest.mark.parametrize("seed", range(5))
def test_largest_hard_value_is_fairlearns_metric(name, n_groups, seed):
    criterion = resolve_criterion(name, "metric")
    rows, raw = make_rows(n_groups, seed)
    expected = getattr(fm, name)(
        rows.y,
        (raw[:, 0] > 0).astype(int),
        sensitive_features=rows.group_codes,
        sample_weight=rows.sample_weight,
    )

    assert np.max(criterion.hard_value(raw, rows)) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("name", GROUP_METRICS)
def test_surrogate_tends_to_the_labels_as_scores_saturate(name):
    criterion = resolve_criterion(name, "metric")
    rows, raw = make_rows(3)

    np.testing.assert_allclose(
        criterion.value(1e6 * raw, rows), criterion.hard_value(raw, rows), atol=1e-12
    )


def test_mean_loss_is_scikit_learns():
    rows, raw = make_rows(2)
    probability = 1 / (1 + np.exp(-raw[:, 0]))
    weight = rows.sample_weight

    assert MeanLoss().value(raw, rows) == pytest.approx(
        [log_loss(rows.y, probability, sample_weight=weight)], rel=1e-12
    )
    assert MeanLoss().hard_value(raw, rows) == pytest.approx(
        [zero_one_loss(rows.y, raw[:, 0] > 0, sample_weight=weight)], rel=1e-12
    )


def test_names_follow_the_functionals():
    rows, raw = make_rows(3)
    criterion = GroupRateDifference()
    named = dict(zip(criterion.names(rows), criterion.value(raw, rows), strict=True))

    assert set(named) == {"a - b", "a - c", "b - a", "b - c", "c - a", "c - b"}
    assert named["a - b"] + named["b - c"] == pytest.approx(named["a - c"])


def test_group_without_positives_is_refused():
    rows, _ = make_rows(2)
    rows.y[rows.group_codes == 1] = 0

    GroupRateDifference((None, 0)).check(rows)
    with pytest.raises(ValueError, match=r"no positive rows .* rate is undefined: b"):
        GroupRateDifference((1,)).check(rows)


@pytest.mark.parametrize("name", GROUP_METRICS)
def test_fairlearn_functions_are_known(name):
    assert resolve_criterion(getattr(fm, name), "metric") is resolve_criterion(
        name, "metric"
    )


@pytest.mark.parametrize("unknown", ["accuracy", np.mean, len, 3])
def test_unknown_criterion_lists_the_known(unknown):
    with pytest.raises(ValueError, match=r"^metric=.*demographic_parity_difference"):
        resolve_criterion(unknown, "metric")


def test_function_of_a_known_name_from_elsewhere_is_refused():
    def demographic_parity_difference(y_true, y_pred):
        return 0.0

    with pytest.raises(ValueError, match="not known"):
        resolve_criterion(demographic_parity_difference, "metric")
