# SPDX-License-Identifier: BSD-3-Clause
"""TradeoffDisplay: its numbers against fairlearn and scikit-learn, and the drawing."""

import sys
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
)
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, ExponentiatedGradient
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_softunlearn import (
    AdversarialLoss,
    GroupMetric,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    bootstrap_intervals,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.display import TradeoffDisplay
from sklearn_softunlearn.scoring import fairness_scorer

mpl.use("Agg")
import matplotlib.pyplot as plt

PARITY = "demographic_parity_difference"
DELTAS = [0.0, 0.5, 1.0]


class Damped(ClassifierMixin, BaseEstimator):
    """A corrector in miniature: scales the coefficients of the proxies by 1 - delta."""

    def __init__(self, delta=0.5, metric=PARITY, C=1.0, sensitive_feature_ids=None):
        self.delta = delta
        self.metric = metric
        self.C = C
        self.sensitive_feature_ids = sensitive_feature_ids

    def fit(self, X, y, sensitive_features=None):
        self.base_estimator_ = LogisticRegression(C=self.C).fit(X, y)
        self.estimator_ = LogisticRegression(C=self.C).fit(X, y)
        self.estimator_.coef_[0, X.shape[1] // 2 :] *= 1 - self.delta
        self.classes_ = self.estimator_.classes_
        return self

    def path(self, X, y, *, deltas, **fit_params):
        correctors = [clone(self).set_params(delta=delta) for delta in deltas]
        return [corrector.fit(X, y, **fit_params) for corrector in correctors]

    def predict(self, X):
        return self.estimator_.predict(X)

    def predict_proba(self, X):
        return self.estimator_.predict_proba(X)


class Data:
    def __init__(self):
        X, y, groups = make_biased_classification(1200, random_state=0)
        self.X, self.y, self.groups = X[:600], y[:600], groups[:600]
        self.X_test, self.y_test, self.groups_test = X[600:], y[600:], groups[600:]
        self.path = Damped().path(self.X, self.y, deltas=DELTAS)

    def parity(self, model, **kwargs):
        return demographic_parity_difference(
            self.y_test,
            model.predict(self.X_test, **kwargs),
            sensitive_features=self.groups_test,
        )

    def accuracy(self, model, **kwargs):
        return accuracy_score(self.y_test, model.predict(self.X_test, **kwargs))


@pytest.fixture(scope="module")
def data():
    return Data()


@pytest.fixture
def display():
    return TradeoffDisplay(
        delta=[0.0, 0.5, 1.0],
        metric=[0.2, 0.1, 0.02],
        utility=[0.85, 0.848, 0.83],
        metric_spread=[0.01, 0.02, 0.01],
        utility_spread=[0.002, 0.001, 0.003],
        others={"other": (0.03, 0.82)},
        metric_name=PARITY,
        utility_name="accuracy",
    )


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")


# ------------------------------------------------------------------- from_path


def test_from_path_measures_on_the_given_rows(data):
    display = TradeoffDisplay.from_path(
        data.path[::-1], data.X_test, data.y_test, sensitive_features=data.groups_test
    )
    np.testing.assert_array_equal(display.delta, DELTAS)
    np.testing.assert_allclose(display.metric, [data.parity(m) for m in data.path])
    np.testing.assert_array_equal(
        display.utility, [data.accuracy(m) for m in data.path]
    )
    base = data.path[0].base_estimator_
    expected = data.parity(base), data.accuracy(base)
    assert display.base == pytest.approx(expected, abs=1e-12)
    assert (display.metric_name, display.utility_name) == (PARITY, "accuracy")
    assert display.name == "Damped"
    assert len(set(display.metric)) == 3


@pytest.mark.parametrize("metric", [equalized_odds_difference, "loss"])
def test_metric_and_utility_can_be_chosen(data, metric):
    display = TradeoffDisplay.from_path(
        data.path,
        data.X_test,
        data.y_test,
        sensitive_features=data.groups_test,
        metric=metric,
        utility="neg_log_loss",
        name="mine",
    )
    losses = [
        log_loss(data.y_test, model.predict_proba(data.X_test)) for model in data.path
    ]
    gaps = [
        equalized_odds_difference(
            data.y_test,
            model.predict(data.X_test),
            sensitive_features=data.groups_test,
        )
        for model in data.path
    ]
    np.testing.assert_allclose(display.utility, losses)
    np.testing.assert_allclose(display.metric, losses if metric == "loss" else gaps)
    assert display.utility_name == "log_loss"
    assert display.name == "mine"


def test_labels_may_be_strings(data):
    names = np.array(["no", "yes"])
    path = Damped().path(data.X, names[data.y], deltas=DELTAS)
    display = TradeoffDisplay.from_path(
        path, data.X_test, names[data.y_test], sensitive_features=data.groups_test
    )
    np.testing.assert_allclose(display.metric, [data.parity(m) for m in data.path])


@pytest.fixture(scope="module")
def mitigators(data):
    fit = {"X": data.X, "y": data.y, "sensitive_features": data.groups}
    gradient = ExponentiatedGradient(LogisticRegression(), DemographicParity())
    thresholds = ThresholdOptimizer(
        estimator=LogisticRegression(),
        constraints="demographic_parity",
        predict_method="predict_proba",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fairlearn sets pandas values the old way
        return {
            "plain": LogisticRegression(C=0.01).fit(data.X, data.y),
            "gradient": gradient.fit(**fit),
            "thresholds": thresholds.fit(**fit),
        }


@pytest.mark.parametrize("metric", ["roc_auc_score_group_min", "roc_auc"])
def test_a_mitigator_without_scores_is_named(data, mitigators, metric):
    rows = data.X_test, data.y_test
    groups = {"sensitive_features": data.groups_test}
    options = {"metric": PARITY, "utility": metric}
    plain = {"plain": mitigators["plain"]}
    display = TradeoffDisplay.from_path(
        data.path, *rows, **groups, **options, others=plain
    )
    assert display.others["plain"][1] > 0.6
    with pytest.raises(ValueError, match=r"others\['gradient'\] .*predict labels only"):
        TradeoffDisplay.from_path(
            data.path, *rows, **groups, **options, others=mitigators
        )


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("loss", np.mean),
        (AdversarialLoss(epsilon=0.0), np.mean),
        ("group_loss", max),
        (GroupMetric("log_loss_group_max"), max),
    ],
)
def test_whatever_a_corrector_improves_can_be_measured(data, metric, expected):
    X, y, groups = data.X_test, data.y_test, data.groups_test
    corrector = SoftUnlearnCorrector(metric=metric, delta=0.0)
    corrector.fit(data.X, data.y, sensitive_features=data.groups)
    display = TradeoffDisplay.from_path([corrector], X, y, sensitive_features=groups)
    probability = corrector.predict_proba(X)[np.arange(len(y)), y]
    losses = -np.log(probability)
    if expected is max:
        losses = [losses[groups == group].mean() for group in (0, 1)]

    assert display.metric[0] == pytest.approx(expected(losses))


def test_the_loss_of_a_regression_is_its_squared_error(data):
    y = data.X[:, 0] + data.y
    corrector = SoftUnlearnCorrector(LinearRegression(), metric="loss", delta=0.0)
    display = TradeoffDisplay.from_path(
        [corrector.fit(data.X, y)], data.X, y, utility="r2"
    )

    assert display.metric[0] == pytest.approx(
        mean_squared_error(y, corrector.predict(data.X))
    )
    assert display.metric_name == "mean_squared_error"


def test_the_utility_of_a_regression_is_its_r2():
    X, y = load_diabetes(return_X_y=True)
    groups = X[:, 1] > 0
    corrector = SoftUnlearnCorrector(Ridge(0.1), metric="mean_prediction_difference")
    rows = {"sensitive_features": groups, "deltas": [0.0, 0.5]}
    display = TradeoffDisplay.from_estimator(corrector, X, y, **rows)
    expected = [r2_score(y, m.predict(X)) for m in corrector.path(X, y, **rows)]

    np.testing.assert_allclose(display.utility, expected)
    assert display.metric[1] < display.metric[0]
    assert display.plot().ax_.get_ylabel() == "r2 (1: exact)"


def test_others_are_measured_on_the_same_rows(data, mitigators):
    display = TradeoffDisplay.from_path(
        data.path,
        data.X_test,
        data.y_test,
        sensitive_features=data.groups_test,
        others=mitigators,
        random_state=0,
    )
    params = {
        "plain": {},
        "gradient": {"random_state": 0},
        "thresholds": {"random_state": 0, "sensitive_features": data.groups_test},
    }
    expected = {
        name: (data.parity(model, **params[name]), data.accuracy(model, **params[name]))
        for name, model in mitigators.items()
    }
    assert display.others.keys() == expected.keys()
    for name, point in expected.items():
        assert display.others[name] == pytest.approx(point, abs=1e-12)
    assert display.frame()["model"].tolist() == [
        "base model",
        *["Damped"] * 3,
        *mitigators,
    ]


def test_others_may_be_known_points(data):
    display = TradeoffDisplay.from_path(
        data.path,
        data.X_test,
        data.y_test,
        sensitive_features=data.groups_test,
        others={"known": (0.1, 0.7), "plain": data.path[0].base_estimator_},
    )
    assert display.others == {"known": (0.1, 0.7), "plain": display.base}


def test_groups_may_come_from_columns_of_X(data):
    path = Damped(sensitive_feature_ids=[10]).path(
        np.column_stack([data.X, data.groups]), data.y, deltas=DELTAS
    )
    X_test = np.column_stack([data.X_test, data.groups_test])
    display = TradeoffDisplay.from_path(path, X_test, data.y_test)
    expected = TradeoffDisplay.from_path(
        path, X_test, data.y_test, sensitive_features=data.groups_test
    )
    pd.testing.assert_frame_equal(display.frame(), expected.frame())


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"correctors": []}, "correctors is empty"),
        ({"metric": "accurate"}, "metric='accurate' is not known"),
        ({"sensitive_features": None}, f"{PARITY} compares groups: give sensitive_"),
    ],
)
def test_what_cannot_be_measured_is_said(data, arguments, match):
    given = {"correctors": data.path, "sensitive_features": data.groups_test}
    with pytest.raises(ValueError, match=match):
        TradeoffDisplay.from_path(
            **{**given, **arguments}, X=data.X_test, y=data.y_test
        )


