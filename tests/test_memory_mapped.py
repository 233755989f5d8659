# SPDX-License-Identifier: BSD-3-Clause
"""X on disk, behind a `numpy.memmap`, is corrected without a copy in memory."""

import tracemalloc

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_softunlearn import SoftUnlearnCorrector

N, D = 16000, 400
SOFT = {"weighting": "soft"}
CASES = {
    "first order, frozen": (LogisticRegression, True, SOFT),
    "exact, frozen": (LogisticRegression, True, {}),
    "exact, fitted here": (LogisticRegression, False, {}),
    "regression, frozen": (
        Ridge,
        True,
        {"metric": "mean_prediction_difference"},
    ),
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    rng = np.random.default_rng(0)
    X, group = rng.standard_normal((N, D)), rng.integers(0, 2, N)
    X[:, -5:] += 0.5 * group[:, None]
    y = X[:, :5].sum(axis=1) + X[:, -5:].sum(axis=1) + rng.logistic(size=N) > 0
    path = tmp_path_factory.mktemp("rows") / "X.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r"), y.astype(int), group


@pytest.mark.parametrize("case", CASES)
def test_the_peak_of_memory_is_a_part_of_X(rows, case):
    X, y, group = rows
    model, frozen, options = CASES[case]
    base = model()
    if frozen:
        base = FrozenEstimator(base.fit(X, y))
    corrector = SoftUnlearnCorrector(base, delta=0.2, **options)
    tracemalloc.start()
    try:
        corrector.fit(X, y, sensitive_features=group)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * X.nbytes
    line = corrector.report_[corrector.metric, "surrogate"]
    assert line.after < 0.9 * line.before
