# SPDX-License-Identifier: BSD-3-Clause
"""fairness_scorer against fairlearn itself and against loops written out by hand."""

import copy
import pickle
from functools import partial
from types import SimpleNamespace

import fairlearn.metrics
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from fairlearn.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
    make_derived_metric,
)
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_softunlearn import GroupMetric
from sklearn_softunlearn.criteria import MeanLoss
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.scoring import fairness_scorer

PARITY = "demographic_parity_difference"
equal = partial(pytest.approx, abs=1e-12)  # up to rounding
NAMES = [
    name
    for name in dir(fairlearn.metrics)
    if name.endswith(("_difference", "_ratio", "_group_min", "_group_max"))
]
MINIMISED = ("_difference", "_group_max")
OF_SCORES = ("roc_auc_score", "log_loss")
CS = [0.01, 0.1, 1.0]
CV = StratifiedKFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def data():
    X, y, groups = make_biased_classification(
        300, 6, n_groups=3, label_bias=0.2, random_state=0
    )
    index = np.random.default_rng(0).permutation(300) + 1000
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(6)], index=index)
    return SimpleNamespace(
        X=X,
        y=y,
        groups=np.array(["a", "b", "c"])[groups],
        frame=frame.assign(group=groups),
        series=pd.Series(np.array(["a", "b", "c"])[groups], index=index),
        weight=np.random.default_rng(1).uniform(0.5, 2.0, size=300),
        model=LogisticRegression(C=1.0).fit(X, y),
    )


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def routing_on():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class Answers(BaseEstimator):
    """A model that answers what it was given."""

    def __init__(self, answers):
        self.answers = answers

    def predict(self, X):
        return self.answers


class WithoutGroups(TransformerMixin, BaseEstimator):
    """The x columns of a data frame of any kind."""

    def fit(self, X, y):
        return self

    def transform(self, X):
        return np.asarray(X[[name for name in X.columns if name != "group"]])


def pipeline():
    """A model of the x columns that ignores the column of groups."""
    return make_pipeline(WithoutGroups(), StandardScaler(), LogisticRegression())


def to_polars(frame):
    return pl.DataFrame(frame.to_dict("list"))  # from_pandas would need pyarrow


def by_hand(data, metric=demographic_parity_difference, sign=-1):
    """Mean scores over the folds, of each C: what a search must find."""
    means = []
    for C in CS:
        scores = []
        for train, test in CV.split(data.X, data.y):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=C))
            labels = model.fit(data.X[train], data.y[train]).predict(data.X[test])
            scores.append(
                sign
                * metric(data.y[test], labels, sensitive_features=data.groups[test])
            )
        means.append(np.mean(scores))
    return np.array(means)


def search_over_C(estimator=None, **kwargs):
    estimator = pipeline() if estimator is None else estimator
    grid = {"logisticregression__C": CS}
    return GridSearchCV(estimator, grid, cv=CV, error_score="raise", **kwargs)


# ------------------------------------------------------------------ the value


@pytest.mark.parametrize("name", NAMES)
def test_equals_fairlearn_up_to_sign(data, name):
    metric, method = getattr(fairlearn.metrics, name), "predict"
    response = data.model.predict(data.X)
    if name.startswith(OF_SCORES):
        method, response = "predict_proba", data.model.predict_proba(data.X)[:, 1]
    sign = -1 if name.endswith(MINIMISED) else 1
    expected = sign * metric(data.y, response, sensitive_features=data.groups)
    for scorer in (
        fairness_scorer(name),
        fairness_scorer(name, response_method=method),
        fairness_scorer(metric),
    ):
        actual = scorer(data.model, data.X, data.y, sensitive_features=data.groups)
        assert actual == equal(expected)
    assert 0 < abs(expected) <= 5  # else the sign would not be tested


@pytest.mark.parametrize(
    ("metric", "params"),
    [
        (PARITY, {"method": "to_overall"}),
        ("equalized_odds_difference", {"agg": "mean"}),
        (equalized_odds_difference, {"agg": "mean", "method": "to_overall"}),
    ],
)
def test_passes_parameters_of_the_metric(data, metric, params):
    function = getattr(fairlearn.metrics, metric) if isinstance(metric, str) else metric
    labels = data.model.predict(data.X)
    plain = function(data.y, labels, sensitive_features=data.groups)
    expected = function(data.y, labels, sensitive_features=data.groups, **params)
    scorer = fairness_scorer(metric, **params)
    actual = scorer(data.model, data.X, data.y, sensitive_features=data.groups)
    assert actual == equal(-expected)
    assert expected != plain


