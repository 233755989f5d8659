# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that pages quote are those of the results files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.reports import comparison, rows

ROOT = Path(__file__).resolve().parents[1]


def results(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def page(name):
    """Text of a page, each run of white space one space."""
    return " ".join((ROOT / name).read_text().split())


def test_shares_of_a_fit():
    ratio = results("backbone")["time"]["median ratio to the lbfgs fit"]
    whole = ratio["correction, all of fit(FrozenEstimator)"]
    fairlearn = ratio["fairlearn's own metric, for scale"]
    speed = page("doc/decisions/speed-of-the-correction.md")
    assert f"report included | {whole:.2f} |" in speed
    assert speed.startswith("# The correction costs a third") and 0.3 < whole < 0.4
    quoted = re.search(r"\(([\d.]+) of an lbfgs fit on Adult, against ([\d.]+) for",
                       page("doc/decisions/smooth-surrogate.md"))  # fmt: skip
    assert quoted.groups() == (f"{fairlearn:.2f}", f"{whole:.2f}")


def test_what_half_of_the_gap_costs_on_adult():
    """The mean of ten splits, and not the luckiest one."""
    number = r"([\d.]+)"
    quoted = re.search(
        f"fell from {number} to {number} on held-out rows, and this cost {number} "
        r"points of accuracy \(means of ten splits",
        page("README.md"),
    )
    row = re.search(
        rf"\| demographic_parity_difference \| {number} -> {number} \(10/10, "
        rf"-{number}\)",
        page("doc/metrics.md"),
    )
    assert quoted.groups() == row.groups()


def test_what_is_said_of_flipped_labels():
    found = {(r["data"], r["share flipped"]): r for r in results("flipped_labels")}
    adult = found["adult", 0.05]
    text = page("doc/guide/idea.md")
    quoted = re.search(
        r"the average precision was ([\d.]+) for the soft weights, ([\d.]+) for the "
        r"influences and ([\d.]+) for the training loss",
        text,
    )
    names = ("weights", "influence", "training loss")
    assert [float(q) for q in quoted.groups()] == [round(adult[n], 2) for n in names]
    assert np.argmax([adult[n] for n in names]) == 2
    assert adult["weight on flips"] == pytest.approx(0.5, abs=0.05)
    assert adult["weight on flips, sparse"] == pytest.approx(0.9, abs=0.04)


def test_the_comparison_is_that_of_the_results():
    """The page is generated: nobody edits it, and it is not older than its results."""
    text = (ROOT / "doc" / "benchmarks" / "comparison.md").read_text()
    assert text == comparison.page()


def test_the_page_of_rows_in_blocks_is_that_of_its_results():
    assert (ROOT / "doc" / "benchmarks" / "rows.md").read_text() == rows.page()
