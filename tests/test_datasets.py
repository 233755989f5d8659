# SPDX-License-Identifier: BSD-3-Clause
"""The generator against the probabilities that its docstring states."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn.datasets import make_biased_classification

N_SAMPLES = 20_000
UNLIKELY = 1e-4  # level of the tests; the seeds are fixed, so they never flicker


def as_bunch(**params):
    params = {"n_samples": N_SAMPLES, "random_state": 3} | params
    return make_biased_classification(as_bunch=True, **params)


def test_shapes_and_types():
    X, y, groups = make_biased_classification(50, 5, n_groups=3, random_state=0)
    assert X.shape == (50, 5) and X.dtype == np.float64
    assert y.shape == groups.shape == (50,)
    assert set(y) <= {0, 1} and set(groups) <= {0, 1, 2}


def test_tuple_and_bunch_hold_the_same_data():
    bunch = make_biased_classification(as_bunch=True, random_state=5)
    X, y, groups = make_biased_classification(random_state=5)
    np.testing.assert_array_equal(bunch.data, X)
    np.testing.assert_array_equal(bunch.target, y)
    np.testing.assert_array_equal(bunch.sensitive_features, groups)
    assert len(bunch.feature_names) == X.shape[1]


def test_random_state_determines_the_data():
    first, again, other = (
        make_biased_classification(random_state=seed)[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("bias", [0.4, [0.1, 0.0, 0.7]])
def test_positive_rate_of_each_group_is_the_stated_one(bias):
    bunch = as_bunch(n_groups=3, label_bias=bias)
    expected = np.broadcast_to(bias, 3) * [np.ndim(bias) > 0, 1, 1]
    np.testing.assert_array_equal(bunch.label_bias, expected)

    for group, rate in enumerate(expected):
        y = bunch.target[bunch.sensitive_features == group]
        assert stats.binomtest(y.sum(), y.size, (1 - rate) / 2).pvalue > UNLIKELY


def test_bias_only_removes_positives():
    bunch = as_bunch(label_bias=[0.0, 0.3])
    flipped = bunch.true_target != bunch.target
    assert bunch.target[flipped].sum() == 0
    assert set(bunch.sensitive_features[flipped]) == {1}


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_extreme_rates_flip_none_or_all(rate):
    bunch = as_bunch(label_bias=[0.0, rate])
    disadvantaged = bunch.sensitive_features == 1
    expected = (1 - rate) * bunch.true_target[disadvantaged]
    np.testing.assert_array_equal(bunch.target[disadvantaged], expected)


def test_true_label_follows_the_linear_model_and_ignores_the_group():
    bunch = as_bunch()
    probability = expit(bunch.data @ bunch.coef)
    assert bunch.coef[5:].tolist() == [0.0] * 5
    assert np.linalg.norm(bunch.coef) == pytest.approx(2.0)

    for group in (0, 1):
        rows = bunch.sensitive_features == group
        surplus = (bunch.true_target - probability)[rows]
        assert stats.ttest_1samp(surplus, 0.0).pvalue > UNLIKELY


def test_group_weights_are_the_proportions():
    groups = as_bunch(n_groups=3, group_weights=[6, 3, 1]).sensitive_features
    observed = np.bincount(groups)
    expected = N_SAMPLES * np.array([0.6, 0.3, 0.1])
    assert stats.chisquare(observed, expected).pvalue > UNLIKELY


def test_proxies_shift_by_the_group_effect_and_informative_features_do_not():
    bunch = as_bunch(group_effect=3.0)
    X, disadvantaged = bunch.data, bunch.sensitive_features == 1
    shift = X[disadvantaged].mean(axis=0) - X[~disadvantaged].mean(axis=0)
    sampling_error = 5 * 2 / np.sqrt(N_SAMPLES)
    assert np.abs(shift[:5]).max() < sampling_error
    assert np.linalg.norm(shift[5:]) == pytest.approx(3.0, abs=sampling_error)


@pytest.mark.parametrize(("effect", "gap_is_learnt"), [(3.0, True), (0.0, False)])
def test_a_model_learns_the_bias_only_through_the_proxies(effect, gap_is_learnt):
    bunch = as_bunch(group_effect=effect, label_bias=0.6)
    model = LogisticRegression().fit(bunch.data, bunch.target)
    selected = model.predict(bunch.data)
    rates = [selected[bunch.sensitive_features == g].mean() for g in (0, 1)]
    assert (rates[0] - rates[1] > 0.1) == gap_is_learnt


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples"),
        ({"n_features": 1}, ValueError, "n_features"),
        ({"n_groups": 1}, ValueError, "n_groups"),
        ({"n_samples": 10.0}, TypeError, "n_samples"),
        ({"group_effect": -1.0}, ValueError, "group_effect"),
        ({"label_bias": 1.5}, ValueError, r"label_bias must be a rate in \[0, 1\]"),
        ({"label_bias": [0.1, float("nan")]}, ValueError, "label_bias"),
        ({"label_bias": [0.1, 0.2, 0.3]}, ValueError, "one for each of n_groups=2"),
        ({"group_weights": [1.0, 0.0]}, ValueError, "group_weights must be 2 positive"),
        ({"group_weights": [1.0]}, ValueError, "group_weights"),
    ],
)
def test_a_wrong_parameter_is_named(params, error, message):
    with pytest.raises(error, match=message):
        make_biased_classification(**params)