def test_accepts_functions_of_the_user(data):
    worst_rate = make_derived_metric(metric=accuracy_score, transform="group_min")
    scorer = fairness_scorer(worst_rate, greater_is_better=True)
    known = fairness_scorer("accuracy_score_group_min")
    to_overall = partial(demographic_parity_difference, method="to_overall")
    kwargs = {"sensitive_features": data.groups}
    assert scorer(data.model, data.X, data.y, **kwargs) == known(
        data.model, data.X, data.y, **kwargs
    )
    assert fairness_scorer(to_overall)(data.model, data.X, data.y, **kwargs) < 0


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["declined", "granted"]),
        np.array(["declined", "granted"], dtype=object),
        np.array([-1, 1]),
        np.array([False, True]),
        np.array([0.0, 1.0]),
        np.array([3, 7]),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", [PARITY, "equalized_odds_difference"])
def test_labels_of_any_kind_give_the_same_score(data, labels, name):
    model = LogisticRegression(C=1.0).fit(data.X, labels[data.y])
    kwargs = {"sensitive_features": data.groups}
    expected = fairness_scorer(name)(data.model, data.X, data.y, **kwargs)
    scorer = fairness_scorer(name)
    assert scorer(model, data.X, labels[data.y], **kwargs) == expected
    series = pd.Series(labels[data.y], index=data.frame.index)
    assert scorer(model, data.X, series, **kwargs) == expected


def test_pos_label_exchanges_the_rates(data):
    kwargs = {"sensitive_features": data.groups}
    of_zero = fairness_scorer("true_positive_rate_difference", pos_label=0)
    of_one = fairness_scorer("true_negative_rate_difference")
    assert of_zero(data.model, data.X, data.y, **kwargs) == equal(
        of_one(data.model, data.X, data.y, **kwargs)
    )


@pytest.mark.parametrize("pos_label", [None, 0, 1])
@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_scores_are_those_of_the_positive_class(data, method, pos_label):
    name = "roc_auc_score_group_min"
    scorer = fairness_scorer(name, response_method=method, pos_label=pos_label)
    actual = scorer(data.model, data.X, data.y, sensitive_features=data.groups)
    expected = fairlearn.metrics.roc_auc_score_group_min(
        data.y, data.model.decision_function(data.X), sensitive_features=data.groups
    )
    assert actual == pytest.approx(expected, abs=1e-12)  # area is the same for both
    assert expected > 0.6


def test_log_loss_of_a_group_with_one_label(data):
    kept = (data.groups != "b") | (data.y == 0)
    X, y, groups = data.X[kept], data.y[kept], data.groups[kept]
    scorer = fairness_scorer("log_loss_group_max", response_method="predict_proba")
    expected = max(
        log_loss(y[rows], data.model.predict_proba(X[rows]), labels=[0, 1])
        for rows in (groups == "a", groups == "b", groups == "c")
    )
    score = scorer(data.model, X, y, sensitive_features=groups)
    assert score == pytest.approx(-expected)


def test_multiclass_is_one_label_against_the_rest(data):
    y = data.y + (data.X[:, 0] > 1)
    model = LogisticRegression().fit(data.X, y)
    kwargs = {"sensitive_features": data.groups}
    expected = demographic_parity_difference(
        y == 2, model.predict(data.X) == 2, **kwargs
    )
    scorer = fairness_scorer(PARITY, pos_label=2)
    assert scorer(model, data.X, y, **kwargs) == equal(-expected)

    def own_difference(y_true, y_pred, *, sensitive_features):
        return 0.0

    with pytest.raises(ValueError, match=r"pos_label=None .* 3 classes \[0, 1, 2\]"):
        fairness_scorer(own_difference)(model, data.X, y, **kwargs)


def test_models_without_classes_are_scored_by_their_labels(data):
    answers = Answers(data.model.predict(data.X))
    kwargs = {"sensitive_features": data.groups}
    scorer = fairness_scorer(PARITY)
    expected = scorer(data.model, data.X, data.y, **kwargs)
    assert scorer(answers, data.X, data.y, **kwargs) == expected
    assert scorer(Answers(np.ones(300)), data.X, np.ones(300), **kwargs) == equal(0)


