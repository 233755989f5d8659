# SPDX-License-Identifier: BSD-3-Clause
"""The corrector among scikit-learn's and fairlearn's tools, as users combine them."""

import inspect
import pickle
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equalized_odds_difference,
    selection_rate,
)
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn import SoftUnlearnCorrector, fairness_scorer
from sklearn_softunlearn.datasets import make_biased_classification
from tests.first_order import first_order_corrector

PARITY = "demographic_parity_difference"
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
DELTAS = [0.0, 0.4, 0.8]
CV = StratifiedKFold(3, shuffle=True, random_state=0)
OLD_BALANCED = tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7)


@pytest.fixture(scope="module")
def data():
    X, y, groups = make_biased_classification(600, 6, random_state=0)
    rng = np.random.default_rng(0)
    index = rng.permutation(600) + 1000
    numeric = pd.DataFrame(X, columns=[f"x{j}" for j in range(6)], index=index)
    sex = np.array(["female", "male"])[groups]
    frame = numeric.assign(
        sex=sex, city=np.where(X[:, 5] + rng.normal(size=600) > 0, "north", "south")
    )
    train, test = train_test_split(np.arange(600), test_size=1 / 3, random_state=0)
    return SimpleNamespace(
        X=X[train],
        y=y[train],
        groups=groups[train],
        numeric=numeric.iloc[train],
        frame=frame.iloc[train],
        series=pd.Series(sex, index=index).iloc[train],
        X_test=X[test],
        y_test=y[test],
        groups_test=groups[test],
        frame_test=frame.iloc[test],
        numeric_test=numeric.iloc[test],
    )


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def routing_on():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def around(delta=0.5, **params):
    """Pipeline around the corrector."""
    corrector = first_order_corrector(delta=delta, **params)
    return Pipeline([("scale", StandardScaler()), ("correct", corrector)])


def inside():
    """Pipeline for inside the corrector."""
    return make_pipeline(StandardScaler(), LogisticRegression())


def one_hot():
    return make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["city"]),
        (StandardScaler(), [f"x{j}" for j in range(6)]),
    )


def groups_for(routing, groups):
    """How the groups reach the step `correct`."""
    return {"sensitive_features" if routing else "correct__sensitive_features": groups}


def by_hand(data, **params):
    """Corrector on data that were standardised before."""
    Z = StandardScaler().fit_transform(data.X)
    return first_order_corrector(**params).fit(
        Z, data.y, sensitive_features=data.groups
    )


def coefficients(estimator):
    estimator = getattr(estimator, "estimator_", estimator)
    while hasattr(estimator, "steps"):
        estimator = estimator[-1]
    return np.append(estimator.coef_, estimator.intercept_)


def parity(y, labels, groups):
    return demographic_parity_difference(y, labels, sensitive_features=groups)


def assert_same_correction(actual, expected, **tolerance):
    for name in ("deletion_weights_", "influence_", "multipliers_", "delta_max_"):
        np.testing.assert_allclose(
            getattr(actual, name), getattr(expected, name), err_msg=name, **tolerance
        )
    np.testing.assert_allclose(
        coefficients(actual), coefficients(expected), **tolerance
    )
    assert_same_report(actual.report_, expected.report_, **tolerance)


def assert_same_report(actual, expected, **tolerance):
    actual, expected = actual.frame(), expected.frame()
    pd.testing.assert_frame_equal(actual.iloc[:, :2], expected.iloc[:, :2])
    np.testing.assert_allclose(actual.iloc[:, 2:], expected.iloc[:, 2:], **tolerance)


# ------------------------------------------------------------------------- pipelines


def test_pipeline_around_the_corrector(data, routing):
    pipeline = around().fit(data.X, data.y, **groups_for(routing, data.groups))
    expected = by_hand(data)
    assert_same_correction(pipeline[-1], expected, rtol=0)
    Z_test = pipeline[0].transform(data.X_test)
    np.testing.assert_array_equal(
        pipeline.predict_proba(data.X_test), expected.predict_proba(Z_test)
    )


def _frozen(data, estimator):
    return FrozenEstimator(estimator.fit(data.X, data.y))


