# SPDX-License-Identifier: BSD-3-Clause
"""Time and memory of exact weights, as multiples of one fit and of X.

    python -m benchmarks exact_cost [--data-home FOLDER]

A fitted `LogisticRegression` on Adult is corrected by half, by 0.8 and along twenty
deltas; many groups and a million rows are simulated. Times are of the processor with
one BLAS thread, fits and corrections in turns, medians. Memory is the largest sum of
NumPy's allocations during `fit`, in a run that is not timed.
"""

import argparse
import time
import tracemalloc
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.data.tables import load
from benchmarks.provenance import provenance, write
from sklearn_softunlearn import SoftUnlearnCorrector

DELTAS = np.linspace(0.0, 0.95, 20)


def adult(data_home):
    """Adult by sex, as in the trade-off study."""
    train = load("adult", data_home, 0).train
    return train.X, train.y, train.groups, LogisticRegression(max_iter=5000)


def many_groups(n_groups):
    """Simulated rows with groups that differ in their rate of the label."""

    def made(_):
        rng = np.random.default_rng(0)
        share = rng.integers(n_groups, size=20_000) / n_groups
        X = rng.normal(size=(len(share), 20))
        X[:, 0] += share
        score = X @ rng.normal(size=20) / 4 + share - 0.5
        y = rng.random(len(share)) < 1 / (1 + np.exp(-score))
        return X, y, share.astype(str), LogisticRegression(max_iter=5000)

    return made


def million(_):
    """A million rows of a hundred columns."""
    rng = np.random.default_rng(0)
    groups = rng.integers(2, size=1_000_000)
    X = rng.normal(size=(len(groups), 100))
    X[:, :5] += 0.3 * groups[:, None]
    score = X @ rng.normal(size=100) / 10 + 0.5 * groups
    y = rng.random(len(groups)) < 1 / (1 + np.exp(-score))
    return X, y, groups, LogisticRegression(solver="newton-cholesky")


CASES = {
    "Adult, delta 0.5": (adult, 0.5, 5),
    "Adult, delta 0.8": (adult, 0.8, 5),
    "Adult, path of 20 deltas": (adult, DELTAS, 3),
    "40 groups, delta 0.5": (many_groups(40), 0.5, 3),
    "200 groups, delta 0.5": (many_groups(200), 0.5, 1),
    "a million rows, delta 0.5": (million, 0.5, 3),
}


def seconds(function):
    """Processor time of a call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def corrected(base, table, delta):
    """A correction by one delta, or along several."""
    X, y, groups = table
    corrector = SoftUnlearnCorrector(FrozenEstimator(base))
    if np.ndim(delta):
        list(corrector.path(X, y, deltas=delta, sensitive_features=groups))
    else:
        corrector.set_params(delta=delta).fit(X, y, sensitive_features=groups)


def record(name, data_home):
    """Times and memory of one case."""
    make, delta, rounds = CASES[name]
    X, y, groups, model = make(data_home)
    base, table = clone(model).fit(X, y), (X, y, groups)
    taken = [
        (
            seconds(lambda: clone(model).fit(X, y)),
            seconds(lambda: corrected(base, table, delta)),
        )
        for _ in range(rounds)
    ]
    fit, correction = np.median(taken, axis=0)
    tracemalloc.start()
    corrected(base, table, delta)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "case": name,
        "rows": X.shape[0],
        "columns": X.shape[1],
        "solver": model.solver,
        "fit": float(fit),
        "fits": float(correction / fit),
        "copies of X": float(peak / X.nbytes),
    }


def main():
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = []
    with threadpool_limits(1):
        for name in options.cases:
            found.append(record(name, options.data_home))
            print(found[-1], flush=True)
    if options.cases == list(CASES):
        print(write("exact_cost", {"provenance": provenance(), "records": found}))


if __name__ == "__main__":
    main()