# -------------------------------------------------------------- from_estimator


def test_from_estimator_is_from_path_on_its_path(data):
    test = {"X_test": data.X_test, "y_test": data.y_test}
    display = TradeoffDisplay.from_estimator(
        Damped(),
        data.X,
        data.y,
        sensitive_features=data.groups,
        deltas=DELTAS,
        sensitive_features_test=data.groups_test,
        **test,
    )
    expected = TradeoffDisplay.from_path(
        data.path, data.X_test, data.y_test, sensitive_features=data.groups_test
    )
    pd.testing.assert_frame_equal(display.frame(), expected.frame())


def test_from_estimator_measures_on_the_training_rows_by_default(data):
    display = TradeoffDisplay.from_estimator(
        Damped(), data.X, data.y, sensitive_features=data.groups, utility="accuracy"
    )
    np.testing.assert_allclose(display.delta, np.linspace(0, 1, 11))
    expected = TradeoffDisplay.from_path(
        data.path, data.X, data.y, sensitive_features=data.groups
    )
    np.testing.assert_array_equal(display.metric[[0, 5, 10]], expected.metric)


class NeverFitted(Damped):
    def path(self, X, y, *, deltas, **fit_params):
        raise AssertionError("a path was fitted")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"utility": "roc_auc"}, r"others\['gradient'\] .*predict labels only"),
        ({"metric": "accurate"}, "metric='accurate' is not known"),
        ({"sensitive_features_test": None}, f"{PARITY} compares groups"),
    ],
)
def test_from_estimator_fits_nothing_before_it_refuses(
    data, mitigators, options, match
):
    rows = {"X_test": data.X_test, "y_test": data.y_test}
    groups = {
        "sensitive_features": data.groups,
        "sensitive_features_test": data.groups_test,
    }
    with pytest.raises(ValueError, match=match):
        TradeoffDisplay.from_estimator(
            NeverFitted(),
            data.X,
            data.y,
            others={"gradient": mitigators["gradient"]},
            **rows,
            **groups | options,
        )


