# SPDX-License-Identifier: BSD-3-Clause
"""Accuracy at a required gap: corrections against what a user would pick instead.

    python -m benchmarks.studies.tradeoff --data-home FOLDER [--runs FILE]

Rows are split at random, 50 % to train, 20 % to choose a method's knob, 30 % held out.
Of the predictors that a method offers along its knob, the most accurate whose gap on
the validation rows is within the target is taken (the one of smallest gap if none is);
the figures are those of the held-out rows. A few of our methods offer one predictor
for each target instead, and nothing is chosen. Randomised predictors are judged by
their expected labels. Each run is appended to the file of runs, and what is there
already is not run again. With ``--methods``, the figures of the others are those of the
results file: same rows, same seeds.

Times are those of the process, with one BLAS thread, in units of a
`LogisticRegression` fit (lbfgs) measured before and after.
"""

import argparse
import json
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.data.label_metrics import DP, EO, accuracy, violation
from benchmarks.data.tables import TRADEOFF_TASKS, load
from benchmarks.peers import corrections, mitigations
from benchmarks.provenance import provenance, read, write
from benchmarks.reports.tradeoff_summary import overview

TARGETS = (0.10, 0.05, 0.02)
DELTAS = np.linspace(0.0, 1.0, 41)
BOUNDS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.07, 0.1)
SHARES = np.linspace(0.0, 1.0, 11)

METHODS = {
    "unconstrained": (mitigations.unconstrained, (None,)),
    "GridSearch": (mitigations.grid_search, (20,)),
    "ThresholdOptimizer": (mitigations.threshold_optimizer, (None, 0.02, 0.05, 0.1)),
    "CorrelationRemover": (mitigations.correlation_remover, SHARES),
    "reweighing": (mitigations.reweighing, SHARES),
    "influence LP, retrained": (mitigations.influence_lp, DELTAS),
    "hard deletion, retrained": (mitigations.hard_deletion, DELTAS),
    "ExponentiatedGradient": (mitigations.exponentiated_gradient, BOUNDS),
    "OxonFair, groups inferred": (mitigations.oxonfair, TARGETS),
    "threshold of the base model": (corrections.base_and_threshold, (None,)),
}
# It searches the thresholds of all five groups at once: no end after three minutes of
# processor time, which is a thousand fits.
TOO_LONG = {("OxonFair, groups inferred", "adult_race")}
METHODS |= {name: (method, DELTAS) for name, method in corrections.ALONG_DELTA.items()}
METHODS |= {name: (method, TARGETS) for name, method in corrections.FOR_TARGETS.items()}


def seconds_of(run):
    """What it returns, and the seconds of the process."""
    start = time.process_time()
    result = run()
    return result, time.process_time() - start


def judged(predictor, part, metric):
    """Accuracy and violation on a part, and the share of rows with a random label."""
    label = predictor(part.X, part.groups)
    random = np.mean((label > 1e-9) & (label < 1 - 1e-9))
    return (
        accuracy(part.y, label),
        violation(metric, part.y, label, part.groups),
        float(random),
    )


def run(data, metric, name):
    """All predictors of one method, judged on the three parts."""
    method, knobs = METHODS[name]

    def fit():
        return mitigations.logistic().fit(data.train.X, data.train.y)

    before = seconds_of(fit)[1]
    predictors, seconds = seconds_of(
        lambda: list(method(data.train, data.val, metric, knobs))
    )
    yardstick = (before + seconds_of(fit)[1]) / 2
    parts = {
        part: [judged(each, getattr(data, part), metric) for each in predictors]
        for part in ("train", "val", "test")
    }
    return {
        "time": seconds / yardstick,
        "needs groups": predictors[0].needs_groups,
        "random labels": max(each[2] for each in parts["test"]),
        "off": [
            round(abs(each.realised - each.asked), 6)
            for each in predictors
            if each.asked is not None
        ],
    } | {
        part: [np.round(each[:2], 6).tolist() for each in parts[part]] for part in parts
    }


def missing(file, options):
    """What is still to be run, seed after seed."""
    done = {(r["task"], r["metric"], r["seed"], r["method"]) for r in runs_in(file)}
    for seed in range(options.seeds):
        for task in options.tasks:
            for metric in options.metrics:
                for method in options.methods:
                    key = task, metric, seed, method
                    if key not in done and (method, task) not in TOO_LONG:
                        yield key


def runs_in(file):
    """The runs of a file, empty if there is none yet."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def complete(runs):
    """The runs of those seeds for which every method was run on every task."""
    found = Counter(run["seed"] for run in runs)
    return [run for run in runs if found[run["seed"]] == max(found.values())]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--runs", type=Path, default=Path("tradeoff_runs.jsonl"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", nargs="+", default=list(TRADEOFF_TASKS))
    parser.add_argument("--metrics", nargs="+", default=[DP, EO])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for task, metric, seed, method in missing(options.runs, options):
            data = load(task, options.data_home, seed)
            key = {"task": task, "metric": metric, "seed": seed, "method": method}
            result = key | run(data, metric, method)
            with options.runs.open("a") as file:
                file.write(json.dumps(result) + "\n")
            print(*key.values(), f"{result['time']:.1f} fits", flush=True)
    if not {"tasks", "metrics"} & changed(parser, options):
        runs = complete(runs_in(options.runs))
        found = overview(runs, TARGETS, corrections.FOR_TARGETS, read("tradeoff"))
        print(write("tradeoff", {"provenance": provenance()} | found))


def changed(parser, options):
    """Names of the options that are not as they are by default."""
    return {k for k, value in vars(options).items() if value != parser.get_default(k)}


if __name__ == "__main__":
    main()
