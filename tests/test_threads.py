# SPDX-License-Identifier: BSD-3-Clause
"""Eight fits at once give what one after the other gives, and change nothing global."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from sklearn_softunlearn import SoftUnlearnCorrector, influence
from sklearn_softunlearn.datasets import make_biased_classification

N_THREADS = 8
SETTINGS = [
    {"weighting": "soft", "update": "influence"},
    {"weighting": "soft", "update": "newton"},
    {"weighting": "exact", "utility_tol": None},
    {"weighting": "hard", "update": "influence"},
]


def weights(seed, settings):
    X, y, group = make_biased_classification(300, 4, random_state=seed)
    corrector = SoftUnlearnCorrector(delta=0.2, on_infeasible="warn", **settings)
    corrector.fit(X, y, sensitive_features=group)
    found = influence(corrector.estimator_, X, y, sensitive_features=group)
    return corrector.deletion_weights_, corrector.predict_proba(X), found.values


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: s["weighting"])
def test_eight_threads_give_what_one_gives(settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said of a fit is not the matter here
        before = list(warnings.filters)
        alone = [weights(seed, settings) for seed in range(N_THREADS)]
        assert warnings.filters == before
        barrier = Barrier(N_THREADS)

        def together(seed):
            barrier.wait(timeout=60)
            return weights(seed, settings)

        with ThreadPoolExecutor(N_THREADS) as pool:
            found = list(pool.map(together, range(N_THREADS)))
        assert warnings.filters == before
    for one, other in zip(alone, found, strict=True):
        for expected, actual in zip(one, other, strict=True):
            np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
