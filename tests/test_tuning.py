# SPDX-License-Identifier: BSD-3-Clause
"""The choice of delta: the same scores as a grid search, and what the user asked."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_softunlearn import (
    AdversarialLoss,
    GroupMetric,
    NeighborInconsistency,
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    TradeoffDisplay,
    fairness_scorer,
    robustness_scorer,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import RequirementNotMetWarning
from tests.models_for_tests import precise_logistic
from tests.test_estimator_checks import EXPECTED_WARNINGS

PARITY = "demographic_parity_difference"
DELTAS = [0.0, 0.3, 0.6, 0.9]
SCORING = {
    "gap": fairness_scorer(PARITY),
    "accuracy": "accuracy",
    "loss": "neg_log_loss",
}

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::sklearn_softunlearn.exceptions.{name}")
    for name in EXPECTED_WARNINGS
]

BOUNDS = ("low_", "high_", "change_low_", "change_high_")


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=800, random_state=2)


@pytest.fixture(scope="module")
def search(data):
    X, y, group = data
    return SoftUnlearnCorrectorCV(
        precise_logistic(), deltas=DELTAS, scoring=SCORING, refit="accuracy",
        n_bootstrap=0,
    ).fit(X, y, sensitive_features=group)  # fmt: skip


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def _of_folds(search):
    """Columns of a search without those of all held-out rows together."""
    return {name for name in search.cv_results_ if not name.startswith("pooled_")}


def grid_search(estimator, **options):
    return GridSearchCV(
        estimator, {"delta": DELTAS}, scoring=SCORING, refit="accuracy", **options
    )


def test_scores_are_those_of_a_grid_search(data, search, routing):
    X, y, group = data
    grid = grid_search(SoftUnlearnCorrector(precise_logistic())).fit(
        X, y, sensitive_features=group
    )

    assert _of_folds(search) == set(grid.cv_results_)
    for name, column in grid.cv_results_.items():
        if name.startswith("rank"):
            np.testing.assert_array_equal(search.cv_results_[name], column)
        elif "test" in name:
            np.testing.assert_allclose(search.cv_results_[name], column, atol=1e-9)
    assert search.cv_results_["params"] == grid.cv_results_["params"]
    param = search.cv_results_["param_delta"]
    assert isinstance(param, np.ma.MaskedArray)
    np.testing.assert_array_equal(param, grid.cv_results_["param_delta"])
    assert search.best_index_ == grid.best_index_
    assert search.best_params_ == grid.best_params_
    assert search.n_splits_ == grid.n_splits_
    np.testing.assert_allclose(
        search.decision_function(X), grid.decision_function(X), atol=1e-9
    )


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
def test_single_scorer_has_the_names_of_a_grid_search(data):
    X, y, _ = data
    corrector = SoftUnlearnCorrector(precise_logistic(), metric="loss")
    options = {"scoring": "accuracy", "cv": StratifiedKFold(3)}
    search = SoftUnlearnCorrectorCV(
        corrector, deltas=[0, 0.01], n_bootstrap=0, **options
    ).fit(X, y)
    grid = GridSearchCV(corrector, {"delta": [0, 0.01]}, **options).fit(X, y)

    assert _of_folds(search) == set(grid.cv_results_)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"]
    )
    assert search.best_index_ == grid.best_index_


def test_the_path_holds_fits_on_all_rows(data, search):
    X, y, group = data
    for delta, corrector in zip(DELTAS, search.path_, strict=True):
        alone = SoftUnlearnCorrector(precise_logistic(), delta=delta)
        alone.fit(X, y, sensitive_features=group)

        assert corrector.delta == delta
        np.testing.assert_allclose(
            corrector.deletion_weights_, alone.deletion_weights_, atol=1e-9
        )
    chosen = search.path_[search.best_index_]
    assert search.estimator_ is chosen.estimator_
    assert search.report_ is chosen.report_
    assert search.delta_max_ == chosen.delta_max_


def test_base_model_is_fitted_once_for_each_fold_and_once_more(data):
    class Counting(LogisticRegression):
        n_fits = 0

        def fit(self, X, y, sample_weight=None):
            type(self).n_fits += 1
            return super().fit(X, y, sample_weight)

    X, y, group = data
    SoftUnlearnCorrectorCV(Counting(), deltas=6, cv=4).fit(
        X, y, sensitive_features=group
    )

    assert Counting.n_fits == 5


def test_processes_give_the_same_scores(data, search):
    X, y, group = data
    other = clone(search).set_params(n_jobs=2).fit(X, y, sensitive_features=group)
    for name, column in search.cv_results_.items():
        if "test" in name:
            # Products round by how arrays lie in memory, which processes change.
            np.testing.assert_allclose(other.cv_results_[name], column, rtol=1e-12)


def test_default_keeps_accuracy_and_takes_the_best_metric(data):
    X, y, group = data
    search = SoftUnlearnCorrectorCV(precise_logistic(), deltas=11)
    search.fit(X, y, sensitive_features=group)
    table = pd.DataFrame(search.cv_results_)
    accuracy, gap = table["pooled_test_accuracy"], -table[f"pooled_test_{PARITY}"]
    allowed = accuracy >= accuracy[0] - 0.005

    assert allowed[search.best_index_]
    assert gap[search.best_index_] == gap[allowed].min()


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("loss", "neg_log_loss"),
        ("group_loss", fairness_scorer("log_loss_group_max")),
        (AdversarialLoss(epsilon=0.1), robustness_scorer("loss", epsilon=0.1)),
        (
            GroupMetric(PARITY, method="to_overall"),
            fairness_scorer(PARITY, method="to_overall"),
        ),
    ],
    ids=str,
)
def test_default_scores_what_the_corrector_improves(data, metric, expected):
    X, y, group = data
    fits = []
    for scoring in (None, {"metric": expected, "accuracy": "accuracy"}):
        search = SoftUnlearnCorrectorCV(
            SoftUnlearnCorrector(metric=metric, utility_tol=0.1),
            deltas=[0.0, 0.01], cv=2, scoring=scoring, refit=lambda table: 1,
        )  # fmt: skip
        fits.append(search.fit(X, y, sensitive_features=group))
    ours, theirs = fits

    name = next(iter(ours.scorer_))
    np.testing.assert_array_equal(
        ours.cv_results_[f"mean_test_{name}"], theirs.cv_results_["mean_test_metric"]
    )


@pytest.mark.parametrize(
    ("estimator", "metric"),
    [
        (None, [PARITY, "equalized_odds_difference"]),
        (None, NeighborInconsistency()),
        (Ridge(), AdversarialLoss(epsilon=0.1)),
    ],
    ids=str,
)
def test_what_has_no_scorer_says_what_to_give(data, estimator, metric):
    X, y, group = data
    corrector = SoftUnlearnCorrector(estimator, metric=metric)
    with pytest.raises(ValueError, match=r"no scorer.*Give scoring.*robustness_scorer"):
        SoftUnlearnCorrectorCV(corrector).fit(X, y, sensitive_features=group)


def results(metric, utility, deltas=(0.0, 0.5, 1.0), spread=0.0):
    """Scores of two folds, `spread` to either side of the means given."""
    table = {"param_delta": np.array(deltas)}
    for name, means in (("gap", -np.array(metric)), ("accuracy", np.array(utility))):
        for fold, sign in enumerate((-1, 1)):
            table[f"split{fold}_test_{name}"] = means + sign * spread
        table[f"mean_test_{name}"] = means
    return table


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ({"metric_at_most": 0.1}, 1),
        ({"metric_at_most": 0.05}, 2),
        ({"metric_at_most": 0.3}, 0),
        ({"utility_loss_at_most": 0.0}, 0),
        ({"utility_loss_at_most": 0.002}, 1),
        ({"utility_loss_at_most": 0.5}, 2),
        ({"utility_loss_at_most": 0.002, "metric": "gap", "utility": "accuracy"}, 1),
    ],
)
def test_requirement(requirement, expected):
    table = results([0.2, 0.1, 0.01], [0.85, 0.848, 0.83])

    assert Requirement(**requirement)(table) == expected


def test_requirement_of_a_ratio():
    table = results([-0.5, -0.8, -0.9], [0.85, 0.848, 0.83])

    assert Requirement(metric_at_least=0.75)(table) == 1


def test_a_requirement_is_about_all_held_out_rows_where_they_are_known():
    table = results([0.2, 0.1, 0.06], [0.85, 0.848, 0.83])
    table["pooled_test_gap"] = np.array([-0.19, -0.04, -0.01])

    assert Requirement(metric_at_most=0.05)(table) == 1
    table["pooled_test_accuracy"] = np.array([0.85, 0.82, 0.83])
    assert Requirement(metric_at_most=0.05)(table) == 2


def test_one_standard_error_takes_the_smallest_correction_that_is_as_good():
    table = results([0.2, 0.1, 0.09], [0.85, 0.85, 0.85], spread=0.02)

    assert Requirement(utility_loss_at_most=0.1)(table) == 2
    sparing = Requirement(utility_loss_at_most=0.1, one_standard_error=True)
    assert sparing(table) == 1


def test_nearest_candidate_where_none_meets_the_requirement():
    table = results([0.2, 0.1, 0.15], [0.85, 0.848, 0.83])
    with pytest.warns(RequirementNotMetWarning, match=r"misses it by 0.05 and was"):
        assert Requirement(metric_at_most=0.05)(table) == 1


def test_a_requirement_is_a_refit_for_grid_search(data, routing):
    X, y, group = data
    requirement = Requirement(metric_at_most=0.1, metric="gap", utility="accuracy")
    grid = grid_search(SoftUnlearnCorrector()).set_params(refit=requirement)
    grid.fit(X, y, sensitive_features=group)
    search = SoftUnlearnCorrectorCV(deltas=DELTAS, scoring=SCORING, refit=requirement)
    search.fit(X, y, sensitive_features=group)

    assert grid.best_index_ == search.best_index_ == requirement(grid.cv_results_)
    assert grid.cv_results_["mean_test_gap"][grid.best_index_] >= -0.1


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ({}, "exactly one of"),
        ({"metric_at_most": 0.1, "utility_loss_at_most": 0.1}, "exactly one of"),
        ({"metric_at_most": "a"}, r"metric_at_most='a' must be a number >= 0"),
        ({"metric_at_most": -0.1}, "must be a number >= 0"),
        ({"metric_at_most": 0.1, "metric": "other"}, "must name a scorer"),
    ],
)
def test_unusable_requirement(requirement, message):
    with pytest.raises(ValueError, match=message):
        Requirement(**requirement)(results([0.2, 0.1, 0.01], [0.85, 0.848, 0.83]))


def test_utility_loss_needs_the_base_model():
    table = results([0.1, 0.01], [0.85, 0.83], deltas=(0.1, 1.0))
    with pytest.raises(ValueError, match="put 0 among the deltas"):
        Requirement(utility_loss_at_most=0.1)(table)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"deltas": 1}, "must be at least 2"),
        ({"deltas": [0.5, 2]}, r"must hold numbers in \[0, 1\]"),
        ({"deltas": []}, "must hold numbers"),
        ({"deltas": [np.nan]}, "must hold numbers"),
        ({"refit": "other"}, "name of one of the scorers"),
        ({"refit": lambda table: 99}, "refit returned 99"),
        ({"scoring": []}, "scoring is empty"),
        ({"scoring": ["accuracy", "neg_log_loss"]}, "must be a Requirement"),
    ],
)
def test_unusable_parameters(data, parameters, message):
    X, y, group = data
    options = {"deltas": [0, 0.5], "cv": 2} | parameters
    with pytest.raises(ValueError, match=message):
        SoftUnlearnCorrectorCV(**options).fit(X, y, sensitive_features=group)


def test_validation_data_is_not_cut_to_folds(data):
    """Also where it has as many rows as the training data."""
    X, y, group = data
    half, rest = slice(None, 400), slice(400, None)
    validation = {
        "X_val": X[rest],
        "y_val": y[rest],
        "sensitive_features_val": group[rest],
    }
    search = SoftUnlearnCorrectorCV(deltas=[0, 0.5], cv=2).fit(
        X[half], y[half], sensitive_features=group[half], **validation
    )
    assert search.path_[1].report_.n_evaluation == 400
    train, test = next(StratifiedKFold(2).split(X[half], y[half]))
    fold = SoftUnlearnCorrector(delta=0.5).fit(
        X[half][train], y[half][train], sensitive_features=group[half][train],
        **validation,
    )  # fmt: skip
    expected = fold.score(X[half][test], y[half][test])

    assert search.cv_results_["split0_test_accuracy"][1] == expected


def test_sample_weight_counts_in_fit_and_scores(data):
    X, y, group = data
    weight = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    repeated = np.repeat(np.arange(len(y)), weight.astype(int))
    fold = np.arange(len(y)) % 2
    cuts = [(np.flatnonzero(fold == k), np.flatnonzero(fold != k)) for k in (0, 1)]
    fold = fold[repeated]
    more = [(np.flatnonzero(fold == k), np.flatnonzero(fold != k)) for k in (0, 1)]
    options = {"deltas": DELTAS, "scoring": SCORING, "refit": "accuracy"}
    options["n_bootstrap"] = 2  # copies of a row are more evidence than its weight
    weighted = SoftUnlearnCorrectorCV(precise_logistic(), cv=cuts, **options)
    weighted.fit(X, y, sensitive_features=group, sample_weight=weight)
    copies = SoftUnlearnCorrectorCV(precise_logistic(), cv=more, **options).fit(
        X[repeated], y[repeated], sensitive_features=group[repeated]
    )
    for name, column in copies.cv_results_.items():
        if "_test_" in name and not name.startswith(BOUNDS):
            np.testing.assert_allclose(weighted.cv_results_[name], column, atol=1e-8)


def test_groups_of_columns_and_pipelines(data):
    X, y, group = data
    table = pd.DataFrame(X).add_prefix("x").assign(group=group)
    corrector = SoftUnlearnCorrector(
        make_pipeline(StandardScaler(), LogisticRegression()),
        sensitive_feature_ids="group",
    )
    search = SoftUnlearnCorrectorCV(corrector, deltas=[0, 0.5], cv=2).fit(table, y)
    gap = search.cv_results_[f"mean_test_{PARITY}"]

    assert gap[1] > gap[0]
    assert list(search.feature_names_in_) == list(table)
    assert search.predict(table).shape == (800,)


def test_in_a_pipeline_with_routing(data, routing):
    X, y, group = data
    pipeline = make_pipeline(
        StandardScaler(), SoftUnlearnCorrectorCV(deltas=[0, 0.5], cv=2)
    ).fit(X, y, sensitive_features=group)

    assert pipeline[-1].cv_results_[f"mean_test_{PARITY}"][1] < 0


def test_tradeoff_display_takes_path_and_results(data, search):
    X, y, group = data
    path = TradeoffDisplay.from_path(search.path_, X, y, sensitive_features=group)
    folds = TradeoffDisplay.from_cv_results(
        search.cv_results_, metric_key="gap", utility_key="accuracy"
    )

    np.testing.assert_array_equal(path.delta, DELTAS)
    np.testing.assert_allclose(folds.metric, -search.cv_results_["mean_test_gap"])
    assert np.all(folds.metric_spread > 0)


def test_verbose_tells_of_each_fold(data, capsys):
    X, y, group = data
    SoftUnlearnCorrectorCV(deltas=2, cv=3, verbose=1).fit(
        X, y, sensitive_features=group
    )

    assert len(capsys.readouterr().out.splitlines()) == 3


CHECKS = parametrize_with_checks(
    [
        SoftUnlearnCorrectorCV(
            SoftUnlearnCorrector(metric="loss"),
            deltas=[0, 0.05],
            scoring="accuracy",
            cv=3,
        ),
        SoftUnlearnCorrectorCV(
            SoftUnlearnCorrector(
                make_pipeline(MaxAbsScaler(), LogisticRegression()),
                metric="loss",
                update="newton",
            ),
            deltas=[0, 0.05],
            scoring="neg_log_loss",
            cv=3,
        ),
    ],
)
NAMES, PAIRS = CHECKS.args


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
# Not CHECKS itself: sklearn < 1.7 hands pytest a generator, which pytest 9 deprecates.
@pytest.mark.parametrize(NAMES, list(PAIRS), **CHECKS.kwargs)
def test_sklearn_checks(estimator, check):
    check(estimator)


def test_a_requirement_about_nothing_but_nan_says_why():
    results = {
        "param_delta": [0.0, 0.5],
        "mean_test_gap": [np.nan, np.nan],
        "mean_test_accuracy": [0.8, 0.7],
    }
    with pytest.raises(ValueError, match=r"'gap' is NaN for every candidate"):
        Requirement(metric_at_most=0.1)(results)


def test_a_bound_for_the_wrong_kind_of_metric_is_refused():
    results = {
        "param_delta": [0.0, 0.5],
        "mean_test_ratio": [0.6, 0.9],
        "mean_test_accuracy": [0.8, 0.7],
    }
    with pytest.raises(ValueError, match="metric_at_least"):
        Requirement(metric_at_most=0.8)(results)
