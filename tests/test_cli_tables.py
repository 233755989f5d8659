# SPDX-License-Identifier: BSD-3-Clause
"""What the command line makes of a CSV file's cells, and whether it sees the groups."""

import json

import numpy as np
import pandas as pd
import pytest

from sklearn_softunlearn.cli import _audit as audit_module
from sklearn_softunlearn.cli import main
from sklearn_softunlearn.cli._arguments import parse_arguments
from sklearn_softunlearn.cli._csv import plain_values, read_csv
from sklearn_softunlearn.cli._notices import CommandError
from sklearn_softunlearn.cli._sources import load_table, load_test


@pytest.fixture
def read(tmp_path):
    """Read a file with these columns of text, cells between these separators."""

    def read_columns(separator=",", as_written=(), **columns):
        path = tmp_path / "table.csv"
        pd.DataFrame(columns).to_csv(path, sep=separator, index=False)
        return read_csv(path, as_written)

    return read_columns


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["1.5", "-2e3", ".5", "4."], [1.5, -2000, 0.5, 4]),
        (["0,25", "-1,5", "3"], [0.25, -1.5, 3]),
        (["1.234,5", "12,25"], [1234.5, 12.25]),
        (["1,234.5", "12.25"], [1234.5, 12.25]),
        (["1,234,567", "999"], [1234567, 999]),
        (["1.234.567", "999"], [1234567, 999]),
        (["1 234", "1\u00a0234", "1\u202f234,5"], [1234, 1234, 1234.5]),
        (["1'234.50", "7"], [1234.5, 7]),
        (["12%", "7.5 %"], [0.12, 0.075]),
        (["12,5%", "7%"], [0.125, 0.07]),
        (["$5", "-$1,234.00", "$ 7"], [5, -1234, 7]),
        (["5 €", "7,5 €", "1.000,25 €"], [5, 7.5, 1000.25]),
        (["EUR 5", "7 EUR"], [5, 7]),
        (["\N{MINUS SIGN}5", "3"], [-5, 3]),
        (["True", "FALSE", "true"], [1, 0, 1]),
        (["inf", "-Infinity", "1"], [np.inf, -np.inf, 1]),
    ],
    ids=str,
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_numbers_in_usual_spellings_are_numbers(read, cells, numbers, separator):
    frame = read(separator, x=cells, other=["a"] * len(cells))
    np.testing.assert_allclose(frame["x"].astype(float), numbers, rtol=1e-12)
    assert frame["x"].dtype == np.float64
    assert frame["other"].tolist() == ["a"] * len(cells)


@pytest.mark.parametrize(
    "cells",
    [
        ["NA", "None", "x"],
        ["nan", "null", "y"],
        ["2020-01-05", "2021-02-07"],
        ["1-2", "3-4"],
        ["10:30", "11:15"],
        ["9A", "12B"],
        ["1,2,3", "4,5"],
        ["1.2.3", "1.10.0"],
        ["%", "$"],
        ["-", "?"],
    ],
    ids=str,
)
def test_what_is_no_number_stays_as_it_is_written(read, cells):
    assert read(x=cells, other=["a"] * len(cells))["x"].tolist() == cells


def test_only_an_empty_cell_is_missing(read, capsys):
    frame = read(x=["NA", "", "None", "a"], other=["1", "", "3", "4"])
    assert frame["x"].isna().tolist() == [False, True, False, False]
    assert frame["other"].isna().tolist() == [False, True, False, False]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("marker", ["NA", "nan", "n/a", "?", "-", "NULL"])
def test_a_marker_among_numbers_is_missing_and_said(read, capsys, marker):
    frame = read(income=["1.5", marker, "3"], other=["a", "b", "c"])
    np.testing.assert_array_equal(frame["income"], [1.5, np.nan, 3])
    assert f"column 'income': {marker!r} among numbers" in capsys.readouterr().err


def test_groups_and_labels_are_taken_as_written(read):
    cells = ["NA", "007", "1,5", "None", "1.0"]
    frame = read(as_written=["group"], group=cells, x=list("12345"))
    assert frame["group"].tolist() == cells


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["0", "1"], [0, 1]),
        (["0.0", "1.0"], [0.0, 1.0]),
        (["True", "False"], [True, False]),
        (["yes", "nan"], ["yes", "nan"]),
        (["1", "NA"], ["1", "NA"]),
    ],
)
def test_labels_are_numbers_only_where_all_are(cells, values):
    found = plain_values(pd.Series(cells, dtype=object))
    assert found.tolist() == values
    assert type(found[0].item() if hasattr(found[0], "item") else found[0]) is type(
        values[0]
    )


def test_other_columns_tell_what_a_lone_separator_means(read):
    by_comma = read(";", a=["1,234", "5,678"], b=["0,5", "2,25"])
    np.testing.assert_allclose(by_comma["a"], [1.234, 5.678])
    by_point = read(";", a=["1,234", "5,678"], b=["0.5", "2.25"])
    np.testing.assert_allclose(by_point["a"], [1234, 5678])
    grouped = read(";", a=["1.234", "5.678"], b=["0,5", "2,25"])
    np.testing.assert_allclose(grouped["a"], [1234, 5678])


def test_alone_a_point_begins_the_fraction_and_a_comma_between_commas_groups(read):
    np.testing.assert_allclose(read(a=["1.234", "5.678"])["a"], [1.234, 5.678])
    np.testing.assert_allclose(read(a=["1,234", "567"], b=["x", "y"])["a"], [1234, 567])