def test_sample_weight_zero_is_a_row_removed(data):
    weight = np.where(np.arange(300) < 200, 1.0, 0.0)
    scorer = fairness_scorer("equalized_odds_difference")
    weighted = scorer(
        data.model, data.X, data.y, sensitive_features=data.groups, sample_weight=weight
    )
    removed = scorer(
        data.model, data.X[:200], data.y[:200], sensitive_features=data.groups[:200]
    )
    assert weighted == pytest.approx(removed, abs=1e-15)


# ------------------------------------------------- where the groups come from


def two_columns(data):
    return pd.DataFrame({"one": data.groups, "two": data.X[:, 5] > 0})


@pytest.mark.parametrize(
    "container",
    [
        lambda d: two_columns(d),
        lambda d: two_columns(d).iloc[::-1].set_index(d.series.index).iloc[::-1],
        lambda d: two_columns(d).to_numpy(),
        lambda d: two_columns(d).to_numpy().tolist(),
        lambda d: two_columns(d).to_dict("series"),
        lambda d: two_columns(d).astype("category"),
        lambda d: to_polars(two_columns(d)),
    ],
    ids=["pandas", "other index", "array", "lists", "dict", "category", "polars"],
)
def test_several_columns_are_intersections(data, container):
    expected = demographic_parity_difference(
        data.y, data.model.predict(data.X), sensitive_features=two_columns(data)
    )
    scorer = fairness_scorer(PARITY)
    features = container(data)
    actual = scorer(data.model, data.X, data.y, sensitive_features=features)
    assert actual == equal(-expected)
    one = scorer(data.model, data.X, data.y, sensitive_features=data.groups)
    assert actual != one


@pytest.mark.parametrize(
    "convert",
    [np.asarray, list, pd.Series, pl.Series, lambda a: pd.Series(a, dtype="category")],
)
def test_one_column_in_any_container(data, convert):
    scorer = fairness_scorer(PARITY)
    expected = scorer(data.model, data.X, data.y, sensitive_features=data.groups)
    features = convert(data.groups)
    assert scorer(data.model, data.X, data.y, sensitive_features=features) == expected


@pytest.mark.parametrize(
    ("ids", "X"),
    [
        ("group", lambda d: d.frame),
        (["group"], lambda d: to_polars(d.frame)),
        (6, lambda d: d.frame.to_numpy()),
        ([-1], lambda d: d.frame.to_numpy()),
        (6, lambda d: csr_array(d.frame.to_numpy())),
    ],
    ids=["name", "polars", "position", "from the end", "sparse"],
)
def test_columns_of_X(data, ids, X):
    answers = Answers(data.model.predict(data.X))
    expected = demographic_parity_difference(
        data.y, answers.answers, sensitive_features=data.groups
    )
    scorer = fairness_scorer(PARITY, sensitive_feature_ids=ids)
    assert scorer(answers, X(data), data.y) == equal(-expected)


@pytest.mark.parametrize("owner", ["X", "y"])
def test_a_series_is_aligned_by_index_whatever_its_order(data, owner):
    rows = np.random.default_rng(3).permutation(300)[:150]
    X, y = data.X[rows], data.y[rows]
    index = data.frame.index[rows]
    expected = fairness_scorer(PARITY)(
        data.model, X, y, sensitive_features=data.groups[rows]
    )
    shuffled = data.series.sample(frac=1, random_state=0)
    scorer = fairness_scorer(PARITY, sensitive_features=shuffled)
    answers = Answers(data.model.predict(X))
    if owner == "X":
        X = pd.DataFrame(X, index=index)
    else:
        y = pd.Series(y, index=index)
    assert scorer(answers, X, y) == expected


def test_what_is_passed_comes_first_and_columns_come_second(data):
    constant = pd.Series("a", index=data.series.index)
    answers = Answers(data.model.predict(data.X))
    scorer = fairness_scorer(
        PARITY, sensitive_feature_ids="group", sensitive_features=constant
    )
    expected = scorer(answers, data.frame, data.y)  # the constant one would be NaN
    assert expected < 0
    other = data.X[:, 5] > 0
    passed = scorer(answers, data.frame, data.y, sensitive_features=other)
    assert passed == equal(
        -demographic_parity_difference(
            data.y, answers.answers, sensitive_features=other
        )
    )
    assert passed != expected


