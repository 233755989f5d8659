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
from sklearn_softunlearn.cli import _main as main_module
from sklearn_softunlearn.cli import _sources as sources
from sklearn_softunlearn.cli import main
from sklearn_softunlearn.cli._arguments import parse_arguments
from sklearn_softunlearn.cli._model import correct_model
from sklearn_softunlearn.cli._sources import load_table
from sklearn_softunlearn.cli._table import split
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
    assert result["schema"] == {"name": "sklearn_softunlearn.cli", "version": "1.0"}
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