def test_from_estimator_refuses_what_has_no_path(data):
    with pytest.raises(ValueError, match=r"Pipeline.* no method path.*CorrectorCV has"):
        TradeoffDisplay.from_estimator(make_pipeline(Damped()), data.X, data.y)
    with pytest.raises(ValueError, match="X_test and y_test together"):
        TradeoffDisplay.from_estimator(Damped(), data.X, data.y, X_test=data.X)


# ------------------------------------------------------------- from_cv_results


def search(data, estimator, grid):
    frame = pd.DataFrame(data.X)
    gap = fairness_scorer(PARITY, sensitive_features=pd.Series(data.groups))
    return GridSearchCV(
        estimator,
        grid,
        scoring={"gap": gap, "accuracy": "accuracy", "loss": "neg_log_loss"},
        refit=False,
        cv=3,
        error_score="raise",
    ).fit(frame.to_numpy(), pd.Series(data.y))


def test_from_cv_results_of_a_grid_search(data):
    results = search(data, Damped(), {"delta": DELTAS[::-1]}).cv_results_
    display = TradeoffDisplay.from_cv_results(
        results, metric_key="gap", utility_key="accuracy", others={"o": (0.1, 0.7)}
    )
    np.testing.assert_array_equal(display.delta, DELTAS)
    np.testing.assert_array_equal(display.metric, -results["mean_test_gap"][::-1])
    np.testing.assert_array_equal(display.metric_spread, results["std_test_gap"][::-1])
    np.testing.assert_array_equal(display.utility, results["mean_test_accuracy"][::-1])
    np.testing.assert_array_equal(
        display.utility_spread, results["std_test_accuracy"][::-1]
    )
    assert (display.metric > 0).all()
    assert display.base == (display.metric[0], display.utility[0])
    assert (display.metric_name, display.utility_name) == ("gap", "accuracy")