# ---------------------------------------------------------------- in searches


@pytest.mark.parametrize("source", ["ids", "series"])
def test_search_without_metadata(data, routing, source):
    options = {
        "ids": {"sensitive_feature_ids": "group"},
        "series": {"sensitive_features": data.series},
    }
    scorer = fairness_scorer(PARITY, **options[source])
    found = search_over_C(scoring=scorer).fit(data.frame, data.y)
    expected = by_hand(data)
    np.testing.assert_allclose(found.cv_results_["mean_test_score"], expected)
    assert found.best_index_ == np.argmax(expected)
    assert len(set(expected)) > 1


def test_search_with_routed_groups(data, routing_on):
    search = search_over_C(scoring=fairness_scorer(PARITY))
    found = search.fit(data.frame, data.y, sensitive_features=data.groups)
    np.testing.assert_allclose(found.cv_results_["mean_test_score"], by_hand(data))
    score = found.score(data.frame, data.y, sensitive_features=data.groups)
    assert score == equal(
        -demographic_parity_difference(
            data.y, found.predict(data.frame), sensitive_features=data.groups
        )
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_multimetric_search_with_refit_by_a_callable(data, routing, n_jobs):
    passed = {"sensitive_features": data.groups} if routing else {}
    options = {} if routing else {"sensitive_features": data.series}

    def best_accuracy_within_bound(results):
        allowed = results["mean_test_parity"] >= np.median(results["mean_test_parity"])
        return int(np.argmax(np.where(allowed, results["mean_test_accuracy"], -1)))

    search = search_over_C(
        scoring={"accuracy": "accuracy", "parity": fairness_scorer(PARITY, **options)},
        refit=best_accuracy_within_bound,
        n_jobs=n_jobs,
    ).fit(data.frame, data.y, **passed)

    results = search.cv_results_
    np.testing.assert_allclose(results["mean_test_parity"], by_hand(data))
    accuracy = by_hand(data, lambda y, p, sensitive_features: accuracy_score(y, p), 1)
    np.testing.assert_allclose(results["mean_test_accuracy"], accuracy)
    assert search.best_index_ == best_accuracy_within_bound(results)
    assert search.best_estimator_.predict(data.frame).shape == (300,)


# scikit-learn 1.6 slices polars frames through the interchange protocol
@pytest.mark.filterwarnings("ignore:.*interchange protocol:DeprecationWarning")
def test_cross_validate_with_polars(data, routing):
    X = to_polars(data.frame)
    scorers = {"ids": fairness_scorer(PARITY, sensitive_feature_ids="group")}
    params = None
    if routing:
        scorers["routed"] = fairness_scorer(PARITY)
        params = {"sensitive_features": pl.Series(data.groups)}
    results = cross_validate(
        pipeline(), X, data.y, cv=CV, scoring=scorers, params=params
    )
    expected = by_hand(data)[CS.index(1.0)]
    for name in scorers:
        assert np.mean(results[f"test_{name}"]) == pytest.approx(expected)


def test_requests_can_be_renamed_switched_off_and_forbidden(data, routing_on):
    renamed = fairness_scorer(PARITY).set_score_request(sensitive_features="sex")
    found = search_over_C(scoring=renamed).fit(data.frame, data.y, sex=data.groups)
    np.testing.assert_allclose(found.cv_results_["mean_test_score"], by_hand(data))

    off = fairness_scorer(PARITY).set_score_request(sensitive_features=False)
    with pytest.raises(TypeError, match="unexpected argument"):
        search_over_C(scoring=off).fit(data.frame, data.y, sensitive_features=data.y)

    unset = fairness_scorer(PARITY).set_score_request(sensitive_features=None)
    with pytest.raises(ValueError, match="sensitive_features"):
        search_over_C(scoring=unset).fit(data.frame, data.y, sensitive_features=data.y)


def test_sample_weight_is_routed_on_request(data, routing_on):
    model = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        LogisticRegression().set_fit_request(sample_weight=False),
    )
    scorer = fairness_scorer(PARITY).set_score_request(sample_weight=True)
    found = search_over_C(model, scoring={"parity": scorer}, refit=False).fit(
        data.X, data.y, sensitive_features=data.groups, sample_weight=data.weight
    )
    scores = []
    for train, test in CV.split(data.X, data.y):
        labels = clone(model).set_params(logisticregression__C=CS[0])
        labels = labels.fit(data.X[train], data.y[train]).predict(data.X[test])
        scores.append(
            -demographic_parity_difference(
                data.y[test],
                labels,
                sensitive_features=data.groups[test],
                sample_weight=data.weight[test],
            )
        )
    assert found.cv_results_["mean_test_parity"][0] == pytest.approx(np.mean(scores))
    assert np.mean(scores) != pytest.approx(by_hand(data)[0])


