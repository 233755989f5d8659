# SPDX-License-Identifier: BSD-3-Clause
"""Estimators of a mean loss: a refit without a row has the same alpha, fewer rows."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance
from sklearn.svm import LinearSVC

from sklearn_softunlearn import (
    NewtonUpdate,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    TradeoffDisplay,
    influence,
    leave_one_out,
)
from sklearn_softunlearn.datasets import make_biased_classification

PRECISE = {"tol": 1e-12, "max_iter": 100_000}
GLM = {"tol": 1e-10, "max_iter": 1000, "solver": "newton-cholesky"}


def half_square(y, prediction):
    return 0.5 * np.mean((y - prediction) ** 2)


CASES = {
    "lasso": (Lasso(alpha=0.1, **PRECISE), half_square),
    "elastic net": (ElasticNet(alpha=0.2, l1_ratio=0.4, **PRECISE), half_square),
    "poisson": (
        PoissonRegressor(alpha=0.1, **GLM),
        lambda y, p: mean_poisson_deviance(y, p) / 2,
    ),
    "gamma": (
        GammaRegressor(alpha=0.1, **GLM),
        lambda y, p: mean_gamma_deviance(y, p) / 2,
    ),
    "tweedie": (TweedieRegressor(power=0, alpha=0.3, **GLM), half_square),
    "ridge": (Ridge(alpha=5.0), half_square),  # of a sum
}


def rows(n_samples=80, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples + 40, 4))
    y = np.exp(0.3 * (X @ [1.0, -1.0, 0.5, 0.0] + rng.normal(size=len(X))))
    weight = rng.integers(1, 4, n_samples).astype(float)
    return X[:n_samples], y[:n_samples], X[n_samples:], y[n_samples:], weight


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_leave_one_out_is_what_a_refit_gives(case, weighted):
    estimator, loss = CASES[case]
    X, y, X_val, y_val, weight = rows()
    weight = weight if weighted else np.ones(len(y))
    fitted = clone(estimator).fit(X, y, sample_weight=weight)
    chosen = np.arange(0, len(y), 4)
    found = leave_one_out(
        fitted, X, y, "loss",
        indices=chosen, sample_weight=weight, X_val=X_val, y_val=y_val,
    )  # fmt: skip
    start = loss(y_val, fitted.predict(X_val))
    expected = np.empty(len(chosen))
    for position, row in enumerate(chosen):
        kept = np.arange(len(y)) != row
        refit = clone(estimator).fit(X[kept], y[kept], sample_weight=weight[kept])
        expected[position] = loss(y_val, refit.predict(X_val)) - start

    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.actual[:, 0], expected, atol=1e-6 * scale)
    for estimate in (found.first_order, found.leverage_exact, found.one_step):
        # Without an offset: the penalty that is released is in them too.
        offset = np.mean(estimate[:, 0] - expected) / np.mean(np.abs(expected))
        assert abs(offset) < 0.1
        assert np.corrcoef(estimate[:, 0], expected)[0, 1] > 0.95


@pytest.mark.parametrize("case", ["lasso", "poisson", "tweedie"])
def test_influences_hold_the_penalty_of_the_sum(case):
    """As documented: a refit agrees if it is given ``alpha * S / S'``."""
    estimator, loss = CASES[case]
    X, y, X_val, y_val, _ = rows()
    fitted = clone(estimator).fit(X, y)
    found = influence(fitted, X, y, metric="loss", X_val=X_val, y_val=y_val)
    share, row = 1e-4, 7
    ends = []
    for sign in (1, -1):
        weight = np.ones(len(y))
        weight[row] -= sign * share
        alpha = estimator.alpha * len(y) / weight.sum()
        refit = clone(estimator).set_params(alpha=alpha)
        refit.fit(X, y, sample_weight=weight)
        ends.append(loss(y_val, refit.predict(X_val)))
    slope = (ends[0] - ends[1]) / (2 * share)

    assert found.values[row, 0] == pytest.approx(slope, rel=1e-3)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("update", ["influence", "newton", NewtonUpdate(max_iter=20)])
@pytest.mark.parametrize("noise", ["normal", "cauchy", "labels"])
def test_the_scale_of_huber_stays_positive(update, noise):
    X, y, _ = make_biased_classification(500, random_state=0)
    rng = np.random.default_rng(0)
    draw = {"normal": rng.normal, "cauchy": rng.standard_cauchy}.get(noise)
    target = y.astype(float) if draw is None else X[:, 0] + draw(size=len(y))
    for delta in (1e-6, 0.3):
        corrector = SoftUnlearnCorrector(
            HuberRegressor(max_iter=1000), metric="loss", delta=delta, update=update
        ).fit(X, target)
        line = corrector.report_["loss", "surrogate"]

        assert corrector.estimator_.scale_ > 0
        assert line.after <= line.before * (1 + 1e-9)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_classifier_without_probabilities_is_scored_by_its_labels():
    X, y, _ = make_biased_classification(400, random_state=0)
    corrector = SoftUnlearnCorrector(LinearSVC(), metric="loss")
    search = SoftUnlearnCorrectorCV(corrector, deltas=[0.0, 0.1], cv=2).fit(X, y)
    scores = search.cv_results_["mean_test_loss"]
    accuracy = search.cv_results_["mean_test_accuracy"]

    np.testing.assert_allclose(scores, np.asarray(accuracy) - 1.0)
    display = TradeoffDisplay.from_estimator(corrector, X, y, deltas=[0.0, 0.1])
    assert np.all(np.isfinite(display.frame()[["metric", "utility"]]))
