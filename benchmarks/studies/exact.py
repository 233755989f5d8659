# SPDX-License-Identifier: BSD-3-Clause
"""What is asked and what is realised, at what loss and in what time.

    python -m benchmarks exact [--tasks adult ...]

For each table, metric and delta: the share of the surrogate that is left on the rows
that it was asked for, the rise of the training loss, the distance of a refit with the
weights from the corrected model, and processor time as a multiple of one fit of the
model; exact weights beside the first order, interleaved in one process.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.data.label_metrics import DP, EO
from benchmarks.data.tables import TRADEOFF_TASKS, load
from benchmarks.peers.corrections import FIRST_ORDER
from benchmarks.provenance import provenance, write
from sklearn_softunlearn import SoftUnlearnCorrector

DELTAS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
METHODS = {"exact": {}, "first order": FIRST_ORDER, "no bound": {"weighting": "soft"}}


def seconds(function):
    """Processor time of a call, and what it returned."""
    start = time.process_time()
    found = function()
    return time.process_time() - start, found


def records(task, metric, data):
    """One record for each method and delta."""
    X, y, groups = data.train.X, data.train.y, data.train.groups
    model = LogisticRegression(max_iter=5000)
    fits = [seconds(lambda: clone(model).fit(X, y)) for _ in range(3)]
    base, fit = fits[0][1], float(np.median([taken for taken, _ in fits]))
    for delta in DELTAS:
        for name, options in METHODS.items():
            corrector = SoftUnlearnCorrector(
                FrozenEstimator(base), metric=metric, delta=delta, **options
            )
            taken, _ = seconds(
                lambda c=corrector: c.fit(X, y, sensitive_features=groups)
            )
            yield {
                "task": task,
                "metric": metric,
                "delta": delta,
                "method": name,
                "fits": taken / fit,
                **outcome(corrector, model, X, y),
            }


def outcome(corrector, model, X, y):
    """What a correction realised, and what a refit with its weights gives."""
    lines = {line.kind: line for line in corrector.report_.lines[:1]}
    gap, loss = lines["surrogate"], corrector.report_["loss", "surrogate"]
    # lbfgs stops early, whatever its tolerance, where columns are badly scaled.
    tight = clone(model).set_params(solver="newton-cholesky", tol=1e-10)
    refitted = tight.fit(X, y, sample_weight=corrector.sample_weight_)
    scale = np.max(np.abs(refitted.coef_))
    off = refitted.coef_ - corrector.estimator_.coef_
    return {
        "left": gap.after / gap.before,
        "loss_before": loss.before,
        "loss_after": loss.after,
        "refit": float(np.max(np.abs(off)) / scale),
        "mass": corrector.report_.deleted_mass / len(y),
        "n_iter": int(corrector.n_iter_),
    }


def summary(found):
    """Lines of a table: for each method the largest and mean miss, and the time."""
    lines = ["| method | miss, mean | miss, largest | refit, largest | fits, median |"]
    lines.append("|---|---|---|---|---|")
    for name in METHODS:
        own = [each for each in found if each["method"] == name]
        miss = [abs(each["left"] - (1.0 - each["delta"])) for each in own]
        refit = max(each["refit"] for each in own)
        fits = np.median([each["fits"] for each in own])
        lines.append(
            f"| {name} | {np.mean(miss):.4f} | {np.max(miss):.4f} | {refit:.0e} "
            f"| {fits:.1f} |"
        )
    return lines


def main():
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", default="../shared/data")
    parser.add_argument("--tasks", nargs="+", default=list(TRADEOFF_TASKS))
    options = parser.parse_args()
    found = []
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        for task in options.tasks:
            data = load(task, options.data_home, 0)
            for metric in (DP, EO):
                found += records(task, metric, data)
                print(task, metric, flush=True)
    print("\n".join(summary(found)))
    if options.tasks == list(TRADEOFF_TASKS):
        print(write("exact", {"provenance": provenance(), "records": found}))


if __name__ == "__main__":
    main()
