# SPDX-License-Identifier: BSD-3-Clause
"""Remedies are possible where they are printed; what got worse is a warning."""

import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import SoftUnlearnCorrector, audit
from sklearn_softunlearn.cli import main
from sklearn_softunlearn.cli._remedies import in_options
from sklearn_softunlearn.exceptions import CorrectionWarning, HeldOutWorseWarning

PYTHON_ONLY = re.compile(r"max_weight|X_val|calibrate=|leave_one_out|utility_tol|\w='")


def people(n, shift, seed):
    """Groups that differ in a, and on other rows in b as much the other way."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, n)
    a, b = rng.normal(size=(2, n))
    a = a + group
    hired = rng.logistic(size=n) < a + b - 0.5
    table = pd.DataFrame({"a": a, "b": b - shift * group})
    return table.assign(sex=np.where(group, "m", "f"), hired=np.where(hired, "y", "n"))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sklearn_softunlearn.cli._audit.N_BOOTSTRAP", 100)

    def run_main(table, *argv, test=None):
        table.to_csv("people.csv", index=False)
        columns = ("--target", "hired", "--sensitive", "sex")
        if test is not None:
            test.to_csv("test.csv", index=False)
            columns = (*columns, "--test", "test.csv")
        code = main(["--csv", "people.csv", *columns, *argv])
        return code, *capsys.readouterr()

    return run_main


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("A. (a) Raise max_weight; (b) lower delta.", "A. Lower --delta."),
        (
            "A. (a) Lower delta; (b) raise utility_tol. B.",
            "A. (a) Lower --delta; (b) raise --utility-tol. B.",
        ),
        ("A. (a) calibrate='labels'; (b) lower max_weight.", "A."),
        (
            "A of 0.5. (a) Measure on more rows (X_val); (b) update='newton' is slow.",
            "A of 0.5. (a) Give a table with more rows; (b) --update newton is slow.",
        ),
        ("metric='los' is not known.", "--metric los is not known."),
        ("delta=0.9 is out of reach.", "--delta 0.9 is out of reach."),
        ("a metric, an update, the weighting", "a metric, an update, the weighting"),
        ("no column 'delta_x' or --delta", "no column 'delta_x' or --delta"),
    ],
)
def test_advice_in_the_words_of_the_command_line(said, typed):
    assert in_options(said) == typed


def test_an_infeasible_request_names_options_only(run):
    options = ("--delta", "1", "--utility-tol", "0.0", "--weighting", "soft", "--json")
    code, out, err = run(people(900, 0, 0), *options)
    assert code == 0
    found = json.loads(out)
    spoken = [w["message"] for w in found["warnings"]] + found["notes"]
    assert any("--delta" in text for text in spoken)
    assert any("--utility-tol" in text for text in spoken)
    for text in (*spoken, err):
        assert not PYTHON_ONLY.search(text), text


def test_a_typo_of_a_metric_names_the_option(run):
    code, _, err = run(people(200, 0, 0), "--metric", "equalized_odd_difference")
    assert code == 2
    assert "error: --metric equalized_odd_difference is not known. Did you mean" in err


@pytest.mark.parametrize("option", ["--plot", "--html", "--save"])
@pytest.mark.parametrize("name", ["", "  "])
def test_a_file_without_a_name_is_refused(run, tmp_path, capsys, option, name):
    with pytest.raises(SystemExit) as left:
        run(people(200, 0, 0), option, name)
    assert left.value.code == 2
    assert (
        f"argument {option}: the name of the file is empty" in capsys.readouterr().err
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["people.csv"]


@pytest.mark.parametrize("name", [".png", ".html", "a/.png", "png"])
def test_a_name_that_is_only_an_ending_writes_nothing(run, tmp_path, name):
    (tmp_path / "a").mkdir()
    code, _, err = run(people(200, 0, 0), "--plot", name)
    assert code == 2 and "takes a name that ends in" in err
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "people.csv"]


# ------------------------------------------------------------------------- got worse


def fitted(table):
    X, y = table[["a", "b"]].to_numpy(), table["hired"].to_numpy()
    corrector = SoftUnlearnCorrector(
        LogisticRegression(), delta=0.4, utility_tol=0.1, weighting="soft"
    )
    return corrector.fit(X, y, sensitive_features=table["sex"].to_numpy())


def audited(model, table, **options):
    X, y = table[["a", "b"]].to_numpy(), table["hired"].to_numpy()
    groups = table["sex"].to_numpy()
    options = {"n_bootstrap": 100} | options
    return audit(model, X, y, sensitive_features=groups, **options)


def test_held_out_rows_on_which_it_got_worse_are_a_warning():
    corrector = fitted(people(900, 0, 0))
    with pytest.warns(HeldOutWorseWarning, match="got worse on the rows"):
        done = audited(corrector, people(900, 1, 1))
    line = done.frame().set_index("name").loc["demographic_parity_difference"]
    assert line["after"] > line["before"] + 0.03
    assert issubclass(HeldOutWorseWarning, CorrectionWarning)


@pytest.mark.parametrize("seed", range(3))
def test_none_where_it_improved(seed):
    corrector = fitted(people(900, 0, seed))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audited(corrector, people(900, 0, seed + 10))


def test_none_where_nothing_was_corrected_or_noise_is_not_known():
    corrector = fitted(people(900, 0, 0))
    worse = people(900, 1, 1)
    pair = (corrector.base_estimator_, corrector.estimator_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audited(pair, worse, metric="demographic_parity_difference")
        audited(corrector, worse, n_bootstrap=0)


def test_the_command_line_says_it_as_well(run):
    code, out, err = run(people(900, 0, 0), "--json", test=people(900, 1, 1))
    assert code == 0
    said = [w for w in json.loads(out)["warnings"] if "HeldOut" in w["category"]]
    assert len(said) == 1
    assert f"warning: {said[0]['message']}" in err
    assert "--delta" in said[0]["message"] and "X_val" not in said[0]["message"]
