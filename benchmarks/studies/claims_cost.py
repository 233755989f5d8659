# SPDX-License-Identifier: BSD-3-Clause
"""Time and memory of a correction, beside the training of the model it corrects.

Seconds are those of the process, with one BLAS thread; fits and corrections take
turns, and figures are medians of ratios within a turn.
"""

import time
import tracemalloc

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from benchmarks.peers.corrections import FIRST_ORDER
from benchmarks.studies.backbone import _Stages
from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification

N_FEATURES = 100


def cost(n_samples, turns):
    """Parts of a correction in units of two fits, and peak memory in copies of X."""
    X, y, groups = make_biased_classification(
        n_samples, n_features=N_FEATURES, random_state=0
    )
    base = LogisticRegression().fit(X, y)
    frozen = SoftUnlearnCorrector(FrozenEstimator(base), **FIRST_ORDER)
    stages = _Stages(X, y, groups, base)
    parts = {
        "lbfgs fit": lambda: LogisticRegression().fit(X, y),
        "newton-cholesky fit": lambda: LogisticRegression(solver="newton-cholesky").fit(
            X, y
        ),
        "correction": lambda: frozen.fit(X, y, sensitive_features=groups),
        "influence": stages.influence,
        "weights": stages.weights,
        "update": stages.update,
    }
    seconds = {name: [] for name in parts}
    for _ in range(turns):
        for name, run in parts.items():
            seconds[name].append(_seconds(run))
    return {
        "n": n_samples,
        "d": N_FEATURES,
        "turns": turns,
        "lbfgs iterations": int(base.n_iter_[0]),
        "in lbfgs fits": _ratios(seconds, "lbfgs fit"),
        "in newton-cholesky fits": _ratios(seconds, "newton-cholesky fit"),
        "peak memory, copies of X": _peak(
            lambda: frozen.fit(X, y, sensitive_features=groups), X
        ),
        "peak memory of an lbfgs fit, copies of X": _peak(
            lambda: LogisticRegression().fit(X, y), X
        ),
    }


def _seconds(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def _ratios(seconds, yardstick):
    unit = np.array(seconds[yardstick])
    return {
        name: float(np.median(np.array(values) / unit))
        for name, values in seconds.items()
    }


def _peak(run, X):
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / X.nbytes