@pytest.mark.parametrize(
    "make_estimator",
    [
        lambda data: inside(),
        lambda data: make_pipeline(
            "passthrough", StandardScaler(), LogisticRegression()
        ),
        lambda data: make_pipeline(
            make_pipeline(StandardScaler()), make_pipeline(LogisticRegression())
        ),
        lambda data: _frozen(data, inside()),
        lambda data: FrozenEstimator(_frozen(data, inside())),
        lambda data: make_pipeline(
            FrozenEstimator(StandardScaler().fit(data.X)), LogisticRegression()
        ),
        lambda data: make_pipeline(
            StandardScaler(),
            FrozenEstimator(
                LogisticRegression().fit(StandardScaler().fit_transform(data.X), data.y)
            ),
        ),
    ],
    ids=["one", "passthrough", "nested", "frozen", "twice", "scaler", "last"],
)
def test_pipeline_inside_the_corrector(data, make_estimator, routing):
    corrector = first_order_corrector(make_estimator(data))
    corrector.fit(data.X, data.y, sensitive_features=data.groups)
    expected = by_hand(data)
    assert_same_correction(corrector, expected, rtol=0)
    Z_test = StandardScaler().fit(data.X).transform(data.X_test)
    for method in METHODS:
        np.testing.assert_array_equal(
            getattr(corrector, method)(data.X_test), getattr(expected, method)(Z_test)
        )
    assert corrector.score(data.X_test, data.y_test) == expected.score(
        Z_test, data.y_test
    )


@pytest.mark.parametrize("frozen", [False, True])
def test_columns_of_strings(data, frozen):
    """Groups are a column of strings that the model itself never sees."""
    estimator = make_pipeline(one_hot(), LogisticRegression())
    if frozen:
        estimator = FrozenEstimator(estimator.fit(data.frame, data.y))
    corrector = first_order_corrector(estimator, sensitive_feature_ids="sex")
    corrector.fit(data.frame, data.y)

    Z = one_hot().fit_transform(data.frame)
    expected = first_order_corrector().fit(Z, data.y, sensitive_features=data.groups)
    assert_same_correction(corrector, expected, rtol=0)
    np.testing.assert_array_equal(corrector.groups_, ["female", "male"])
    Z_test = one_hot().fit(data.frame).transform(data.frame_test)
    without_groups = data.frame_test.drop(columns="sex")
    columns = without_groups.assign(sex="unknown")[list(data.frame_test)]
    np.testing.assert_array_equal(corrector.predict(columns), expected.predict(Z_test))


def test_columns_of_strings_before_the_corrector(data, routing):
    pipeline = Pipeline([("encode", one_hot()), ("correct", first_order_corrector())])
    pipeline.fit(data.frame, data.y, **groups_for(routing, data.series))
    Z = one_hot().fit_transform(data.frame)
    expected = first_order_corrector().fit(Z, data.y, sensitive_features=data.groups)
    assert_same_correction(pipeline[-1], expected, rtol=0)


def test_transformers_are_neither_refitted_nor_changed(data):
    fitted = inside().fit(data.X, data.y)
    before = joblib.hash(fitted)
    for update in ("influence", "newton", "retrain"):
        corrector = first_order_corrector(FrozenEstimator(fitted), update=update)
        corrector.fit(data.X, data.y, sensitive_features=data.groups)
        assert corrector.estimator_[0] is fitted[0]
        assert corrector.estimator_[-1] is not fitted[-1]
    assert joblib.hash(fitted) == before


def test_validation_data_transformed_by_the_pipeline(data, routing_on):
    validation = {
        "X_val": data.X_test,
        "y_val": data.y_test,
        "sensitive_features_val": data.groups_test,
    }
    pipeline = around().set_params(transform_input=["X_val"])
    pipeline.fit(data.X, data.y, sensitive_features=data.groups, **validation)
    scaler = StandardScaler().fit(data.X)
    expected = first_order_corrector().fit(
        scaler.transform(data.X),
        data.y,
        sensitive_features=data.groups,
        **(validation | {"X_val": scaler.transform(data.X_test)}),
    )
    assert_same_correction(pipeline[-1], expected, rtol=0)


# --------------------------------------------------------------------------- routing


def test_requests_can_be_renamed_and_switched_off(data, routing_on):
    pipeline = around()
    pipeline[-1].set_fit_request(sensitive_features="sex")
    pipeline.fit(data.X, data.y, sex=data.groups)
    assert_same_correction(pipeline[-1], by_hand(data), rtol=0)

    pipeline[-1].set_fit_request(sensitive_features=False)
    with pytest.raises(TypeError, match="sex"):
        pipeline.fit(data.X, data.y, sex=data.groups)


