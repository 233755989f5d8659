# SPDX-License-Identifier: BSD-3-Clause
"""The command line: what it prints, writes and refuses."""

import json
import re
import socket
import subprocess
import sys
import warnings
from pathlib import Path
from urllib.error import URLError

import joblib
import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference
from sklearn.metrics import accuracy_score, log_loss

from sklearn_softunlearn import Audit
from sklearn_softunlearn.cli import _audit as audit_module
from sklearn_softunlearn.cli import _files as files
from sklearn_softunlearn.cli import _main as main_module
from sklearn_softunlearn.cli import _sources as sources
from sklearn_softunlearn.cli import main
from sklearn_softunlearn.cli._arguments import parse_arguments
from sklearn_softunlearn.cli._columns import remarks
from sklearn_softunlearn.cli._model import correct_model
from sklearn_softunlearn.cli._sources import load_table
from sklearn_softunlearn.cli._table import split
from sklearn_softunlearn.cli._verdict import verdict
from sklearn_softunlearn.exceptions import InfeasibleDeltaWarning

AUDITED = ["accuracy", "log_loss", "selection_rate: ", "demographic_parity_difference"]
AUDITED += ["equalized_odds_difference", "deleted mass", "for the fit", "correction"]
SIMULATED = ["--dataset", "simulated"]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command in an empty folder; return the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOFTUNLEARN_DATA_HOME", raising=False)
    monkeypatch.setattr(audit_module, "N_BOOTSTRAP", 50)

    def run_main(*argv):
        code = main([str(argument) for argument in argv])
        return code, *capsys.readouterr()

    yield run_main
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.fixture
def frame():
    """Numeric and categorical columns with missing values, two groups, two classes."""
    rng = np.random.default_rng(0)
    n_samples = 600
    sex = rng.choice(["f", "m"], n_samples)
    income = rng.normal(size=n_samples) + (sex == "m")
    bought = income + rng.logistic(size=n_samples) > 0.5
    town = pd.Series(rng.choice(["Ulm", "Bonn", "Kiel"], n_samples), dtype=object)
    frame = pd.DataFrame({"income": income, "town": town, "sex": sex})
    frame["bought"] = np.where(bought, "yes", "no")
    frame["age"] = rng.integers(18, 90, n_samples)
    frame["constant"] = 1
    frame["empty"] = np.nan
    frame.loc[::7, "income"] = np.nan
    frame.loc[::5, "town"] = np.nan
    return frame


@pytest.fixture
def csv(frame, tmp_path):
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def held_out_rows(*argv):
    return split(load_table(parse_arguments([str(a) for a in argv])))[2]


def load_skops(path):
    from skops.io import get_untrusted_types, load

    return load(path, trusted=get_untrusted_types(file=path))


def test_text_names_everything_that_is_audited(run):
    code, out, _ = run(*SIMULATED)
    assert code == 0
    assert [name for name in AUDITED if name not in out] == []


def test_the_gap_falls_by_about_the_fraction_asked_for(run):
    _, out, _ = run(*SIMULATED, "--json", "--delta", "0.5")
    result = json.loads(out)
    name = "demographic_parity_difference"
    assert 0.3 < result["after"][name] / result["before"][name] < 0.7
    assert 0 < result["deleted_mass"] < result["rows"]["training"]


def test_delta_zero_changes_nothing(run):
    _, out, _ = run(*SIMULATED, "--json", "--delta", "0")
    result = json.loads(out)
    assert result["after"] == result["before"]
    assert result["deleted_mass"] == 0.0


def test_json_has_numbers_only_and_nothing_else_on_stdout(run):
    _, out, _ = run(*SIMULATED, "--json")
    result = json.loads(out)
    assert result["delta"] == 0.5 and 0 < result["delta_max"]
    assert result["seconds"].keys() == {"fit", "correction"}
    assert set(result["before"]) == set(result["after"])
    assert sum(result["rows"].values()) == 20_000


