# SPDX-License-Identifier: BSD-3-Clause
"""What a user looks at: cheap to show, under the names that the user knows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import (
    DeletionWeightsDisplay,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    WeightProblem,
    influence,
)
from sklearn_softunlearn.datasets import make_biased_classification

X, y, group = make_biased_classification(400, 4, random_state=0)
FIRST_ORDER = {"weighting": "soft", "update": "influence", "delta": 0.1}


def in_a_pipeline(model):
    fit = make_pipeline(StandardScaler(), model).fit
    return fit(X, y, softunlearncorrector__sensitive_features=group)


def in_a_search(model):
    grid = GridSearchCV(model, {"delta": [0.1]}, cv=2)
    return grid.fit(X, y, sensitive_features=group)


def chosen(model):
    search = SoftUnlearnCorrectorCV(model, deltas=[0.1], cv=2, refit=lambda table: 0)
    return search.fit(X, y, sensitive_features=group)


@pytest.mark.parametrize(
    "fit",
    [
        lambda model: model.fit(X, y, sensitive_features=group),
        in_a_pipeline,
        in_a_search,
        chosen,
    ],
    ids=["alone", "pipeline", "search", "chosen"],
)
def test_to_show_a_fitted_corrector_solves_nothing(fit, monkeypatch):
    fitted = fit(SoftUnlearnCorrector(**FIRST_ORDER))

    def solved(problem):
        raise AssertionError("a weight problem was solved to show the estimator")

    with monkeypatch.context() as patch:
        patch.setattr(WeightProblem, "delta_max", property(solved))
        html = fitted._repr_html_()
    assert "deletion_weights_" in html or "<table" not in html
    corrector = getattr(fitted, "best_estimator_", fitted)
    corrector = corrector[-1] if hasattr(corrector, "steps") else corrector
    assert 0.1 < corrector.delta_max_ <= 1  # asked for, it is there as before


@pytest.fixture(scope="module")
def corrector():
    model = SoftUnlearnCorrector(**FIRST_ORDER)
    return model.fit(X, y, sensitive_features=group)


@pytest.mark.parametrize(
    "index",
    [
        [f"r{i}" for i in range(400)],
        np.arange(400) * 7 + 3,
        pd.date_range("2026-01-01", periods=400),
        pd.MultiIndex.from_product([range(20), range(20)], names=["site", "person"]),
        np.zeros(400, dtype=int),  # names need not be unique
    ],
    ids=["strings", "numbers", "dates", "levels", "repeated"],
)
def test_rows_have_the_index_that_the_user_gave(corrector, index):
    table = pd.DataFrame(X, columns=list("abcd")).set_axis(index)
    shown = DeletionWeightsDisplay.from_estimator(
        corrector, table, y, sensitive_features=group
    ).frame()
    pd.testing.assert_index_equal(shown.index, table.index[shown["row"]])
    np.testing.assert_array_equal(shown[list("abcd")], X[shown["row"]])
    weights = corrector.deletion_weights_[shown["row"]]
    np.testing.assert_array_equal(shown["deletion_weight"], weights)


@pytest.mark.parametrize("convert", [np.asarray, pl.DataFrame, np.ndarray.tolist])
def test_without_an_index_rows_are_counted(corrector, convert):
    shown = DeletionWeightsDisplay.from_estimator(
        corrector, convert(X), y, sensitive_features=group
    ).frame(5)
    assert shown.index.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(shown.iloc[:, 4:], X[shown["row"]])


# ------------------------------------------------- the direction of a gap that exists


@pytest.mark.parametrize(
    "metric",
    [
        "demographic_parity_difference",
        "equalized_odds_difference",
        "zero_one_loss_difference",
        "selection_rate_ratio",
        "accuracy_score_group_min",
    ],
)
@pytest.mark.parametrize("flip", [False, True], ids=["", "groups exchanged"])
def test_the_rows_that_are_listed_lower_the_metric(metric, flip):
    names = np.where((group == 1) != flip, "a", "b")
    model = LogisticRegression().fit(X, y)
    found = influence(
        model, X, y, metric=metric, sensitive_features=names, utility="loss"
    )
    own = [name for name in found.names if name != "loss"]
    assert found.direction in own
    worst = found.names.index(found.direction)
    assert found.current[worst] == max(found.current[found.names.index(n)] for n in own)
    np.testing.assert_array_equal(found.of(), found.values[:, worst])
    # Deleting the rows lowers what was the largest functional: a refit without them.
    rows = np.argsort(found.of())[:5]
    kept = np.setdiff1d(np.arange(400), rows)
    refit = LogisticRegression().fit(X[kept], y[kept])
    again = influence(
        refit, X[kept], y[kept], metric=metric, sensitive_features=names[kept],
        X_val=X, y_val=y, sensitive_features_val=names,
    )  # fmt: skip
    assert again.current[worst] < found.current[worst]


def test_a_functional_by_its_name():
    model = LinearRegression().fit(X, X @ [1.0, 2, 3, 4] + y)
    found = influence(model, X, X @ [1.0, 2, 3, 4] + y, metric="loss")
    assert found.direction == "loss"
    np.testing.assert_array_equal(found.of("loss"), found.values[:, 0])
    with pytest.raises(ValueError, match="Did you mean 'loss'"):
        found.of("los")
