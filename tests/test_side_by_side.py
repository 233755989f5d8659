# SPDX-License-Identifier: BSD-3-Clause
"""Fits in several threads: the answers of one, and the process as it was."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import (
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    leave_one_out,
    solve_weights,
)
from sklearn_softunlearn.calls import run_parallel
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import InfeasibleDeltaWarning, unsaid, warn

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.SmallGroupWarning",
    "ignore::sklearn_softunlearn.exceptions.CorrectionWarning",
)
X, y, GROUP = make_biased_classification(300, random_state=0)
DELTAS = [0.0, 1.0]  # the last is out of reach in every fold


def searched():
    corrector = SoftUnlearnCorrector(weighting="soft", utility_tol=0.0)
    search = SoftUnlearnCorrectorCV(corrector, deltas=DELTAS, cv=2, n_jobs=2)
    return search.fit(X, y, sensitive_features=GROUP)


@pytest.fixture
def filters():
    """Filters before; those after must be the same."""
    before = list(warnings.filters)
    yield before
    assert list(warnings.filters) == before


@pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.InfeasibleDeltaWarning"
)
def test_searches_in_eight_threads_leave_the_warning_filters(filters):
    alone = searched()
    with parallel_config(backend="threading"), ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: searched(), range(8)))
    for each in found:
        np.testing.assert_allclose(
            each.cv_results_["mean_test_accuracy"],
            alone.cv_results_["mean_test_accuracy"],
        )
        np.testing.assert_allclose(each.deletion_weights_, alone.deletion_weights_)


def of_corrector(k):
    corrector = SoftUnlearnCorrector(weighting="soft", delta=0.02 * k)
    return corrector.fit(X, y, sensitive_features=GROUP).deletion_weights_


def of_leave_one_out(k):
    model = LogisticRegression(C=1.0 + k).fit(X, y)
    rows = range(k, k + 3)
    found = leave_one_out(model, X, y, indices=rows, sensitive_features=GROUP, n_jobs=3)
    return found.actual


def of_weights(k):
    return solve_weights(np.sin(np.arange(50.0) + k), delta=1.0).weights


@pytest.mark.parametrize("call", [of_corrector, of_leave_one_out, of_weights])
def test_eight_threads_give_the_answers_of_one(filters, call):
    alone = [call(k) for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(call, range(8)))
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def warnings_of(call):
    with pytest.warns(InfeasibleDeltaWarning) as caught:
        call()
    return sum(w.category is InfeasibleDeltaWarning for w in caught)


UNREACHABLE = [0.0, 0.9, 0.95, 1.0]


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_one_warning_says_which_candidates_are_out_of_reach(filters, backend):
    corrector = SoftUnlearnCorrector(weighting="soft", utility_tol=0.0, max_weight=0.1)
    search = SoftUnlearnCorrectorCV(
        corrector, deltas=UNREACHABLE, cv=2, n_jobs=2, refit=lambda results: 3
    )
    with parallel_config(backend=backend):
        assert warnings_of(lambda: search.fit(X, y, sensitive_features=GROUP)) == 1
    path = {"deltas": UNREACHABLE, "sensitive_features": GROUP}
    assert warnings_of(lambda: corrector.path(X, y, **path)) == 1


def settings(name):
    texts = [
        (action, getattr(message, "pattern", message), category, line)
        for action, message, category, _, line in warnings.filters
    ]
    return sklearn.get_config()[name], texts


@pytest.mark.parametrize("backend", ["threading", "loky", "sequential"])
def test_workers_have_the_configuration_and_the_filters(filters, backend):
    with (
        parallel_config(backend=backend),
        sklearn.config_context(enable_metadata_routing=True),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("error", "some (text)", FutureWarning, "module", 7)
        warnings.simplefilter("ignore", DeprecationWarning)
        here = settings("enable_metadata_routing")
        found = run_parallel(settings, [("enable_metadata_routing",)] * 4, n_jobs=2)
    for config, there in found:
        assert config == here[0] is True
        assert there == here[1]


def test_what_is_left_unsaid_is_so_in_one_thread_alone(filters):
    def say(_):
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("error")
            warn("now", InfeasibleDeltaWarning)

    with unsaid(InfeasibleDeltaWarning):
        say(0)
        with ThreadPoolExecutor(1) as pool, pytest.raises(InfeasibleDeltaWarning):
            list(pool.map(say, range(1)))
    with pytest.raises(InfeasibleDeltaWarning):
        say(0)
