# SPDX-License-Identifier: BSD-3-Clause
"""Sensitive features in the order, values, containers and sizes that people have."""

import enum
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import (
    DeletionWeightsDisplay,
    GroupMetric,
    InfluenceTransformer,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    TradeoffDisplay,
    ValidationData,
    fairness_scorer,
    influence,
    leave_one_out,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import SmallGroupWarning

PARITY = "demographic_parity_difference"
ORDER = r"in another order.*matched by position"
X, Y, GROUP = make_biased_classification(400, random_state=0)
EXPECTED = SoftUnlearnCorrector(delta=0.3).fit(X, Y, sensitive_features=GROUP)
SHUFFLED = pd.Series(GROUP).sample(frac=1, random_state=0)


def fit(groups, y=Y, X=X, **options):
    return SoftUnlearnCorrector(delta=0.3, **options).fit(
        X, y, sensitive_features=groups
    )


def same(corrector):
    np.testing.assert_allclose(
        corrector.deletion_weights_, EXPECTED.deletion_weights_, rtol=1e-9, atol=1e-12
    )


# --------------------------------------------------------------------- another order


def in_a_pipeline(**given):
    """X has lost its index inside, y has not."""
    pipeline = make_pipeline(StandardScaler(), SoftUnlearnCorrector())
    pipeline.fit(
        pd.DataFrame(X),
        pd.Series(Y),
        **{f"softunlearncorrector__{name}": value for name, value in given.items()},
    )


def in_a_search(**given):
    search = SoftUnlearnCorrectorCV(deltas=[0, 0.2], cv=2)
    search.fit(X, pd.Series(Y), **given)


def in_a_grid_search(**given):
    search = GridSearchCV(SoftUnlearnCorrector(), {"delta": [0.2]}, cv=2)
    search.set_params(error_score="raise")
    search.fit(pd.DataFrame(X), Y, **given)


def in_a_transformer(**given):
    InfluenceTransformer().fit(X, pd.Series(Y), **given)


def in_influence(**given):
    influence(LogisticRegression().fit(X, Y), X, pd.Series(Y), **given)


def in_leave_one_out(**given):
    model = LogisticRegression().fit(X, Y)
    leave_one_out(model, X, pd.Series(Y), indices=[0], **given)


def in_a_display_of_weights(**given):
    DeletionWeightsDisplay.from_estimator(EXPECTED, X, pd.Series(Y), **given)


def in_a_scorer(**given):
    fairness_scorer(PARITY)(EXPECTED, X, pd.Series(Y), **given)


def in_a_tradeoff(**given):
    TradeoffDisplay.from_path([EXPECTED], X, pd.Series(Y), **given)


def in_a_path(**given):
    SoftUnlearnCorrector().path(X, pd.Series(Y), deltas=[0.1], **given)


def in_validation_data(**given):
    held_out = ValidationData(X, pd.Series(Y), given["sensitive_features"])
    SoftUnlearnCorrector().fit(X, Y, X_val=held_out)


PLACES = [
    in_a_pipeline, in_a_search, in_a_grid_search, in_a_transformer, in_influence,
    in_leave_one_out, in_a_display_of_weights, in_a_scorer, in_a_tradeoff, in_a_path,
    in_validation_data,
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("kind", ["series", "frame", "dict"])
def test_groups_in_another_order_are_refused(place, kind):
    if kind == "dict" and place is in_a_grid_search:
        pytest.skip("scikit-learn cuts no dict to the rows of a fold")
    groups = {
        "series": SHUFFLED,
        "frame": SHUFFLED.to_frame("sex"),
        "dict": {"sex": SHUFFLED},
    }[kind]
    with pytest.raises(ValueError, match=ORDER):
        place(sensitive_features=groups)


def test_rows_with_labels_of_their_own_in_a_fold():
    """A fold has two thirds of the labels: the others are not the same set."""
    names = np.array([f"row {i}" for i in range(len(Y))])
    groups = pd.Series(GROUP, index=names).sample(frac=1, random_state=0)
    search = GridSearchCV(
        SoftUnlearnCorrector(), {"delta": [0.2]}, cv=2, error_score="raise"
    )
    with pytest.raises(ValueError, match=ORDER):
        search.fit(pd.DataFrame(X, index=names), Y, sensitive_features=groups)


@pytest.mark.parametrize("argument", ["y", "sample_weight"])
def test_other_arguments_in_another_order_are_refused(argument):
    y, weight = pd.Series(Y), pd.Series(np.ones(len(Y)))
    given = {"y": y, "sample_weight": weight, "sensitive_features": GROUP}
    given[argument] = given[argument].sample(frac=1, random_state=0)
    with pytest.raises(ValueError, match=ORDER):
        SoftUnlearnCorrector().fit(pd.DataFrame(X), **given)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(np.repeat(np.arange(200), 2)),
        pd.MultiIndex.from_product([range(20), range(20)]),
        pd.date_range("2026-01-01", periods=400, freq="h"),
    ],
    ids=["repeated", "levels", "dates"],
)
def test_any_index(index):
    frame, groups = pd.DataFrame(X, index=index), pd.Series(GROUP, index=index)
    same(fit(groups, X=frame))
    with pytest.raises(ValueError, match=ORDER):
        fit(groups.sample(frac=1, random_state=0), X=frame)


