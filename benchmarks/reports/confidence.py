# SPDX-License-Identifier: BSD-3-Clause
"""The pages of the studies of promises and of thresholds, as Markdown."""

from collections import defaultdict

import numpy as np
from scipy.stats import binom

from benchmarks.reports.markdown import provenance_line, signed, table
from benchmarks.reports.tradeoff import DATA

CONFIDENCE = """\
# Are promises kept?

This page is generated (`python -m benchmarks.reports`) from `benchmarks/results`;
`python -m benchmarks confidence` measures again. Candidates are the path of delta of a
corrected model, fitted once; a table of n rows is drawn from the other rows, a
population on which every metric is known. *Tested* is
`Requirement(..., confidence=0.95)`, *plain* the most accurate candidate whose measured
metric is within the limit. The *hardest* limit is just within the true metric of the
safest candidate: every promise made is then broken. The other limits lie half of the
way, and three quarters, to the metric before correction. A test is broken if *any*
candidate that it lets pass is beyond the limit.
"""
THRESHOLDS = """\
## Delta and threshold, and OxonFair

Held-out accuracy and metric at equal targets, means over data sets and seeds. Ours are
exact weights chosen over four folds of 70 % of the rows; OxonFair 0.3 fits on 50 % and
chooses on 20 %. Only "groups known" needs the group to predict. "Unsure apart" is its
default for inferred groups, which fails on most tables: compare within a row only,
where both are means of the same runs. Ours is what
`SoftUnlearnCorrectorCV(threshold="tuned")` chooses, by all held-out rows together;
"mean of folds" chooses by the mean of what each fold measures.
"""
_SIDE_BY_SIDE = (
    "delta and threshold",
    "delta and threshold, mean of folds",
    "delta alone",
    "OxonFair, groups inferred",
    "OxonFair, groups known",
)


def confidence_page(results, thresholds):
    """Text of the page; a part that was not run is left out."""
    parts = [CONFIDENCE, _verdict(results["cases"]), _promises(results["cases"])]
    parts += [_cross_fitted(results["cases"])]
    parts.append(f"Measured on: {provenance_line(results['provenance'])}")
    if thresholds:
        parts += [THRESHOLDS, *_thresholds(thresholds["runs"])]
        parts.append(f"Measured on: {provenance_line(thresholds['provenance'])}")
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _drawn(cases):
    return [case for case in cases if "cross-fitted" not in case["special"]]


def _verdict(cases):
    """How many of the shares are beyond the 5 %, and beyond chance."""
    found = [
        (limit["tested"]["broken"], case["choices"])
        for case in _drawn(cases)
        for limit in case["limits"].values()
    ]
    most = max(broken for broken, _ in found)
    over = sum(broken > 0.05 for broken, _ in found)
    beyond = sum(b > binom.ppf(0.99, n, 0.05) / n for b, n in found)
    plain = [
        limit["plain"]["broken"]
        for case in _drawn(cases)
        for limit in case["limits"].values()
    ]
    return (
        f"Of {len(found)} shares of broken promises the largest is {most:.1%}; {over} "
        f"are above 5 %, {beyond} beyond what chance does in one of a hundred when 5 % "
        f"are true. The plain choice is broken in up to {max(plain):.0%}, in the "
        f"mean {np.mean(plain):.0%}."
    )


def _promises(cases):
    header = ["table, metric", "rows", "limit", "tested: broken", "answered",
              "plain: broken", "answered", "utility paid, points"]  # fmt: skip
    rows = []
    for case in _drawn(cases):
        special = f", {case['special']}" if case["special"] else ""
        for name, limit in case["limits"].items():
            rows.append([
                f"{case['task'].replace('_', ' ')}, {case['metric']}{special}",
                case["rows"], f"{name} ({limit['limit']:g})",
                f"{limit['tested']['broken']:.1%}",
                f"{limit['tested']['answered']:.0%}",
                f"{limit['plain']['broken']:.1%}",
                f"{limit['plain']['answered']:.0%}",
                _paid(case, limit),
            ])  # fmt: skip
    return (
        "*Utility paid*: accuracy of the tested less that of the plain choice on the "
        "population, over the draws where both answer; of numbers hundredths of the "
        "mean squared error, negated.\n\n" + table(header, rows)
    )


