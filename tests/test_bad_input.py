# SPDX-License-Identifier: BSD-3-Clause
"""Bad input ends in one clear message: the argument, what is wrong, what to do.

Every test also sees that nothing which the user passed was modified.
"""

import re
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    MultiTaskLasso,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_softunlearn import (
    Cholesky,
    MeanLoss,
    NewtonUpdate,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import (
    BaseNotConvergedWarning,
    InfeasibleDeltaError,
    InfeasibleDeltaWarning,
    NothingToCorrectWarning,
)
from tests.first_order import first_order_corrector

N_ROWS = 200
PARITY = "demographic_parity_difference"
REMEDY_FOR_VALUES = "[Dd]rop|[Ii]mput|[Rr]eplace"


@pytest.fixture(scope="module")
def data():
    X, y, groups = make_biased_classification(N_ROWS, 4, random_state=0)
    return SimpleNamespace(
        X=X,
        y=y,
        groups=groups,
        frame=pd.DataFrame(X, columns=["a", "b", "c", "d"]),
        validation={
            "X_val": X[::-1].copy(),
            "y_val": y[::-1].copy(),
            "sensitive_features_val": groups[::-1].copy(),
        },
    )


def with_value(array, position, value, dtype=float):
    changed = np.array(array, dtype=dtype)
    changed[position] = value
    return changed


def fit(data, params=None, **arguments):
    """Fit on the data with some arguments replaced; nothing passed may change."""
    corrector = first_order_corrector(**(params or {}))
    arguments = {
        "X": data.X,
        "y": data.y,
        "sensitive_features": data.groups,
    } | arguments
    before = joblib.hash([arguments, corrector.get_params(deep=False)])
    try:
        return corrector.fit(**arguments)
    finally:
        assert joblib.hash([arguments, corrector.get_params(deep=False)]) == before


def refused(data, *words, error=ValueError, params=None, **arguments):
    """Fit must end in an error whose message has all of these words, and is short."""
    with pytest.raises(error) as caught:
        fit(data, params, **arguments)
    message = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    missing = [word for word in words if not re.search(word, message)]
    assert not missing, f"{missing} not in the message: {message}"
    assert "np." not in message  # how NumPy 2 prints its scalars
    assert len(message) < 1200  # never the data themselves


def only_message(caught, category):
    """Message of the one warning of a category, which must point at the caller."""
    (warning,) = [w for w in caught if w.category is category]
    assert warning.filename == __file__
    return str(warning.message)


# -------------------------------------------------------------- features and target


@pytest.mark.parametrize(
    ("value", "wrong"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]
)
@pytest.mark.parametrize("kind", ["plain", "pipeline", "frozen"])
def test_features_that_are_not_finite(data, value, wrong, kind):
    estimator = {
        "plain": LogisticRegression(),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
        "frozen": FrozenEstimator(LogisticRegression().fit(data.X, data.y)),
    }[kind]
    X = with_value(data.X, (3, 2), value)
    params = {"estimator": estimator}
    refused(data, r"\bX\b", wrong, REMEDY_FOR_VALUES, params=params, X=X)


@pytest.mark.parametrize(("value", "wrong"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_validation_features_that_are_not_finite(data, value, wrong):
    validation = data.validation | {"X_val": with_value(data.X, (3, 2), value)}
    refused(data, "X_val", wrong, REMEDY_FOR_VALUES, **validation)


@pytest.mark.parametrize("label", [1, "granted", True], ids=repr)
def test_target_with_one_class(data, label):
    refused(data, r"\by\b", "one class", str(label), "two classes", y=[label] * N_ROWS)


def test_target_whose_second_class_has_no_weight(data):
    refused(data, "y has one class", "weight", sample_weight=data.y.astype(float))


@pytest.mark.parametrize(
    ("labels", "missing", "dtype"),
    [
        ([0.0, 1.0], np.nan, float),
        (["no", "yes"], np.nan, object),
        (["no", "yes"], None, object),
    ],
)
@pytest.mark.parametrize("container", [np.asarray, pd.Series])
def test_target_with_missing_values(data, labels, missing, dtype, container):
    y = with_value(np.array(labels, dtype=dtype)[data.y], 7, missing, dtype)
    refused(data, r"\by\b", "NaN|missing", "[Dd]rop", y=container(y))


@pytest.mark.parametrize("argument", ["y", "y_val"])
def test_target_that_is_infinite(data, argument):
    arguments = data.validation | {argument: with_value(data.y, 7, np.inf)}
    refused(data, rf"\b{argument}\b", "inf", **arguments)


def test_validation_target_with_missing_values(data):
    validation = data.validation | {"y_val": with_value(data.y, 7, np.nan)}
    refused(data, "y_val", "NaN|missing", "[Dd]rop", **validation)


def test_target_that_is_continuous(data):
    refused(data, r"\by\b", "continuous", "class labels", y=data.X[:, 0])


@pytest.mark.parametrize("argument", ["y", "y_val"])
def test_target_of_the_wrong_length(data, argument):
    arguments = data.validation | {argument: data.y[:-1]}
    refused(data, rf"\b{argument}\b", "199", "200", **arguments)


def test_validation_target_with_unknown_labels(data):
    validation = data.validation | {"y_val": data.y + 1}
    refused(data, "y_val", r"\[2\]", r"\[0, 1\]", **validation)


# ---------------------------------------------------------------- sensitive features


@pytest.mark.parametrize(
    "metric", [PARITY, "equal_opportunity_difference", "equalized_odds_difference"]
)
def test_groups_missing_names_both_ways_to_give_them(data, metric):
    refused(
        data,
        "sensitive_features was not given",
        r"sensitive_features=",
        r"sensitive_feature_ids=",
        params={"metric": metric},
        sensitive_features=None,
    )


def test_groups_missing_for_the_utility(data):
    params = {"metric": "loss", "utility": PARITY}
    refused(data, "sensitive_features=", params=params, sensitive_features=None)


def test_groups_missing_for_the_validation_data(data):
    validation = data.validation | {"sensitive_features_val": None}
    refused(
        data,
        "sensitive_features_val was not given",
        "sensitive_features_val=",
        "sensitive_feature_ids=",
        **validation,
    )


@pytest.mark.parametrize("argument", ["sensitive_features", "sensitive_features_val"])
@pytest.mark.parametrize("shape", [(N_ROWS - 1,), (N_ROWS + 1, 2)])
def test_groups_of_the_wrong_length(data, argument, shape):
    arguments = data.validation | {argument: np.resize([0, 1], shape)}
    words = (argument, str(shape[0]), str(N_ROWS), "each row")
    refused(data, *words, **arguments)


@pytest.mark.parametrize("groups", ["sex", 3, [[["a"]]] * N_ROWS], ids=str)
def test_groups_of_the_wrong_shape(data, groups):
    refused(data, "sensitive_features", "shape", "each row", sensitive_features=groups)


@pytest.mark.parametrize("argument", ["sensitive_features", "sensitive_features_val"])
def test_one_group_only(data, argument):
    arguments = data.validation | {argument: ["f"] * N_ROWS}
    refused(data, argument, r"one group only \(f\)", "at least two", **arguments)


def test_one_group_of_positive_weight(data):
    weight = (data.groups == 1).astype(float)
    refused(data, "sensitive_features", "one group only", sample_weight=weight)


@pytest.mark.parametrize(
    "groups",
    [
        with_value(np.zeros(N_ROWS), 5, np.nan),
        with_value(np.zeros(N_ROWS), 5, None, object),
        pd.Series(with_value(np.full(N_ROWS, "f"), 5, None, object), dtype="category"),
        pd.DataFrame(
            {
                "sex": ["f", "m"] * (N_ROWS // 2),
                "race": ["w", None] + ["w", "b"] * (N_ROWS // 2 - 1),
            }
        ),
    ],
    ids=["float", "object", "category", "frame"],
)
def test_groups_with_missing_values(data, groups):
    refused(
        data, "sensitive_features", "1 missing", "[Dd]rop", sensitive_features=groups
    )


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        list,
        pd.Series,
        lambda column: pd.DataFrame({"sex": np.arange(N_ROWS) % 2, "age": column}),
    ],
    ids=["array", "list", "series", "frame"],
)
def test_continuous_groups_are_called_continuous(data, convert):
    groups = convert(np.random.default_rng(0).permutation(N_ROWS) / 7)
    words = ("sensitive_features", "200", "continuous", "[Bb]in")
    refused(data, *words, sensitive_features=groups)


def test_almost_as_many_groups_as_rows(data):
    groups = np.arange(N_ROWS) // 2  # every value twice
    refused(data, "100 distinct", "continuous", "[Bb]in", sensitive_features=groups)


@pytest.mark.parametrize(
    ("ids", "wrong"),
    [
        (["sex"], "sex"),
        ("sex", "sex"),
        ([9], "9"),
        ([], "column"),
    ],
)
@pytest.mark.parametrize("kind", ["array", "frame"])
def test_columns_that_do_not_exist(data, ids, wrong, kind):
    X = data.X if kind == "array" else data.frame
    params = {"sensitive_feature_ids": ids}
    words = ("sensitive_feature_ids", wrong, "[Gg]ive|[Nn]ame")
    refused(data, *words, params=params, X=X, sensitive_features=None)


@pytest.mark.parametrize(
    ("column", "wrong"),
    [(np.arange(N_ROWS) / 3, "continuous"), (np.ones(N_ROWS), "one group only")],
)
def test_columns_that_hold_no_groups(data, column, wrong):
    X = np.column_stack([data.X, column])
    params = {"sensitive_feature_ids": [4]}
    words = ("sensitive_feature_ids", wrong)
    refused(data, *words, params=params, X=X, sensitive_features=None)


@pytest.mark.parametrize("groups", [{}, pd.DataFrame(index=range(N_ROWS))])
def test_groups_without_a_column(data, groups):
    refused(data, "sensitive_features", "column", sensitive_features=groups)


def test_groups_given_twice(data):
    params = {"sensitive_feature_ids": [0]}
    words = ("sensitive_features and sensitive_feature_ids", "both", "one of")
    refused(data, *words, params=params)


# ------------------------------------------------------------------- evaluation data


def test_group_that_the_evaluation_data_lacks(data):
    groups = np.where(np.arange(N_ROWS) < 20, "rare", data.groups.astype(str))
    rest = slice(20, None)
    validation = {
        "X_val": data.X[rest],
        "y_val": data.y[rest],
        "sensitive_features_val": groups[rest],
    }
    words = ("evaluation data", "rare", "sensitive_features_val", "merge")
    refused(data, *words, sensitive_features=groups, **validation)


@pytest.mark.parametrize(
    ("metric", "absent", "word"),
    [
        ("equal_opportunity_difference", 1, "positive"),
        ("equalized_odds_difference", 1, "positive"),
        ("equalized_odds_difference", 0, "negative"),
    ],
)
@pytest.mark.parametrize("where", ["training", "validation"])
def test_group_without_the_labels_of_the_metric(data, metric, absent, word, where):
    y = np.where(data.groups == 1, 1 - absent, data.y)
    arguments = {"y": y}
    if where == "validation":
        arguments = {"X_val": data.X, "y_val": y, "sensitive_features_val": data.groups}
    words = (f"no {word}", r": 1\b", "merge|[Gg]ive")
    refused(data, *words, params={"metric": metric}, **arguments)


def test_demographic_parity_needs_no_positives(data):
    y = np.where(data.groups == 1, 0, data.y)
    corrector = fit(data, {"delta": 0.1}, y=y)
    line = corrector.report_[PARITY, "surrogate"]
    assert line.predicted == pytest.approx(0.9 * line.before)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (["X_val"], ["y_val"]),
        (["X_val", "sensitive_features_val"], ["y_val"]),
        (["y_val"], ["X_val"]),
        (["sensitive_features_val"], ["X_val", "y_val"]),
    ],
)
def test_validation_data_in_part(data, given, missing):
    arguments = {name: data.validation[name] for name in given}
    refused(data, *given, "without", *missing, **arguments)


def test_validation_data_with_fewer_columns(data):
    validation = data.validation | {"X_val": data.X[:, 1:]}
    refused(data, "X_val", r"\b3\b", r"\b4\b", "columns of X", "[Gg]ive", **validation)


@pytest.mark.parametrize("columns", [["a", "b", "c", "z"], ["b", "a", "c", "d"]])
def test_validation_data_with_other_columns(data, columns):
    X_val = data.frame.set_axis(columns, axis=1)
    validation = data.validation | {"X_val": X_val}
    refused(data, "X_val", "names", "columns of X", X=data.frame, **validation)


# ------------------------------------------------------------------------ parameters


@pytest.mark.parametrize(
    "delta", [-0.1, 1.1, np.nan, np.inf, "half", None, True], ids=repr
)
def test_delta_out_of_range(data, delta):
    words = (f"delta={delta!r}", "number", r"\[0, 1\]")
    refused(data, *words, params={"delta": delta})


def test_delta_of_a_path_out_of_range(data):
    corrector = first_order_corrector()
    with pytest.raises(ValueError, match=r"delta=2 .*\[0, 1\]"):
        corrector.path(data.X, data.y, deltas=[0.5, 2], sensitive_features=data.groups)


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("utility_tol", [-1, np.nan, np.inf, "a"], ">= 0"),
        ("regularization", [0, -1, np.nan, None], "> 0"),
        ("max_weight", [0, 1.1, np.nan, "a"], r"\(0, 1\]"),
        ("validation_fraction", [0, 1, 2, np.nan, "a"], "between 0 and 1"),
    ],
)
def test_numbers_out_of_range(data, name, values, allowed):
    for value in values:
        words = (re.escape(f"{name}={value!r}"), "number", allowed)
        refused(data, *words, params={name: value})


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("metric", [PARITY, "equalized_odds_difference", "loss", "fairlearn.metrics"]),
        ("utility", [PARITY, "loss"]),
        ("update", ["influence", "newton", "retrain"]),
        ("weighting", ["soft", "hard"]),
        ("curvature", ["auto", "cholesky", "conjugate_gradient", "diagonal"]),
        ("on_infeasible", ["warn", "raise"]),
    ],
)
@pytest.mark.parametrize("value", ["nonsense", 3.5, None, ["soft"], max], ids=repr)
def test_unknown_choice_lists_the_known_ones(data, name, known, value):
    if name in ("metric", "utility") and value is None:
        words = (f"^{name}=None: give a criterion",)
    else:
        by_name = value is max and name in ("metric", "utility")
        shown = "builtins.max" if by_name else repr(value)
        words = (re.escape(f"{name}={shown}"), "not known", *known)
    refused(data, *words, params={name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("update", NewtonUpdate), ("metric", MeanLoss), ("curvature", Cholesky)],
)
def test_class_in_place_of_an_object(data, name, value):
    refused(data, f"{name}=", value.__name__, params={name: value})