def test_indices_that_say_nothing_of_each_other_are_positions():
    chosen = np.random.default_rng(0).permutation(10**6)[: len(Y)]
    same(fit(pd.Series(GROUP, index=chosen), X=pd.DataFrame(X)))
    same(fit(pd.Series(GROUP, index=[f"r{i}" for i in range(400)]), X=pd.DataFrame(X)))


# ------------------------------------------------------------------------ containers


class Sex(enum.Enum):
    F = "f"
    M = "m"


def arrow(groups):
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.array(groups)


CONTAINERS = {
    "list": lambda g: g.tolist(),
    "tuple": lambda g: tuple(g.tolist()),
    "floats": lambda g: g.astype(float),
    "booleans": lambda g: g.astype(bool),
    "strings": lambda g: g.astype(str),
    "tuples": lambda g: pd.Series([("f", int(v)) for v in g]),
    "enum": lambda g: [Sex.M if v else Sex.F for v in g],
    "dates": lambda g: np.array(["2026-01-01", "2026-01-02"], "M8[D]")[g],
    "categories": lambda g: pd.Categorical(np.array(["f", "m"])[g]),
    "nullable": lambda g: pd.array(g, dtype="Int64"),
    "string": lambda g: pd.Series(np.array(["f", "m"])[g], dtype="string"),
    "column": lambda g: g.reshape(-1, 1),
    "masked": lambda g: np.ma.masked_array(g, np.zeros(len(g), bool)),
    "structured": lambda g: np.rec.fromarrays([g], names="sex"),
    "polars": lambda g: pl.Series(g),
    "polars enum": lambda g: pl.Series(
        np.array(["f", "m"])[g], dtype=pl.Enum(["f", "m"])
    ),
    "polars frame": lambda g: pl.DataFrame({"sex": g}),
    "arrow": arrow,
    "arrow chunks": lambda g: pytest.importorskip("pyarrow").chunked_array([g]),
    "arrow table": lambda g: pytest.importorskip("pyarrow").table({"sex": g}),
    "duplicate names": lambda g: pd.DataFrame(np.c_[g, g], columns=["a", "a"]),
    "read-only": lambda g: np.broadcast_to(g[:, None], (len(g), 1))[:, 0],
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_containers(kind):
    groups = CONTAINERS[kind](GROUP)
    same(fit(groups))
    assert fairness_scorer(PARITY)(
        EXPECTED, X, Y, sensitive_features=groups
    ) == pytest.approx(-EXPECTED.report_[PARITY, "fairlearn"].after)


@pytest.mark.parametrize("kind", ["arrow", "arrow table", "structured", "enum"])
def test_containers_are_cut_to_folds(kind):
    groups = CONTAINERS[kind](GROUP)
    held_out, search = (
        fit(g, validation_fraction=0.5, random_state=0).deletion_weights_
        for g in (groups, GROUP)
    )
    np.testing.assert_allclose(held_out, search, rtol=1e-9)


@pytest.mark.parametrize(
    ("argument", "container"),
    [
        ("sensitive_features", lambda v: np.ma.masked_array(v, np.arange(400) < 3)),
        ("sensitive_features", lambda v: {"sex": np.ma.masked_equal(v, 1)}),
        ("y", lambda v: np.ma.masked_array(v, np.arange(400) == 7)),
        ("sample_weight", lambda v: np.ma.masked_less(np.arange(400.0), 5)),
    ],
)
def test_masked_values_are_missing(argument, container):
    given = {"X": X, "y": Y, "sensitive_features": GROUP}
    given[argument] = container(given.get(argument))
    with pytest.raises(ValueError, match=rf"{argument}.* masked.*missing"):
        SoftUnlearnCorrector().fit(**given)


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA, pd.NaT])
@pytest.mark.parametrize("container", [list, tuple, lambda v: [[each] for each in v]])
def test_a_missing_value_in_a_list_of_strings_is_no_group(missing, container):
    names = np.array(["f", "m"])[GROUP].tolist()
    with pytest.raises(ValueError, match="1 missing values"):
        fit(container([missing, *names[1:]]))


def test_masked_features_are_missing():
    with pytest.raises(ValueError, match="X is a masked array"):
        fit(GROUP, X=np.ma.masked_greater(X, 2.0))


