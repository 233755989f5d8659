# SPDX-License-Identifier: BSD-3-Clause
"""Trees that are not corrected say so by name; those read from a file are."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import BaseNotConvergedWarning

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
LIGHT = {"n_estimators": 4, "num_leaves": 4, "verbose": -1, "n_jobs": 1}
EXTREME = {"n_estimators": 4, "max_depth": 2, "n_jobs": 1}
CAT = {
    "iterations": 4,
    "depth": 2,
    "verbose": 0,
    "allow_writing_files": False,
    "thread_count": 1,
}
UP = (-1,) + 9 * (0,)


def squared_error(y, prediction):
    """An objective of the user's own: gradient and second derivative."""
    return prediction - y, np.ones(len(y))


REFUSED = [
    ("lightgbm", "LGBMClassifier", LIGHT | {"boosting_type": "dart"}, "'dart'"),
    ("lightgbm", "LGBMClassifier", LIGHT | {"linear_tree": True}, "linear_tree"),
    ("lightgbm", "LGBMRegressor", LIGHT | {"objective": squared_error}, "squared_err"),
    ("lightgbm", "LGBMRegressor", LIGHT | {"objective": "quantile"}, "'quantile'"),
    ("lightgbm", "LGBMRanker", LIGHT, "LGBMRanker"),
    ("xgboost", "XGBClassifier", EXTREME | {"booster": "dart"}, "'dart'"),
    ("xgboost", "XGBClassifier", EXTREME | {"booster": "gblinear"}, "'gblinear'"),
    ("xgboost", "XGBRegressor", EXTREME | {"objective": squared_error}, "squared_err"),
    ("xgboost", "XGBRFClassifier", EXTREME, "num_parallel_tree"),
    ("xgboost", "XGBRanker", EXTREME, "XGBRanker"),
    ("catboost", "CatBoostRegressor", CAT | {"loss_function": "Quantile"}, "Quantile"),
    ("catboost", "CatBoostRanker", CAT, "CatBoostRanker"),
    ("catboost", "CatBoostClassifier", CAT | {"grow_policy": "Depthwise"}, "Depthwise"),
    (
        "catboost",
        "CatBoostClassifier",
        CAT | {"monotone_constraints": "(1" + 9 * ",0" + ")"},
        "monotonic",
    ),
    ("lightgbm", "LGBMRegressor", LIGHT | {"monotone_constraints": UP}, "monotonic"),
    ("xgboost", "XGBClassifier", EXTREME | {"monotone_constraints": UP}, "monotonic"),
    (
        "sklearn.ensemble",
        "HistGradientBoostingClassifier",
        {"max_iter": 2, "monotonic_cst": UP},
        "monotonic",
    ),
    ("sklearn.tree", "DecisionTreeRegressor", {"monotonic_cst": UP}, "monotonic"),
]
# LightGBM sets leaf values with these in ways that are not retraced.
ONLY_JOINT = [{"reg_alpha": 1.0}, {"max_delta_step": 0.1}, {"path_smooth": 1.0}]


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(200, random_state=0)


@pytest.mark.parametrize(
    ("library", "name", "options", "words"), REFUSED, ids=lambda value: str(value)[:20]
)
def test_what_cannot_be_corrected_is_refused_by_name(
    data, library, name, options, words
):
    estimator = getattr(pytest.importorskip(library), name)(**options)
    X, y, group = data
    with pytest.raises((ValueError, TypeError), match=f"(?s){words}.*not supported"):
        SoftUnlearnCorrector(estimator, metric="loss").fit(
            X, y.astype(float) if "Regressor" in name else y, sensitive_features=group
        )


def test_constraints_of_nothing_are_none(data):
    X, y, group = data
    model = HistGradientBoostingClassifier(max_iter=2, monotonic_cst=[0] * X.shape[1])
    SoftUnlearnCorrector(model, delta=0.1).fit(X, y, sensitive_features=group)


def test_an_objective_of_the_users_own_in_catboost(data):
    """CatBoost copies it, so that scikit-learn cannot clone: fitted beforehand."""
    catboost = pytest.importorskip("catboost")

    class SquaredError:
        def calc_ders_range(self, approxes, targets, weights):
            return [
                (target - found, -1.0)
                for found, target in zip(approxes, targets, strict=True)
            ]

    X, y, _ = data
    options = CAT | {"loss_function": SquaredError(), "eval_metric": "RMSE"}
    model = catboost.CatBoostRegressor(**options).fit(X, y.astype(float))
    with pytest.raises(ValueError, match=r"PythonUserDefined.*not supported"):
        SoftUnlearnCorrector(FrozenEstimator(model), metric="loss").fit(X, y)