def test_infeasible_delta_gives_the_largest_attainable(data):
    params = {"delta": 1.0, "max_weight": 0.05}
    with pytest.warns(InfeasibleDeltaWarning) as caught:
        corrector = fit(data, params)
    message = only_message(caught, InfeasibleDeltaWarning)
    assert 0 < corrector.delta_max_ < 1
    assert f"at most {corrector.delta_max_:.4g}" in message
    for words in ("delta=1", PARITY, "Lower delta", "largest attainable"):
        assert words in message

    line = corrector.report_[PARITY, "surrogate"]
    expected = (1 - corrector.delta_max_) * line.before
    assert line.predicted == pytest.approx(expected, rel=1e-9)
    assert corrector.report_.status == "infeasible"


def test_infeasible_delta_raises_on_request(data):
    params = {"delta": 1.0, "max_weight": 0.05, "on_infeasible": "raise"}
    with pytest.warns(InfeasibleDeltaWarning):
        delta_max = fit(data, params | {"on_infeasible": "warn"}).delta_max_
    words = ("delta=1", f"at most {delta_max:.4g}", "Lower delta")
    refused(data, *words, error=InfeasibleDeltaError, params=params)


@pytest.mark.parametrize("weighting", ["soft", "hard"])
def test_metric_at_its_optimum_leaves_the_model_unchanged(data, weighting):
    half = N_ROWS // 2
    twins = {
        "X": np.repeat(data.X[:half], 2, axis=0),
        "y": np.repeat(data.y[:half], 2),
        "sensitive_features": np.tile([0, 1], half),
    }
    with pytest.warns(NothingToCorrectWarning) as caught:
        corrector = fit(data, {"weighting": weighting}, **twins)
    message = only_message(caught, NothingToCorrectWarning)
    for words in (PARITY, "optimum", "nothing to correct", "model is unchanged"):
        assert words in message
    np.testing.assert_array_equal(corrector.deletion_weights_, 0)
    before, after = corrector.base_estimator_, corrector.estimator_
    np.testing.assert_array_equal(before.coef_, after.coef_)
    np.testing.assert_array_equal(before.intercept_, after.intercept_)