def test_search_with_sample_weight_and_routing_off(data):
    # scikit-learn >= 1.9 hands the weights to scorers that say that they take them
    scorer = fairness_scorer(PARITY, sensitive_features=data.series)
    grid = {"C": [0.01]}
    scoring = {"parity": scorer, "accuracy": "accuracy"}
    search = GridSearchCV(
        LogisticRegression(), grid, scoring=scoring, refit="parity", error_score="raise"
    ).fit(data.frame, data.y, sample_weight=data.weight)
    assert search.best_score_ < 0


def test_set_score_request_needs_routing():
    with pytest.raises(RuntimeError, match="enable_metadata_routing=True"):
        fairness_scorer(PARITY).set_score_request(sensitive_features=True)


# ----------------------------------------------------------------- as an object


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.deepcopy,
        lambda scorer: clone(scorer, safe=False),
        lambda scorer: pickle.loads(pickle.dumps(scorer)),
        lambda scorer: clone(GridSearchCV(None, {}, scoring=scorer)).scoring,
    ],
    ids=["deepcopy", "clone", "pickle", "clone of a search"],
)
@pytest.mark.parametrize("name", [PARITY, "accuracy_score_difference"])
def test_copies_score_and_request_the_same(data, duplicate, name, routing_on):
    scorer = fairness_scorer(name, sensitive_features=data.series, pos_label=0)
    scorer.set_score_request(sample_weight=True)
    twin = duplicate(scorer)
    answers = Answers(data.model.predict(data.X))
    assert twin is not scorer
    assert twin(answers, data.frame, data.y) == scorer(answers, data.frame, data.y)
    requests = twin.get_metadata_routing().score.requests
    assert requests == {"sensitive_features": True, "sample_weight": True}


def test_repr_reads_as_a_call():
    scorer = fairness_scorer(
        PARITY, sensitive_feature_ids="sex", pos_label="yes", method="to_overall"
    )
    assert repr(scorer) == (
        "fairness_scorer(demographic_parity_difference, greater_is_better=False, "
        "sensitive_feature_ids='sex', pos_label='yes', method='to_overall')"
    )


def test_direction_can_be_overridden(data):
    kwargs = {"sensitive_features": data.groups}
    raw = fairness_scorer(PARITY, greater_is_better=True)
    negated = fairness_scorer(PARITY)
    value = raw(data.model, data.X, data.y, **kwargs)
    assert value == -negated(data.model, data.X, data.y, **kwargs)
    assert value > 0


# ------------------------------------------- never a wrong number in silence


def undefined(match):
    return pytest.warns(UndefinedMetricWarning, match=match)


@pytest.mark.parametrize("name", [PARITY, "demographic_parity_ratio"])
def test_one_group_is_no_parity(data, name):
    with undefined("one group only.*stratified by group"):
        score = fairness_scorer(name)(
            data.model, data.X, data.y, sensitive_features=np.full(300, "a")
        )
    assert np.isnan(score)


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("equal_opportunity_difference", 1),
        ("true_positive_rate_ratio", 1),
        ("false_negative_rate_difference", 1),
        ("recall_score_group_min", 1),
        ("false_positive_rate_difference", 0),
        ("true_negative_rate_difference", 0),
        ("equalized_odds_difference", 0),
        ("equalized_odds_difference", 1),
        ("balanced_accuracy_score_group_min", 1),
    ],
)
def test_a_rate_over_no_rows_is_undefined(data, name, absent):
    kept = (data.groups != "b") | (data.y != absent)
    X, y, groups = data.X[kept], data.y[kept], data.groups[kept]
    kind = ("negative rows", "positive rows")[absent]
    with undefined(rf"groups \['b'\] hold no {kind}"):
        score = fairness_scorer(name)(data.model, X, y, sensitive_features=groups)
    assert np.isnan(score)


