# SPDX-License-Identifier: BSD-3-Clause
"""The command line with other models than a logistic regression."""

import json
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_softunlearn.cli import _audit as audit_module
from sklearn_softunlearn.cli import main

NAME = "demographic_parity_difference"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(audit_module, "N_BOOTSTRAP", 20)

    def run_main(*argv):
        code = main([str(argument) for argument in argv])
        return code, *capsys.readouterr()

    return run_main


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 900
    sex = rng.choice(["f", "m"], n)
    income = rng.normal(size=n) + (sex == "m")
    frame = pd.DataFrame({"income": income, "sex": sex})
    frame["town"] = rng.choice(["Ulm", "Bonn"], n)
    bought = income + rng.logistic(size=n) > 0.5
    frame["bought"] = np.where(bought, "yes", "no")
    frame.to_csv(tmp_path / "table.csv", index=False)
    return frame


OWN = ["--csv", "table.csv", "--target", "bought", "--sensitive", "sex"]
QUICK = ["--delta", "0.4", "--weighting", "soft", "--utility-tol", "none"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "model", ["hist_gradient_boosting", "random_forest", "lightgbm", "catboost"]
)
def test_trees_by_name(run, table, model):
    if model in ("lightgbm", "catboost") and not find_spec(model):
        pytest.skip(f"needs {model}")
    code, out, _ = run(*OWN, *QUICK, "--model", model, "--json")
    result = json.loads(out)
    line = next(x for x in result["report"] if x["kind"] == "surrogate")

    assert code == 0
    assert result["model"] == model
    assert line["after"] < line["before"]


def test_a_fitted_pipeline_from_a_file(run, table, tmp_path):
    skops = pytest.importorskip("skops.io")
    X = table[["income", "town"]]
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["town"]), remainder="passthrough"
    )
    trees = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    pipeline = make_pipeline(encode, trees).fit(X, table["bought"])
    skops.dump(pipeline, tmp_path / "own.skops")
    code, _, said = run(*OWN, *QUICK, "--model", "own.skops", "--save", "new.skops")
    assert code == 0, said
    types = skops.get_untrusted_types(file=tmp_path / "new.skops")
    corrected = skops.load(tmp_path / "new.skops", trusted=types)

    assert set(corrected.predict(X)) == {"yes", "no"}
    assert np.any(corrected.predict_proba(X) != pipeline.predict_proba(X))


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--model", "none.skops"], "cannot read none.skops"),
        (["--model", "xgboost"], "takes a target of 0 and 1"),
    ],
    ids=["no such file", "labels"],
)
def test_what_cannot_be_used_is_said(run, table, argv, words):
    code, _, said = run(*OWN, *argv)

    assert code == 2
    assert words in said


def test_an_unknown_model_is_a_misuse(run, table, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(*OWN, "--model", "forest")
    assert "is none of logistic_regression" in capsys.readouterr().err
