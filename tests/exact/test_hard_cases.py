# SPDX-License-Identifier: BSD-3-Clause
"""Exact weights where data are awkward: the right answer, or what is left is said."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.linear_model import HuberRegressor, LogisticRegression, Ridge

from sklearn_softunlearn import (
    AdversarialLoss,
    NeighborInconsistency,
    SoftUnlearnCorrector,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import CorrectionWarning, InfeasibleDeltaWarning
from tests.exact.test_exact_weights import coarse_table, parameters, share_left

PRECISE = {"tol": 1e-10, "max_iter": 5000}
EXACT = {"weighting": "exact", "utility_tol": None}


def biased(n=400, **options):
    return make_biased_classification(n, random_state=0, **options)


def collinear():
    X, y, group = biased()
    return np.c_[X, X[:, :2] @ [1.0, -1.0], X[:, 0]], y, group


def wide():
    X, y, group = biased(60)
    return np.c_[X, np.random.default_rng(0).normal(size=(60, 120))], y, group


def separable():
    X, y, group = biased(200)
    return np.c_[X, 4.0 * y - 2.0], y, group


def three_rows():
    X, y, group = biased()
    group = np.array(["a", "b"])[group]
    group[[5, 50, 150]] = "few"
    return X, y, group


def told_apart():
    X, y, group = biased()
    return np.c_[X, 2.0 * group - 1.0, 3.0 * group], y, group


def single():
    X, y, group = biased()
    return X.astype(np.float32), y, group


def columns_of_zeros():
    X, y, group = biased()
    return sparse.csr_array(np.c_[X, np.zeros((len(y), 3))]), y, group


CASES = [collinear, wide, separable, three_rows, told_apart, single, columns_of_zeros]


def quietly(corrector, X, y, group):
    with warnings.catch_warnings():
        for category in (CorrectionWarning, InfeasibleDeltaWarning):
            warnings.simplefilter("ignore", category)
        return corrector.fit(X, y, sensitive_features=group)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.SmallGroupWarning")
@pytest.mark.parametrize("delta", [0.5, 0.95, 1.0])
@pytest.mark.parametrize("case", CASES)
def test_weights_and_model_agree_and_what_is_left_is_said(case, delta):
    X, y, group = case()
    model = LogisticRegression(**PRECISE)
    corrector = quietly(SoftUnlearnCorrector(model, delta=delta, **EXACT), X, y, group)
    # In double precision: in single, lbfgs stops where its processor's rounding has it.
    weights = corrector.sample_weight_
    refitted = clone(model).fit(X.astype(np.float64), y, sample_weight=weights)

    left = share_left(corrector)
    assert np.isfinite(parameters(corrector.estimator_)).all()
    assert left == pytest.approx(1.0 - min(delta, corrector.delta_max_), abs=5e-3)
    if corrector.delta_max_ >= 1.0:
        assert left == pytest.approx(1.0 - delta, abs=1e-4)
    raw = [each.decision_function(X) for each in (refitted, corrector.estimator_)]
    np.testing.assert_allclose(*raw, atol=1e-4 * np.max(np.abs(raw[0])))


@pytest.mark.parametrize(
    "metric",
    [
        ["demographic_parity_difference", "equalized_odds_difference"],
        "accuracy_score_group_min",
        "demographic_parity_ratio",
        NeighborInconsistency(n_neighbors=5),
        AdversarialLoss(epsilon=0.05),
    ],
    ids=str,
)
def test_every_kind_of_metric_ends_where_it_was_asked_to(metric):
    X, y, group = make_biased_classification(600, n_groups=3, random_state=0)
    delta = 0.01 if not isinstance(metric, str | list) else 0.3
    options = {"metric": metric, "delta": delta, "weighting": "exact"}
    corrector = quietly(
        SoftUnlearnCorrector(LogisticRegression(**PRECISE), **options), X, y, group
    )
    assert corrector.delta_max_ == delta
    lines = [x for x in corrector.report_.lines if x.kind == "surrogate"]
    line = lines[0]
    if isinstance(metric, list) or "difference" in str(metric):
        assert line.after <= (1.0 - delta) * line.before * (1.0 + 1e-4)
    elif metric == "demographic_parity_ratio":
        wanted = line.before + delta * (1.0 - line.before)
        assert line.after == pytest.approx(wanted, abs=1e-4)
    elif metric == "accuracy_score_group_min":
        assert line.after > line.before
    else:
        assert line.after < line.before


def ridge_table():
    X, y, group = make_biased_classification(1500, random_state=3)
    rng = np.random.default_rng(0)
    return X, X[:, 0] + 0.5 * y + rng.normal(size=len(y)), group


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_first_order_is_not_bound_by_noise_on_coarse_scores(seed):
    """With the default it is never worse in gap and loss than with a bound."""
    X, y, group = coarse_table(seed, 2000)
    kept = [
        quietly(
            SoftUnlearnCorrector(
                LogisticRegression(), weighting="soft", utility_tol=tolerance
            ),
            X, y, group,
        )
        for tolerance in (None, 1e-3)
    ]  # fmt: skip
    assert kept[0].delta_max_ > 0.95
    gaps = [each.report_["demographic_parity_difference", "surrogate"] for each in kept]
    losses = [each.report_["loss", "surrogate"].after for each in kept]
    assert gaps[0].after <= gaps[1].after * (1.0 + 1e-6)
    assert losses[0] <= losses[1] * (1.0 + 1e-6)


def test_nor_in_a_ridge_regression():
    X, y, group = ridge_table()
    kept = [
        quietly(
            SoftUnlearnCorrector(
                Ridge(),
                metric="mean_prediction_difference",
                weighting="soft",
                utility_tol=tolerance,
            ),
            X, y, group,
        )
        for tolerance in (None, 1e-4)
    ]  # fmt: skip
    assert kept[0].delta_max_ == 1.0
    gaps = [share_left(each) for each in kept]
    losses = [each.report_["loss", "surrogate"].after for each in kept]
    assert gaps[0] <= gaps[1] * (1.0 + 1e-6) and losses[0] <= losses[1] * (1.0 + 1e-6)


def test_least_loss_of_a_scale_cannot_be_lowered_and_that_is_said():
    # Steps without bound try scales below zero, whose loss is the largest number.
    X, y = make_regression(30, 3, n_informative=1, noise=1.0, random_state=42)
    corrector = SoftUnlearnCorrector(
        HuberRegressor(max_iter=1000), metric="loss", delta=0.1
    )
    with pytest.warns(InfeasibleDeltaWarning):
        corrector.fit(X, y)

    assert corrector.delta_max_ < 1e-3
    assert np.all(np.isfinite(corrector.predict(X)))