def test_sample_weight_is_requested_by_the_user(data, routing_on):
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(data.y))
    passed = {"sensitive_features": data.groups, "sample_weight": weight}
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        first_order_corrector(LogisticRegression()).fit(data.X, data.y, **passed)
    inner = LogisticRegression().set_fit_request(sample_weight=True)
    explicit = first_order_corrector(inner).fit(data.X, data.y, **passed)
    default = first_order_corrector().fit(data.X, data.y, **passed)
    with sklearn.config_context(enable_metadata_routing=False):
        expected = first_order_corrector().fit(data.X, data.y, **passed)
    assert_same_correction(explicit, expected, rtol=0)
    assert_same_correction(default, expected, rtol=0)


def test_sample_weight_is_routed_into_a_pipeline(data, routing_on):
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(data.y))
    passed = {"sensitive_features": data.groups, "sample_weight": weight}
    pipeline = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        LogisticRegression().set_fit_request(sample_weight=True),
    )
    corrector = first_order_corrector(pipeline).fit(data.X, data.y, **passed)
    Z = StandardScaler().fit_transform(data.X)
    expected = first_order_corrector().fit(Z, data.y, **passed)
    assert_same_correction(corrector, expected, rtol=0)


def test_sample_weight_reaches_the_last_step_of_pipelines(data):
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(data.y))
    passed = {"sensitive_features": data.groups, "sample_weight": weight}
    Z = StandardScaler().fit_transform(data.X)
    expected = first_order_corrector().fit(Z, data.y, **passed)
    nested = make_pipeline("passthrough", inside())
    for estimator in (inside(), nested):
        corrector = first_order_corrector(estimator).fit(data.X, data.y, **passed)
        assert_same_correction(corrector, expected, rtol=0)
    prefixed = {f"correct__{name}": value for name, value in passed.items()}
    pipeline = around().fit(data.X, data.y, **prefixed)
    assert_same_correction(pipeline[-1], expected, rtol=0)


# ------------------------------------------------- grid search and cross-validation


def scores_by_hand(data):
    """Mean held-out accuracy and gap of each delta, without any search or scorer."""
    accuracy, gap = [], []
    for delta in DELTAS:
        folds = []
        for train, test in CV.split(data.X, data.y):
            scaler = StandardScaler().fit(data.X[train])
            corrector = first_order_corrector(LogisticRegression(), delta=delta).fit(
                scaler.transform(data.X[train]),
                data.y[train],
                sensitive_features=data.groups[train],
            )
            labels = corrector.predict(scaler.transform(data.X[test]))
            folds.append(
                (
                    accuracy_score(data.y[test], labels),
                    parity(data.y[test], labels, data.groups[test]),
                )
            )
        accuracy.append(np.mean(folds, axis=0)[0])
        gap.append(np.mean(folds, axis=0)[1])
    return np.array(accuracy), np.array(gap)


def best_gap_at_little_cost(results):
    """Best gap among the candidates that lose at most ten points of accuracy."""
    accuracy = results["mean_test_accuracy"]
    allowed = accuracy >= accuracy.max() - 0.1
    return int(np.argmax(np.where(allowed, results["mean_test_gap"], -np.inf)))


def search_over_delta(data, routing, refit, estimator=None, n_jobs=None):
    source = {} if routing else {"sensitive_features": data.series}
    search = GridSearchCV(
        around() if estimator is None else estimator,
        {"correct__delta": DELTAS},
        scoring={
            "accuracy": "accuracy",
            "gap": fairness_scorer(demographic_parity_difference, **source),
        },
        refit=refit,
        cv=CV,
        n_jobs=n_jobs,
        error_score="raise",
    )
    return search.fit(data.numeric, data.y, **groups_for(routing, data.series))


