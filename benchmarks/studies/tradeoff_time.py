# SPDX-License-Identifier: BSD-3-Clause
"""Time of one predictor of each method of the trade-off, beside one fit.

    python -m benchmarks.studies.tradeoff_time [--data-home FOLDER]

Adult by sex, demographic parity, each method at one setting of its knob, its base fit
included. Methods take turns with a `LogisticRegression` fit (lbfgs), with one BLAS
thread; figures are medians of the ratios within a turn, of seconds of the process.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits

from benchmarks.data.label_metrics import DP
from benchmarks.data.tables import load
from benchmarks.peers import corrections, mitigations
from benchmarks.peers.corrections import FIRST_ORDER
from benchmarks.provenance import provenance, write
from sklearn_softunlearn import InfluenceUpdate, SoftUnlearnCorrector

TURNS, TARGET = 3, 0.05

# One setting of each knob: what aims at the target, or the full strength.
SETTINGS = {
    "ExponentiatedGradient": (mitigations.exponentiated_gradient, (TARGET / 2,)),
    "GridSearch": (mitigations.grid_search, (20,)),
    "ThresholdOptimizer": (mitigations.threshold_optimizer, (TARGET,)),
    "CorrelationRemover": (mitigations.correlation_remover, (1.0,)),
    "reweighing": (mitigations.reweighing, (1.0,)),
    "influence LP, retrained": (mitigations.influence_lp, (0.5,)),
    "hard deletion, retrained": (mitigations.hard_deletion, (0.5,)),
    "ours, Newton step, cross-validated": (
        partial(corrections.cross_validated, update="newton", **FIRST_ORDER),
        (TARGET,),
    ),
    "ours, exact, cross-validated": (corrections.cross_validated, (TARGET,)),
}
OPTIONS = {
    "ours, exact": {},
    "ours, exact, calibrated": {"calibrate": "labels"},
    "ours, one step": FIRST_ORDER,
    "ours, re-linearised": FIRST_ORDER | {"update": InfluenceUpdate(max_iter=10)},
    "ours, Newton step": FIRST_ORDER | {"update": "newton"},
    "ours, one step, calibrated": FIRST_ORDER | {"calibrate": "labels"},
    "ours, Newton step, calibrated": (
        FIRST_ORDER | {"calibrate": "labels", "update": "newton"}
    ),
}


def runs(data):
    """A function without arguments for each method."""
    train = data.train
    base = mitigations.logistic().fit(train.X, train.y)
    found = {
        name: partial(_all, method, data, knobs)
        for name, (method, knobs) in SETTINGS.items()
    }
    for name, options in OPTIONS.items():
        found[name] = partial(_corrected, train, mitigations.logistic(), options)
        given = f"{name}, of a fitted model"
        found[given] = partial(_corrected, train, FrozenEstimator(base), options)
    return found


def _all(method, data, knobs):
    return list(method(data.train, data.val, DP, knobs))


def _corrected(train, estimator, options):
    corrector = SoftUnlearnCorrector(estimator, metric=DP, delta=0.7, **options)
    return corrector.fit(train.X, train.y, sensitive_features=train.groups)


def ratios(data):
    """Median ratio of each method to a fit."""
    methods = runs(data)
    found = {name: [] for name in methods}
    for _ in range(TURNS):
        for name, run in methods.items():
            model = mitigations.logistic()
            fit = _seconds(lambda model=model: model.fit(data.train.X, data.train.y))
            found[name].append(_seconds(run) / fit)
    return {name: float(np.median(values)) for name, values in found.items()}


def _seconds(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        data = load("adult", options.data_home, 0)
        found = {
            "provenance": provenance(),
            "rows": len(data.train.y),
            "features": data.train.X.shape[1],
            "in fits": ratios(data),
        }
    print(write("tradeoff_time", found))


if __name__ == "__main__":
    main()