def test_values_that_are_no_groups():
    with pytest.raises(ValueError, match=r"cannot be groups.*Give"):
        fit(pd.Series([[int(v)] for v in GROUP]))


def test_two_columns_of_one_name_cannot_be_named():
    frame = pd.DataFrame(np.c_[X, GROUP, GROUP])
    frame.columns = [*map(str, range(X.shape[1])), "sex", "sex"]
    corrector = SoftUnlearnCorrector(sensitive_feature_ids="sex")
    with pytest.raises(ValueError, match=r"several columns|unique column"):
        corrector.fit(frame, Y)


# ------------------------------------------- values of validation data, not their names


@pytest.mark.parametrize(
    "convert",
    [
        lambda g: g.astype(float),
        lambda g: g.astype(bool),
        lambda g: g.astype(object),
        lambda g: pd.Series(g, dtype="category"),
        lambda g: pd.array(g, dtype="Float64"),
        lambda g: pl.Series(g.astype("int8")),
    ],
)
def test_validation_groups_are_compared_by_value(convert):
    given = {"X_val": X, "y_val": Y, "sensitive_features_val": convert(GROUP)}
    corrector = SoftUnlearnCorrector(delta=0.3)
    same(corrector.fit(X, Y, sensitive_features=GROUP, **given))


def test_validation_groups_of_several_columns_are_compared_by_value():
    races = np.arange(400) % 3
    groups = np.c_[GROUP, races]
    given = {"X_val": X, "y_val": Y, "sensitive_features_val": groups.astype(float)}
    for metric in (PARITY, GroupMetric(marginal=True)):
        corrector = SoftUnlearnCorrector(delta=0.1, metric=metric)
        corrector.fit(X, Y, sensitive_features=groups, **given)


def test_strings_are_not_numbers():
    given = {"X_val": X, "y_val": Y, "sensitive_features_val": GROUP.astype(str)}
    with pytest.raises(ValueError, match="values of the same kind"):
        SoftUnlearnCorrector().fit(X, Y, sensitive_features=GROUP, **given)


# ------------------------------------------------------------- continuous, many, small


@pytest.mark.parametrize(
    "values",
    [
        lambda rng: rng.normal(size=400),
        lambda rng: rng.integers(18, 90, 400),
        lambda rng: rng.integers(0, 21, 400),
        lambda rng: pd.Series(rng.integers(18, 90, 400), dtype="Int32"),
        lambda rng: rng.integers(18, 90, 400).astype(object),
        lambda rng: pl.Series(rng.integers(18, 90, 400)),
        lambda rng: pd.date_range("2000-01-01", periods=400).to_series().to_numpy(),
    ],
)
def test_numbers_that_are_measured_are_refused_with_a_way_out(values):
    groups = values(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"continuous.*pandas\.cut.*bins=.*astype"):
        fit(groups)