@pytest.mark.parametrize("refit", ["accuracy", "gap", best_gap_at_little_cost])
def test_grid_search_over_delta(data, routing, refit):
    search = search_over_delta(data, routing, refit)
    accuracy, gap = scores_by_hand(data)
    results = search.cv_results_
    np.testing.assert_allclose(results["mean_test_accuracy"], accuracy)
    np.testing.assert_allclose(results["mean_test_gap"], -gap)
    assert len(set(gap)) == len(DELTAS)  # a search over delta means something

    best = {"accuracy": np.argmax(accuracy), "gap": np.argmin(gap)}.get(
        refit, best_gap_at_little_cost(results)
    )
    assert search.best_params_ == {"correct__delta": DELTAS[best]}
    expected = by_hand(data, delta=DELTAS[best])
    winner = search.best_estimator_["correct"]
    np.testing.assert_allclose(coefficients(winner), coefficients(expected), rtol=1e-6)


def test_grid_search_in_two_processes(data, routing):
    alone = search_over_delta(data, routing, "accuracy")
    parallel = search_over_delta(data, routing, "accuracy", n_jobs=2)
    for name in ("mean_test_accuracy", "mean_test_gap", "std_test_gap"):
        np.testing.assert_array_equal(
            parallel.cv_results_[name], alone.cv_results_[name], err_msg=name
        )
    np.testing.assert_array_equal(
        parallel.predict_proba(data.numeric_test),
        alone.predict_proba(data.numeric_test),
    )


def test_grid_search_with_the_pipeline_inside(data, routing):
    search = GridSearchCV(
        first_order_corrector(inside()),
        {"delta": DELTAS},
        scoring="accuracy",
        cv=CV,
        error_score="raise",
    ).fit(data.numeric, data.y, sensitive_features=data.series)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], scores_by_hand(data)[0]
    )


def test_grid_search_over_parameters_of_the_estimator(data):
    search = GridSearchCV(
        first_order_corrector(inside(), sensitive_feature_ids="sex").set_params(
            estimator__standardscaler=one_hot()
        ),
        {"estimator__logisticregression__C": [0.01, 1.0], "update": ["newton"]},
        scoring=fairness_scorer(PARITY, sensitive_feature_ids="sex"),
        cv=2,
        error_score="raise",
    ).fit(data.frame, data.y)
    last = search.best_estimator_.estimator_[-1]
    assert last.C == search.best_params_["estimator__logisticregression__C"]


def test_audit_of_the_winner(data, routing):
    """The whole job: search, predict without groups, audit on held-out rows."""
    search = search_over_delta(data, routing, best_gap_at_little_cost)
    labels = search.predict(data.numeric_test)
    before = LogisticRegression().fit(data.X, data.y).predict(data.X_test)

    def audit(labels):
        return MetricFrame(
            metrics={"rate": selection_rate, "accuracy": accuracy_score},
            y_true=data.y_test,
            y_pred=labels,
            sensitive_features=data.frame_test["sex"],
        )

    assert search.best_params_["correct__delta"] > 0
    assert audit(labels).difference()["rate"] < 0.7 * audit(before).difference()["rate"]
    assert audit(labels).overall["accuracy"] > audit(before).overall["accuracy"] - 0.05


def test_cross_validate(data, routing):
    options = {"cv": CV, "params": groups_for(routing, data.series)}
    source = {} if routing else {"sensitive_features": data.series}
    scoring = {"accuracy": "accuracy", "gap": fairness_scorer(PARITY, **source)}
    for delta, accuracy, gap in zip(DELTAS, *scores_by_hand(data), strict=True):
        scores = cross_validate(
            around(delta), data.numeric, data.y, scoring=scoring, **options
        )
        assert scores["test_accuracy"].mean() == pytest.approx(accuracy)
        assert scores["test_gap"].mean() == pytest.approx(-gap)


def test_cross_val_predict(data, routing):
    labels = cross_val_predict(
        around(0.4), data.X, data.y, cv=CV, params=groups_for(routing, data.groups)
    )
    # Folds of nearly equal size: the accuracy of all is nearly the mean accuracy.
    accuracy = scores_by_hand(data)[0][1]
    assert np.mean(labels == data.y) == pytest.approx(accuracy, abs=2e-3)


def test_predictions_take_no_groups():
    for method in METHODS:
        parameters = inspect.signature(getattr(SoftUnlearnCorrector, method)).parameters
        assert list(parameters) == ["self", "X"]


# ------------------------------------------------------------ report against fairlearn