@pytest.mark.parametrize("options", ONLY_JOINT, ids=str)
def test_training_that_is_not_retraced_takes_joint_leaves(data, options):
    lightgbm = pytest.importorskip("lightgbm")
    X, y, group = data
    model = lightgbm.LGBMClassifier(**LIGHT | options)
    corrector = SoftUnlearnCorrector(model, trees="joint", delta=0.1)
    corrector.fit(X, y, sensitive_features=group)
    with pytest.raises(ValueError, match=f"{next(iter(options))} > 0.*trees='joint'"):
        corrector.set_params(trees="refit").fit(X, y, sensitive_features=group)


@pytest.mark.parametrize(
    ("library", "name", "options", "booster"),
    [
        ("lightgbm", "LGBMClassifier", LIGHT, lambda model: model.booster_),
        ("xgboost", "XGBClassifier", EXTREME, lambda model: model.get_booster()),
    ],
    ids=["lightgbm", "xgboost"],
)
def test_a_booster_is_no_estimator(data, library, name, options, booster):
    model = getattr(pytest.importorskip(library), name)(**options)
    X, y, group = data
    inner = booster(model.fit(X, y))
    with pytest.raises(TypeError, match=r"Booster.*no estimator"):
        SoftUnlearnCorrector(FrozenEstimator(inner)).fit(X, y, sensitive_features=group)


@pytest.mark.parametrize(
    ("library", "name", "options"),
    [("xgboost", "XGBClassifier", EXTREME), ("catboost", "CatBoostClassifier", CAT)],
    ids=["xgboost", "catboost"],
)
def test_a_model_from_a_file_is_corrected_with_its_training_rows(
    data, library, name, options, tmp_path
):
    kind = getattr(pytest.importorskip(library), name)
    X, y, group = data
    saved, loaded = kind(**options).fit(X, y), kind()
    file = str(tmp_path / "model.json")
    saved.save_model(file, **({"format": "json"} if library == "catboost" else {}))
    loaded.load_model(file, **({"format": "json"} if library == "catboost" else {}))
    as_fitted, as_read = (
        SoftUnlearnCorrector(FrozenEstimator(model), trees="joint", delta=0.3)
        .fit(X, y, sensitive_features=group)
        .predict_proba(X)
        for model in (saved, loaded)
    )

    np.testing.assert_allclose(as_read, as_fitted, atol=1e-6)


@pytest.mark.parametrize(
    ("library", "name", "options"),
    [
        ("lightgbm", "LGBMClassifier", LIGHT | {"subsample": 0.5, "subsample_freq": 1}),
        ("xgboost", "XGBClassifier", EXTREME | {"subsample": 0.5}),
    ],
    ids=["lightgbm", "xgboost"],
)
def test_rows_drawn_in_each_round_are_said_by_every_library(
    data, library, name, options
):
    estimator = getattr(pytest.importorskip(library), name)(**options)
    X, y, group = data
    with pytest.warns(BaseNotConvergedWarning, match="predictions differ by"):
        SoftUnlearnCorrector(estimator, trees="refit", delta=0.1).fit(
            X, y, sensitive_features=group
        )


def test_rounds_after_the_best_one_are_neither_used_nor_moved(data):
    """Early stopping of XGBoost keeps them, and predicts without them."""
    xgboost = pytest.importorskip("xgboost")
    X, y, group = data
    model = xgboost.XGBClassifier(
        n_estimators=60, max_depth=2, learning_rate=1, early_stopping_rounds=3, n_jobs=1
    ).fit(X[:140], y[:140], eval_set=[(X[140:], y[140:])], verbose=False)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(model), delta=0.5, trees="refit"
    ).fit(X[:140], y[:140], sensitive_features=group[:140])
    before, after = (
        [tree.sort_values("ID")["Gain"].to_numpy() for _, tree in trees]
        for trees in (
            each.get_booster().trees_to_dataframe().groupby("Tree")
            for each in (model, corrector.estimator_)
        )
    )
    used = model.best_iteration + 1

    assert len(before) > used
    for t, (old, new) in enumerate(zip(before, after, strict=True)):
        assert np.array_equal(old, new) == (t >= used)
