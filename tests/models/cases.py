# SPDX-License-Identifier: BSD-3-Clause
"""Every supported estimator, in every option that changes its objective.

Solved as precisely as the solver can: the tests compare derivatives.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier
from sklearn.linear_model import (
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import LinearSVC

from sklearn_softunlearn._sklearn_compat import sklearn_version
from sklearn_softunlearn.models import embed, model_class

BALANCED = {"class_weight": "balanced"}
WEIGHTS = {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}
L1 = (
    {"penalty": "elasticnet", "l1_ratio": 0.7}
    if sklearn_version() < (1, 8)
    else {"l1_ratio": 0.7}
)
PURE_L1 = {"penalty": "l1"} if sklearn_version() < (1, 8) else {"l1_ratio": 1.0}
UNPENALISED = {"penalty": None} if sklearn_version() < (1, 8) else {"C": np.inf}
CHOSEN = {} if sklearn_version() < (1, 8) else {"use_legacy_attributes": False}
PRECISE = {"tol": 1e-12, "max_iter": 20_000}
GLM = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 1000}
NET = {"solver": "lbfgs", "tol": 1e-10, "max_iter": 20_000, "max_fun": 60_000}


@dataclass(frozen=True)
class Case:
    """An estimator, the number of classes (0 for a regression), and how well it fits.

    ``optimum`` bounds the gradient of J per row, ``derivative`` the relative error of
    a derivative of refits; ``weighted`` is whether `fit` takes sample weights.
    """

    estimator: object
    n_classes: int
    optimum: float = 1e-7
    derivative: float | None = 1e-4
    weighted: bool = True

    def __str__(self):
        return f"{self.estimator!r}-{self.n_classes}".replace("\n", "")


def logistic(**options):
    return LogisticRegression(
        **{"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 500} | options
    )


def svc(**options):
    return LinearSVC(**{"dual": False, "tol": 1e-12, "max_iter": 100_000} | options)


def saga(**options):
    return LogisticRegression(solver="saga", C=0.3, **PRECISE, **options)


def sgd(estimator, **options):
    return estimator(
        **{
            "alpha": 0.05,
            "max_iter": 3000,
            "tol": None,
            "random_state": 0,
            "learning_rate": "invscaling",
            "eta0": 0.3,
            "power_t": 0.6,
            "average": 200_000,
        }
        | options
    )


CLASSIFIERS = [
    *(
        Case(logistic(**options), k)
        for k in (2, 3)
        for options in ({}, {"C": 0.05}, {"fit_intercept": False}, BALANCED, WEIGHTS)
    ),
    Case(logistic(**UNPENALISED), 2),
    Case(logistic(**UNPENALISED, solver="lbfgs", tol=1e-10), 3, 1e-6, 3e-3),
    Case(LogisticRegressionCV(solver="newton-cholesky", tol=1e-12, **CHOSEN), 2),
    # Not newton-cholesky, which misses the optimum for large C in scikit-learn 1.6.
    Case(LogisticRegressionCV(tol=1e-10, max_iter=5000, **CHOSEN), 3, 1e-6, 1e-3),
    *(Case(saga(**options), k, 1e-6) for k in (2, 3) for options in (L1, PURE_L1)),
    Case(LogisticRegression(solver="liblinear", C=0.1, **PRECISE, **PURE_L1), 2, 1e-6),
    *(
        Case(RidgeClassifier(**options), k)
        for k in (2, 3)
        for options in ({}, {"alpha": 30.0}, {"fit_intercept": False}, BALANCED)
    ),
    Case(RidgeClassifierCV(), 3),
    *(
        Case(svc(**options), k, 1e-5, 5e-3)
        for k in (2, 3)
        for options in (
            {},
            {"C": 0.05, "intercept_scaling": 3.0},
            {"fit_intercept": False},
            BALANCED,
            WEIGHTS,
            {"penalty": "l1", "C": 0.1},
        )
    ),
    *(
        Case(sgd(SGDClassifier, loss=loss), 2, 5e-4, None)
        for loss in ("log_loss", "modified_huber", "squared_hinge", "squared_error")
    ),
    Case(sgd(SGDClassifier, loss="log_loss"), 3, 5e-4, None),
    Case(sgd(SGDClassifier, loss="log_loss", **WEIGHTS), 3, 5e-4, None),
    *(
        Case(
            MLPClassifier(
                (5,), alpha=1.0, random_state=0, activation=activation, **NET
            ),
            k,
            # With kinks the solver stops early.
            2e-3 if activation == "relu" else 5e-5,
            None,
            sklearn_version() >= (1, 7),
        )
        for k in (2, 3)
        for activation in ("tanh", "relu", "logistic", "identity")
    ),
]

REGRESSORS = [
    Case(LinearRegression(), 0),
    Case(LinearRegression(fit_intercept=False), 0),
    Case(Ridge(alpha=20.0), 0),
    Case(Ridge(alpha=3.0, fit_intercept=False), 0),
    Case(RidgeCV(), 0),
    Case(Lasso(alpha=0.2, **PRECISE), 0),
    Case(ElasticNet(alpha=0.3, l1_ratio=0.4, **PRECISE), 0),
    Case(ElasticNet(alpha=0.3, fit_intercept=False, **PRECISE), 0),
    Case(LassoCV(**PRECISE), 0),
    Case(ElasticNetCV(**PRECISE), 0),
    Case(sgd(SGDRegressor), 0, 5e-4, None),
    Case(sgd(SGDRegressor, loss="huber", epsilon=0.5), 0, 5e-4, None),
    *(
        # Its solver offers no more precision, whatever the tolerance.
        Case(HuberRegressor(max_iter=20_000, tol=1e-10, **options), 0, 5e-5, 2e-2)
        for options in ({}, {"alpha": 5.0, "epsilon": 1.1}, {"fit_intercept": False})
    ),
    Case(PoissonRegressor(alpha=0.1, **GLM), 0),
    Case(PoissonRegressor(alpha=0, fit_intercept=False, **GLM), 0),
    Case(GammaRegressor(alpha=0.2, **GLM), 0),
    *(
        Case(TweedieRegressor(power=power, alpha=0.1, **GLM), 0)
        for power in (0, 1, 1.5, 2, 3)
    ),
    Case(TweedieRegressor(power=0, link="log", alpha=0.1, **GLM), 0),
    # Its lbfgs stops where the objective falls by 2e-9, relative, whatever tol says:
    # the gradient is then as small as the arithmetic of the machine happens to make it.
    Case(MLPRegressor(hidden_layer_sizes=(4, 3), alpha=0.5, activation="tanh",
                      random_state=0, **NET), 0, 3e-4, None,
         sklearn_version() >= (1, 7)),
]  # fmt: skip

CASES = CLASSIFIERS + REGRESSORS
REFITTABLE = [case for case in CASES if case.derivative is not None]
MULTINOMIAL = [
    case
    for case in CLASSIFIERS
    if case.n_classes == 3
    and isinstance(case.estimator, LogisticRegression | MLPClassifier)
]


def rows(n_classes, n_samples=150, seed=0):
    """Features, a target (positive, for a regression) and sample weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4)) + 0.3
    X[:, 3] *= 0.1  # to be left out by an l1 penalty
    score = X @ [1.0, -1.0, 0.5, 0.0] + rng.logistic(size=n_samples)
    weight = rng.uniform(0.2, 2.0, n_samples) * (rng.random(n_samples) > 0.1)
    if n_classes == 0:
        return X, np.exp(0.3 * score) + 0.1, weight
    return X, np.digitize(score, [0.2, 1.5][: n_classes - 1]), weight


def fitted(case, weighted):
    """Model of the fitted estimator, and the estimator."""
    X, y, weight = rows(case.n_classes)
    if not (weighted and case.weighted):
        weight = np.ones(len(y))
    options = {"sample_weight": weight} if weighted and case.weighted else {}
    estimator = case.estimator.fit(X, y, **options)
    target = y if is_classifier(estimator) else y.astype(float)
    model = model_class(estimator)(estimator, embed(estimator, X), target, weight)
    return model, estimator