def test_negated_losses_are_shown_as_losses(data):
    results = search(data, make_pipeline(Damped()), {"damped__delta": DELTAS})
    display = TradeoffDisplay.from_cv_results(
        pd.DataFrame(results.cv_results_),
        metric_key="gap",
        utility_key="loss",
        metric_name=PARITY,
        utility_name="log_loss",
    )
    assert (display.utility > 0).all()
    assert display.metric_name == PARITY
    assert display.utility_name == "log_loss"


def test_candidates_without_delta_are_left_out(data):
    grid = [{"damped__delta": DELTAS}, {"damped": [LogisticRegression()]}]
    results = search(data, make_pipeline(Damped()), grid).cv_results_
    for table in (results, pd.DataFrame(results)):
        display = TradeoffDisplay.from_cv_results(
            table, metric_key="gap", utility_key="accuracy"
        )
        np.testing.assert_array_equal(display.delta, DELTAS)


def test_another_parameter_must_be_held_fixed(data):
    results = search(data, Damped(), {"delta": DELTAS, "C": [0.1, 1.0]}).cv_results_
    keys = {"metric_key": "gap", "utility_key": "accuracy"}
    with pytest.raises(ValueError, match=r"several rows of delta in \[0.0, 0.5, 1.0\]"):
        TradeoffDisplay.from_cv_results(results, **keys)
    rows = pd.DataFrame(results).query("param_C == 1")
    display = TradeoffDisplay.from_cv_results(rows, **keys)
    np.testing.assert_array_equal(display.metric, -rows["mean_test_gap"])


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({"metric_key": "gaps"}, "no column 'mean_test_gaps'"),
        ({"utility_key": "score"}, "no column 'mean_test_score'"),
        ({"param": "param_x__delta"}, "no column 'param_x__delta'"),
    ],
)
def test_columns_that_are_missing_are_named(data, keys, match):
    results = search(data, Damped(), {"delta": DELTAS}).cv_results_
    keys = {"metric_key": "gap", "utility_key": "accuracy", **keys}
    with pytest.raises(ValueError, match=match):
        TradeoffDisplay.from_cv_results(results, **keys)


