# SPDX-License-Identifier: BSD-3-Clause
"""Every supported ensemble, small; those whose library is installed."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_softunlearn.models import embed, model_class

N_ROWS = 240


@dataclass(frozen=True, eq=False)
class Case:
    """An ensemble, its number of classes (0 for a regression), and what it offers.

    ``precision`` is that of what its library holds and predicts; ``refits`` is whether
    its training can be retraced, and ``traced`` how well.
    """

    estimator: object
    n_classes: int = 2
    precision: float = 1e-12
    refits: bool = True
    traced: float = 1e-7

    def __str__(self):
        return f"{self.estimator!r}-{self.n_classes}".replace("\n", "")


def boosted(kind, **options):
    return kind(n_estimators=8, max_depth=3, **options)


def forest(kind, **options):
    return kind(n_estimators=7, min_samples_leaf=5, random_state=0, **options)


def histogram(kind, **options):
    return kind(**{"max_iter": 8, "max_leaf_nodes": 7, "random_state": 0} | options)


CASES = [
    Case(histogram(HistGradientBoostingClassifier)),
    Case(histogram(HistGradientBoostingClassifier, l2_regularization=2.0), 3),
    Case(histogram(HistGradientBoostingClassifier, class_weight="balanced")),
    Case(histogram(HistGradientBoostingClassifier, early_stopping=True)),
    *(
        Case(histogram(HistGradientBoostingRegressor, loss=loss), 0)
        for loss in ("squared_error", "poisson", "gamma")
    ),
    Case(boosted(GradientBoostingClassifier)),
    Case(boosted(GradientBoostingClassifier), 3),
    Case(boosted(GradientBoostingRegressor), 0),
    Case(boosted(GradientBoostingClassifier, init="zero")),
    Case(forest(RandomForestClassifier)),
    Case(forest(RandomForestClassifier, class_weight="balanced_subsample"), 3),
    Case(forest(RandomForestClassifier, class_weight="balanced", max_samples=0.7)),
    Case(forest(RandomForestRegressor), 0),
    Case(forest(ExtraTreesClassifier), 3),
    Case(forest(ExtraTreesRegressor), 0),
    Case(DecisionTreeClassifier(min_samples_leaf=10, class_weight="balanced"), 3),
    Case(DecisionTreeRegressor(min_samples_leaf=10), 0),
]
if find_spec("lightgbm"):
    from lightgbm import LGBMClassifier, LGBMRegressor

    LIGHT = {"n_estimators": 8, "num_leaves": 7, "verbose": -1, "n_jobs": 1}
    CASES += [
        Case(LGBMClassifier(**LIGHT)),
        Case(LGBMClassifier(class_weight="balanced", reg_lambda=1.0, **LIGHT), 3),
        Case(LGBMClassifier(boost_from_average=False, **LIGHT)),
        Case(LGBMRegressor(**LIGHT), 0),
        Case(LGBMRegressor(objective="poisson", **LIGHT), 0),
    ]
if find_spec("xgboost"):
    from xgboost import XGBClassifier, XGBRegressor

    EXTREME = {"n_estimators": 8, "max_depth": 3, "n_jobs": 1}
    CASES += [
        Case(XGBClassifier(**EXTREME), precision=1e-5, traced=1e-6),
        Case(XGBClassifier(**EXTREME), 3, 1e-5, traced=1e-6),
        Case(XGBRegressor(**EXTREME), 0, 1e-5, traced=1e-6),
        Case(XGBRegressor(objective="count:poisson", **EXTREME), 0, 1e-5, False),
    ]
if find_spec("catboost"):
    from catboost import CatBoostClassifier, CatBoostRegressor

    CAT = {
        "iterations": 8,
        "depth": 3,
        "verbose": 0,
        "allow_writing_files": False,
        "thread_count": 1,
    }
    CASES += [
        Case(CatBoostClassifier(**CAT), refits=False),
        Case(CatBoostClassifier(auto_class_weights="Balanced", **CAT), refits=False),
        Case(CatBoostClassifier(**CAT), 3, refits=False),
        Case(CatBoostRegressor(**CAT), 0, refits=False),
        Case(CatBoostRegressor(loss_function="Poisson", **CAT), 0, refits=False),
    ]
REFITTED = [case for case in CASES if case.refits]


def rows(n_classes):
    """Features with a missing value here and there, target and sample weights."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N_ROWS, 4))
    signal = X[:, 0] + 0.5 * X[:, 1] * X[:, 2] + 0.7 * rng.normal(size=N_ROWS)
    if n_classes:
        edges = np.quantile(signal, np.linspace(0, 1, n_classes + 1)[1:-1])
        y = np.searchsorted(edges, signal)
    else:
        y = rng.poisson(np.exp(0.5 * signal)) + 1.0
    X[rng.random(X.shape) < 0.02] = np.nan
    return X, y, rng.uniform(0.5, 2.0, N_ROWS)


def fitted(case, trees):
    """Trained model of a fitted copy, and this copy."""
    X, y, weight = rows(case.n_classes)
    if isinstance(
        case.estimator, GradientBoostingClassifier | GradientBoostingRegressor
    ):
        X = np.nan_to_num(X)
    estimator = clone(case.estimator).fit(X, y, sample_weight=weight)
    maker = model_class(estimator, trees=trees)
    return maker(estimator, embed(estimator, X), y, weight), estimator, X


def answers(estimator, X):
    """What the estimator itself predicts: probabilities or numbers, as columns."""
    if is_classifier(estimator):
        return estimator.predict_proba(X)
    return np.asarray(estimator.predict(X))[:, None]