def _paid(case, limit):
    both = limit.get("utility where both answer")
    return signed(100 * (both[0] - both[1])) if both else "-"


def _cross_fitted(cases):
    header = ["metric", "rows", "choices", "limit", "answered", "broken",
              "returned model beyond"]  # fmt: skip
    rows = [
        [f"{case['metric']}, {case['special']}", case["rows"], case["choices"],
         f"{limit['limit']:g}", f"{limit['answered']:.0%}", f"{limit['broken']:.1%}",
         f"{limit['returned model beyond']:.1%}"]
        for case in cases
        if "cross-fitted" in case["special"]
        for limit in case["limits"].values()
    ]  # fmt: skip
    if not rows:
        return ""
    return (
        "## Cross-fitted promises\n\n`SoftUnlearnCorrectorCV` without `test_size` on "
        "tables of three groups: *broken* where the models of the folds are beyond the "
        "limit. Each choice fits dozens of models, so there are fewer.\n\n"
        + table(header, rows)
    )


def _thresholds(runs):
    """Means of each method, and its wins against delta and threshold."""
    by_method = defaultdict(dict)
    for run in runs:
        key = run["task"], run["metric"], run["seed"], run["target"]
        by_method[run["method"]][key] = run
    seeds, tasks = ({run[name] for run in runs} for name in ("seed", "task"))
    yield f"{len(seeds)} seeds; {', '.join(DATA.get(t, t) for t in sorted(tasks))}."
    yield _means(by_method, tasks)
    two = tasks - {"adult_race"}
    if two != tasks:
        yield "Tables of two groups alone, without Adult by race:"
        yield _means({name: by_method[name] for name in _SIDE_BY_SIDE}, two)
    yield "Table by table, accuracy (metric), means over seeds and two metrics:"
    yield _by_table(by_method)


def _means(by_method, tasks):
    """Means of each method over some tables, beside those of ours on the same runs."""
    ours = by_method[_SIDE_BY_SIDE[0]]
    header = ["method, target", "accuracy", "metric", "ours: accuracy", "metric",
              "ours is ahead, points", "runs"]  # fmt: skip
    rows = []
    for method, found in by_method.items():
        if found is ours:
            continue
        for target in sorted({key[-1] for key in found}, reverse=True):
            keys = [k for k in found if k[-1] == target and k in ours and k[0] in tasks]
            mine, other = (
                np.mean([[of[k]["accuracy"], of[k]["gap"]] for k in keys], axis=0)
                for of in (ours, found)
            )
            rows.append([
                f"{method}, {target:g}", f"{other[0]:.4f}", f"{other[1]:.3f}",
                f"{mine[0]:.4f}", f"{mine[1]:.3f}",
                signed(100 * (mine[0] - other[0])), len(keys),
            ])  # fmt: skip
    return table(header, rows)


def _by_table(by_method):
    """Accuracy and metric of each method on each table."""
    rows = []
    methods = [by_method[name] for name in _SIDE_BY_SIDE]
    for task, target in sorted({(key[0], key[-1]) for key in methods[0]}):
        means = [
            np.mean([[r["accuracy"], r["gap"]] for k, r in of.items()
                     if (k[0], k[-1]) == (task, target)], axis=0)
            for of in methods
        ]  # fmt: skip
        rows.append([f"{DATA.get(task, task)}, {target:g}",
                     *(f"{a:.4f} ({gap:.3f})" for a, gap in means)])  # fmt: skip
    return table(["table, target", *_SIDE_BY_SIDE], rows)