def test_the_column_of_delta_can_be_named():
    scores = {"mean_test_m": [0.2], "mean_test_u": [0.8]}
    spreads = {"std_test_m": [0.0], "std_test_u": [0.0]}
    results = {"param_a__delta": [0.1], "param_b__delta": [0.3], **scores, **spreads}
    keys = {"metric_key": "m", "utility_key": "u"}
    with pytest.raises(ValueError, match="2 columns of a parameter delta"):
        TradeoffDisplay.from_cv_results(results, **keys)
    display = TradeoffDisplay.from_cv_results(results, param="param_b__delta", **keys)
    assert display.delta.tolist() == [0.3]
    with pytest.raises(ValueError, match="0 columns of a parameter delta"):
        TradeoffDisplay.from_cv_results({**scores, **spreads}, **keys)


# ----------------------------------------------------------------- the display


def test_points_are_sorted_and_those_without_a_value_left_out():
    display = TradeoffDisplay(
        delta=[1.0, 0.5, 0.0], metric=[0.1, np.nan, 0.3], utility=[0.7, 0.8, 0.9]
    )
    assert display.delta.tolist() == [0.0, 1.0]
    assert display.metric.tolist() == [0.3, 0.1]
    assert display.base == (0.3, 0.9)


def test_the_base_model_is_unknown_without_delta_zero():
    display = TradeoffDisplay(delta=[0.5], metric=[0.1], utility=[0.7])
    assert display.base is None
    assert display.frame()["model"].tolist() == ["corrected"]
    assert "base model" not in legend_texts(display.plot())


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"metric": [0.1]}, "same length.*'metric': 1"),
        ({"utility": [np.nan, np.nan]}, "None of the 2 points"),
        ({"metric_spread": [0.1] * 3}, "same length.*'metric_spread': 3"),
    ],
)
def test_bad_columns_are_refused(columns, match):
    good = {"delta": [0.0, 1.0], "metric": [0.2, 0.1], "utility": [0.8, 0.7]}
    with pytest.raises(ValueError, match=match):
        TradeoffDisplay(**{**good, **columns})


def test_frame_holds_every_number(display):
    frame = display.frame()
    assert frame.columns.tolist() == [
        "model",
        "delta",
        "metric",
        "utility",
        "metric_spread",
        "utility_spread",
        "metric_low",
        "metric_high",
        "utility_low",
        "utility_high",
    ]
    curve = frame[frame["model"] == "corrected"]
    for column in curve.columns[1:]:
        np.testing.assert_array_equal(curve[column], getattr(display, column))
    others = frame.set_index("model").loc[["base model", "other"]]
    assert others[["metric", "utility"]].to_numpy().tolist() == [
        [0.2, 0.85],
        [0.03, 0.82],
    ]
    unknown = others.columns.difference(["metric", "utility"])
    assert others[unknown].isna().all(axis=None)