@pytest.mark.parametrize(
    "metric", [demographic_parity_difference, equalized_odds_difference]
)
@pytest.mark.parametrize("by_name", [False, True])
def test_report_agrees_with_fairlearn_and_sklearn(data, metric, by_name):
    corrector = first_order_corrector(
        inside(), metric=metric.__name__ if by_name else metric
    ).fit(data.X, data.y, sensitive_features=data.groups)
    report = corrector.report_
    assert report.n_evaluation == len(data.y)
    for moment, model in (
        ("before", corrector.base_estimator_),
        ("after", corrector.estimator_),
    ):
        labels, scores = model.predict(data.X), model.predict_proba(data.X)
        gap = metric(data.y, labels, sensitive_features=data.groups)
        expected = {
            (metric.__name__, "fairlearn"): gap,
            ("loss", "surrogate"): log_loss(data.y, scores),
            ("loss", "zero-one loss"): np.mean(labels != data.y),
        }
        for key, value in expected.items():
            assert getattr(report[key], moment) == pytest.approx(value, rel=1e-9), key
    surrogate = report[metric.__name__, "surrogate"]
    assert surrogate.predicted == pytest.approx(0.5 * surrogate.before)
    assert surrogate.after == pytest.approx(surrogate.predicted, rel=0.1)


def test_report_of_validation_rows(data):
    corrector = first_order_corrector().fit(
        data.X,
        data.y,
        X_val=data.X_test,
        y_val=data.y_test,
        sensitive_features_val=data.groups_test,
    )
    for moment, model in (
        ("before", corrector.base_estimator_),
        ("after", corrector.estimator_),
    ):
        gap = parity(data.y_test, model.predict(data.X_test), data.groups_test)
        line = corrector.report_[PARITY, "fairlearn"]
        assert getattr(line, moment) == pytest.approx(gap)
    assert f"{len(data.y_test)} validation rows" in str(corrector.report_)


def test_report_is_printed_and_shown(data):
    unfitted = first_order_corrector()
    assert "requested delta" not in unfitted._repr_html_()
    corrector = unfitted.fit(data.X, data.y, sensitive_features=data.groups)
    line = corrector.report_[PARITY, "surrogate"]
    numbers = [f"{value:.4f}" for value in (line.before, line.predicted, line.after)]
    printed = str(corrector.report_)
    html = corrector._repr_html_()
    bundle = corrector._repr_mimebundle_()
    for shown in (printed, html, bundle["text/html"]):
        for words in (PARITY, "predicted", "requested delta 0.5", *numbers):
            assert words in shown
    assert html.count("requested delta") == 1
    assert "SoftUnlearnCorrector" in html
    row = next(text for text in printed.splitlines() if "surrogate" in text)
    assert row.split() == [PARITY, "surrogate", *numbers]


# ----------------------------------------------------------------- frozen estimators


@pytest.mark.parametrize("update", ["influence", "newton", "retrain"])
@pytest.mark.parametrize("weighting", ["soft", "hard"])
def test_frozen_estimator_is_never_changed(data, update, weighting):
    frozen = FrozenEstimator(LogisticRegression().fit(data.X, data.y))
    before = pickle.dumps(frozen)
    params = {"update": update, "weighting": weighting}
    corrector = first_order_corrector(frozen, **params)
    corrector.fit(data.X, data.y, sensitive_features=data.groups)
    corrector.path(data.X, data.y, deltas=DELTAS, sensitive_features=data.groups)
    assert pickle.dumps(frozen) == before
    assert corrector.estimator is frozen
    corrected = corrector.estimator_
    assert np.any(corrected.coef_ != frozen.coef_)
    assert not np.shares_memory(corrected.coef_, frozen.coef_)
    np.testing.assert_array_equal(
        corrector.base_estimator_.predict_proba(data.X), frozen.predict_proba(data.X)
    )


def test_frozen_estimator_is_corrected_as_a_fitted_one(data):
    frozen = _frozen(data, LogisticRegression())
    groups = {"sensitive_features": data.groups}
    corrector = first_order_corrector(frozen).fit(data.X, data.y, **groups)
    expected = first_order_corrector(LogisticRegression()).fit(data.X, data.y, **groups)
    assert_same_correction(corrector, expected, rtol=0)


