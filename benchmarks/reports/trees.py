# SPDX-License-Identifier: BSD-3-Clause
"""The page of the studies of trees, as Markdown."""

import numpy as np

from benchmarks.provenance import read
from benchmarks.reports.markdown import number, provenance_line, signed, table
from benchmarks.reports.tradeoff import DATA
from benchmarks.reports.tree_cells import BASE, PEER

HEAD = """\
# Boosted trees

This page is generated (`python -m benchmarks.reports`) from `benchmarks/results`;
`python -m benchmarks trees trees_cost trees_retraining` measures again.
"""
OURS = ("ours, joint", "ours, refit")
TRADEOFF = """\
## At equal held-out gap

LightGBM and HistGradientBoosting of 100 trees with up to 31 leaves, {seeds} random
splits: 50 % of the rows to train, 20 % to choose, 30 % held out; the gap is the
demographic parity difference of labels. The validation rows say which models along a
method's knob are worth having (the hull of accuracy and gap, to which the model as
fitted belongs, too); between two of these the answer is drawn at random for each row,
with the share that makes the *held-out* gap equal the target. Ours are the defaults of
`trees="joint"` (soft weights, first order) and `trees="refit"` (exact weights),
measured on the training rows unless said otherwise.

Log loss is that of the probabilities, of ExponentiatedGradient those of the weighted
mean of its models; the calibration error is the mean distance in ten bins of equal
size. Labels of ThresholdOptimizer and OxonFair come without probabilities.
ThresholdOptimizer, and OxonFair where groups are given, need the group to predict.
*Time* is that of one answer with its base fit, in base fits. A dash: not reached on
each split.

FairGBM was not run: version 0.9.14 installs, its `fit` fails with scikit-learn 1.9 (it
passes `force_all_finite`, which is gone), and its constraints are error rates, not
demographic parity.
"""
AGAINST = """\
### Against ExponentiatedGradient with the same base model

Mean difference of accuracy at equal held-out gap in points, over those of the {n}
cells (data, base model, split) whose base model is beyond the target and where both
arrive; in brackets the standard error over these cells, which share data, and in how
many of them the method is not below. *Time*: median of the ratios of one answer.
"""
IN_SHORT = """\
**In short**, in points of accuracy at equal held-out gap, less ExponentiatedGradient
with the same base model ({targets}): {methods}. What counts as told apart is a
difference of more than two standard errors. The joint model takes {joint} of the time
of ExponentiatedGradient, the refit {refit}. Log loss of ours is above that of
ExponentiatedGradient in {loss}, the calibration error in {calibration} of the rows and
targets below that the base model does not meet.
"""
CHOSEN = """\
### As chosen on validation rows

Held-out accuracy in percent (and gap) of the most accurate model whose gap on the
validation rows is within the target: what a user gets, with gaps that differ.
"""
COST = """\
## Time and memory

LightGBM of 100 trees with up to 31 leaves, 20 features, one thread, in base fits;
*correction* is all of `fit` around the fitted model, for `delta=0.5`, and contains the
influences. Memory is the peak of what NumPy holds beyond the rows, in bytes per row. A
dense table of rows and leaves would take {dense:.0f}.
"""
RETRAINING = """\
## Against training anew

What deleted rows of {rows} of Adult do to other rows, estimated and by training anew
without them: {single} single rows, and {subsets} random sets of a twentieth.
*Structure held* is the exact refit of the leaf values without the rows, which is what
the corrector promises of `trees="refit"`. Pearson correlation (slope of the estimate
over the actual change). Training anew also grows other trees, which neither influences
nor the exact refit can see. Where *structure held* correlates little, that is why.
"""


def page():
    """Text of the page; None before the study was run."""
    tradeoff, cost, retraining = map(read, ("trees", "trees_cost", "trees_retraining"))
    if not tradeoff:
        return None
    parts = [HEAD, *_tradeoff(tradeoff)]
    if cost:
        parts += _cost(cost)
    if retraining:
        parts += _retraining(retraining)
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _tradeoff(results):
    targets, cells = results["targets"], results["cells"]
    yield TRADEOFF.format(seeds=len(results["seeds"]))
    yield _in_short(results)
    yield from _by_task("###", cells, _at_gap, targets)
    n = sum(len(c["seeds"]) for c in cells if c["method"] == PEER)
    yield AGAINST.format(n=n)
    yield _against(results["against ExponentiatedGradient"], targets)
    yield CHOSEN
    yield from _by_task("####", cells, _chosen, targets)
    yield f"Measured on: {provenance_line(results['provenance'])}"


def _in_short(results):
    found, targets = results["against ExponentiatedGradient"], results["targets"]
    ours = {name: found[name] for name in OURS}
    shares = [np.median([line["share of its time"] for line in ours[n]]) for n in ours]
    verdicts = [
        f"{name} {', '.join(_verdict(line) for line in lines)}"
        for name, lines in found.items()
        if name in (*OURS, "ThresholdOptimizer")
    ]
    return IN_SHORT.format(
        targets=", ".join(f"{t:.2f}" for t in targets),
        methods="; ".join(verdicts),
        joint=number(shares[0], 2),
        refit=number(shares[1], 2),
        loss=_worse(results, "log loss"),
        calibration=_worse(results, "calibration error"),
    )