# ------------------------------------------------------------------------ estimators


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianNB(),
        MultiTaskLasso(),
        SVC(kernel="linear"),
        StandardScaler(),
        make_pipeline(StandardScaler(), GaussianNB()),
        make_pipeline(LogisticRegression(), "passthrough"),
        FrozenEstimator(GaussianNB()),
        "logistic",
    ],
    ids=str,
)
def test_estimator_that_is_not_supported(data, estimator):
    words = ("estimator", "not supported", "LogisticRegression", "Pipeline")
    refused(data, *words, error=TypeError, params={"estimator": estimator})


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())],
    ids=["plain", "pipeline"],
)
def test_frozen_estimator_that_is_not_fitted(data, estimator):
    params = {"estimator": FrozenEstimator(estimator)}
    name = type(estimator).__name__
    refused(data, "FrozenEstimator", name, "not fitted", "[Ff]it it", params=params)


@pytest.mark.parametrize("kind", ["plain", "pipeline"])
def test_frozen_estimator_of_other_columns(data, kind):
    estimator = LogisticRegression()
    if kind == "pipeline":
        estimator = make_pipeline(StandardScaler(), estimator)
    params = {"estimator": FrozenEstimator(estimator.fit(data.X[:, 1:], data.y))}
    words = ("X does not have the columns", "FrozenEstimator", "3", "4", "[Pp]ass")
    refused(data, *words, params=params)


