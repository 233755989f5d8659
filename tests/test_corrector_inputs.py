# SPDX-License-Identifier: BSD-3-Clause
"""Data in every form that users have it: the same numbers give the same correction."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sklearn_softunlearn.datasets import make_biased_classification
from tests.first_order import first_order_corrector

# scikit-learn < 1.7 reads the column names of polars through this protocol.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Support for the dataframe interchange protocol:DeprecationWarning"
)

PARITY = "demographic_parity_difference"
N_ROWS = 300


@pytest.fixture(scope="module")
def data():
    X, y, groups = make_biased_classification(N_ROWS, 4, random_state=0)
    rng = np.random.default_rng(0)
    index = rng.permutation(N_ROWS)
    names = ["a", "b", "c", "d"]
    return SimpleNamespace(
        X=X,
        y=y,
        groups=groups,
        sex=np.array(["female", "male"])[groups],
        race=np.array(["black", "other", "white"])[rng.integers(3, size=N_ROWS)],
        index=index,
        frame=pd.DataFrame(X, columns=names, index=index),
        polars=pl.DataFrame(dict(zip(names, X.T, strict=True))),
    )


@pytest.fixture(scope="module")
def expected(data):
    """Correction of plain arrays."""
    return fitted(data.X, data.y, sensitive_features=data.groups)


def fitted(X, y, estimator=None, params=None, **arguments):
    return first_order_corrector(estimator, **(params or {})).fit(X, y, **arguments)


def same(actual, expected, rtol=0, atol=0):
    for name in ("deletion_weights_", "influence_", "multipliers_", "delta_max_"):
        np.testing.assert_allclose(
            getattr(actual, name), getattr(expected, name), rtol, atol, err_msg=name
        )
    for name in ("coef_", "intercept_"):
        np.testing.assert_allclose(
            getattr(last(actual), name), getattr(last(expected), name), rtol, atol
        )


def last(corrector):
    model = corrector.estimator_
    return model[-1] if hasattr(model, "steps") else model


# ---------------------------------------------------------- sensitive features: forms

ONE_COLUMN = {
    "list": lambda data, values: values.tolist(),
    "tuple": lambda data, values: tuple(values),
    "column": lambda data, values: values[:, None],
    "list of lists": lambda data, values: [[value] for value in values],
    "objects": lambda data, values: values.astype(object),
    "series": lambda data, values: pd.Series(values),
    "shuffled index": lambda data, values: pd.Series(values, index=data.index),
    "series of objects": lambda data, values: pd.Series(values, dtype=object),
    "index": lambda data, values: pd.Index(values),
    "category": lambda data, values: pd.Series(values).astype("category"),
    "unused category": lambda data, values: pd.Categorical(
        values, categories=["never", *np.unique(values)[::-1]]
    ),
    "frame": lambda data, values: pd.DataFrame({"sex": values}, index=data.index),
    "dict": lambda data, values: {"sex": values},
    "polars": lambda data, values: pl.Series(values),
    "polars frame": lambda data, values: pl.DataFrame({"sex": values}),
    "read-only": lambda data, values: read_only(values),
}
OF_STRINGS = {
    "string": lambda data, values: pd.Series(values, dtype="string"),
    "polars categories": lambda data, values: pl.Series(values).cast(pl.Categorical),
}
OF_NUMBERS = {
    "float": lambda data, values: values.astype(float),
    "bool": lambda data, values: values == 1,
    "series of bool": lambda data, values: pd.Series(values == 1),
    "series of float": lambda data, values: pd.Series(values.astype(float)),
    "nullable": lambda data, values: pd.Series(values, dtype="Int64"),
    "small": lambda data, values: values.astype(np.int8),
}


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("form", ONE_COLUMN | OF_STRINGS)
def test_groups_of_strings(data, expected, form):
    groups = (ONE_COLUMN | OF_STRINGS)[form](data, data.sex)
    corrector = fitted(data.X, data.y, sensitive_features=groups)
    same(corrector, expected)
    assert isinstance(corrector.groups_, np.ndarray)
    assert corrector.groups_.tolist() == ["female", "male"]
    assert corrector.functional_names_[:2] == ["female - male", "male - female"]


@pytest.mark.parametrize("form", ONE_COLUMN | OF_NUMBERS)
def test_groups_of_numbers(data, expected, form):
    groups = (ONE_COLUMN | OF_NUMBERS)[form](data, data.groups)
    corrector = fitted(data.X, data.y, sensitive_features=groups)
    same(corrector, expected)
    assert isinstance(corrector.groups_, np.ndarray)
    assert corrector.groups_.tolist() == [0, 1]


def test_groups_are_taken_by_position(data, expected):
    """Not aligned, as in scikit-learn; `test_bad_input` has an index that disagrees."""
    other = pd.Series(data.sex, index=np.arange(len(data.sex)) + 10**6)
    same(fitted(data.frame, data.y, sensitive_features=other), expected, rtol=1e-9)


def test_groups_of_strings_and_numbers(data, expected):
    mixed = data.groups.astype(object)
    mixed[data.groups == 1] = "male"
    for groups in (pd.Series(mixed), mixed):
        corrector = fitted(data.X, data.y, sensitive_features=groups)
        assert set(corrector.groups_.tolist()) == {0, "male"}
        np.testing.assert_allclose(
            corrector.deletion_weights_, expected.deletion_weights_, rtol=1e-9
        )


# -------------------------------------------------------- several columns intersected

TWO_COLUMNS = {
    "frame": lambda data: pd.DataFrame(
        {"sex": data.sex, "race": data.race}, index=data.index
    ),
    "categories": lambda data: pd.DataFrame(
        {"sex": data.sex, "race": data.race}, dtype="category"
    ),
    "mixed types": lambda data: pd.DataFrame({"sex": data.groups, "race": data.race}),
    "polars": lambda data: pl.DataFrame({"sex": data.sex, "race": data.race}),
    "dict": lambda data: {"sex": data.sex, "race": data.race.tolist()},
    "array": lambda data: np.column_stack([data.sex, data.race]),
    "list of lists": lambda data: np.column_stack([data.sex, data.race]).tolist(),
}


@pytest.mark.parametrize("form", TWO_COLUMNS)
def test_several_columns_are_intersected_as_in_MetricFrame(data, form):
    groups = TWO_COLUMNS[form](data)
    as_frame = TWO_COLUMNS["mixed types" if form == "mixed types" else "frame"]
    corrector = fitted(data.X, data.y, sensitive_features=groups)
    joined = [f"{s}, {r}" for s, r in zip(data.sex, data.race, strict=True)]
    same(corrector, fitted(data.X, data.y, sensitive_features=joined))

    rates = MetricFrame(
        metrics=selection_rate,
        y_true=data.y,
        y_pred=corrector.predict(data.X),
        sensitive_features=as_frame(data),
    ).by_group
    assert corrector.groups_.shape == (6, 2)
    assert list(map(tuple, corrector.groups_)) == list(rates.index)
    line = corrector.report_[PARITY, "fairlearn"]
    assert line.after == pytest.approx(rates.max() - rates.min())
    assert len(corrector.functional_names_) == 6 * 5 + 1


def test_intersections_that_do_not_occur_are_no_groups(data):
    race = np.where(data.groups == 1, data.race, "white")
    groups = pd.DataFrame({"sex": data.sex, "race": race})
    corrector = fitted(data.X, data.y, sensitive_features=groups)
    assert list(map(tuple, corrector.groups_)) == [
        ("female", "white"),
        ("male", "black"),
        ("male", "other"),
        ("male", "white"),
    ]


@pytest.mark.parametrize("delta", [0.25, 0.5])
def test_every_gap_between_many_groups_meets_the_request(data, delta):
    groups = pd.DataFrame({"sex": data.sex, "race": data.race})
    corrector = fitted(
        data.X, data.y, params={"delta": delta}, sensitive_features=groups
    )
    line = corrector.report_[PARITY, "surrogate"]
    assert line.predicted == pytest.approx((1 - delta) * line.before, rel=1e-9)


# ------------------------------------------------------------- groups as columns of X


def with_groups(data, kind):
    """The features followed by one column of groups, as a column of numbers."""
    X = np.column_stack([data.X, data.groups])
    names = ["a", "b", "c", "d", "sex"]
    return {
        "array": lambda: X,
        "list": lambda: X.tolist(),
        "frame": lambda: pd.DataFrame(X, columns=names, index=data.index),
        "polars": lambda: pl.DataFrame(dict(zip(names, X.T, strict=True))),
        "csr": lambda: sparse.csr_array(X),
        "csc": lambda: sparse.csc_array(X),
        "matrix": lambda: sparse.csr_matrix(X),
    }[kind]()


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("array", 4),
        ("array", [4]),
        ("array", [-1]),
        ("array", np.int64(4)),
        ("array", np.array([4])),
        ("list", [4]),
        ("frame", "sex"),
        ("frame", ["sex"]),
        ("frame", [4]),
        ("frame", pd.Index(["sex"])),
        ("polars", "sex"),
        ("polars", ["sex"]),
        ("polars", [4]),
        ("csr", 4),
        ("csr", [4]),
        ("csc", [4]),
        ("matrix", [4]),
    ],
    ids=str,
)
def test_groups_as_a_column(data, kind, ids):
    """The column stays a feature, so the oracle has it too."""
    X, array = with_groups(data, kind), with_groups(data, "array")
    corrector = fitted(X, data.y, tight(), {"sensitive_feature_ids": ids})
    expected = fitted(array, data.y, tight(), sensitive_features=data.groups)
    same(corrector, expected, rtol=1e-5, atol=1e-8)
    assert corrector.groups_.tolist() == [0, 1]
    np.testing.assert_array_equal(corrector.predict(X), last(corrector).predict(X))


@pytest.mark.parametrize("kind", ["frame", "polars", "array"])
def test_groups_as_two_columns_of_strings(data, kind):
    columns = {"sex": data.sex, "race": data.race}
    X = pd.DataFrame(data.frame.to_dict("list") | columns)
    ids = ["sex", "race"]
    features = ["a", "b", "c", "d"]
    if kind == "polars":
        X = pl.DataFrame(X.to_dict("list"))
    if kind == "array":
        X, ids, features = X.to_numpy(dtype=object), [4, 5], [0, 1, 2, 3]
    model = make_pipeline(
        make_column_transformer(("passthrough", features)), LogisticRegression()
    )
    corrector = fitted(X, data.y, model, {"sensitive_feature_ids": ids})
    expected = fitted(data.X, data.y, sensitive_features=columns)
    same(corrector, expected, rtol=1e-12, atol=1e-14)
    assert corrector.groups_.tolist() == expected.groups_.tolist()


def test_column_ids_hold_for_the_validation_data(data):
    X = with_groups(data, "frame")
    train, test = np.arange(0, 200), np.arange(200, N_ROWS)
    corrector = fitted(
        X.iloc[train],
        data.y[train],
        params={"sensitive_feature_ids": ["sex"]},
        X_val=X.iloc[test],
        y_val=data.y[test],
    )
    expected = fitted(
        X.iloc[train],
        data.y[train],
        X_val=X.iloc[test],
        y_val=data.y[test],
        sensitive_features_val=data.groups[test],
    )
    same(corrector, expected)


# ------------------------------------------------------------------- evaluation data


@pytest.fixture(scope="module")
def parts(data):
    """Positions of rows to train on and to evaluate on, differing in number."""
    return train_test_split(np.arange(N_ROWS), test_size=0.4, random_state=1)


def with_validation(data, parts, **changed):
    train, test = parts
    arguments = {
        "X": data.X[train],
        "y": data.y[train],
        "sensitive_features": data.sex[train],
        "X_val": data.X[test],
        "y_val": data.y[test],
        "sensitive_features_val": data.sex[test],
    } | changed
    return fitted(arguments.pop("X"), arguments.pop("y"), **arguments)


def test_validation_rows_measure_the_metric(data, parts):
    train, test = parts
    corrector = with_validation(data, parts)
    assert corrector.deletion_weights_.shape == (len(train),)
    assert corrector.report_.n_evaluation == len(test)
    model = LogisticRegression().fit(data.X[train], data.y[train])
    scores = model.predict_proba(data.X[test])[:, 1]
    means = [scores[data.sex[test] == group].mean() for group in ("female", "male")]
    line = corrector.report_[PARITY, "surrogate"]
    assert line.before == pytest.approx(abs(means[0] - means[1]))
    assert line.predicted == pytest.approx(0.5 * line.before)
    assert line.before != pytest.approx(
        fitted(data.X[train], data.y[train], sensitive_features=data.sex[train])
        .report_[PARITY, "surrogate"]
        .before
    )


def test_training_rows_as_validation_rows_change_nothing(data, expected):
    corrector = fitted(
        data.X,
        data.y,
        sensitive_features=data.groups,
        X_val=data.X.copy(),
        y_val=data.y.copy(),
        sensitive_features_val=data.groups.copy(),
    )
    same(corrector, expected, rtol=1e-9, atol=1e-13)


def test_groups_of_the_training_rows_are_not_needed(data, parts):
    """They only serve to notice a group that the evaluation data lacks."""
    corrector = with_validation(data, parts, sensitive_features=None)
    same(corrector, with_validation(data, parts))


def test_validation_data_in_other_forms(data, parts):
    train, test = parts
    expected = with_validation(data, parts)
    in_polars = with_validation(
        data,
        parts,
        X=data.polars[train],
        y=pl.Series(data.y[train]),
        sensitive_features=pl.Series(data.sex[train]),
        X_val=data.polars[test],
        y_val=pl.Series(data.y[test]),
        sensitive_features_val=pl.Series(data.sex[test]),
    )
    same(in_polars, expected, rtol=1e-12, atol=1e-14)
    in_pandas = with_validation(
        data,
        parts,
        X=data.frame.iloc[train],
        y=pd.Series(data.y[train], index=data.index[train]),
        X_val=data.frame.iloc[test],
        y_val=data.y[test].tolist(),
        sensitive_features_val=pd.Series(data.sex[test], index=data.index[test]),
    )
    same(in_pandas, expected, rtol=1e-12, atol=1e-14)
    mixed = with_validation(data, parts, X_val=sparse.csr_array(data.X[test]))
    same(mixed, expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("X_kind", ["array", "frame", "polars", "csr"])
@pytest.mark.parametrize("groups_kind", ["array", "series", "frame", "dict", "polars"])
def test_held_out_fraction(data, X_kind, groups_kind):
    X = {
        "array": data.X,
        "frame": data.frame,
        "polars": data.polars,
        "csr": sparse.csr_array(data.X),
    }[X_kind]
    groups = {
        "array": data.sex,
        "series": pd.Series(data.sex, index=data.index),
        "frame": pd.DataFrame({"sex": data.sex}, index=data.index),
        "dict": {"sex": data.sex},
        "polars": pl.Series(data.sex),
    }[groups_kind]
    params = {"validation_fraction": 0.3, "random_state": 3}
    corrector = fitted(X, data.y, params=params, sensitive_features=groups)
    again = fitted(data.X, data.y, params=params, sensitive_features=data.sex)
    # CSR and dense products round differently, and lbfgs stops elsewhere.
    tolerance = {"rtol": 1e-3, "atol": 1e-5} if X_kind == "csr" else {"rtol": 1e-12}
    same(corrector, again, **tolerance)


def held_out_rows(corrector):
    """Rows without any influence."""
    return np.flatnonzero(np.all(corrector.influence_ == 0, axis=1))


def test_held_out_rows_are_not_trained_on(data):
    params = {"validation_fraction": 0.3, "random_state": 3}
    corrector = fitted(data.X, data.y, params=params, sensitive_features=data.sex)
    test = held_out_rows(corrector)
    train = np.setdiff1d(np.arange(N_ROWS), test)
    assert len(test) == corrector.report_.n_evaluation == 90
    assert corrector.deletion_weights_.shape == (N_ROWS,)
    np.testing.assert_array_equal(corrector.deletion_weights_[test], 0)
    np.testing.assert_array_equal(corrector.sample_weight_[test], 1)
    assert np.any(corrector.deletion_weights_[train] > 0)

    by_hand = with_validation(data, (train, test))
    np.testing.assert_array_equal(last(corrector).coef_, last(by_hand).coef_)
    np.testing.assert_array_equal(corrector.influence_[train], by_hand.influence_)
    assert "90 held-out rows" in str(corrector.report_)


def test_held_out_rows_are_stratified_by_label_and_group(data):
    params = {"validation_fraction": 0.3, "random_state": 3}
    corrector = fitted(data.X, data.y, params=params, sensitive_features=data.sex)
    test = held_out_rows(corrector)
    cells = 2 * data.y + data.groups
    expected = 0.3 * np.bincount(cells)
    assert np.all(np.abs(np.bincount(cells[test]) - expected) < 1)


def test_held_out_rows_are_stratified_as_far_as_cells_allow(data):
    """One row of a third group: strata of labels remain, and the group is refused."""
    groups = data.sex.astype(object)
    groups[5] = "rare"
    params = {"validation_fraction": 0.3, "random_state": 3, "metric": "loss"}
    corrector = fitted(
        data.X, data.y, params=params | {"delta": 0.001}, sensitive_features=groups
    )
    test = held_out_rows(corrector)
    assert abs(data.y[test].sum() - 0.3 * data.y.sum()) < 1


def test_held_out_rows_follow_random_state(data):
    def rows(random_state):
        params = {"validation_fraction": 0.3, "random_state": random_state}
        corrector = fitted(data.X, data.y, params=params, sensitive_features=data.sex)
        return held_out_rows(corrector).tolist()

    assert rows(3) == rows(3) == rows(np.random.RandomState(3))
    assert rows(3) != rows(4)


def test_held_out_rows_with_sample_weights(data):
    weight = np.random.default_rng(0).uniform(0.5, 2, size=N_ROWS)
    params = {"validation_fraction": 0.3, "random_state": 3}
    corrector = fitted(
        data.X, data.y, params=params, sensitive_features=data.sex, sample_weight=weight
    )
    test = held_out_rows(corrector)
    train = np.setdiff1d(np.arange(N_ROWS), test)
    by_hand = with_validation(
        data,
        (train, test),
        sample_weight=weight[train],
        sample_weight_val=weight[test],
    )
    np.testing.assert_array_equal(last(corrector).coef_, last(by_hand).coef_)


def test_validation_data_takes_precedence_over_the_fraction(data, parts):
    params = {"validation_fraction": 0.3, "random_state": 3}
    corrector = with_validation(data, parts, params=params)
    same(corrector, with_validation(data, parts))


# ----------------------------------------------------------------------------- labels

LABELS = {
    "strings": np.array(["declined", "granted"]),
    "objects": np.array(["declined", "granted"], dtype=object),
    "bool": np.array([False, True]),
    "signs": np.array([-1, 1]),
    "floats": np.array([0.0, 1.0]),
    "numbers": np.array([3, 7]),
    "small": np.array([0, 1], dtype=np.int8),
}


@pytest.mark.parametrize("metric", [PARITY, "equalized_odds_difference"])
@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind(data, kind, metric):
    labels = LABELS[kind]
    params = {"metric": metric}
    corrector = fitted(
        data.X, labels[data.y], params=params, sensitive_features=data.groups
    )
    expected = fitted(data.X, data.y, params=params, sensitive_features=data.groups)
    same(corrector, expected)
    np.testing.assert_array_equal(corrector.classes_, labels)
    predicted = corrector.predict(data.X)
    assert predicted.dtype == labels.dtype
    np.testing.assert_array_equal(predicted, labels[expected.predict(data.X)])
    assert corrector.report_ == expected.report_


@pytest.mark.parametrize(
    "convert",
    [
        list,
        pd.Series,
        pl.Series,
        lambda y: pd.Series(y).astype("category"),
        lambda y: pd.Series(y, dtype="string"),
        lambda y: pd.Series(y, index=np.arange(N_ROWS)[::-1]),
    ],
    ids=["list", "pandas", "polars", "category", "string", "index"],
)
def test_targets_in_any_container(data, convert):
    labels = LABELS["strings"][data.y]
    corrector = fitted(data.X, convert(labels), sensitive_features=data.groups)
    same(corrector, fitted(data.X, labels, sensitive_features=data.groups))
    assert list(corrector.classes_) == ["declined", "granted"]


# --------------------------------------------------------------------------- features


def tight():
    return LogisticRegression(solver="newton-cholesky", tol=1e-12)


FEATURES = {
    "list": lambda X: X.tolist(),
    "fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "read-only": read_only,
    "frame": pd.DataFrame,
    "polars": lambda X: pl.DataFrame(X),
    "csr": sparse.csr_array,
    "csr matrix": sparse.csr_matrix,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
}


@pytest.mark.parametrize("curvature", ["cholesky", "conjugate_gradient", "diagonal"])
@pytest.mark.parametrize("kind", FEATURES)
def test_features_in_any_container(data, kind, curvature):
    params = {"curvature": curvature, "delta": 0.2}
    groups = {"sensitive_features": data.groups}
    X = FEATURES[kind](data.X)
    corrector = fitted(X, data.y, tight(), params, **groups)
    expected = fitted(data.X, data.y, tight(), params, **groups)
    same(corrector, expected, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(
        corrector.predict_proba(X), expected.predict_proba(data.X), rtol=1e-6
    )
    # Correcting and fitting at once, as a frozen model is the other way.
    frozen = FrozenEstimator(tight().fit(X, data.y))
    same(fitted(X, data.y, frozen, params, **groups), corrector)


@pytest.mark.parametrize("update", ["newton", "retrain"])
def test_sparse_features_with_other_updates(data, update):
    params = {"update": update}
    groups = {"sensitive_features": data.groups}
    corrector = fitted(sparse.csr_array(data.X), data.y, tight(), params, **groups)
    expected = fitted(data.X, data.y, tight(), params, **groups)
    same(corrector, expected, rtol=1e-5, atol=1e-8)


def test_features_that_become_sparse_in_a_pipeline(data):
    model = make_pipeline(MaxAbsScaler(), tight())
    groups = {"sensitive_features": data.groups}
    corrector = fitted(sparse.csr_array(data.X), data.y, model, **groups)
    expected = fitted(data.X, data.y, clone(model), **groups)
    same(corrector, expected, rtol=1e-5, atol=1e-8)


def test_sparse_features_stay_sparse(data):
    """Zeros of a wide matrix are never stored: 300 x 200 000 dense is half a GB."""
    rest = sparse.csr_array((N_ROWS, 200_000))
    wide = sparse.hstack([sparse.csr_array(data.X), rest], format="csr")
    model = LogisticRegression(solver="newton-cg", tol=1e-10)
    groups = {"sensitive_features": data.groups}
    tracemalloc.start()
    corrector = fitted(wide, data.y, model, {"delta": 0.2}, **groups)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
    expected = fitted(data.X, data.y, clone(model), {"delta": 0.2}, **groups)
    np.testing.assert_allclose(
        last(corrector).coef_[:, :4], last(expected).coef_, rtol=1e-5
    )
    np.testing.assert_array_equal(last(corrector).coef_[:, 4:], 0)


def test_single_precision(data):
    """The model stays in float32, the correction is computed in float64."""
    X = data.X.astype(np.float32)
    groups = {"sensitive_features": data.groups}
    model = LogisticRegression(solver="newton-cholesky")
    corrector = fitted(X, data.y, model, **groups)
    expected = fitted(X.astype(float), data.y, tight(), **groups)
    assert corrector.influence_.dtype == corrector.deletion_weights_.dtype == float
    base = corrector.base_estimator_
    assert last(corrector).coef_.dtype == base.coef_.dtype
    assert last(corrector).intercept_.dtype == base.intercept_.dtype
    assert corrector.predict_proba(X).dtype == base.predict_proba(X).dtype
    same(corrector, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_integer_features(data, dtype):
    X = (data.X > 0).astype(dtype)
    groups = {"sensitive_features": data.groups}
    corrector = fitted(X, data.y, tight(), **groups)
    same(corrector, fitted(X.astype(float), data.y, tight(), **groups), rtol=1e-9)


@pytest.fixture
def mapped(data, tmp_path):
    """The data as read-only memory maps, as joblib hands them to its workers."""

    def map_file(name, array):
        np.save(tmp_path / f"{name}.npy", array)
        return np.load(tmp_path / f"{name}.npy", mmap_mode="r")

    return {
        "X": map_file("X", data.X),
        "y": map_file("y", data.y),
        "sensitive_features": map_file("groups", data.groups),
        "sample_weight": map_file("weight", np.linspace(0.5, 2, N_ROWS)),
    }


@pytest.mark.parametrize("update", ["influence", "newton", "retrain"])
@pytest.mark.parametrize("weighting", ["soft", "hard"])
def test_read_only_memory_maps(mapped, update, weighting):
    params = {"update": update, "weighting": weighting, "delta": 0.3}
    corrector = first_order_corrector(**params).fit(**mapped)
    in_memory = {name: np.array(array) for name, array in mapped.items()}
    same(corrector, first_order_corrector(**params).fit(**in_memory))


def test_nothing_that_was_passed_is_modified(data, parts):
    train, test = parts
    arguments = {
        "X": data.X[train],
        "y": data.y[train],
        "sensitive_features": data.groups[train],
        "sample_weight": np.linspace(0, 2, len(train)),
        "X_val": data.X[test],
        "y_val": data.y[test],
        "sensitive_features_val": data.groups[test],
        "sample_weight_val": np.linspace(0, 2, len(test)),
    }
    copies = {name: array.copy() for name, array in arguments.items()}
    for update in ("influence", "newton", "retrain"):
        for weighting in ("soft", "hard"):
            corrector = first_order_corrector(update=update, weighting=weighting)
            corrector.fit(**arguments)
            corrector.predict(arguments["X"])
    for name, array in arguments.items():
        np.testing.assert_array_equal(array, copies[name], err_msg=name)
