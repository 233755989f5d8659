# SPDX-License-Identifier: BSD-3-Clause
"""What is loaded is named, what a table holds is data, and no file is replaced."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_softunlearn.cli import _audit as audit_module
from sklearn_softunlearn.cli import _main as main_module
from sklearn_softunlearn.cli import main
from sklearn_softunlearn.cli._models import MODELS, TRUSTED, make_model

SECURITY = (Path(__file__).parents[1] / "SECURITY.md").read_text(encoding="utf-8")
FORMULAS = ["=cmd|' /C calc'!A0", '=HYPERLINK("http://evil.test","calc")', "@SUM(calc)"]
PATHS = ["../../calc", "/etc/calc", "file:///calc.html", "$(touch calc)", "`calc`"]
# Without the package, as on another machine.
ELSEWHERE = """
import json, sys
sys.modules["sklearn_softunlearn"] = None
import pandas as pd
{recipe}
X = pd.read_csv("rows.csv")
print(json.dumps([model.predict_proba(X).tolist(), model.predict(X).tolist()]))
assert not [name for name in sys.modules if name.startswith("sklearn_softunlearn.")]
"""


def people(words, n_samples=300):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"score": rng.normal(size=n_samples)})
    frame["sex"] = rng.choice(["f", "m"], n_samples)
    frame["town"] = rng.choice(words, n_samples)
    score = frame.score + (frame.sex == "m") + rng.logistic(size=n_samples)
    return frame.assign(hired=np.where(score > 0.5, "yes", "no"))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command on a table in a folder of its own, without the curve."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(audit_module, "N_BOOTSTRAP", 20)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)

    def run_main(frame, *argv, target="hired", sensitive="sex"):
        frame.to_csv("t.csv", index=False)
        given = ["--csv", "t.csv", "--target", target, "--sensitive", sensitive]
        code = main([*given, *argv])
        return code, *capsys.readouterr()

    return run_main


def recipe():
    """The lines of SECURITY.md that load a model."""
    blocks = re.findall(r"```python\n(.*?)```", SECURITY, re.DOTALL)
    assert len(blocks) == 1 and len(blocks[0].strip().splitlines()) <= 3
    return blocks[0]


def test_the_documented_recipe_predicts_the_same_without_this_package(run):
    skops = pytest.importorskip("skops.io")
    frame = people(["Bonn", "Ulm", "Kiel"])
    code, _, _ = run(frame, "--save", "corrected.skops")
    assert code == 0
    rows = frame.drop(columns=["hired", "sex"]).head(50)
    rows.to_csv("rows.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE.format(recipe=recipe())],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    model = skops.load("corrected.skops", trusted=["numpy.dtype"])
    probabilities, labels = json.loads(done.stdout)
    np.testing.assert_array_equal(probabilities, model.predict_proba(rows))
    np.testing.assert_array_equal(labels, model.predict(rows))
    assert set(labels) == {"no", "yes"}


def test_the_page_and_the_policy_give_the_same_recipe():
    page = Path(__file__).parents[1] / "doc" / "howto" / "save_and_load.md"
    assert recipe() in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODELS)
def test_the_stated_types_are_those_that_a_model_needs(name):
    skops = pytest.importorskip("skops.io")
    if name in ("lightgbm", "xgboost", "catboost"):
        pytest.importorskip(name)
    frame = people(["Bonn", "Ulm"])
    y = (frame.hired == "yes").to_numpy().astype(int)
    X = StandardScaler().fit_transform(frame[["score"]].to_numpy())
    model = make_pipeline(StandardScaler(), make_model(name, y)).fit(X, y)
    dtype = OneHotEncoder(sparse_output=False).fit(frame[["town"]])
    stated = re.search(rf"^\| `{name}` \| (.*) \|$", SECURITY, re.MULTILINE)
    stated = set(stated.group(1).replace("`", "").split(", "))

    asked = set()
    for each in (model, dtype):
        asked |= set(skops.get_untrusted_types(data=skops.dumps(each)))
    assert asked <= stated <= set(TRUSTED)
    if name == "random_forest":
        with pytest.raises(Exception, match="Tree"):
            skops.loads(skops.dumps(model), trusted=["numpy.dtype"])


def test_all_that_is_trusted_is_stated():
    assert [each for each in TRUSTED if f"`{each}`" not in SECURITY] == []


# ------------------------------------------------------------- tables are data

EVENTS = ("open", "compile", "os.", "subprocess.", "socket.", "shutil.", "webbrowser.")
HEARD = []


def _listen(event, args):
    if event.startswith(EVENTS) and "t.csv" not in str(args):
        HEARD.append(f"{event} {args}")


@pytest.fixture
def heard():
    """Files, code and commands of this process; the hook itself cannot be removed."""
    if not getattr(_listen, "on", False):
        sys.addaudithook(_listen)
        _listen.on = True
    HEARD.clear()
    return HEARD


@pytest.mark.parametrize("where", ["cells", "groups", "columns", "target"])
@pytest.mark.parametrize("words", [FORMULAS, PATHS], ids=["formulas", "paths"])
def test_a_table_neither_runs_nor_writes_anything(run, heard, tmp_path, words, where):
    frame = people(words if where == "cells" else ["Bonn", "Ulm"])
    names = {"target": "hired", "sensitive": "sex"}
    if where == "groups":
        frame["sex"] = frame.sex.map({"f": words[0], "m": words[1]})
    if where == "columns":
        frame = frame.rename(columns={"score": words[0], "sex": words[1]})
        names["sensitive"] = words[1]
    if where == "target":
        frame["hired"] = frame.hired.map({"no": words[0], "yes": words[1]})
    code, _, err = run(frame, "--html", "a.html", "--save", "m.joblib", **names)

    assert code == 0, err
    assert [each for each in heard if "calc" in each] == []
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {"work/t.csv", "work/a.html", "work/m.joblib"}
    page = Path("a.html").read_text(encoding="utf-8")
    assert not re.search(r"(href|src|action)=[\"'][^#\"']*calc", page)


# ------------------------------------------------------------ names of files


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--save", "t.csv"], "cannot write t.csv: it is the file of --csv"),
        (["--save", "../work/t.csv"], "it is the file of --csv"),
        (["--model", "m.skops", "--save", "m.skops"], "it is the file of --model"),
        (["--save", "a.html", "--html", "a.html"], "it is the file of --save"),
        (["--plot", "a.svg", "--save", "./a.svg"], "it is the file of --save"),
        (["--test", "m.skops", "--save", "m.skops"], "it is the file of --test"),
        (["--plot", ".png"], "takes a name that ends in"),
        (["--html", "a\0.html"], "null"),
        (["--save", "a" * 400], "too long"),
        (["--html", "t.csv/a.html"], "t.csv is not a folder"),
    ],
    ids=lambda value: str(value)[:30].replace("\0", "0"),
)
def test_a_name_that_replaces_or_cannot_be_is_refused_first(
    run, monkeypatch, argv, reason
):
    monkeypatch.setattr(main_module, "load_table", None)  # not even the data is read
    Path("m.skops").write_bytes(b"mine")
    code, out, err = run(people(["Bonn"]), *argv)
    assert (code, out) == (2, "") and reason in err
    assert Path("m.skops").read_bytes() == b"mine"
    assert sorted(path.name for path in Path().iterdir()) == ["m.skops", "t.csv"]