def test_few_rows_of_strings_do_not_look_continuous():
    rows = slice(0, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        y, groups = [0, 1] * 4, ["a", "b", "c", "a", "b", "c", "a", "b"]
        corrector = SoftUnlearnCorrector().fit(X[rows], y, sensitive_features=groups)
    assert corrector.groups_.tolist() == ["a", "b", "c"]


def test_names_may_be_many():
    with pytest.warns(SmallGroupWarning):
        groups = (np.arange(400) % 25).astype(str)
        corrector = SoftUnlearnCorrector(delta=0.1)
        corrector.fit(X, Y, sensitive_features=groups)
        assert len(corrector.groups_) == 25


def test_bins_of_a_numeric_column():
    age = np.random.default_rng(0).integers(18, 90, 400)
    corrector = fit(age, bins=3)
    sizes = pd.Series(pd.cut(age, [-np.inf, *np.quantile(age, [1 / 3, 2 / 3]), np.inf]))

    assert len(corrector.groups_) == 3
    assert any(name.startswith("up to") for name in corrector.groups_)
    expected = fit(sizes.astype(str).to_numpy())
    np.testing.assert_allclose(
        corrector.deletion_weights_, expected.deletion_weights_, atol=1e-8
    )
    by_edges = fit(age, bins=[30, 60]).groups_.tolist()
    assert by_edges == ["over 30, up to 60", "over 60", "up to 30"]


def test_validation_rows_are_binned_with_the_edges_of_training():
    rng = np.random.default_rng(0)
    age, later = rng.integers(18, 60, 400), rng.integers(30, 95, 400)
    given = {"X_val": X, "y_val": Y, "sensitive_features_val": later}
    corrector = SoftUnlearnCorrector(bins=2, delta=0.2)
    corrector.fit(X, Y, sensitive_features=age, **given)
    (edge,) = np.quantile(age, [0.5])
    assert corrector.groups_.tolist() == [f"over {edge:g}", f"up to {edge:g}"]


def test_small_groups_are_merged_by_name():
    names = np.array(["a", "b", "c", "d"])[
        np.select([np.arange(400) < 190, np.arange(400) < 380, np.arange(400) < 392],
                  [0, 1, 2], 3)
    ]  # fmt: skip
    with pytest.warns(SmallGroupWarning, match=r"merged.*c \(12\), d \(8\)|d \(8\)"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Fewer than 30")
            corrector = fit(names, small_groups="merge")
    assert corrector.groups_.tolist() == ["a", "b", "other"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallGroupWarning)
        expected = fit(np.where(np.isin(names, ["c", "d"]), "other", names))
    np.testing.assert_allclose(
        corrector.deletion_weights_, expected.deletion_weights_, rtol=1e-9, atol=1e-12
    )
    with pytest.raises(ValueError, match=r"c \(12\), d \(8\).*small_groups='merge'"):
        fit(names, small_groups="refuse")
    with pytest.raises(ValueError, match=r"small_groups='drop' is not known"):
        fit(names, small_groups="drop")


def test_intersections_are_merged_whole():
    two = pd.DataFrame({"sex": GROUP, "race": np.where(np.arange(400) < 30, "x", "y")})
    with pytest.warns(SmallGroupWarning, match="merged"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Fewer than 30")
            corrector = fit(two, small_groups="merge")
    assert ["other", "other"] in corrector.groups_.tolist()


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.SmallGroupWarning")
def test_a_search_merges_and_bins_once_for_all_folds():
    age = np.random.default_rng(0).integers(18, 90, 400)
    corrector = SoftUnlearnCorrector(bins=2, small_groups="merge")
    search = SoftUnlearnCorrectorCV(corrector, deltas=[0.0, 0.2], cv=2)
    search.fit(X, Y, sensitive_features=age)
    assert len(search.groups_) == 2
    assert np.isfinite(search.cv_results_[f"mean_test_{PARITY}"]).all()
    frame = pd.DataFrame(np.c_[X, age]).set_axis(
        [*"abcdefghij"][: X.shape[1]] + ["age"], axis=1
    )
    by_name = SoftUnlearnCorrectorCV(
        SoftUnlearnCorrector(bins=2, sensitive_feature_ids="age"), deltas=[0, 0.2], cv=2
    )
    assert len(by_name.fit(frame, Y).groups_) == 2
    display = DeletionWeightsDisplay.from_estimator(
        search, X, Y, sensitive_features=age
    )
    assert display.mass()["group"].nunique() == 2


@pytest.mark.parametrize("bins", [1, 0, "a", [3, 2], 2.5, True])
def test_bins_out_of_range(bins):
    with pytest.raises(ValueError, match="bins="):
        fit(GROUP, bins=bins)


def test_cross_validation_of_arrow_groups():
    groups = arrow(GROUP)
    scores = cross_val_score(
        SoftUnlearnCorrector(), X, Y, cv=2, params={"sensitive_features": groups}
    )
    expected = cross_val_score(
        SoftUnlearnCorrector(), X, Y, cv=2, params={"sensitive_features": GROUP}
    )
    np.testing.assert_allclose(scores, expected)


WORDS = np.where(GROUP == 1, "b", "a")
OF_PANDAS = {
    "index": lambda: pd.Index(WORDS),
    "pyarrow index": lambda: pd.Index(WORDS, dtype="string[pyarrow]"),
    "pyarrow numbers": lambda: pd.Index(GROUP, dtype="int64[pyarrow]"),
    "pyarrow truths": lambda: pd.Index(GROUP == 1, dtype="bool[pyarrow]"),
    "categories": lambda: pd.CategoricalIndex(WORDS),
    "tuples": lambda: pd.MultiIndex.from_arrays([WORDS, GROUP]),
    "extension array": lambda: pd.array(WORDS, dtype="string[pyarrow]"),
    "dict": lambda: {"sex": pd.Index(WORDS, dtype="string[pyarrow]")},
}


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.SmallGroupWarning")
@pytest.mark.parametrize("search", [False, True], ids=["held out", "search"])
@pytest.mark.parametrize("kind", OF_PANDAS)
def test_rows_of_what_pandas_keeps_elsewhere(kind, search):
    """Neither a Series nor an array, and none has the indexing of either."""
    groups = pytest.importorskip("pyarrow") and OF_PANDAS[kind]()
    corrector = SoftUnlearnCorrector(validation_fraction=0.3, random_state=0)
    if search:
        corrector = SoftUnlearnCorrectorCV(corrector, deltas=[0.0, 0.1], cv=2)
    found = clone(corrector).fit(X, Y, sensitive_features=groups)
    expected = corrector.fit(X, Y, sensitive_features=GROUP)
    np.testing.assert_array_equal(found.influence_, expected.influence_)