def test_rows_of_zero_weight_do_not_count_as_present(data):
    weight = np.where((data.groups == "b") & (data.y == 1), 0.0, 1.0)
    with undefined("hold no positive rows"):
        fairness_scorer("equal_opportunity_difference")(
            data.model,
            data.X,
            data.y,
            sensitive_features=data.groups,
            sample_weight=weight,
        )


@pytest.mark.parametrize("name", [PARITY, "selection_rate_difference"])
def test_parity_needs_no_positives(data, name):
    kept = (data.groups != "b") | (data.y == 0)
    X, y, groups = data.X[kept], data.y[kept], data.groups[kept]
    score = fairness_scorer(name)(data.model, X, y, sensitive_features=groups)
    assert np.isfinite(score)


def test_a_metric_without_a_value_says_so(data):
    def nowhere_difference(y_true, y_pred, *, sensitive_features):
        return np.nan

    with undefined("its value is nan"):
        score = fairness_scorer(nowhere_difference)(
            data.model, data.X, data.y, sensitive_features=data.groups
        )
    assert np.isnan(score)


def test_two_groups_at_zero_are_alike(data):
    score = fairness_scorer("selection_rate_ratio")
    kwargs = {"sensitive_features": data.groups}
    assert score(Answers(np.zeros(300)), data.X, data.y, **kwargs) == 1.0


def test_negative_means_have_no_ratio(data):
    answers = Answers(np.where(data.groups == "a", -1.0, -2.0))
    with undefined("its value is nan"):
        score = fairness_scorer("mean_prediction_ratio")(
            answers, data.X, data.X[:, 0], sensitive_features=data.groups
        )
    assert np.isnan(score)


def test_a_constant_target_has_no_r2(data):
    y = np.where(data.groups == "a", 1.0, data.X[:, 0])
    with undefined("target is constant.*: a"):
        score = fairness_scorer("r2_score_group_min")(
            Answers(data.X[:, 1]), data.X, y, sensitive_features=data.groups
        )
    assert np.isnan(score)


@pytest.mark.parametrize(
    ("model", "name", "match"),
    [
        (LinearRegression(), PARITY, "needs classes, and the target is a number"),
        (LinearSVC(), "log_loss_group_max", "needs predict_proba, which LinearSVC"),
    ],
)
def test_models_that_cannot_answer_are_refused(data, model, name, match):
    with pytest.raises(ValueError, match=match):
        fairness_scorer(name)(
            model.fit(data.X, data.y), data.X, data.y, sensitive_features=data.groups
        )


def test_a_function_of_the_user_gets_the_numbers_of_a_regression(data):
    def error_group_max(y_true, y_pred, *, sensitive_features):
        errors = pd.Series(np.abs(y_true - y_pred)).groupby(sensitive_features)
        return errors.mean().max()

    y = data.X[:, 0] + data.y
    model = LinearRegression().fit(data.X, y)
    kwargs = {"sensitive_features": data.groups}
    score = fairness_scorer(error_group_max)(model, data.X, y, **kwargs)
    known = fairness_scorer("mean_absolute_error_group_max")
    assert score == equal(known(model, data.X, y, **kwargs))


def test_no_groups_names_the_three_ways(data):
    with pytest.raises(ValueError) as error:
        fairness_scorer(PARITY)(data.model, data.X, data.y)
    for way in (
        "metadata routing",
        "sensitive_feature_ids",
        "sensitive_features=series",
    ):
        assert way in str(error.value)


@pytest.mark.parametrize(
    "answers",
    [
        lambda d: d.model.predict_proba(d.X)[:, 1],
        lambda d: d.model.decision_function(d.X),
    ],
)
def test_continuous_predictions_are_refused(data, answers):
    with pytest.raises(ValueError, match=r"class labels.*continuous"):
        fairness_scorer(PARITY)(
            Answers(answers(data)), data.X, data.y, sensitive_features=data.groups
        )


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (lambda y: y.astype(str), "y holds labels that are no class"),
        (lambda y: y + 1, "y holds labels that are no class"),
        (lambda y: np.where(y, np.nan, 0), "y has .* missing values"),
        (lambda y: np.where(y, np.inf, 0), "y contains infinity"),
    ],
    ids=["strings", "other numbers", "missing", "infinite"],
)
def test_labels_unknown_to_the_model_are_refused(data, y, match):
    with pytest.raises(ValueError, match=match):
        fairness_scorer(PARITY)(
            data.model, data.X, y(data.y), sensitive_features=data.groups
        )


