# SPDX-License-Identifier: BSD-3-Clause
"""``--require``: what is read, what is chosen, and what is said of it."""

import json

import pytest

from sklearn_softunlearn.cli import _audit as audit_module
from sklearn_softunlearn.cli import main
from sklearn_softunlearn.cli._require import required


@pytest.mark.parametrize(
    ("text", "metric", "bound", "confidence"),
    [
        ("a_difference<=0.05@0.95", "a_difference", ("metric_at_most", 0.05), 0.95),
        (" a_ratio >= .8 @ 0.9 ", "a_ratio", ("metric_at_least", 0.8), 0.9),
        ("a_difference<=1e-2", "a_difference", ("metric_at_most", 0.01), None),
    ],
)
def test_what_is_read(text, metric, bound, confidence):
    found = required(text)
    assert (found.metric, found.requirement.bound()) == (metric, bound)
    assert found.requirement.confidence == confidence


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--require", "gap<0.05"], "METRIC<=VALUE@CONFIDENCE"),
        (["--require", "gap<=0.05@95"], "confidence=95"),
        (["--require", "gap<=0.05", "--delta", "0.4"], "leave these out"),
    ],
)
def test_what_cannot_be_read_is_refused(options, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--dataset", "simulated", *options])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("limit", "met"), [("<=0.12@0.95", True), ("<=0.01@0.95", False), ("<=0.1", True)]
)
def test_delta_is_chosen_and_the_bound_is_said(
    limit, met, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(audit_module, "N_BOOTSTRAP", 50)
    asked = f"demographic_parity_difference{limit}"
    options = ["--weighting", "soft", "--utility-tol", "0"]
    code = main(["--dataset", "simulated", "--json", "--require", asked, *options])
    result = json.loads(capsys.readouterr().out)
    outcome = result["requirement"]
    assert code == 0
    assert outcome["asked"] == asked and outcome["met"] == met
    assert result["delta"] == outcome["delta"] > 0
    assert result["rows"]["training"] == 17_000  # the folds measure
    if "@" in limit:
        assert (outcome["bound"] <= float(limit[2:6])) == met
        warned = any("with confidence" in str(w) for w in result["warnings"])
        assert warned != met