def test_the_audit_is_that_of_the_saved_model_on_rows_it_never_saw(run, csv):
    argv = ("--csv", csv, "--target", "bought", "--sensitive", "sex")
    _, out, err = run(*argv, "--json", "--save", "model.skops")
    after = json.loads(out)["after"]
    assert "model.skops" in err

    model, rows = load_skops("model.skops"), held_out_rows(*argv)
    y_true, y_pred = rows.y == "yes", model.predict(rows.X) == "yes"
    gap = demographic_parity_difference(y_true, y_pred, sensitive_features=rows.groups)
    assert after["demographic_parity_difference"] == pytest.approx(gap, abs=1e-12)
    assert after["accuracy"] == pytest.approx(accuracy_score(y_true, y_pred))
    loss = log_loss(rows.y, model.predict_proba(rows.X))
    assert after["log_loss"] == pytest.approx(loss)
    for group, rate in after["selection_rate"].items():
        assert rate == pytest.approx(y_pred[rows.groups == group].mean())


def test_the_three_parts_share_no_row_and_lose_none():
    parts = split(load_table(parse_arguments(SIMULATED)))
    index = np.concatenate([part.X.index for part in parts])
    assert sorted(index) == list(range(20_000))


def test_several_sensitive_columns_are_intersections(run, csv):
    argv = ("--csv", csv, "--target", "bought", "--json", "--sensitive", "sex", "town")
    code, out, err = run(*argv)
    assert code == 0
    names = {f"{sex}, {town}" for sex in "fm" for town in ("Ulm", "Bonn", "Kiel")}
    assert set(json.loads(out)["before"]["selection_rate"]) == names
    assert "120 rows without a value of bought, sex, town are left out" in err


def test_labels_of_any_kind_give_the_same_audit(run, csv, frame, tmp_path):
    frame["bought"] = (frame["bought"] == "yes").astype(int)
    numbers = tmp_path / "numbers.csv"
    frame.to_csv(numbers, index=False)
    options = ("--target", "bought", "--sensitive", "sex", "--json")
    first, second = (
        json.loads(run("--csv", path, *options)[1])["after"] for path in (csv, numbers)
    )
    rates = [found.pop("selection_rate") for found in (first, second)]
    assert first == pytest.approx(second, rel=1e-9)
    assert rates[0] == pytest.approx(rates[1], rel=1e-9)


def is_one_line(text, start):
    return text.startswith(start) and text.count("\n") == 1


@pytest.mark.parametrize(
    ("target", "sensitive", "message"),
    [
        ("buy", "sex", "no column 'buy' in"),
        ("bought", "gender", "no column 'gender' in"),
        ("constant", "sex", "target 'constant' has 1 class(es) (1)"),
        ("town", "sex", "target 'town' has 3 class(es)"),
        ("bought", "constant", "has one group only"),
        ("bought", "age", "'age' has 72 distinct values"),
        ("bought", "bought", "cannot be both"),
        ("empty", "sex", "no row with a label"),
    ],
)
def test_a_wrong_column_ends_with_one_line(run, csv, target, sensitive, message):
    options = ("--csv", csv, "--target", target, "--sensitive", sensitive)
    code, out, err = run(*options)
    assert (code, out) == (2, "")
    last = err.splitlines(keepends=True)[-1]
    assert is_one_line(last, "error: ") and message in last


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00a", b'a,b\n1,"2\n'])
def test_an_unreadable_file_ends_with_one_line(run, tmp_path, content):
    path = tmp_path / "broken.csv"
    if content is not None:
        path.write_bytes(content)
    code, out, err = run("--csv", path, "--target", "a", "--sensitive", "b")
    assert (code, out) == (2, "")
    assert is_one_line(err, f"error: cannot read {path}")


