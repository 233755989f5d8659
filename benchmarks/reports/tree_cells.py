# SPDX-License-Identifier: BSD-3-Clause
"""From the runs of the study of trees to what is reported: pure functions of records.

A run has, for validation and for held-out rows, the figures of all predictors of a
method: accuracy, gap, log loss and calibration error (None without probabilities).
"""

from collections import defaultdict

import numpy as np

from benchmarks.reports.tradeoff_summary import choice, hull

FIGURES = ("accuracy", "gap", "log loss", "calibration error")
BASE, PEER = "unconstrained", "ExponentiatedGradient"


def with_base(run, base):
    """Figures on validation and on held-out rows, those of the base model first."""
    return (
        np.array([*base[part], *run[part]], dtype=float) for part in ("val", "test")
    )


def chosen(run, base, target):
    """Held-out figures of what the validation rows choose for a target."""
    val, test = with_base(run, base)
    return test[choice(*val[:, :2].T, target)]


def at_gap(run, base, target):
    """Held-out figures at a held-out gap; NaN where a method does not get there.

    Which predictors are worth having, the validation rows say: those on the hull of
    accuracy and gap. From the most accurate one down, the first two between which the
    held-out gap passes the target are mixed, one or the other at random for each row.
    """
    val, test = with_base(run, base)
    line = test[hull(val[:, :2].tolist())[::-1]]
    for above, below in zip([None, *line], line, strict=False):
        if below[1] <= target:
            if above is None:
                return below
            share = (target - below[1]) / (above[1] - below[1])
            return share * above + (1.0 - share) * below
    return np.full(len(FIGURES), np.nan)


def cells(runs, targets):
    """Records for each task, base model and method; figures (n_seeds, n_targets)."""
    bases = {key(run): run for run in runs if run["method"] == BASE}
    table = defaultdict(list)
    for run in sorted(runs, key=lambda run: run["seed"]):
        table[run["task"], run["base"], run["method"]].append(run)
    return [_cell(*names, own, bases, targets) for names, own in table.items()]


def key(run):
    """Task, base model and seed of a run."""
    return run["task"], run["base"], run["seed"]


def _cell(task, base, method, runs, bases, targets):
    def figures(of):
        """Arrays of shape (n_figures, n_seeds, n_targets)."""
        found = [[of(run, bases[key(run)], t) for t in targets] for run in runs]
        return np.moveaxis(np.array(found), -1, 0)

    return {
        "task": task,
        "base": base,
        "method": method,
        "seeds": [run["seed"] for run in runs],
        "needs groups": runs[0]["needs groups"],
        "seconds of one": [round(run["seconds of one"], 3) for run in runs],
        "fits of one": [
            round(run["seconds of one"] / run["seconds of a fit"], 2) for run in runs
        ],
        "before": [bases[key(run)]["test"][0] for run in runs],
        "chosen": _named(figures(chosen)),
        "at the gap": _named(figures(at_gap)),
    }


def _named(figures):
    return {
        name: [[_or_none(x) for x in seed] for seed in values]
        for name, values in zip(FIGURES, figures, strict=True)
    }


def _or_none(x):
    return round(float(x), 5) if np.isfinite(x) else None


def compared(table, method, targets):
    """Differences to ExponentiatedGradient at equal gap, for each target.

    Over all tasks, base models and seeds whose base model is beyond the target, and
    where both methods get there. The standard error is over these, which share data.
    """
    found = []
    for j, target in enumerate(targets):
        pairs = _pairs(table, method, j, target)
        differences = np.array([ours - theirs for ours, theirs, _ in pairs])
        n = len(pairs)
        error = np.std(differences, ddof=1) / np.sqrt(n) if n > 1 else np.nan
        found.append(
            {
                "target": target,
                "pairs": n,
                "accuracy": _or_none(np.mean(differences)) if n else None,
                "standard error": _or_none(error),
                "not below": int(np.sum(differences >= 0)),
                "share of its time": _or_none(np.median([t for *_, t in pairs]))
                if n
                else None,
            }
        )
    return found


def _pairs(table, method, j, target):
    """Accuracies of a method and of the peer, and the ratio of their times."""
    by_name = {(c["task"], c["base"], c["method"]): c for c in table}
    pairs = []
    for cell in (c for c in table if c["method"] == method):
        peer = by_name.get((cell["task"], cell["base"], PEER))
        for s, seed in enumerate(cell["seeds"]):
            if peer is None or seed not in peer["seeds"]:
                continue
            p = peer["seeds"].index(seed)
            both = (
                cell["at the gap"]["accuracy"][s][j],
                peer["at the gap"]["accuracy"][p][j],
            )
            if cell["before"][s][1] > target and None not in both:
                ratio = cell["seconds of one"][s] / peer["seconds of one"][p]
                pairs.append((*both, ratio))
    return pairs


def overview(runs, targets):
    """Everything that is reported, as lists and numbers."""
    table = cells(runs, targets)
    methods = dict.fromkeys(c["method"] for c in table)
    return {
        "targets": list(targets),
        "seeds": sorted({run["seed"] for run in runs}),
        "against ExponentiatedGradient": {
            method: compared(table, method, targets)
            for method in methods
            if method not in (BASE, PEER)
        },
        "cells": table,
    }
