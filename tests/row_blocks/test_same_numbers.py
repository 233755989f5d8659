# SPDX-License-Identifier: BSD-3-Clause
"""Rows in blocks give the numbers of rows in memory, whatever the blocks."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

from tests.row_blocks.same import CHUNKS, N, assert_same, both, table

SOFT = {"weighting": "soft", "utility_tol": 0.0}
LOOSE = SOFT | {"utility_tol": 1e-3}
EXACT = {"weighting": "exact", "utility_tol": None}
pytestmark = pytest.mark.filterwarnings(
    # What is compared is that both say the same, not that nothing is said.
    "ignore::UserWarning",
    "ignore::sklearn.exceptions.ConvergenceWarning",
)
BINARY = LogisticRegression(tol=1e-10)


def frozen(estimator, X, y, **fit):
    return FrozenEstimator(estimator.fit(X, y, **fit))


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("options", [SOFT, EXACT], ids=["soft", "exact"])
def test_whatever_the_blocks(options, chunks):
    X, y, group, _ = table()
    pair = both(
        frozen(BINARY, X, y), X, y, chunks, fit={"sensitive_features": group}, **options
    )
    assert_same(*pair, X)


CLASSIFIERS = {
    "logistic": BINARY,
    "logistic, balanced": LogisticRegression(tol=1e-10, class_weight="balanced"),
    "logistic, l1": LogisticRegression(
        C=0.1, l1_ratio=1.0, solver="saga", tol=1e-10, max_iter=10000, random_state=0
    ),
    "ridge": RidgeClassifier(),
    "svc": LinearSVC(tol=1e-10, max_iter=100000, random_state=0),
    "sgd": SGDClassifier(loss="log_loss", random_state=0, tol=1e-8, max_iter=5000),
}
OPTIONS = {
    "soft": SOFT,
    "newton": SOFT | {"update": "newton"},
    "exact": EXACT,
    "sparse": SOFT | {"weighting": "sparse"},
    "hard": SOFT | {"weighting": "hard"},
}


@pytest.mark.parametrize("weighting", ["soft", "newton", "exact"])
@pytest.mark.parametrize("model", CLASSIFIERS)
def test_every_classifier(model, weighting):
    X, y, group, weight = table()
    base = frozen(CLASSIFIERS[model], X, y, sample_weight=weight)
    fit = {"sensitive_features": group, "sample_weight": weight}
    pair = both(base, X, y, CHUNKS["three"], fit=fit, **OPTIONS[weighting])
    assert_same(*pair, X)


@pytest.mark.parametrize("weighting", ["sparse", "hard"])
def test_other_weights(weighting):
    X, y, group, _ = table()
    fit = {"sensitive_features": group}
    pair = both(
        frozen(BINARY, X, y), X, y, CHUNKS["three"], fit=fit, **OPTIONS[weighting]
    )
    assert_same(*pair, X)


METRICS = [
    "equalized_odds_difference",
    "demographic_parity_ratio",
    "precision_score_difference",
    "roc_auc_score_difference",
    "log_loss_group_max",
    "accuracy_score_group_min",
    ["demographic_parity_difference", "true_positive_rate_difference"],
]


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_every_kind_of_metric_of_three_groups(metric):
    X, y, group, _ = table(n_groups=3)
    pair = both(
        frozen(BINARY, X, y),
        X,
        y,
        CHUNKS["three"],  # whose last block alone holds the last group
        fit={"sensitive_features": group},
        metric=metric,
        utility=["loss", "group_loss"],
        delta=0.3,
        **SOFT | {"utility_tol": 0.05},
    )
    assert_same(*pair, X)


def test_more_than_two_classes():
    X, _, group, _ = table()
    rng = np.random.default_rng(0)
    y = np.argmax(X[:, :3] + rng.normal(size=(N, 3)), axis=1).astype(str)
    for options in (SOFT, EXACT):
        pair = both(
            frozen(BINARY, X, y),
            X,
            y,
            CHUNKS["three"],
            fit={"sensitive_features": group},
            metric="accuracy_score_difference",
            delta=0.3,
            **options,
        )
        assert_same(*pair, X)


REGRESSORS = {
    "linear": LinearRegression(),
    "ridge": Ridge(tol=1e-10),
    "elastic net": ElasticNet(alpha=0.05, tol=1e-10),
    "huber": HuberRegressor(tol=1e-8, max_iter=10000),
    "poisson": PoissonRegressor(tol=1e-10, max_iter=1000),
    "gamma": GammaRegressor(tol=1e-10, max_iter=1000),
    "tweedie": TweedieRegressor(power=1.5, tol=1e-10, max_iter=1000),
}


def positive_target(X):
    rng = np.random.default_rng(1)
    return np.exp(0.3 * X[:, 0] + 0.2 * rng.normal(size=len(X)))


@pytest.mark.parametrize("model", REGRESSORS)
def test_every_regressor(model):
    X, _, group, weight = table()
    y = positive_target(X)
    weighted = {} if model == "elastic net" else {"sample_weight": weight}
    base = frozen(REGRESSORS[model], X, y, **weighted)
    # Without tolerance the constraint of the utility binds on rounding: its gradient is
    # that of the training loss, 0 at the optimum.
    for options in (LOOSE, EXACT):
        pair = both(
            base,
            X,
            y,
            CHUNKS["three"],
            fit={"sensitive_features": group, **weighted},
            metric="mean_prediction_difference",
            delta=0.3,
            **options,
        )
        assert_same(*pair, X)


def test_validation_rows_in_memory_or_in_blocks():
    X, y, group, _ = table(2 * N)
    fit = {"sensitive_features": group[:N]}
    val = {"X_val": X[N:], "y_val": y[N:], "sensitive_features_val": group[N:]}
    base = frozen(BINARY, X[:N], y[:N])
    pair = both(base, X[:N], y[:N], CHUNKS["three"], fit=fit, val=val, **SOFT)
    assert_same(*pair, X)


def test_behind_the_transformers_of_a_pipeline():
    X, y, group, _ = table()
    base = frozen(make_pipeline(StandardScaler(), BINARY), 10 * X + 3, y)
    fit = {"sensitive_features": group}
    for options in (SOFT, EXACT):
        pair = both(base, 10 * X + 3, y, CHUNKS["empty ones"], fit=fit, **options)
        assert_same(*pair, 10 * X + 3)


FITTED_HERE = {
    "logistic": (LogisticRegression(tol=1e-12, max_iter=1000), "labels"),
    "balanced": (
        LogisticRegression(tol=1e-12, max_iter=1000, class_weight="balanced", C=0.3),
        "labels",
    ),
    "no intercept": (
        LogisticRegression(tol=1e-12, max_iter=1000, fit_intercept=False),
        "labels",
    ),
    "three classes": (LogisticRegression(tol=1e-12, max_iter=1000), "three"),
    "ridge classifier": (RidgeClassifier(), "labels"),
    "linear": (LinearRegression(), "numbers"),
    "ridge": (Ridge(alpha=2.0), "numbers"),
    "poisson": (PoissonRegressor(tol=1e-10, max_iter=2000), "numbers"),
    "gamma": (GammaRegressor(tol=1e-10, max_iter=2000), "numbers"),
    "tweedie, identity": (
        TweedieRegressor(power=0, link="identity", tol=1e-10, max_iter=2000),
        "numbers",
    ),
}


@pytest.mark.parametrize("case", FITTED_HERE)
@pytest.mark.parametrize("weighted", [False, True])
def test_fitted_by_newton_has_the_parameters_of_scikit_learn(case, weighted):
    X, y, group, weight = table()
    estimator, target = FITTED_HERE[case]
    if target == "numbers":
        y = positive_target(X)
    elif target == "three":
        y = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]
    fit = {"sensitive_features": group} | (
        {"sample_weight": weight} if weighted else {}
    )
    metric = {"labels": "demographic_parity_difference"}.get(
        target, "mean_prediction_difference"
    )
    if target == "three":
        metric = "accuracy_score_difference"
    one, other = both(
        estimator, X, y, CHUNKS["three"], fit=fit, metric=metric, delta=0.1, **LOOSE
    )
    for name in ("coef_", "intercept_"):
        mine, theirs = (getattr(c.base_estimator_, name) for c in (other, one))
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
        assert np.shape(mine) == np.shape(theirs)
    assert_same(one, other, X, tolerance=1e-5)


def test_a_share_of_the_rows_held_out():
    X, y, group, _ = table()
    pair = both(
        LogisticRegression(tol=1e-12, max_iter=1000),
        X,
        y,
        CHUNKS["three"],
        fit={"sensitive_features": group},
        validation_fraction=0.3,
        random_state=0,
        **LOOSE,
    )
    assert_same(*pair, X, tolerance=1e-5)
    assert pair[1].deletion_weights_.chunks == (CHUNKS["three"],)
