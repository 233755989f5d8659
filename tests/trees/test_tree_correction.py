# SPDX-License-Identifier: BSD-3-Clause
"""The corrector around ensembles of trees, as users meet it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import shuffle

from sklearn_softunlearn import (
    AdversarialLoss,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    influence,
    over_unlearning,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import (
    BaseNotConvergedWarning,
    CorrectionWarning,
)
from tests.trees.tree_cases import CASES

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.InfeasibleDeltaWarning",
    "ignore::sklearn_softunlearn.exceptions.SmallGroupWarning",
)
NAME = "demographic_parity_difference"
SMALL = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=7, random_state=0)
FOREST = RandomForestClassifier(10, min_samples_leaf=10, random_state=0)


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(600, random_state=0)


@pytest.fixture(scope="module")
def mixed(data):
    X, y, group = data
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    frame["kind"] = pd.Categorical(np.where(X[:, 0] > 0, "a", "b"))
    frame.loc[::17, "x1"] = np.nan
    return frame, np.where(y == 1, "yes", "no"), group


@pytest.mark.filterwarnings("ignore:Predicted probabilities")
@pytest.mark.parametrize("trees", ["joint", "refit"])
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.n_classes == 2 and case.refits],
    ids=str,
)
def test_a_small_request_is_realised_nearly(data, case, trees):
    X, y, group = data
    corrector = SoftUnlearnCorrector(
        case.estimator, trees=trees, delta=0.1, weighting="soft", utility_tol=0.05
    ).fit(X, y, sensitive_features=group)
    line = corrector.report_[NAME, "surrogate"]

    assert line.predicted == pytest.approx(0.9 * line.before, rel=1e-6)
    assert line.after == pytest.approx(line.predicted, abs=0.02 * line.before)


def test_leaves_that_hold_no_probabilities_are_named(data):
    X, y, group = data
    estimator = RandomForestClassifier(5, max_depth=6, random_state=0)
    corrector = SoftUnlearnCorrector(estimator, trees="joint", delta=0.9)
    with pytest.warns(CorrectionWarning, match="below 0 or above 1") as seen:
        corrector.fit(X, y, sensitive_features=group)
    probability = corrector.predict_proba(X)
    beyond = np.any((probability < 0) | (probability > 1), axis=1)
    largest = np.max(np.abs(probability - 0.5)) - 0.5

    (message,) = [str(each.message) for each in seen if "above 1" in str(each.message)]
    assert f" of {np.sum(beyond)} of the rows" in message
    assert f"up to {largest:.2g}:" in message


def test_shares_of_classes_do_not_fall_below_zero_by_rounding():
    X, y = shuffle(*make_blobs(300, random_state=0), random_state=7)
    corrector = SoftUnlearnCorrector(
        RandomForestClassifier(5, max_depth=3, random_state=0), metric="loss", delta=0.1
    ).fit(StandardScaler().fit_transform(X), y)

    # predict_log_proba would make nan of them.
    values = [tree.tree_.value for tree in corrector.estimator_.estimators_]
    assert min(np.min(value) for value in values) == 0.0


@pytest.mark.parametrize("trees", ["joint", "refit"])
def test_missing_values_categories_and_names_pass_through(mixed, trees):
    X, y, group = mixed
    estimator = HistGradientBoostingClassifier(
        max_iter=10, categorical_features="from_dtype", random_state=0
    ).fit(X, y)
    before = estimator.predict_proba(X)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(estimator), trees=trees, utility_tol=0.1
    ).fit(X, y, sensitive_features=group)
    corrected = corrector.estimator_
    line = corrector.report_[NAME, "surrogate"]

    assert line.after < 0.7 * line.before
    assert list(corrected.feature_names_in_) == list(X.columns)
    assert set(corrector.predict(X)) <= {"yes", "no"}
    np.testing.assert_array_equal(estimator.predict_proba(X), before)
    loaded = pickle.loads(pickle.dumps(corrected))
    np.testing.assert_array_equal(loaded.predict(X), corrector.predict(X))


def test_the_last_step_of_a_pipeline(mixed):
    X, y, group = mixed
    pipeline = make_pipeline(
        OrdinalEncoder().set_output(transform="pandas"), SMALL
    ).fit(X, y)
    corrector = SoftUnlearnCorrector(pipeline, utility_tol=0.1)
    corrector.fit(X, y, sensitive_features=group)

    assert type(corrector.estimator_[-1]) is type(SMALL)
    assert corrector.estimator_[0] is corrector.base_estimator_[0]


def test_the_refit_of_the_recursion_is_what_retrain_means(data):
    X, y, group = data
    options = {"trees": "refit", "delta": 0.02, "utility_tol": 0.1}
    by_step, by_refit = (
        SoftUnlearnCorrector(SMALL, update=update, **options).fit(
            X, y, sensitive_features=group
        )
        for update in ("influence", "retrain")
    )
    near = by_refit.report_[NAME, "surrogate"].after
    assert near == pytest.approx(by_step.report_[NAME, "surrogate"].after, rel=0.005)


@pytest.mark.parametrize("update", ["newton", "gradient_ascent", "fisher", "hamu"])
def test_updates_that_follow_an_objective_are_refused_for_a_refit(data, update):
    X, y, group = data
    with pytest.raises(ValueError, match=r"'retrain'.*trees='joint'"):
        SoftUnlearnCorrector(FOREST, update=update).fit(X, y, sensitive_features=group)


@pytest.mark.parametrize("update", ["newton", "retrain"])
def test_joint_leaves_take_newton_steps_and_a_refit(data, update):
    X, y, group = data
    corrector = SoftUnlearnCorrector(SMALL, update=update, delta=0.1, utility_tol=0.1)
    line = corrector.fit(X, y, sensitive_features=group).report_[NAME, "surrogate"]

    assert line.after == pytest.approx(0.9 * line.before, rel=0.1)


def test_adversarial_loss_is_refused(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="trees have no gradient"):
        SoftUnlearnCorrector(SMALL, metric=AdversarialLoss(epsilon=0.1)).fit(X, y)


def test_an_unknown_choice_is_refused(data):
    X, y, group = data
    with pytest.raises(ValueError, match="trees='both' is not known"):
        SoftUnlearnCorrector(SMALL, trees="both").fit(X, y, sensitive_features=group)


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (GradientBoostingClassifier(loss="exponential"), "exponential"),
        (GradientBoostingClassifier(init=FOREST), "init"),
        (DecisionTreeRegressor(criterion="absolute_error"), "absolute_error"),
    ],
    ids=str,
)
def test_what_is_not_differentiable_is_refused_by_name(data, estimator, words):
    X, y, _ = data
    with pytest.raises(ValueError, match=words):
        SoftUnlearnCorrector(estimator, metric="loss").fit(X, y)


def test_rows_drawn_in_each_round_are_said(data):
    X, y, group = data
    estimator = GradientBoostingClassifier(
        n_estimators=10, subsample=0.5, random_state=0
    )
    with pytest.warns(BaseNotConvergedWarning, match="subsample"):
        SoftUnlearnCorrector(estimator, trees="refit", utility_tol=0.1).fit(
            X, y, sensitive_features=group
        )


def test_early_stopping_holds_rows_out_that_have_no_influence(data):
    X, y, group = data
    estimator = HistGradientBoostingClassifier(
        max_iter=10, early_stopping=True, random_state=0
    ).fit(X, y)
    found = influence(
        estimator, X, y, sensitive_features=group, utility="loss", trees="refit"
    )

    assert np.sum(np.all(found.values == 0, axis=1)) == 60


def test_over_unlearning_and_searches_work_as_for_other_models(data):
    X, y, group = data
    corrector = SoftUnlearnCorrector(SMALL, utility_tol=0.1)
    causes = over_unlearning(corrector.fit(X, y, sensitive_features=group))
    search = SoftUnlearnCorrectorCV(corrector, deltas=[0.0, 0.1, 0.3], cv=2)
    search.fit(X, y, sensitive_features=group)

    assert causes.norm_soft < causes.norm_hard
    assert search.predict(X).shape == y.shape
