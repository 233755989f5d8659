# SPDX-License-Identifier: BSD-3-Clause
"""Corrected boosted trees beside what else makes boosted trees fair.

    python -m benchmarks.studies.trees --data-home FOLDER [--runs FILE] [--seeds N]

Splits are those of ``benchmarks.studies.tradeoff``: 50 % to train, 20 % to choose along
a method's knob, 30 % held out. Every method trains the same base model; the model as it
was fitted is one more predictor of each method. Each run is appended to the file of
runs, and what is there already is not run again. `pip install lightgbm oxonfair`.

Held out, two questions are answered (``benchmarks.reports.tree_cells``): what the
validation rows choose for a target, and what a method has *at* the target. Times are
those of the process, with one thread.
"""

import argparse
import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from benchmarks.data.label_metrics import DP, accuracy, calibration_error, violation
from benchmarks.data.tables import load
from benchmarks.peers import corrections, mitigations
from benchmarks.provenance import provenance, write
from benchmarks.reports.tree_cells import overview
from benchmarks.studies.tradeoff import runs_in, seconds_of

TASKS = ("adult", "adult_race", "bank_working_age", "credit")
TARGETS = (0.10, 0.05, 0.03)
DELTAS = np.linspace(0.1, 1.0, 10)
BOUNDS = (0.06, 0.03, 0.012)
TOLERANCES = (0.15, 0.1, 0.07, 0.05, 0.03, 0.01)
SHARES = (0.25, 0.5, 0.75, 1.0)
LOGISTIC = "logistic regression"
BASES = {
    "LightGBM": lambda: LGBMClassifier(
        n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1, random_state=0
    ),
    LOGISTIC: mitigations.logistic,
    "HistGradientBoosting": lambda: HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=31, early_stopping=False, random_state=0
    ),
}


def _on_validation_rows(train, val, metric, deltas, **options):
    """Metric and utility measured on the rows that choose delta, too."""
    return corrections.path(train, val, metric, deltas, measured_on=val, **options)


# Method, knobs, and the knob of a single answer, which is timed alone; None where an
# answer costs its share of the whole.
METHODS = {
    "unconstrained": (mitigations.unconstrained, (None,), None),
    "ours, joint": (partial(corrections.path, trees="joint"), DELTAS, 0.5),
    "ours, joint, measured on validation rows": (
        partial(_on_validation_rows, trees="joint"),
        DELTAS,
        0.5,
    ),
    "ours, refit": (partial(corrections.path, trees="refit"), DELTAS, 0.5),
    "ExponentiatedGradient": (mitigations.exponentiated_gradient, BOUNDS, None),
    "ThresholdOptimizer": (mitigations.threshold_optimizer, TOLERANCES, 0.05),
    "OxonFair, groups given": (
        partial(mitigations.oxonfair, inferred=False),
        TOLERANCES,
        0.05,
    ),
    "OxonFair, groups inferred": (mitigations.oxonfair, TOLERANCES, 0.05),
    "reweighing": (mitigations.reweighing, SHARES, 1.0),
}
# It searches the thresholds of all five groups at once: ten minutes of processor time
# each, two thousand fits. Two seeds must do.
SEEDS_OF_SLOW = {
    ("OxonFair, groups given", "adult_race"): 2,
    ("OxonFair, groups inferred", "adult_race"): 2,
}
METHODS_OF_LOGISTIC = {
    "unconstrained": METHODS["unconstrained"],
    "ours, exact": (corrections.path, np.linspace(0.05, 1.0, 20), 0.5),
}


def methods_of(base):
    """What is run with a base model."""
    return METHODS_OF_LOGISTIC if base == LOGISTIC else METHODS


def judged(predictor, part):
    """Accuracy, gap, log loss and calibration error; None without probabilities."""
    label = predictor(part.X, part.groups)
    figures = [accuracy(part.y, label), violation(DP, part.y, label, part.groups)]
    if predictor.score is None:
        return [*np.round(figures, 6).tolist(), None, None]
    score = predictor.score(part.X)
    figures += [log_loss(part.y, score), calibration_error(part.y, score)]
    return np.round(figures, 6).tolist()


def run(data, base, name):
    """All predictors of one method, judged on validation and on held-out rows."""
    method, knobs, single = methods_of(base)[name]
    model = BASES[base]
    of_knobs = partial(method, data.train, data.val, DP, model=model)
    fits = [
        seconds_of(lambda: model().fit(data.train.X, data.train.y))[1] for _ in range(3)
    ]
    predictors, seconds = seconds_of(lambda: list(of_knobs(knobs)))
    if single is None:
        one = seconds / len(knobs)
    else:
        one = seconds_of(lambda: list(of_knobs(np.array([single]))))[1]
    return {
        "seconds of a fit": float(np.median(fits)),
        "seconds": seconds,
        "seconds of one": one,
        "needs groups": predictors[0].needs_groups,
    } | {
        part: [judged(each, getattr(data, part)) for each in predictors]
        for part in ("val", "test")
    }


def missing(file, options):
    """What is still to be run, seed after seed."""
    done = {(r["task"], r["seed"], r["base"], r["method"]) for r in runs_in(file)}
    for seed in range(options.seeds):
        for base in options.bases:
            for task in options.tasks:
                for method in methods_of(base):
                    key = task, seed, base, method
                    of_method = SEEDS_OF_SLOW.get((method, task), seed + 1)
                    if key not in done and seed < of_method:
                        yield key


def complete(file, options):
    """The runs of those seeds for which nothing is missing."""
    unfinished = {seed for _, seed, *_ in missing(file, options)}
    return [run for run in runs_in(file) if run["seed"] not in unfinished]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--runs", type=Path, default=Path("trees_runs.jsonl"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--bases", nargs="+", default=list(BASES))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for task, seed, base, method in missing(options.runs, options):
            encoding = "one-hot" if base == LOGISTIC else "ordinal"
            data = load(task, options.data_home, seed, encoding)
            key = {"task": task, "seed": seed, "base": base, "method": method}
            result = key | run(data, base, method)
            with options.runs.open("a") as file:
                file.write(json.dumps(result) + "\n")
            print(*key.values(), f"{result['seconds']:.1f} s", flush=True)
            found = overview(complete(options.runs, options), TARGETS)
            of = provenance("lightgbm", "oxonfair")
            path = write("trees", {"provenance": of} | found)
    print(path)


if __name__ == "__main__":
    main()