def _verdict(line):
    difference, error = line["accuracy"], line["standard error"]
    if abs(difference) <= 2.0 * error:
        word = "not told apart"
    else:
        word = "above" if difference > 0 else "below"
    return f"{signed(100 * difference)} ({word})"


def _worse(results, figure):
    """How often ours is above ExponentiatedGradient on average, where both arrive."""
    means = {
        (c["task"], c["base"], c["method"]): _mean_beyond(c, figure, results["targets"])
        for c in results["cells"]
    }
    pairs = [
        (value, means[*key, PEER])
        for (*key, method), value in means.items()
        if method in OURS
    ]
    ours, theirs = np.concatenate(pairs, axis=1)
    return f"{np.sum(ours > theirs)} of {np.sum(np.isfinite(ours + theirs))}"


def _mean_beyond(cell, figure, targets):
    """Means over seeds, for each target; NaN where the base model meets it."""
    before = np.mean([seed[1] for seed in cell["before"]])
    means = np.array(cell["at the gap"][figure], dtype=float).mean(axis=0)
    return np.where(before > targets, means, np.nan)


def _by_task(level, cells, lines_of, targets):
    bases = list(dict.fromkeys(c["base"] for c in cells))
    for task in DATA:
        own = [c for c in cells if c["task"] == task]
        own.sort(key=lambda cell: bases.index(cell["base"]))
        if not own:
            continue
        yield f"{level} {DATA[task]}\n\n{lines_of(own, targets)}"


def _at_gap(cells, targets):
    shown = ("accuracy", "log loss", "calibration error")
    header = ["", *(f"{name}, {t:.2f}" for name in shown for t in targets), "time"]
    lines = []
    for cell in cells:
        if cell["method"] == BASE:
            before = np.mean([seed[1] for seed in cell["before"]])
            lines.append([f"**{cell['base']}**, gap {before:.3f}"])
            lines[-1] += [*_before(cell, shown, len(targets)), ""]
            continue
        figures = [
            _mean(cell["at the gap"][name], j, 100 if name == "accuracy" else 1)
            for name in shown
            for j in range(len(targets))
        ]
        lines.append([cell["method"], *figures, number(np.median(cell["fits of one"]))])
    return table(header, lines)


def _before(cell, shown, n_targets):
    """Figures of the base model, in the first column of each figure."""
    positions = {"accuracy": 0, "log loss": 2, "calibration error": 3}
    for name in shown:
        scale = 100 if name == "accuracy" else 1
        values = [[seed[positions[name]]] for seed in cell["before"]]
        yield _mean(values, 0, scale)
        yield from [""] * (n_targets - 1)


def _mean(by_seed, j, scale):
    values = [seed[j] for seed in by_seed]
    if None in values:
        return "-"
    mean = scale * np.mean(values)
    return f"{mean:.2f}" if scale > 1 else f"{mean:.3f}"


def _against(found, targets):
    lines = []
    for method, by_target in found.items():
        if not any(line["pairs"] for line in by_target):
            continue
        cells = [_difference(line) for line in by_target]
        ratios = [line["share of its time"] for line in by_target if line["pairs"]]
        lines.append([method, *cells, number(np.median(ratios), 2)])
    return table(["", *(f"gap {t:.2f}" for t in targets), "time"], lines)


def _difference(line):
    if not line["pairs"]:
        return "-"
    error = line["standard error"]
    spread = "" if error is None else f"{100 * error:.2f}; "
    return (
        f"{signed(100 * line['accuracy'])} ({spread}{line['not below']} of "
        f"{line['pairs']})"
    )


def _chosen(cells, targets):
    lines = []
    for cell in cells:
        found = cell["chosen"]
        figures = [
            f"{_mean(found['accuracy'], j, 100)} ({_mean(found['gap'], j, 1)})"
            for j in range(len(targets))
        ]
        lines.append([f"{cell['base']}: {cell['method']}", *figures])
    return table(["", *(f"at most {t:.2f}" for t in targets)], lines)


def _cost(results):
    found = results["found"]
    names = [name for name in found[0]["fits"] if name != "base fit"]
    header = ["rows", "base fit, s", *names]
    times = [
        [f"{r['rows']:,}", number(r["seconds of the base fit"])]
        + [number(r["fits"][name]) for name in names]
        for r in found
    ]
    memory = [
        [f"{r['rows']:,}", *(number(r["bytes per row"][name], 4) for name in names)]
        for r in found
    ]
    yield COST.format(dense=8 * found[0]["leaves"])
    yield table(header, times)
    yield table(["bytes per row", *names], memory)
    yield f"Measured on: {provenance_line(results['provenance'])}"


def _retraining(results):
    found = results["found"]
    columns = list(dict.fromkeys((r["deleted"], r["functional"]) for r in found))
    rows = dict.fromkeys((r["model"], r["estimate"]) for r in found)
    by_key = {
        (r["model"], r["estimate"], r["deleted"], r["functional"]): r for r in found
    }
    lines = []
    for row in rows:
        own = [by_key[(*row, *column)] for column in columns]
        cells = [f"{r['pearson']:.2f} ({number(r['slope'], 2)})" for r in own]
        lines.append([": ".join(row), *cells])
    yield RETRAINING.format(**{k: results[k] for k in ("rows", "single", "subsets")})
    yield table(["", *(f"{name}, {what}" for name, what in columns)], lines)
    yield f"Measured on: {provenance_line(results['provenance'])}"
