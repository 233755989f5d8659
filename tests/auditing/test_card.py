# SPDX-License-Identifier: BSD-3-Clause
"""The audit in a model card of skops."""

import sys

import numpy as np
import pytest

from sklearn_softunlearn import SoftUnlearnCorrector, audit
from sklearn_softunlearn.datasets import make_biased_classification

EVIL = "<script>|alert(1)</script>"


@pytest.fixture(scope="module")
def audited():
    X, y, codes = make_biased_classification(1000, random_state=0)
    group = np.array(["a", EVIL])[codes]
    corrector = SoftUnlearnCorrector(delta=0.7)
    corrector.fit(X[:600], y[:600], sensitive_features=group[:600])
    done = audit(
        corrector, X[600:], y[600:], sensitive_features=group[600:], n_bootstrap=50,
        X_train=X[:600], y_train=y[:600], sensitive_features_train=group[:600],
    )  # fmt: skip
    return corrector, done


@pytest.fixture(scope="module")
def card(audited):
    pytest.importorskip("skops")
    corrector, done = audited
    return done.to_model_card(corrector)


def table(card, section):
    """Cells of the table of a section, without its header."""
    lines = [line for line in card.select(section).format().splitlines() if "|" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_card_says_what_the_audit_measured(audited, card):
    frame = audited[1].frame()
    accuracy = frame[(frame["name"] == "accuracy_score") & frame["group"].isna()]
    shown = dict(table(card, "Model description/Evaluation Results"))
    assert shown["Accuracy"] == f"{100 * accuracy['after'].iloc[0]:.1f}\xa0%"
    gaps = {row[0]: row for row in table(card, "Audit/Gaps between groups")}
    gap = frame[frame["name"] == "demographic_parity_difference"].iloc[0]
    before, after = gaps["Demographic parity difference"][1:3]
    assert before == f"{100 * gap['before']:.1f} points"
    assert after == f"{100 * gap['after']:.1f} points"
    by_group = table(card, "Audit/Group by group")
    assert len(by_group) == (frame["part"] == "by_group").sum()
    deleted = table(card, "Audit/Whose rows were deleted")
    assert len(deleted) == 4
    worse = table(card, "Audit/What got worse")
    assert len(worse) == len(audited[1].to_dict()["got_worse"])


def test_the_sections_of_skops_are_there_to_be_filled(audited, card):
    text = card.render()
    assert "### Hyperparameters" in text and "max_weight" in text
    card.add(**{"Model description": "Who may be asked."})
    assert "Who may be asked." in card.render()


def test_names_from_the_data_are_neither_html_nor_columns(card, tmp_path):
    card.save(tmp_path / "README.md")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    audit_part = text[text.index("# Audit") :]
    assert EVIL not in text and "<script" not in audit_part
    assert "&lt;script&gt;&#124;alert(1)" in audit_part
    for section in ("Group by group", "Whose rows were deleted"):
        assert len({len(row) for row in table(card, f"Audit/{section}")}) == 1


def test_without_skops_the_card_says_what_is_missing(audited, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.card", None)
    with pytest.raises(ImportError, match="pip install skops"):
        audited[1].to_model_card(audited[0])