def test_frozen_estimator_of_other_column_names(data):
    fitted = LogisticRegression().fit(data.frame, data.y)
    params = {"estimator": FrozenEstimator(fitted)}
    X = data.frame.rename(columns={"a": "z"})
    words = ("X does not have the columns", "FrozenEstimator", "- z", "- a")
    refused(data, *words, params=params, X=X)


def test_frozen_estimator_of_other_labels(data):
    fitted = LogisticRegression().fit(data.X, data.y)
    params = {"estimator": FrozenEstimator(fitted)}
    y = np.array(["no", "yes"])[data.y]
    words = (r"\by\b", "not trained with", "no", "yes", r"\[0, 1\]")
    refused(data, *words, params=params, y=y)


def test_frozen_estimator_with_rows_to_hold_out(data):
    fitted = LogisticRegression().fit(data.X, data.y)
    params = {"estimator": FrozenEstimator(fitted), "validation_fraction": 0.2}
    refused(data, "validation_fraction", "FrozenEstimator", "X_val", params=params)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
def test_base_model_that_has_not_converged(data):
    X = 3 * data.X + 5
    with pytest.warns(ConvergenceWarning) as caught:
        corrector = fit(data, {"estimator": LogisticRegression(max_iter=2)}, X=X)
    message = only_message(caught, BaseNotConvergedWarning)
    base = corrector.base_estimator_
    residual = base.predict_proba(X)[:, 1] - data.y
    gradient = np.append(X.T @ residual + base.coef_[0] / base.C, residual.sum())
    assert f"{np.linalg.norm(gradient):.3g}" in message
    for words in ("not converged", "max_iter", "[Ss]cale"):
        assert re.search(words, message)