def test_a_tiny_group_and_a_tiny_class_are_refused(run, frame, csv):
    frame.loc[:2, "sex"] = "x"
    frame.to_csv(csv, index=False)
    code, _, err = run("--csv", csv, "--target", "bought", "--sensitive", "sex")
    assert code == 2 and "group 'x' of 'sex' has only 3 rows" in err

    frame["bought"] = ["yes"] * 4 + ["no"] * (len(frame) - 4)
    frame.to_csv(csv, index=False)
    code, _, err = run("--csv", csv, "--target", "bought", "--sensitive", "sex")
    assert code == 2 and "only 4 rows of class yes" in err


def test_infinite_values_are_refused_with_the_name_of_their_column(run, frame, csv):
    frame.loc[3, "income"] = np.inf
    frame.to_csv(csv, index=False)
    code, _, err = run("--csv", csv, "--target", "bought", "--sensitive", "sex")
    assert code == 2
    assert is_one_line(err, "error: column 'income' has infinite values")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--delta", "1.5"), "delta"),
        (("--delta", "nan"), "delta"),
        (("--metric", "beauty"), "metric"),
    ],
)
def test_an_option_that_the_corrector_refuses_ends_with_one_line(run, options, message):
    code, out, err = run(*SIMULATED, *options)
    assert (code, out) == (2, "")
    assert is_one_line(err, "error: ") and message in err


@pytest.mark.parametrize(
    "argv",
    [
        ["--csv", "a.csv"],
        ["--target", "y"],
        ["--csv", "a", "--target", "y", "--sensitive", "g", "--dataset", "bank"],
        ["--dataset", "iris"],
        ["--delta", "half"],
    ],
)
def test_misused_options_exit_with_code_2(argv):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2


@pytest.fixture
def no_network(monkeypatch):
    def fetcher(data_home):
        raise URLError("no route")

    for name, (_, rule) in sources.FETCHED.items():
        monkeypatch.setitem(sources.FETCHED, name, (fetcher, rule))


def test_without_options_and_network_the_data_is_simulated(run, no_network):
    code, out, err = run("--json")
    assert code == 0
    assert json.loads(out)["dataset"] == "simulated"
    assert "Adult is neither cached nor reachable" in err.splitlines()[0]


def test_a_data_set_asked_for_by_name_is_not_replaced(run, no_network):
    code, out, err = run("--dataset", "bank")
    assert (code, out) == (2, "")
    assert is_one_line(err, "error: data set 'bank' is neither cached nor reachable")


def test_waiting_for_the_network_is_bounded_and_then_as_before():
    before = socket.getdefaulttimeout()
    with pytest.raises(ZeroDivisionError), sources._impatient_network():
        assert socket.getdefaulttimeout() == sources.NETWORK_TIMEOUT
        raise ZeroDivisionError
    assert socket.getdefaulttimeout() == before


@pytest.mark.parametrize("name", ["adult", "bank", "credit"])
def test_real_data_through_fairlearn(run, request, data_home, name):
    request.getfixturevalue(name)  # skips if it is not in the cache
    code, out, err = run("--dataset", name, "--data-home", data_home, "--json")
    result = json.loads(out)
    assert code == 0 and "error" not in err
    gap = "demographic_parity_difference"
    assert result["dataset"] == name
    assert len(result["before"]["selection_rate"]) == 2
    assert result["after"][gap] < result["before"][gap]


def test_data_home_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("SOFTUNLEARN_DATA_HOME", "somewhere")
    assert parse_arguments([]).data_home == "somewhere"


def test_the_name_says_that_joblib_is_wanted(run):
    code, _, err = run(*SIMULATED, "--save", "model.pkl")
    assert code == 0 and "skops" not in err
    assert hasattr(joblib.load("model.pkl"), "predict")


def test_a_data_home_that_does_not_exist_is_not_made(run):
    code, _, err = run("--dataset", "adult", "--data-home", "nowhere")
    assert code == 2 and "--data-home nowhere is not a folder" in err
    assert not Path("nowhere").exists()


