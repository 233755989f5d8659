# SPDX-License-Identifier: BSD-3-Clause
"""What single rows do to ensembles of trees, and how it is drawn and searched."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from sklearn_softunlearn import (
    DeletionWeightsDisplay,
    InfluenceDisplay,
    InfluenceTransformer,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    TradeoffDisplay,
    fairness_scorer,
    influence,
    leave_one_out,
    over_unlearning,
)
from sklearn_softunlearn.datasets import make_biased_classification

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore::sklearn_softunlearn.exceptions.CorrectionWarning"
    ),
    pytest.mark.filterwarnings(
        "ignore::sklearn_softunlearn.exceptions.HeldOutWorseWarning"
    ),
]
HISTOGRAM = HistGradientBoostingClassifier(
    max_iter=8, max_leaf_nodes=7, early_stopping=False, random_state=0
)
FOREST = RandomForestClassifier(8, min_samples_leaf=10, random_state=0)
ROWS = (0, 7, 150, 299)


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(300, random_state=0)


@pytest.mark.parametrize("estimator", [HISTOGRAM, FOREST], ids=["boosting", "forest"])
def test_leave_one_out_follows_the_influences_of_a_refit(data, estimator):
    X, y, group = data
    model = clone(estimator).fit(X, y)
    found = leave_one_out(
        model, X, y, indices=range(60), sensitive_features=group, trees="refit"
    )
    scores = found.agreement().set_index("estimate")["pearson"]

    assert found.leverage is None
    assert found.leverage_exact is None
    assert set(found.estimates) == {"first_order", "one_step"}
    assert "leverage" not in found.frame()
    assert scores.min() > 0.97
    assert InfluenceDisplay.from_leave_one_out(found).metric.shape == (60,)


def test_without_a_row_a_forest_of_held_structure_is_fitted_to_the_others(data):
    """A tree without depth keeps its structure: its leaf is the mean of the rest."""
    X, y, group = data
    stump = DecisionTreeClassifier(max_depth=1, random_state=0).fit(X, y)
    found = leave_one_out(
        stump, X, y, "loss", indices=ROWS, X_val=X[:90], y_val=y[:90],
        sensitive_features=group, sensitive_features_val=group[:90],
    )  # fmt: skip
    leaf = stump.apply(X)
    shares = {number: np.mean(y[leaf == number]) for number in np.unique(leaf)}
    before = _brier(shares, leaf[:90], y[:90])
    for row, change in zip(ROWS, found.actual[:, 0], strict=True):
        kept = np.arange(len(y)) != row
        without = {n: np.mean(y[kept & (leaf == n)]) for n in shares}

        assert change == pytest.approx(
            _brier(without, leaf[:90], y[:90]) - before, rel=1e-9
        )


def _brier(shares, leaf, y):
    """Half of the Brier score over both classes."""
    share = np.array([shares[number] for number in leaf])
    return np.mean((share - y) ** 2)


def test_without_a_row_boosting_is_what_a_refit_of_its_rounds_gives(data):
    """Round after round by hand: log loss, leaves of the fitted trees."""
    X, y, group = data
    model = GradientBoostingClassifier(n_estimators=5, max_depth=2, random_state=0)
    model.fit(X, y)
    found = leave_one_out(
        model, X, y, "loss", indices=ROWS, trees="refit", X_val=X, y_val=y,
        sensitive_features=group, sensitive_features_val=group,
    )  # fmt: skip
    leaves = model.apply(X)[:, :, 0]
    before = _boosted_loss(leaves, y, np.ones(len(y)))
    for row, change in zip(ROWS, found.actual[:, 0], strict=True):
        kept = (np.arange(len(y)) != row).astype(float)

        assert change == pytest.approx(
            _boosted_loss(leaves, y, kept) - before, rel=1e-6, abs=1e-12
        )


def _boosted_loss(leaves, y, weight, rate=0.1):
    """Log loss on all rows of boosting with these leaves and row weights."""
    share = np.average(y, weights=weight)
    raw = np.full(len(y), np.log(share / (1 - share)))
    for leaf in leaves.T:
        p = 1 / (1 + np.exp(-raw))
        residual = y - p
        for number in np.unique(leaf):
            own = leaf == number
            slope = weight[own] @ residual[own]
            bend = weight[own] @ (p * (1 - p))[own]
            raw[own] += rate * slope / bend
    return np.mean(np.logaddexp(0, raw) - y * raw)


def test_rows_that_training_did_not_use_change_nothing(data):
    X, y, group = data
    model = clone(HISTOGRAM).set_params(early_stopping=True).fit(X, y)
    held = np.flatnonzero(
        np.all(
            influence(model, X, y, sensitive_features=group, trees="refit").values == 0,
            axis=1,
        )
    )
    found = leave_one_out(
        model, X, y, indices=held[:3], sensitive_features=group, trees="refit"
    )

    np.testing.assert_array_equal(found.actual, 0.0)


def test_leave_one_out_of_joint_leaves_is_a_newton_solve_of_the_rest(data):
    X, y, group = data
    model = clone(HISTOGRAM).fit(X, y)
    found = leave_one_out(
        model, X, y, indices=ROWS, sensitive_features=group, trees="joint"
    )

    np.testing.assert_allclose(found.one_step, found.actual, rtol=0.2, atol=1e-6)
    assert found.leverage.shape == (len(ROWS),)


def test_leave_one_out_of_a_regression(data):
    X, _, group = data
    y = X[:, 0] + X[:, 1] ** 2
    model = ExtraTreesRegressor(5, min_samples_leaf=10, random_state=0).fit(X, y)
    found = leave_one_out(
        model, X, y, ["mean_prediction_difference", "loss"], indices=range(30),
        sensitive_features=group,
    )  # fmt: skip

    assert found.agreement().query("estimate == 'first_order'")["pearson"].min() > 0.95


def test_what_needs_a_hessian_is_refused_for_refits(data):
    X, y, group = data
    with pytest.raises(ValueError, match=r"leverage=True.*trees='joint'"):
        influence(
            clone(FOREST).fit(X, y), X, y, sensitive_features=group, leverage=True
        )
    with pytest.raises(ValueError, match="InfluenceTransformer"):
        InfluenceTransformer(FOREST).fit(X, y, sensitive_features=group)


@pytest.mark.parametrize("trees", ["joint", "refit"])
@pytest.mark.parametrize("estimator", [HISTOGRAM, FOREST], ids=["boosting", "forest"])
def test_displays_inspection_and_scorers_take_trees(data, estimator, trees):
    X, y, group = data
    corrector = SoftUnlearnCorrector(estimator, trees=trees, delta=0.2)
    corrector.fit(X, y, sensitive_features=group)
    path = corrector.path(X, y, deltas=[0.0, 0.2], sensitive_features=group)
    found = influence(
        corrector.base_estimator_, X, y, sensitive_features=group, utility="loss",
        trees=trees,
    )  # fmt: skip
    drawn = [
        DeletionWeightsDisplay.from_estimator(
            corrector, X, y, sensitive_features=group
        ),
        TradeoffDisplay.from_path(path, X, y, sensitive_features=group),
    ]

    assert all(display.plot().figure_ is not None for display in drawn)
    assert InfluenceDisplay.from_influence(found).plot_effects().figure_ is not None


@pytest.mark.parametrize("trees", ["joint", "refit"])
def test_searches_choose_among_trees(data, trees, tmp_path):
    X, y, group = data
    corrector = SoftUnlearnCorrector(
        HISTOGRAM, trees=trees, weighting="soft", memory=str(tmp_path)
    )
    grid = GridSearchCV(corrector, {"delta": [0.0, 0.2]}, cv=2, scoring="accuracy")
    grid.fit(X, y, sensitive_features=group)
    own = SoftUnlearnCorrectorCV(corrector, deltas=[0.0, 0.2], cv=2)
    own.fit(X, y, sensitive_features=group)

    assert grid.best_params_["delta"] in (0.0, 0.2)
    assert own.predict(X).shape == y.shape
    assert over_unlearning(corrector.fit(X, y, sensitive_features=group)).n_cut > 0


def test_a_search_scores_the_gap_of_trees(data):
    X, y, group = data
    frame = pd.DataFrame(X).add_prefix("x").assign(group=group)
    corrector = SoftUnlearnCorrector(FOREST, sensitive_feature_ids="group")
    scorer = fairness_scorer(
        "demographic_parity_difference", sensitive_feature_ids="group"
    )
    search = GridSearchCV(corrector, {"delta": [0.0, 0.9]}, cv=2, scoring=scorer)

    assert search.fit(frame, y).best_params_["delta"] == 0.9