def test_frozen_estimator_survives_clones_and_searches(data, routing):
    fitted = LogisticRegression().fit(StandardScaler().fit_transform(data.X), data.y)
    frozen = FrozenEstimator(fitted)
    before = pickle.dumps(frozen)
    estimator = around(estimator=frozen)
    assert clone(estimator)["correct"].estimator is frozen
    # Two thirds of the rows that it was trained with are other rows: it warns.
    with pytest.warns(match="trained with"):
        search = search_over_delta(data, routing, "gap", estimator)
    assert search.best_estimator_["correct"].estimator is frozen
    assert pickle.dumps(frozen) == before


# ----------------------------------------------- parameters, copies and persistence


def test_clone_is_unfitted_and_equal(data):
    corrector = first_order_corrector(
        LogisticRegression(C=0.3), delta=0.2, update="newton"
    )
    corrector.fit(data.X, data.y, sensitive_features=data.groups)
    copy = clone(corrector)
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)
    with pytest.raises(NotFittedError):
        copy.predict(data.X)
    assert copy.get_params() == corrector.get_params() | {"estimator": copy.estimator}
    copy.fit(data.X, data.y, sensitive_features=data.groups)
    assert_same_correction(copy, corrector, rtol=0)


def test_set_params(data):
    groups = {"sensitive_features": data.groups}
    corrector = first_order_corrector(LogisticRegression())
    corrector.fit(data.X, data.y, **groups)
    corrector.set_params(
        delta=0.2, estimator__C=0.01, metric="equalized_odds_difference"
    )
    corrector.fit(data.X, data.y, **groups)
    expected = first_order_corrector(
        LogisticRegression(C=0.01), delta=0.2, metric="equalized_odds_difference"
    ).fit(data.X, data.y, **groups)
    assert_same_correction(corrector, expected, rtol=0)
    with pytest.raises(ValueError, match="Invalid parameter"):
        corrector.set_params(deltas=0.2)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
def test_refit_forgets_what_was_fitted(data):
    """A metric without groups after one with groups leaves no groups behind."""
    corrector = first_order_corrector()
    corrector.fit(data.X, data.y, sensitive_features=data.groups)
    corrector.set_params(metric="loss", delta=0.001).fit(data.X, data.y)
    fresh = first_order_corrector(metric="loss", delta=0.001).fit(data.X, data.y)
    assert sorted(vars(corrector)) == sorted(vars(fresh))


def _through_pickle(corrector, folder):
    return pickle.loads(pickle.dumps(corrector))


def _through_joblib(corrector, folder):
    joblib.dump(corrector, folder / "corrector.joblib")
    return joblib.load(folder / "corrector.joblib")


def _through_skops(corrector, folder):
    skops.io.dump(corrector, folder / "corrector.skops")
    unknown = skops.io.get_untrusted_types(file=folder / "corrector.skops")
    assert all(name.startswith("sklearn_softunlearn.") for name in unknown), unknown
    return skops.io.load(folder / "corrector.skops", trusted=unknown)


@pytest.mark.parametrize("through", [_through_pickle, _through_joblib, _through_skops])
@pytest.mark.parametrize(
    "make_estimator",
    [
        lambda data: LogisticRegression(),
        lambda data: inside(),
        lambda data: FrozenEstimator(inside().fit(data.numeric, data.y)),
    ],
    ids=["plain", "pipeline", "frozen"],
)
def test_persistence(data, through, make_estimator, tmp_path):
    corrector = first_order_corrector(
        make_estimator(data), metric=PARITY, update="newton"
    )
    corrector.fit(data.numeric, data.y, sensitive_features=data.series)
    loaded = through(corrector, tmp_path)
    np.testing.assert_array_equal(
        loaded.predict_proba(data.numeric_test),
        corrector.predict_proba(data.numeric_test),
    )
    assert_same_correction(loaded, corrector, rtol=0)
    assert loaded.report_ == corrector.report_
    assert loaded.get_params().keys() == corrector.get_params().keys()
    np.testing.assert_array_equal(loaded.groups_, corrector.groups_)
    loaded.fit(data.numeric, data.y, sensitive_features=data.series)
    assert_same_correction(loaded, corrector, rtol=0)


