# SPDX-License-Identifier: BSD-3-Clause
"""InfluenceDisplay and DeletionWeightsDisplay: their numbers, and that they draw."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklearn_softunlearn import (
    DeletionWeightsDisplay,
    InfluenceDisplay,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    influence,
    leave_one_out,
)
from sklearn_softunlearn.datasets import make_biased_classification
from tests.models_for_tests import precise_logistic

mpl.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=400, random_state=5)


@pytest.fixture(scope="module")
def fitted(data):
    return precise_logistic().fit(data[0], data[1])


@pytest.fixture(scope="module")
def rows(data, fitted):
    X, y, group = data
    return leave_one_out(fitted, X, y, indices=range(40), sensitive_features=group)


@pytest.fixture(scope="module")
def corrector(data):
    X, y, group = data
    return SoftUnlearnCorrector().fit(X, y, sensitive_features=group)


@pytest.mark.parametrize("estimate", ["first_order", "leverage_exact"])
def test_agreement_is_that_of_scipy(rows, estimate):
    display = InfluenceDisplay.from_leave_one_out(rows, estimate=estimate)
    actual, estimated = rows.actual[:, 0], getattr(rows, estimate)[:, 0]

    assert display.agreement_["pearson"] == pytest.approx(
        stats.pearsonr(actual, estimated).statistic
    )
    assert display.agreement_["spearman"] == pytest.approx(
        stats.spearmanr(actual, estimated).statistic
    )
    assert display.agreement_["slope"] == pytest.approx(
        np.polyfit(actual, estimated, 1)[0]
    )
    np.testing.assert_array_equal(display.utility, getattr(rows, estimate)[:, 1])


def test_plot_shows_every_row_and_the_numbers(rows):
    display = InfluenceDisplay.from_leave_one_out(rows).plot()
    points = display.ax_.lines[1]

    np.testing.assert_array_equal(points.get_xdata(), rows.actual[:, 0])
    assert "spearman 0.9" in display.ax_.texts[0].get_text()
    assert rows.names[0] in display.ax_.get_xlabel()


def test_effects_are_sorted_and_conflicts_marked(data, fitted):
    X, y, group = data
    found = influence(fitted, X, y, sensitive_features=group, utility="loss")
    display = InfluenceDisplay.from_influence(found)
    table = display.frame()
    worst = int(np.argmax(found.current[:-1]))

    assert table["metric"].is_monotonic_increasing
    values = found.values[table["row"]]
    np.testing.assert_array_equal(table["metric"], values[:, worst])
    np.testing.assert_array_equal(
        table["conflict"], (values[:, worst] < 0) & (values[:, -1] > 0)
    )
    display.plot_effects()
    drawn = [len(line.get_xdata()) for line in display.ax_.lines[:2]]
    assert drawn == [(~table["conflict"]).sum(), table["conflict"].sum()]


def test_an_estimate_alone_has_no_agreement(data, fitted):
    X, y, group = data
    found = influence(fitted, X, y, sensitive_features=group, utility="loss")
    with pytest.raises(ValueError, match="from_leave_one_out"):
        InfluenceDisplay.from_influence(found).plot()


def test_names_stand_for_positions(data, fitted, rows):
    X, y, group = data
    first, second = rows.names
    criterion = first.partition(":")[0]
    for given, position in ((first, 0), (criterion, 0), (second, 1), ("loss", 1)):
        named = InfluenceDisplay.from_leave_one_out(rows, criterion=given)
        placed = InfluenceDisplay.from_leave_one_out(rows, criterion=position)
        pd.testing.assert_frame_equal(named.frame(), placed.frame())
        assert named.metric_name == rows.names[position]
    swapped = InfluenceDisplay.from_leave_one_out(rows, criterion="loss", utility=first)
    np.testing.assert_array_equal(swapped.utility, rows.leverage_exact[:, 0])

    found = influence(fitted, X, y, sensitive_features=group, utility="loss")
    named = InfluenceDisplay.from_influence(found, metric=criterion, utility="loss")
    worst = InfluenceDisplay.from_influence(found)
    pd.testing.assert_frame_equal(named.frame(), worst.frame())
    one = InfluenceDisplay.from_influence(found, metric=found.names[0])
    np.testing.assert_array_equal(one.metric, found.values[:, 0])


def test_lengths_and_names_are_checked(rows):
    with pytest.raises(ValueError, match=r"criterion='gap' is not known.*'loss'"):
        InfluenceDisplay.from_leave_one_out(rows, criterion="gap")
    with pytest.raises(ValueError, match="one length"):
        InfluenceDisplay(metric=[1.0, 2.0], utility=[1.0])
    with pytest.raises(ValueError, match="estimate='other'"):
        InfluenceDisplay.from_leave_one_out(rows, estimate="other")


def test_mass_counts_groups_and_labels(data, corrector):
    X, y, group = data
    names = np.where(group == 1, "b", "a")
    display = DeletionWeightsDisplay.from_estimator(
        corrector, X, y, sensitive_features=names
    )
    mass = display.mass().set_index(["group", "label"])
    for g in "ab":
        for label in (0, 1):
            cell = (names == g) & (y == label)
            deleted = np.maximum(corrector.deletion_weights_[cell], 0.0).sum()

            assert mass.loc[(g, label), "total"] == cell.sum()
            assert mass.loc[(g, label), "deleted"] == pytest.approx(deleted)
    np.testing.assert_allclose(mass["share"], mass["deleted"] / mass["total"])
    assert mass["deleted"].sum() == pytest.approx(corrector.report_.deleted_mass)
    bars = display.plot().ax_.patches
    np.testing.assert_allclose(
        sorted(bar.get_width() for bar in bars), sorted(100 * mass["share"])
    )


def test_frame_joins_the_rows_of_the_user(data, corrector):
    X, y, group = data
    table = pd.DataFrame(X).add_prefix("f").assign(label="own")
    table.index = np.arange(len(table)) + 1000
    display = DeletionWeightsDisplay.from_estimator(
        corrector, table, y, sensitive_features=group
    )
    frame = display.frame(10)

    assert frame["deletion_weight"].is_monotonic_decreasing
    assert frame["deletion_weight"].iloc[0] == corrector.deletion_weights_.max()
    pd.testing.assert_index_equal(frame.index, table.index[frame["row"]])
    np.testing.assert_array_equal(frame["f3"], X[frame["row"], 3])
    np.testing.assert_array_equal(frame["label"], y[frame["row"]])
    assert set(frame["label_X"]) == {"own"}
    assert len(display.frame()) == np.sum(corrector.deletion_weights_ > 0)


def test_without_groups_and_from_a_search(data):
    X, y, group = data
    search = SoftUnlearnCorrectorCV(deltas=[0.4], cv=2, refit=lambda table: 0)
    search.fit(X, y, sensitive_features=group)
    display = DeletionWeightsDisplay.from_estimator(search, X, y)

    assert set(display.mass()["group"]) == {"all"}
    assert list(display.frame(1).columns[4:6]) == ["x0", "x1"]
    assert display.plot().ax_.get_ylabel() == "group"


@pytest.fixture(scope="module")
def regression(data):
    X, y, group = data
    target = 1000 * (y + X[:, 0]).round(2)
    corrector = SoftUnlearnCorrector(Ridge(), metric="mean_prediction_difference")
    return X, target, group, corrector.fit(X, target, sensitive_features=group)


def test_mass_of_a_regression_counts_quarters_of_the_target(regression):
    X, target, group, corrector = regression
    display = DeletionWeightsDisplay.from_estimator(
        corrector, X, target, sensitive_features=group
    )
    mass = display.mass()
    edges = np.quantile(target, [0.0, 0.25, 0.5, 0.75, 1.0])
    quarter = np.searchsorted(edges[1:-1], target)

    assert len(mass) == 8
    names = list(mass["label"].cat.categories)
    assert names[0].startswith(f"{edges[0]:.0f} to ")
    for (_, row), (g, q) in zip(mass.iterrows(), np.ndindex(2, 4), strict=True):
        cell = (group == g) & (quarter == q)
        assert row["label"] == names[q] and row["total"] == cell.sum()
        assert row["deleted"] == pytest.approx(
            np.maximum(corrector.deletion_weights_[cell], 0.0).sum()
        )
    legend = display.plot().ax_.get_legend()
    assert [t.get_text() for t in legend.get_texts()] == [f"target {n}" for n in names]
    # Every row keeps its own value.
    table = display.frame(5)
    np.testing.assert_array_equal(table["label"], target[table["row"]])


@pytest.mark.parametrize(
    ("y", "n_bins", "labels"),
    [
        ([1.0, 2.0, 3.0, 4.0], 4, [1.0, 2.0, 3.0, 4.0]),
        ([1.0, 2.0, 3.0, 4.0], None, [1.0, 2.0, 3.0, 4.0]),
        ([1, 2, 3, 4], 2, ["1 to 2.5", "2.5 to 4"]),
        # Half of the rows are 0: the first quarter is empty.
        ([0, 0, 0, 0, 0, 1, 2, 3, 4], 4, ["0 to 2", "2 to 4"]),
        # As many digits as keep the edges apart.
        (
            [100000.0, 100000.1, 100000.2, 100000.3],
            3,
            ["100000 to 100000.1", "100000.1 to 100000.2", "100000.2 to 100000.3"],
        ),
    ],
)
def test_intervals_of_a_target(y, n_bins, labels):
    display = DeletionWeightsDisplay(np.zeros(len(y)), y, n_bins=n_bins)
    mass = display.mass()

    assert mass["label"].to_list() == labels
    assert mass["total"].sum() == len(y)


def test_classes_are_never_binned(data):
    X = data[0]
    y = np.arange(len(X)) % 6
    corrector = SoftUnlearnCorrector(metric="loss", delta=0.0).fit(X, y)
    display = DeletionWeightsDisplay.from_estimator(corrector, X, y)

    assert set(display.mass()["label"]) == set(range(6))


@pytest.mark.parametrize(
    "kind", ["pandas", "unnamed pandas", "polars", "polars frame", "list"]
)
def test_texts_are_shown_as_a_column(data, kind):
    _, y, group = data
    texts = [f"word{i % 7} word{i % 3}" for i in range(len(y))]
    given = {
        "pandas": lambda: pd.Series(texts, name="text", index=range(900, 1300)),
        "unnamed pandas": lambda: pd.Series(texts),
        "polars": lambda: pytest.importorskip("polars").Series("text", texts),
        "polars frame": lambda: pytest.importorskip("polars").DataFrame(
            {"text": texts}
        ),
        "list": lambda: texts,
    }[kind]()
    display = DeletionWeightsDisplay(y * 0.5, y, group=group, X=given)
    table = display.frame(20)
    column = "x0" if kind in ("unnamed pandas", "list") else "text"

    assert table[column].to_list() == [texts[i] for i in table["row"]]


def test_a_model_of_texts(data):
    _, y, group = data
    texts = pd.Series([f"word{i % 7} word{label}" for i, label in enumerate(y)])
    model = make_pipeline(HashingVectorizer(n_features=16), precise_logistic())
    corrector = SoftUnlearnCorrector(model, delta=0.05)
    corrector.fit(texts, y, sensitive_features=group)
    display = DeletionWeightsDisplay.from_estimator(
        corrector, texts, y, sensitive_features=group
    )
    table = display.frame(3)

    np.testing.assert_array_equal(table["x0"], texts[table["row"]])


def test_other_rows_are_refused(data, corrector):
    X, y, _ = data
    with pytest.raises(ValueError, match="the rows that the corrector was fitted on"):
        DeletionWeightsDisplay.from_estimator(corrector, X[:50], y[:50])
    with pytest.raises(ValueError, match="n_bins=0 must be None or at least 1"):
        DeletionWeightsDisplay([0.0], [1.0], n_bins=0)