@pytest.mark.parametrize(
    "columns",
    [
        {"a": ["1,234", "5,678"], "b": ["x", "y"]},
        {"a": ["1,234", "5,678"], "b": ["0,5", "1"], "c": ["0.5", "1"]},
        {"a": ["1.234", "5.678"], "b": ["0,5", "1"], "c": ["0.5", "1"]},
    ],
)
def test_a_number_that_may_be_two_is_refused_by_name(read, columns):
    with pytest.raises(CommandError, match=r"column 'a': '1[.,]234' may be 1"):
        read(";", **columns)


@pytest.mark.parametrize(
    ("cells", "units"), [(["12%", "0.5"], "%, none"), (["$5", "5 €"], r"\$, €")]
)
def test_numbers_of_several_units_are_refused_by_name(read, cells, units):
    with pytest.raises(CommandError, match=rf"column 'a'.*units \({units}\)"):
        read(a=cells, b=["x", "y"])


def test_text_among_many_numbers_is_said(read, capsys):
    cells = [f"{k}.5" for k in range(30)] + ["about 7"]
    assert read(income=cells, b=cells)["income"].tolist() == cells
    assert "'income': taken as categories, since 'about 7'" in capsys.readouterr().err


def test_more_cells_than_names_are_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,5,x\n2,5,y\n")
    with pytest.raises(CommandError, match="more cells than its header"):
        read_csv(path)


def test_a_header_with_quoted_commas_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes('"a, b, c";d\n1,5;x\n'.encode("utf-8-sig"))
    frame = read_csv(path)
    assert frame.to_dict("records") == [{"a, b, c": 1.5, "d": "x"}]


def people(n_samples=1200):
    """The group decides who was hired, and the columns tell little of it."""
    rng = np.random.default_rng(0)
    sex = rng.choice(["NA", "None"], n_samples)
    score = rng.normal(size=n_samples)
    odds = score + 2.0 * (sex == "NA") - 1.0
    hired = odds + rng.logistic(size=n_samples) > 0
    return pd.DataFrame({"score": score.round(3), "sex": sex, "hired": hired * 1})


OPTIONS = ("--target", "hired", "--sensitive", "sex")


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(audit_module, "N_BOOTSTRAP", 20)

    def run_main(*argv, **options):
        people().to_csv("people.csv", index=False, **options)
        code = main(["--csv", "people.csv", *OPTIONS, *argv])
        return code, *capsys.readouterr()

    yield run_main
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.close("all")


def load(path):
    skops = pytest.importorskip("skops.io")
    return skops.load(path, trusted=skops.get_untrusted_types(file=path))


def test_groups_called_na_and_none_in_a_european_file_give_the_same_audit(run):
    code, out, _ = run("--json")
    european, again, err = run("--json", sep=";", decimal=",")
    assert code == european == 0
    before, after = json.loads(out), json.loads(again)
    assert set(before["before"]["selection_rate"]) == {"NA", "None"}
    for when in ("before", "after"):
        assert before[when] == after[when]
    assert "column 'score': numbers with a decimal comma" in err


def test_the_model_sees_the_groups_only_where_it_is_asked_to(run):
    without, with_groups = (
        json.loads(run("--json", "--save", "model.skops", *option)[1])
        for option in ((), ("--keep-sensitive",))
    )
    assert [r["groups_are_features"] for r in (without, with_groups)] == [False, True]
    gap = "demographic_parity_difference"
    assert with_groups["before"][gap] > 0.3 > 0.1 > without["before"][gap]
    assert "sex" in load("model.skops").feature_names_in_


def test_a_saved_model_predicts_without_the_column_of_the_groups(run):
    _, out, _ = run("--save", "model.skops")
    assert "the model does not see sex (--keep-sensitive would let it)" in out
    model = load("model.skops")
    assert list(model.feature_names_in_) == ["score"]
    assert set(model.predict(people()[["score"]])) == {0, 1}


def test_several_columns_of_groups_are_left_out(tmp_path):
    frame = people().assign(young=lambda f: np.where(f.score > 0, "y", "n"), age=1.5)
    frame.to_csv(tmp_path / "t.csv", index=False)
    argv = ["--csv", str(tmp_path / "t.csv"), "--target", "hired", "--sensitive"]
    argv += ["sex", "young"]
    assert list(load_table(parse_arguments(argv)).X) == ["score", "age"]
    kept = load_table(parse_arguments([*argv, "--keep-sensitive"]))
    assert list(kept.X) == ["score", "sex", "young", "age"]


def test_categories_of_a_test_file_are_those_of_the_table(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    frame = people().assign(town=lambda f: np.where(f.score > 0, "7", "A"))
    frame.to_csv("all.csv", index=False)
    frame[frame.town == "7"].to_csv("test.csv", index=False)  # would be numbers alone
    argv = ["--csv", "all.csv", *OPTIONS, "--test", "test.csv", "--json"]
    options = parse_arguments(argv)
    table = load_table(options)
    assert set(load_test(options, table).X["town"]) == {"7"}


@pytest.mark.parametrize(
    ("name", "column"), [("adult", "sex"), ("bank", "age"), ("credit", "SEX")]
)
def test_the_groups_of_a_data_set_are_no_feature(request, data_home, name, column):
    request.getfixturevalue(name)  # skips if it is not in the cache
    argv = ["--dataset", name, "--data-home", str(data_home)]
    assert column not in load_table(parse_arguments(argv)).X
    assert column in load_table(parse_arguments([*argv, "--keep-sensitive"])).X