def legend_texts(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def labels_of_points(display):
    return [text.get_text() for text in display.ax_.texts]


def test_plot_draws_the_data(display):
    assert display.plot() is display
    np.testing.assert_array_equal(
        display.line_.get_xydata(), np.column_stack([display.metric, display.utility])
    )
    markers = {line.get_label(): line for line in display.ax_.get_lines()}
    assert markers["base model"].get_xydata().tolist() == [[0.2, 0.85]]
    assert markers["other"].get_xydata().tolist() == [[0.03, 0.82]]
    assert legend_texts(display) == [
        "corrected, labelled by delta",
        "base model",
        "other",
    ]
    assert sorted(labels_of_points(display)) == ["0", "0.5", "1"]
    assert display.ax_.get_xlabel() == (
        "demographic parity difference (0: groups equal)"
    )
    assert display.ax_.get_ylabel() == "accuracy (fraction of rows, 0 to 1)"
    assert display.figure_ is display.ax_.figure


def test_error_bars_are_the_spread(display):
    display.plot()
    horizontal, vertical = (
        np.array(bars.get_segments()) for bars in display.ax_.collections
    )
    np.testing.assert_allclose(
        np.ptp(horizontal[:, :, 0], axis=1), 2 * display.metric_spread
    )
    np.testing.assert_allclose(
        np.ptp(vertical[:, :, 1], axis=1), 2 * display.utility_spread
    )
    without = TradeoffDisplay(delta=[0.0], metric=[0.1], utility=[0.7]).plot()
    assert len(without.ax_.collections) == 0


def test_intervals_of_a_path_are_those_of_the_labels(data):
    X, y, groups = data.X_test, data.y_test, data.groups_test
    path = Damped().path(data.X, data.y, deltas=[0.0, 1.0])
    display = TradeoffDisplay.from_path(path, X, y, sensitive_features=groups)
    expected = bootstrap_intervals(
        y, {str(k): model.predict(X) for k, model in enumerate(path)},
        sensitive_features=groups, metrics=[PARITY], n_bootstrap=4000, random_state=1,
    )  # fmt: skip
    ours = np.column_stack([display.metric_low, display.metric_high])
    np.testing.assert_allclose(ours, expected[["low", "high"]][:2], atol=0.01)
    low, high = display.utility_low, display.utility_high
    assert np.all((low < display.utility) & (display.utility < high))
    half = 1.96 * np.sqrt(display.utility * (1 - display.utility) / len(y))
    np.testing.assert_allclose((high - low) / 2, half, rtol=0.15)
    without = TradeoffDisplay.from_path(
        path, X, y, sensitive_features=groups, utility="loss", n_bootstrap=0
    )
    assert np.isnan(without.metric_low).all()
    losses = TradeoffDisplay.from_path(
        path, X, y, sensitive_features=groups, utility="loss"
    )
    assert np.isnan(losses.utility_low).all()  # each row would have to be drawn


def test_bars_of_intervals_are_drawn_from_end_to_end():
    ends = [[0.05, 0.3], [0.12, 0.2]]  # the second does not hold its point
    display = TradeoffDisplay(
        delta=[0.0, 1.0], metric=[0.2, 0.1], utility=[0.8, 0.7], metric_interval=ends
    ).plot()
    horizontal = np.array(display.ax_.collections[0].get_segments())
    np.testing.assert_allclose(horizontal[:, :, 0], ends)
    with pytest.raises(ValueError, match="two columns, low and high"):
        TradeoffDisplay(
            delta=[0.0], metric=[0.2], utility=[0.8], utility_interval=[0.1]
        )


def test_a_search_brings_its_intervals(data):
    search = SoftUnlearnCorrectorCV(deltas=[0.0, 0.5], cv=3).fit(
        data.X, data.y, sensitive_features=data.groups
    )
    results, keys = search.cv_results_, {"metric_key": PARITY}
    keys["utility_key"] = "accuracy"
    display = TradeoffDisplay.from_cv_results(results, **keys)
    np.testing.assert_allclose(display.metric, -results[f"pooled_test_{PARITY}"])
    np.testing.assert_allclose(display.metric_low, -results[f"high_test_{PARITY}"])
    np.testing.assert_allclose(display.utility_high, results["high_test_accuracy"])
    folds = TradeoffDisplay.from_cv_results(results, **keys, spread="std")
    np.testing.assert_allclose(folds.metric, -results[f"mean_test_{PARITY}"])
    assert np.isnan(folds.metric_low).all()
    with pytest.raises(ValueError, match="spread='sd'"):
        TradeoffDisplay.from_cv_results(results, **keys, spread="sd")


def test_error_bars_of_many_points_keep_their_distance():
    delta = np.linspace(0, 1, 101)
    display = TradeoffDisplay(
        delta=delta,
        metric=1 - delta,
        utility=1 - 0.1 * delta,
        metric_spread=np.full(101, 0.1),
        utility_spread=np.full(101, 0.05),
    ).plot()
    vertical = np.array(display.ax_.collections[1].get_segments())
    at = np.sort(vertical[:, 0, 0])

    assert 5 <= len(at) <= 12
    assert at[0] == 0.0 and at[-1] == 1.0
    assert np.diff(at).min() > 0.08
    assert len(display.frame()) == 102
    assert (display.frame()["metric_spread"][1:] == 0.1).all()


def test_one_kind_of_spread_is_enough():
    display = TradeoffDisplay(
        delta=[0.0, 1.0],
        metric=[0.2, 0.1],
        utility=[0.8, 0.7],
        metric_spread=[0.1, 0.2],
    ).plot()
    assert len(display.ax_.collections) > 0


def test_plot_on_given_axes_with_a_style(display):
    _, ax = plt.subplots()
    display.plot(ax, name="mine", curve_kwargs={"color": "red", "marker": "x"})
    assert display.ax_ is ax
    assert display.line_.get_color() == "red"
    assert display.line_.get_marker() == "x"
    assert "mine, labelled by delta" in legend_texts(display)
    first = display.line_
    display.plot(ax, label_delta=False)
    assert display.line_ is not first
    assert "corrected" in legend_texts(display)


def test_labels_keep_their_distance():
    delta = np.linspace(0, 1, 101)
    display = TradeoffDisplay(delta=delta, metric=1 - delta, utility=1 - 0.1 * delta)
    display.plot()
    labels = labels_of_points(display)
    assert {"0", "1"} <= set(labels)
    assert 5 <= len(labels) <= 14
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.ax_.texts]
    overlaps = [a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i]]
    assert not any(overlaps)


