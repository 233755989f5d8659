# SPDX-License-Identifier: BSD-3-Clause
"""Soft and exact weights beside what the literature offers, at a required gap.

    python -m benchmarks.studies.comparison --data-home FOLDER [--runs FILE]

The protocol is that of ``benchmarks.studies.tradeoff``: of the predictors along the
knob of a method, the most accurate one whose demographic parity difference on
validation rows is within the target is taken and judged on held-out rows. OxonFair
chooses thresholds on the validation rows themselves. `pip install oxonfair`.
"""

import argparse
import json
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.data.label_metrics import DP
from benchmarks.data.tables import load
from benchmarks.peers import corrections, mitigations, others
from benchmarks.provenance import provenance, write
from benchmarks.studies import tradeoff

DELTAS = np.linspace(0.0, 1.0, 21)
BOUNDS = (0.01, 0.02, 0.05, 0.1)
TASKS = ("adult", "bank_working_age", "adult_race")
TARGETS = (0.10, 0.05, 0.02)
# Named, so that the study does not change with the defaults.
_SOFT = {"weighting": "soft", "update": "influence", "utility_tol": 0.0}
_EXACT = {"weighting": "exact", "utility_tol": None}
METHODS = {
    "unconstrained": (mitigations.unconstrained, (None,)),
    "soft weights, one step (the paper)": (partial(corrections.path, **_SOFT), DELTAS),
    "exact weights": (partial(corrections.path, **_EXACT), DELTAS),
    "infinitesimal jackknife": (others.infinitesimal_jackknife, DELTAS),
    "influence LP, retrained": (mitigations.influence_lp, DELTAS),
    "hard deletion, retrained": (mitigations.hard_deletion, DELTAS),
    "ExponentiatedGradient": (mitigations.exponentiated_gradient, BOUNDS),
    "ThresholdOptimizer": (mitigations.threshold_optimizer, (None, *BOUNDS)),
    "OxonFair": (others.oxonfair, BOUNDS),
}


def chosen(run, target):
    """Held-out (accuracy, gap) of what the validation rows choose for a target."""
    accuracy, gap = np.array(run["val"]).T
    within = gap <= target
    best = (
        np.argmax(np.where(within, accuracy, -1.0)) if within.any() else np.argmin(gap)
    )
    return run["test"][int(best)]


def _standard_errors(figures):
    """Of each column; None where there is one split only."""
    if len(figures) < 2:
        return [None] * figures.shape[1]
    errors = figures.std(axis=0, ddof=1) / np.sqrt(len(figures))
    return np.round(errors, 5).tolist()


def summary(runs):
    """For each task, method and target: means over splits, and standard errors."""
    found = []
    for task in dict.fromkeys(run["task"] for run in runs):
        for method in METHODS:
            own = [r for r in runs if (r["task"], r["method"]) == (task, method)]
            for target in TARGETS:
                figures = np.array([chosen(run, target) for run in own])
                spread = _standard_errors(figures)
                found.append(
                    {
                        "task": task,
                        "method": method,
                        "target": target,
                        "splits": len(own),
                        "accuracy": round(float(figures[:, 0].mean()), 5),
                        "accuracy, standard error": spread[0],
                        "gap": round(float(figures[:, 1].mean()), 5),
                        "gap, standard error": spread[1],
                        "time": round(float(np.median([r["time"] for r in own])), 2),
                        "needs groups": own[0]["needs groups"],
                    }
                )
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--runs", type=Path, default=Path("comparison_runs.jsonl"))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    tradeoff.METHODS = METHODS
    done = tradeoff.runs_in(options.runs)
    known = {(r["task"], r["seed"], r["method"]) for r in done}
    with threadpool_limits(1):
        for seed in range(options.seeds):
            for task in TASKS:
                for method in METHODS:
                    if (task, seed, method) in known:
                        continue
                    data = load(task, options.data_home, seed)
                    key = {"task": task, "seed": seed, "method": method}
                    result = key | tradeoff.run(data, DP, method)
                    with options.runs.open("a") as file:
                        file.write(json.dumps(result) + "\n")
                    print(*key.values(), f"{result['time']:.1f} fits", flush=True)
    runs = tradeoff.runs_in(options.runs)
    splits = Counter((run["task"], run["seed"]) for run in runs)
    full = [r for r in runs if splits[r["task"], r["seed"]] == len(METHODS)]
    found = summary(full)
    print(write("comparison", {"provenance": provenance("oxonfair"), "found": found}))


if __name__ == "__main__":
    main()