def test_corrected_estimator_is_plain_scikit_learn(data, tmp_path):
    """What goes into production needs this package no more."""
    corrector = first_order_corrector(inside())
    corrector.fit(data.X, data.y, sensitive_features=data.groups)
    skops.io.dump(corrector.estimator_, tmp_path / "model.skops")
    assert skops.io.get_untrusted_types(file=tmp_path / "model.skops") == []
    model = skops.io.load(tmp_path / "model.skops")
    np.testing.assert_array_equal(
        model.predict(data.X_test), corrector.predict(data.X_test)
    )


def test_feature_names(data):
    groups = {"sensitive_features": data.groups}
    corrector = first_order_corrector().fit(data.X, data.y, **groups)
    assert corrector.n_features_in_ == 6
    assert not hasattr(corrector, "feature_names_in_")

    corrector.fit(data.numeric, data.y, **groups)
    np.testing.assert_array_equal(corrector.feature_names_in_, data.numeric.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        corrector.predict(data.numeric_test[::-1].iloc[:, ::-1])
    with pytest.raises(ValueError, match="feature names should match"):
        corrector.predict(data.numeric_test.iloc[:, 1:])


def test_feature_names_from_the_step_before(data):
    pipeline = around()
    pipeline["scale"].set_output(transform="pandas")
    pipeline.fit(data.numeric, data.y, correct__sensitive_features=data.series)
    np.testing.assert_array_equal(pipeline[-1].feature_names_in_, data.numeric.columns)
    assert_same_correction(pipeline[-1], by_hand(data), rtol=1e-10)


# ------------------------------------------------------------------------------ path


def assert_path_equals_fits(data, corrector, **options):
    options |= {"sensitive_features": data.groups}
    before = joblib.hash(corrector)
    correctors = corrector.path(data.X, data.y, deltas=DELTAS, **options)
    assert joblib.hash(corrector) == before
    assert [step.delta for step in correctors] == DELTAS
    for step in correctors:
        alone = clone(corrector).set_params(delta=step.delta)
        alone.fit(data.X, data.y, **options)
        assert vars(step).keys() == vars(alone).keys()
        assert_same_correction(step, alone, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(step.classes_, alone.classes_)
        np.testing.assert_array_equal(step.groups_, alone.groups_)
        assert step.functional_names_ == alone.functional_names_


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"weighting": "hard"},
        {"update": "newton", "metric": "equalized_odds_difference"},
        {"update": "retrain", "max_weight": 0.5},
        {"regularization": 0.3, "utility_tol": 0.05},
        {"validation_fraction": 0.3, "random_state": 0},
    ],
    ids=str,
)
def test_path_equals_fit(data, params):
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(data.y))
    corrector = first_order_corrector(inside(), **params)
    assert_path_equals_fits(data, corrector, sample_weight=weight)


@pytest.mark.parametrize("update", ["influence", "newton", "retrain"])
def test_path_equals_fit_of_a_frozen_estimator(data, update):
    corrector = first_order_corrector(_frozen(data, inside()), update=update)
    assert_path_equals_fits(data, corrector)


def test_delta_zero_changes_nothing(data):
    for update in ("influence", "newton", "retrain"):
        corrector = first_order_corrector(inside(), delta=0, update=update)
        corrector.fit(data.X, data.y, sensitive_features=data.groups)
        np.testing.assert_array_equal(corrector.deletion_weights_, 0)
        np.testing.assert_array_equal(
            coefficients(corrector), coefficients(corrector.base_estimator_)
        )


# -------------------------------------------------------------------- sample weights


def exact(**params):
    """Tight enough for two fits of one problem to agree."""
    return LogisticRegression(solver="newton-cholesky", tol=1e-12, **params)