def test_labels_make_way_for_other_models():
    curve = {"delta": DELTAS, "metric": [0.2, 0.1, 0.0], "utility": [0.9, 0.85, 0.8]}
    alone = TradeoffDisplay(**curve).plot()
    crowded = TradeoffDisplay(**curve, others={"near": (0.107, 0.846)}).plot()

    def side(display):
        middle = next(t for t in display.ax_.texts if t.get_text() == "0.5")
        return middle.get_horizontalalignment()

    assert side(alone) == "left"
    assert side(crowded) == "right"


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_nothing_is_drawn_in_the_colour_of_the_background(display, style):
    with plt.style.context(style):
        display.plot()
        background = mpl.colors.to_rgb(display.ax_.get_facecolor())
        drawn = [line.get_color() for line in display.ax_.get_lines()]
        drawn += [text.get_color() for text in display.ax_.texts]
    contrasts = [
        np.abs(np.subtract(mpl.colors.to_rgb(color), background)).max()
        for color in drawn
    ]
    assert min(contrasts) > 0.3


def test_without_matplotlib_there_are_numbers_and_a_clear_error(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert len(display.frame()) == 5
    with pytest.raises(ImportError, match=r"sklearn_softunlearn\[plot\]"):
        display.plot()


def test_the_real_corrector_moves_along_its_path(data):
    display = TradeoffDisplay.from_estimator(
        SoftUnlearnCorrector(),
        data.X,
        data.y,
        sensitive_features=data.groups,
        deltas=[0.0, 0.5],
    )
    assert display.base == (display.metric[0], display.utility[0])
    assert display.metric[1] < display.metric[0]
    assert display.name == "SoftUnlearnCorrector"
