# SPDX-License-Identifier: BSD-3-Clause
"""Write the pages of benchmarks from the files of results.

    python -m benchmarks.reports [--folder doc/benchmarks]

Every number and verdict on the page is computed from ``benchmarks/results``.
"""

import argparse
from pathlib import Path

from benchmarks.provenance import RESULTS, read
from benchmarks.reports import claims as report_claims
from benchmarks.reports import comparison as report_comparison
from benchmarks.reports import exact as report_exact
from benchmarks.reports import language_cost as report_language_cost
from benchmarks.reports import lds as report_lds
from benchmarks.reports import nets as report_nets
from benchmarks.reports import rows as report_rows
from benchmarks.reports import tradeoff as report_tradeoff
from benchmarks.reports import trees as report_trees
from benchmarks.reports.confidence import confidence_page
from benchmarks.reports.plots import draw_sweep, draw_tradeoff
from benchmarks.reports.tradeoff import DATA

DOC = RESULTS.parents[1] / "doc" / "benchmarks"

HEAD = """\
# Against other methods, and the paper's claims

This page is generated (`python -m benchmarks.reports`) from `benchmarks/results`; see
[how benchmarks are run](how_they_are_run.md). `python -m benchmarks tradeoff` and so on
measure again.
"""


def page(folder):
    """Text of the page; pictures are written into the folder."""
    tradeoff, timing = read("tradeoff"), read("tradeoff_time")
    claims, peers, nets = read("claims"), read("influence_peers"), read("nets")
    parts = [HEAD.strip()]
    if tradeoff and timing:
        draw_tradeoff(tradeoff, folder / "tradeoff.svg")
        parts.append(report_tradeoff.section(tradeoff, timing))
    exact = read("exact"), read("exact_cost"), read("tuning")
    if any(exact):
        parts.append(report_exact.section(*exact))
    if claims:
        records = [r for r in claims["sweep"]["found"] if r["setting"] == "one step"]
        titles = {r["task"]: DATA[r["task"]] for r in records}
        draw_sweep(records, folder / "sweep.svg", titles)
        parts.append(report_claims.section(claims, timing))
    if peers:
        parts.append(report_claims.influences(peers))
    if nets:
        parts.append(report_nets.section(nets))
    if scores := read("lds"):
        parts.append(report_lds.section(scores))
    if costs := read("language_cost"):
        parts.append(report_language_cost.section(costs))
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=DOC)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    texts = {"index": page(options.folder), "comparison": report_comparison.page()}
    promises = read("confidence")
    if promises:
        texts["confidence"] = confidence_page(promises, read("thresholds"))
    if trees := report_trees.page():
        texts["trees"] = trees
    if rows := report_rows.page():
        texts["rows"] = rows
    for name, text in texts.items():
        path = options.folder / f"{name}.md"
        path.write_text(text)
        print(path)


if __name__ == "__main__":
    main()