@pytest.mark.parametrize("update", ["influence", "newton", "retrain"])
@pytest.mark.parametrize(
    "class_weight",
    [
        None,
        {0: 1.0, 1: 2.5},
        pytest.param(
            "balanced",
            marks=pytest.mark.skipif(
                OLD_BALANCED, reason="sklearn < 1.7 balances rows, not sample weights"
            ),
        ),
    ],
    ids=str,
)
def test_weight_zero_is_a_row_removed_and_two_a_row_twice(data, class_weight, update):
    times = np.random.default_rng(0).integers(0, 4, size=len(data.y))
    params = {"metric": "equalized_odds_difference", "update": update, "delta": 0.3}
    groups = data.groups.copy()
    groups[times == 0] = 7  # a group of removed rows is no group
    weighted = first_order_corrector(exact(class_weight=class_weight), **params).fit(
        data.X, data.y, sensitive_features=groups, sample_weight=times
    )
    X, y, A = (np.repeat(a, times, axis=0) for a in (data.X, data.y, groups))
    repeated = first_order_corrector(exact(class_weight=class_weight), **params).fit(
        X, y, sensitive_features=A
    )

    np.testing.assert_array_equal(weighted.groups_, repeated.groups_)
    tolerance = {"rtol": 1e-6, "atol": 1e-9}
    np.testing.assert_allclose(
        np.repeat(weighted.deletion_weights_, times),
        repeated.deletion_weights_,
        **tolerance,
    )
    np.testing.assert_allclose(
        np.repeat(weighted.influence_, times, axis=0),
        repeated.influence_ * np.repeat(times, times)[:, None],
        **tolerance,
    )
    np.testing.assert_array_equal(weighted.influence_[times == 0], 0)
    np.testing.assert_array_equal(weighted.deletion_weights_[times == 0], 0)
    np.testing.assert_allclose(
        coefficients(weighted), coefficients(repeated), **tolerance
    )
    assert weighted.delta_max_ == pytest.approx(repeated.delta_max_, rel=1e-6)
    assert_same_report(weighted.report_, repeated.report_, **tolerance)
    assert weighted.report_.deleted_mass == pytest.approx(repeated.report_.deleted_mass)


def test_validation_weights(data):
    times = np.random.default_rng(1).integers(0, 3, size=len(data.y_test))
    validation = {
        "X_val": data.X_test,
        "y_val": data.y_test,
        "sensitive_features_val": data.groups_test,
    }
    repeated = {name: np.repeat(a, times, axis=0) for name, a in validation.items()}
    weighted = first_order_corrector(exact()).fit(
        data.X, data.y, sample_weight_val=times, **validation
    )
    expected = first_order_corrector(exact()).fit(data.X, data.y, **repeated)
    assert_same_correction(weighted, expected, rtol=1e-6, atol=1e-9)


def test_balanced_is_a_dict_of_inverse_frequencies(data):
    share = np.bincount(data.y) / len(data.y)
    weights = {label: 0.5 / share[label] for label in (0, 1)}
    groups = {"sensitive_features": data.groups}
    for update in ("influence", "newton", "retrain"):
        balanced, by_dict = (
            first_order_corrector(exact(class_weight=w), update=update).fit(
                data.X, data.y, **groups
            )
            for w in ("balanced", weights)
        )
        assert_same_correction(balanced, by_dict, rtol=1e-6, atol=1e-9)


def test_class_weights_count_in_training_only(data):
    """The metric and the utility are those of the rows, as fairlearn computes them."""
    corrector = first_order_corrector(LogisticRegression(class_weight={0: 1, 1: 4}))
    corrector.fit(data.X, data.y, sensitive_features=data.groups)
    before = corrector.base_estimator_
    loss = log_loss(data.y, before.predict_proba(data.X))
    assert corrector.report_["loss", "surrogate"].before == pytest.approx(loss)
    gap = parity(data.y, before.predict(data.X), data.groups)
    assert corrector.report_[PARITY, "fairlearn"].before == pytest.approx(gap)


@pytest.mark.parametrize("class_weight", [None, {0: 1.0, 1: 3.0}], ids=str)
@pytest.mark.parametrize("C", [0.1, np.inf])
def test_small_corrections_are_refits_with_the_weights(data, class_weight, C):
    """theta(delta) is a refit with s * (1 - eps) up to a term of second order."""
    s = np.random.default_rng(2).uniform(0.2, 3, size=len(data.y))
    errors = []
    for delta in (0.04, 0.02):
        corrector = first_order_corrector(
            exact(class_weight=class_weight, C=C), delta=delta
        )
        corrector.fit(data.X, data.y, sensitive_features=data.groups, sample_weight=s)
        refit = exact(class_weight=class_weight, C=C).fit(
            data.X, data.y, sample_weight=s * corrector.sample_weight_
        )
        errors.append(np.linalg.norm(coefficients(corrector) - coefficients(refit)))
    step = coefficients(corrector) - coefficients(corrector.base_estimator_)
    assert errors[1] < 0.02 * np.linalg.norm(step)
    assert 3.5 < errors[0] / errors[1] < 4.5