def test_frozen_estimator_of_other_rows(data):
    fitted = LogisticRegression().fit(data.X[:50], data.y[:50])
    params = {"estimator": FrozenEstimator(fitted)}
    with pytest.warns(BaseNotConvergedWarning, match="rows .* trained with"):
        fit(data, params)


# -------------------------------------------------------------------- sample weights


@pytest.mark.parametrize("argument", ["sample_weight", "sample_weight_val"])
@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.zeros(N_ROWS), ["zero", "every|non-zero"]),
        (with_value(np.ones(N_ROWS), 3, -2.0), ["1 negative", "-2", ">= 0"]),
        (with_value(np.ones(N_ROWS), 3, np.nan), ["NaN"]),
        (with_value(np.ones(N_ROWS), 3, np.inf), ["infinity"]),
        (np.ones(N_ROWS - 1), ["199", "200"]),
        (np.ones((N_ROWS, 2)), ["1D|shape"]),
    ],
    ids=["zero", "negative", "nan", "infinite", "short", "two columns"],
)
def test_bad_sample_weights(data, argument, weight, words):
    arguments = data.validation | {argument: weight}
    refused(data, rf"\b{argument}\b", *words, **arguments)


def test_an_error_leaves_the_corrector_as_it_was(data):
    """What was fitted before stays usable, and a clone fits anew."""
    corrector = first_order_corrector().fit(
        data.X, data.y, sensitive_features=data.groups
    )
    expected = corrector.predict(data.X)
    with pytest.raises(ValueError, match="sensitive_features"):
        corrector.fit(data.X, data.y)
    np.testing.assert_array_equal(corrector.predict(data.X), expected)
    again = clone(corrector).fit(data.X, data.y, sensitive_features=data.groups)
    np.testing.assert_array_equal(again.predict(data.X), expected)


