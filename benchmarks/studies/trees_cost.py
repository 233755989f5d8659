# SPDX-License-Identifier: BSD-3-Clause
"""Time and memory of influences and of a correction of trees, beside the base fit.

    python -m benchmarks.studies.trees_cost [--rows N ...]

LightGBM of 100 trees with up to 31 leaves on simulated rows of 20 features. Seconds are
those of the process, with one thread; fits and corrections take turns, and figures are
medians of ratios within a turn. Memory, of one more run, is the peak of what NumPy
holds beyond the rows, in bytes per row: a dense table of rows and leaves would have 8
for each leaf.
"""

import argparse
import tracemalloc
import warnings

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits

from benchmarks.provenance import provenance, write
from benchmarks.studies.tradeoff import seconds_of
from sklearn_softunlearn import SoftUnlearnCorrector, influence
from sklearn_softunlearn.datasets import make_biased_classification

ROWS = (30_000, 300_000, 1_000_000)
DELTA, TURNS = 0.5, {30_000: 3}


def costs(n_samples):
    """Ratios to the base fit, and bytes per row."""
    X, y, groups = make_biased_classification(n_samples, n_features=20, random_state=0)
    model = LGBMClassifier(
        n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1, random_state=0
    )
    fitted = model.fit(X, y)
    parts = {"base fit": lambda: LGBMClassifier(**model.get_params()).fit(X, y)}
    for trees in ("joint", "refit"):
        parts[f"influences, {trees}"] = _influences(fitted, X, y, groups, trees)
        parts[f"correction, {trees}"] = _correction(fitted, X, y, groups, trees)
    seconds = {name: [] for name in parts}
    for _ in range(TURNS.get(n_samples, 1)):
        for name, part in parts.items():
            seconds[name].append(seconds_of(part)[1])
            print(n_samples, name, f"{seconds[name][-1]:.2f} s", flush=True)
    unit = np.array(seconds["base fit"])
    return {
        "rows": n_samples,
        "leaves": int(sum(_leaves(fitted))),
        "turns": len(unit),
        "seconds of the base fit": float(np.median(unit)),
        "fits": {
            name: float(np.median(np.array(values) / unit))
            for name, values in seconds.items()
        },
        "bytes per row": {
            name: _peak(part) / n_samples
            for name, part in parts.items()
            if name != "base fit"
        },
    }


def _influences(fitted, X, y, groups, trees):
    return lambda: influence(
        fitted, X, y, sensitive_features=groups, utility="loss", trees=trees
    )


def _correction(fitted, X, y, groups, trees):
    corrector = SoftUnlearnCorrector(FrozenEstimator(fitted), trees=trees, delta=DELTA)
    return lambda: corrector.fit(X, y, sensitive_features=groups)


def _leaves(fitted):
    return [tree["num_leaves"] for tree in fitted.booster_.dump_model()["tree_info"]]


def _peak(part):
    """The largest number of bytes that NumPy held; not timed, as it slows."""
    tracemalloc.start()
    part()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    found = []
    with threadpool_limits(1):
        for n_samples in options.rows:
            found.append(costs(n_samples))
            of = provenance("lightgbm")
            path = write("trees_cost", {"provenance": of, "found": found})
    print(path)


if __name__ == "__main__":
    main()