@pytest.mark.parametrize(
    ("features", "match"),
    [
        (lambda g: g[:-1], "sensitive_features has 299 rows where y has 300"),
        (lambda g: np.where(g == "a", None, g), "missing .* in .* of 300 rows"),
        (lambda g: [np.nan, *g[1:]], "missing .* in 1 of 300 rows"),
        (lambda g: pl.Series([None, *g[1:]]), "missing .* in 1 of 300 rows"),
    ],
)
def test_bad_groups_are_refused(data, features, match):
    with pytest.raises(ValueError, match=match):
        fairness_scorer(PARITY)(
            data.model, data.X, data.y, sensitive_features=features(data.groups)
        )


def test_labels_of_other_rows_are_refused(data):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fairness_scorer(PARITY)(
            data.model, data.X[1:], data.y, sensitive_features=data.groups
        )


@pytest.mark.parametrize(
    ("ids", "X"),
    [
        ("sex", lambda d: d.frame),
        (["group", "sex"], lambda d: d.frame),
        ("group", lambda d: d.X),
        (6, lambda d: d.X),
        (-7, lambda d: d.X),
        (6, lambda d: d.X.tolist()),
    ],
)
def test_columns_that_X_lacks_are_named(data, ids, X):
    with pytest.raises(ValueError, match=r"sensitive_feature_ids=.* does not name"):
        fairness_scorer(PARITY, sensitive_feature_ids=ids)(data.model, X(data), data.y)


@pytest.mark.parametrize(
    ("X", "y", "match"),
    [
        (lambda d: d.X, lambda d: d.y, "neither X nor y is a pandas object"),
        (lambda d: d.frame.reset_index(), lambda d: d.y, "lacks 300 of the 300 rows"),
        (lambda d: d.frame, lambda d: pd.Series(d.y), "X and y have different indices"),
    ],
)
def test_a_series_that_cannot_be_aligned_is_refused(data, X, y, match):
    scorer = fairness_scorer(PARITY, sensitive_features=data.series)
    with pytest.raises(ValueError, match=match):
        scorer(data.model, X(data), y(data))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"metric": "parity"}, "metric='parity' is not known.*equalized_odds_diff"),
        ({"metric": "selection_rate"}, "metric='selection_rate' is not known"),
        ({"metric": accuracy_score}, "accuracy_score cannot.*make_derived_metric"),
        ({"metric": PARITY, "methods": "to_overall"}, "cannot be called.*methods"),
        (
            {"metric": PARITY, "response_method": "guess"},
            "response_method='guess' is not known",
        ),
        ({"metric": PARITY, "response_method": "predict_proba"}, "gives scores"),
        (
            {"metric": "log_loss_group_max", "response_method": "predict"},
            "gives labels.*predict_proba",
        ),
        ({"metric": "loss"}, "'neg_log_loss'"),
        ({"metric": "group_loss"}, "'log_loss_group_max'"),
        ({"metric": MeanLoss()}, "MeanLoss.*cannot be scored"),
        ({"metric": GroupMetric(), "agg": "mean"}, "GroupMetric without further"),
        ({"metric": "accuracy_score_group_max"}, "fares best"),
        ({"metric": PARITY, "sensitive_features": [0, 1]}, "must be a pandas Series"),
        (
            {"metric": PARITY, "sensitive_features": pd.Series([0, 1], index=[4, 4])},
            "repeats entries",
        ),
        ({"metric": lambda a, b, *, sensitive_features: 0.0}, "greater_is_better"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, match):
    with pytest.raises(ValueError, match=match):
        fairness_scorer(**arguments)


def test_nothing_is_mutated(data):
    before = copy.deepcopy((data.frame, data.y, data.series))
    scorer = fairness_scorer(PARITY, sensitive_features=data.series)
    scorer(Answers(data.model.predict(data.X)), data.frame, data.y)
    pd.testing.assert_frame_equal(before[0], data.frame)
    np.testing.assert_array_equal(before[1], data.y)
    pd.testing.assert_series_equal(before[2], data.series)