@pytest.mark.parametrize("dtype", [str, object])
def test_labels_of_another_kind_than_those_trained_with(data, dtype):
    numbers = np.asarray(data.y)
    words = np.where(numbers == numbers.max(), "yes", "no").astype(dtype)
    for trained, given in ((numbers, words), (words, numbers)):
        frozen = FrozenEstimator(LogisticRegression().fit(data.X, trained))
        with pytest.raises(ValueError, match=r"y (has|holds) .*trained with"):
            first_order_corrector(frozen).fit(
                data.X, given, sensitive_features=data.groups
            )


def test_groups_in_another_order_than_the_rows_are_refused():
    X, y, group = make_biased_classification(n_samples=300, random_state=0)
    frame = pd.DataFrame(X)
    groups = pd.Series(group).sample(frac=1, random_state=0)

    with pytest.raises(ValueError, match=r"in another order.*\.loc\[X\.index\]"):
        first_order_corrector().fit(frame, y, sensitive_features=groups)

    by_index = first_order_corrector().fit(
        frame, y, sensitive_features=groups.loc[frame.index]
    )
    by_position = first_order_corrector().fit(frame, y, sensitive_features=group)
    np.testing.assert_array_equal(
        by_index.deletion_weights_, by_position.deletion_weights_
    )