def test_without_skops_the_model_is_written_with_joblib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    code, _, err = run(*SIMULATED, "--save", "model.bin")
    assert code == 0 and "skops is not installed" in err
    rows = held_out_rows(*SIMULATED)
    assert set(joblib.load("model.bin").predict(rows.X)) == {0, 1}


def test_a_model_that_cannot_be_written_ends_with_one_line(run):
    code, _, err = run(*SIMULATED, "--save", "missing/model.skops")
    assert code == 2
    assert is_one_line(err, "error: cannot write missing/model.skops")


def test_the_curve_is_written_as_png(run, tmp_path):
    pytest.importorskip("matplotlib")
    code, _, err = run(*SIMULATED, "--plot", "curve.png")
    assert code == 0 and "curve.png" in err
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_no_curve_and_a_notice(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    code, out, err = run(*SIMULATED)
    assert code == 0 and "deleted mass" in out
    assert "matplotlib is not installed" in err
    assert not list(tmp_path.iterdir())


def run_module(cwd, *argv):
    command = [sys.executable, "-m", "sklearn_softunlearn", *argv]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_as_a_module(tmp_path):
    done = run_module(tmp_path, *SIMULATED)
    assert done.returncode == 0
    assert "demographic_parity_difference" in done.stdout
    assert "Warning" not in done.stderr and "Traceback" not in done.stderr


def test_as_a_module_failing(tmp_path):
    done = run_module(tmp_path, "--csv=no.csv", "--target=a", "--sensitive=b")
    assert (done.returncode, done.stdout) == (2, "")
    assert is_one_line(done.stderr, "error: cannot read no.csv")


def test_every_metric_of_the_corrector_has_an_audit_and_a_curve(run):
    for metric in ("f1_score_difference", "group_loss"):
        code, out, err = run(*SIMULATED, "--metric", metric)
        assert code == 0 and "deleted mass" in out
        assert "trade-off curve: " in err and "no trade-off" not in err
        audited = re.search(rf"^{metric} +0.\d+ +0.\d+ ", out, re.MULTILINE)
        assert bool(audited) == (metric == "f1_score_difference")


@pytest.mark.parametrize(
    ("option", "name", "reason"),
    [
        ("--plot", "curve.foo", "takes a name that ends in .png"),
        ("--html", "audit.txt", "takes a name that ends in .html"),
        ("--html", "missing/audit.html", "missing is not a folder"),
        ("--save", "missing/model.skops", "missing is not a folder"),
        ("--save", ".", "it is a folder"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused_first(
    run, monkeypatch, option, name, reason
):
    monkeypatch.setattr(main_module, "load_table", None)  # not even the data is read
    code, out, err = run(*SIMULATED, option, name)
    assert (code, out) == (2, "")
    assert is_one_line(err, f"error: cannot write {name}: ") and reason in err


def test_the_page_is_the_audit_of_the_json(run, csv, tmp_path):
    argv = ("--csv", csv, "--target", "bought", "--sensitive", "sex", "--json")
    code, out, err = run(*argv, "--html", "audit.html", "--save", "model.joblib")
    assert code == 0 and "audit: audit.html" in err
    document = json.loads(out)["audit"]
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert Audit(document).to_html() == page
    assert "Audit: table.csv by sex" in page
    # rows as they stand in the table, under their number there
    row = document["deletion"]["largest"][0]
    frame = pd.read_csv(csv)
    assert row["features"]["town"] in (frame.loc[row["index"], "town"], None)
    assert row["group"] == frame.loc[row["index"], "sex"]
    assert len(document["tradeoff"]["points"]) == 11


def test_the_json_says_what_went_wrong(run):
    code, out, err = run(*SIMULATED, "--json", "--metric", "equalized_odds_difference",
                         "--delta", "1")  # fmt: skip
    result = json.loads(out)
    assert code == 0
    assert result["schema"] == {"name": "sklearn_softunlearn.cli", "version": "1.2"}
    assert result["status"] in ("optimal", "infeasible")
    assert all(isinstance(note, str) for note in result["notes"])
    said = [f"warning: {w['message']}" for w in result["warnings"]]
    assert [line for line in err.splitlines() if line.startswith("warning")] == said


def test_warnings_are_in_the_json(run, monkeypatch):
    def correct(*args, **kwargs):
        warnings.warn("Mind the gap.\nAnd more.", InfeasibleDeltaWarning, stacklevel=2)
        return correct_model(*args, **kwargs)

    monkeypatch.setattr(main_module, "correct_model", correct)
    _, out, err = run(*SIMULATED, "--json")
    found = {"category": "InfeasibleDeltaWarning", "message": "Mind the gap."}
    assert found in json.loads(out)["warnings"]
    assert "warning: Mind the gap." in err.splitlines()


def test_the_keys_of_the_json_are_documented(run):
    _, out, _ = run(*SIMULATED, "--json")
    documented = Path(__file__).parents[1] / "doc" / "howto" / "command_line.md"
    rows = re.findall(r"^\| `(\w+)` \|", documented.read_text(), re.MULTILINE)
    assert rows == list(json.loads(out))


def test_a_change_has_its_interval_in_the_text(run):
    _, out, _ = run(*SIMULATED)
    line = re.search(r"^accuracy .*$", out, re.MULTILINE)[0].split()
    change, low, high = float(line[3]), float(line[4]), float(line[6])
    assert low <= change <= high


@pytest.fixture
def of_csv(csv):
    return ("--csv", csv, "--target", "bought", "--sensitive", "sex", "--json")


def test_dropped_columns_are_not_seen(run, frame, of_csv):
    _, out, _ = run(*of_csv, "--drop", "income", "town", "--save", "model.joblib")
    assert json.loads(out)["schema"]["version"] == "1.2"
    model = joblib.load("model.joblib")
    seen = set(model.feature_names_in_)
    assert seen == {"age", "constant"}


def test_a_column_to_drop_must_exist(run, of_csv):
    code, _, err = run(*of_csv, "--drop", "wage")
    assert code == 2 and is_one_line(err, "error: no column 'wage' to drop")


def test_the_positive_class_is_the_one_named(run, of_csv):
    results = [
        json.loads(run(*of_csv, "--positive", label)[1]) for label in ("yes", "no")
    ]
    assert [r["positive_class"] for r in results] == ["yes", "no"]
    yes, no = (r["before"]["selection_rate"] for r in results)
    assert all(yes[group] + no[group] == pytest.approx(1.0) for group in yes)


def test_a_number_is_a_label_however_it_is_written(run, frame, csv, of_csv):
    frame["bought"] = (frame["bought"] == "yes").astype(float)
    frame.to_csv(csv, index=False)
    assert json.loads(run(*of_csv, "--positive", "0")[1])["positive_class"] == "0.0"
    code, _, err = run(*of_csv, "--positive", "maybe")
    assert code == 2 and is_one_line(err, "error: target 'bought' has no class 'maybe'")


def test_the_correction_is_the_one_asked_for(run, of_csv):
    argv = ("--weighting", "hard", "--update", "newton", "--utility-tol", "0.1")
    result = json.loads(run(*of_csv, *argv)[1])
    asked = {n: result[n] for n in ("weighting", "update", "utility_tol")}
    assert asked == {"weighting": "hard", "update": "newton", "utility_tol": 0.1}
    unbound = json.loads(run(*of_csv, "--utility-tol", "none")[1])
    assert unbound["utility_tol"] is None
    code, _, err = run(*of_csv, "--update", "magic")
    last = err.splitlines(keepends=True)[-1]
    assert code == 2 and is_one_line(last, "error: ") and "update" in last


def test_the_seed_decides_which_rows_are_held_out(of_csv):
    options = parse_arguments([str(a) for a in of_csv])
    table = load_table(options)
    first, again, other = (
        split(table, seed=seed)[2].X.index.tolist() for seed in (3, 3, 4)
    )
    assert first == again != other


def test_the_audit_is_made_on_the_file_of_test_rows(run, frame, of_csv, tmp_path):
    rows = frame.iloc[:200].drop(columns="empty")
    rows.assign(extra=1).to_csv(tmp_path / "test.csv", index=False)
    code, out, _ = run(*of_csv, "--test", "test.csv", "--save", "model.joblib")
    result = json.loads(out)
    assert code == 0
    assert result["rows"] == {"training": 510, "evaluation": 90, "held_out": 200}
    predicted = joblib.load("model.joblib").predict(rows)
    accuracy = accuracy_score(rows["bought"], predicted)
    assert result["after"]["accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="income"), "lacks the column 'income'"),
        (lambda rows: rows.assign(sex="x"), "has the group 'x'"),
        (lambda rows: rows.assign(bought="perhaps"), "has the class 'perhaps'"),
        (lambda rows: rows.assign(bought=1), "has the class '1'"),
        (lambda rows: rows.assign(income="much"), "'income' holds numbers"),
    ],
)
def test_test_rows_of_another_form_are_refused(
    run, frame, of_csv, tmp_path, change, message
):
    change(frame.iloc[:200]).to_csv(tmp_path / "test.csv", index=False)
    code, _, err = run(*of_csv, "--test", "test.csv")
    assert code == 2 and is_one_line(err, "error: ") and message in err


def test_test_rows_go_with_a_table():
    for argv in (["--test", "a.csv"], ["--seed", "-1"], ["--min-group-size", "1"]):
        with pytest.raises(SystemExit) as stop:
            main(argv)
        assert stop.value.code == 2


def test_small_groups_are_merged_if_wanted(run, frame, csv, of_csv):
    frame.loc[:11, "sex"] = "x"
    frame.loc[12:23, "sex"] = "y"
    frame.to_csv(csv, index=False)
    code, _, err = run(*of_csv, "--min-group-size", "20")
    assert code == 2 and "has only 12 rows, at least 20 are needed" in err
    code, out, err = run(*of_csv, "--min-group-size", "20", "--small-groups", "merge")
    sizes = json.loads(out)["rows_by_group"]
    assert code == 0 and "are merged into 'other': x (12), y (12)" in err
    assert sum(part["other"] for part in sizes.values()) == 24


def test_sizes_and_intervals_of_groups_are_in_the_text(run, csv):
    argv = ("--csv", csv, "--target", "bought", "--sensitive", "sex")
    result = json.loads(run(*argv, "--json")[1])
    line = re.search(r"^f  .*$", run(*argv)[1], re.MULTILINE)[0].split()
    sizes = [str(part["f"]) for part in result["rows_by_group"].values()]
    assert line[-3:] == sizes
    before = result["audit"]["by_group"]
    rate = next(
        m for m in before if m["name"] == "selection_rate" and m["group"] == "f"
    )
    assert line[1] == f"{rate['before']['value']:.4f}"
    assert line[2] == f"({rate['before']['low']:.4f}"


@pytest.mark.parametrize("ending", ["parquet", "pq", "arrow", "feather"])
def test_parquet_and_arrow_are_read_as_csv_is(run, frame, of_csv, tmp_path, ending):
    pytest.importorskip("pyarrow")
    path = tmp_path / f"table.{ending}"
    write = "to_parquet" if ending in ("parquet", "pq") else "to_feather"
    getattr(frame, write)(path)
    first = json.loads(run(*of_csv)[1])
    second = json.loads(run("--table", path, *of_csv[2:])[1])
    assert second["dataset"] == path.name
    assert second["after"] == first["after"]


def test_without_pyarrow_one_line_says_what_to_install(run, tmp_path, monkeypatch):
    def absent(path):
        raise ImportError("no engine")

    monkeypatch.setitem(files._READERS, ".parquet", absent)
    path = tmp_path / "a.parquet"
    code, _, err = run("--csv", path, "--target", "a", "--sensitive", "b")
    assert code == 2 and is_one_line(err, "error: ") and "pip install pyarrow" in err


def test_columns_that_look_wrong_are_named(run, frame, csv, of_csv):
    n_samples = len(frame)
    letters = np.array(list("abcdefghij"))
    rng = np.random.default_rng(0)
    words = ["".join(w) for w in letters[rng.integers(10, size=(4 * n_samples, 6))]]
    frame["case"] = np.arange(n_samples) + 1000
    frame["person"] = [f"{a.title()} {b.title()}" for a, b in zip(
        words[:n_samples], words[n_samples : 2 * n_samples], strict=True)]  # fmt: skip
    frame["token"] = words[:n_samples]
    frame["remark"] = [" ".join(words[i : i + 5]) for i in range(n_samples)]
    frame["paid"] = (frame["bought"] == "yes") * 20.0 + rng.normal(size=n_samples)
    frame["state"] = np.where(frame["bought"] == "yes", "closed", "open")
    frame.to_csv(csv, index=False)
    code, out, err = run(*of_csv)
    found = {r["column"]: r["kind"] for r in json.loads(out)["columns"]}
    assert code == 0
    assert found == {
        "constant": "constant",
        "case": "identifier",
        "person": "name",
        "token": "identifier",
        "remark": "text",
        "paid": "determines",
        "state": "determines",
    }
    assert err.count("(--drop leaves it out)") == len(found)
    assert json.loads(run(*of_csv, "--drop", *found)[1])["columns"] == []


def test_ordinary_columns_are_not_named():
    assert remarks(load_table(parse_arguments(SIMULATED))) == []


def a_document(before, after, low, high, *, better="smaller"):
    change = {"value": after - before, "low": low, "high": high}
    found = {"name": "gap", "better": better, "change": change, "realised": 0.5}
    found |= {"before": {"value": before}, "after": {"value": after}}
    found["beyond_noise"] = low > 0 or high < 0
    return {"metrics": [found]}


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        (a_document(0.2, 0.1, -0.12, -0.08), "improved"),
        (a_document(0.2, 0.1, -0.22, 0.02), "within noise"),
        (a_document(0.2, 0.2, 0.0, 0.0), "unchanged"),
        (a_document(0.2, 0.3, 0.05, 0.15), "worse"),
        (a_document(0.2, 0.3, 0.05, 0.15, better="greater"), "improved"),
        ({"metrics": []}, "not measured"),
    ],
)
def test_what_became_of_held_out_rows_is_said_in_a_sentence(document, outcome):
    found = verdict(document, "gap", 0.5)
    assert found["outcome"] == outcome
    assert found["message"].endswith(".")


def test_the_sentence_is_in_text_and_json(run, of_csv):
    message = json.loads(run(*of_csv)[1])["held_out"]["message"]
    assert message in run(*of_csv[:-1])[1]
    still = json.loads(run(*of_csv, "--delta", "0")[1])["held_out"]
    assert still["outcome"] == "unchanged" and "did not change" in still["message"]


def test_the_curve_says_which_rows_and_which_data(run, of_csv):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    run(*of_csv, "--positive", "no")
    title = pyplot.gcf().get_suptitle()
    assert title == "table.csv by sex: 90 held-out rows, positive class no"


def test_version_names_the_package_and_what_it_stands_on(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    said = capsys.readouterr().out
    assert stop.value.code == 0
    assert said.startswith("sklearn_softunlearn ") and "scikit-learn 1." in said


def test_every_option_is_documented_and_so_are_the_exit_codes(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    page = Path(__file__).parents[1] / "doc" / "howto" / "command_line.md"
    text = page.read_text()
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert {option for option in options if f"`{option}" not in text} == set()
    assert "## Exit codes" in text
