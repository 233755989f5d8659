# SPDX-License-Identifier: BSD-3-Clause
"""With `memory` a grid search over delta fits and factorises once for each fold."""

from collections import Counter

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import Cholesky, ConjugateGradient, SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification

CALLS = Counter()
DELTAS = [0.1, 0.3, 0.5]

# A fold of a small set of data need not allow every request.
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.SmallGroupWarning"
)


class CountingRegression(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        CALLS["fit"] += 1
        return super().fit(X, y, sample_weight=sample_weight)


class CountingCholesky(Cholesky):
    def factorize(self, model, row_weight, parameters=None):
        CALLS["factorize"] += 1
        return super().factorize(model, row_weight, parameters)


@pytest.fixture
def data():
    CALLS.clear()
    return make_biased_classification(n_samples=600, random_state=0)


def corrector(memory, **params):
    options = {
        "estimator": CountingRegression(),
        "curvature": CountingCholesky(),
        "utility_tol": 0.2,
        "sensitive_feature_ids": [0],
    }
    return SoftUnlearnCorrector(**(options | params), memory=memory)


def search(corrector, X, y, group):
    return GridSearchCV(corrector, {"delta": DELTAS}, cv=3).fit(
        np.column_stack([group, X]), y
    )


def test_grid_search_fits_and_factorises_once_for_each_fold(data, tmp_path):
    cached = search(corrector(str(tmp_path)), *data)
    calls = dict(CALLS)
    CALLS.clear()
    plain = search(corrector(None), *data)

    assert calls == {"fit": 4, "factorize": 4}  # three folds and the refit
    assert CALLS == {"fit": 10, "factorize": 10}
    np.testing.assert_allclose(
        cached.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(
        cached.best_estimator_.deletion_weights_,
        plain.best_estimator_.deletion_weights_,
    )


def fit(corrector, data, **options):
    X, y, group = data
    return corrector.fit(np.column_stack([group, X]), y, **options)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({"delta": 0.2}, 1),
        ({"max_weight": 0.9}, 1),
        ({"metric": "equal_opportunity_difference"}, 1),
        ({"curvature": Cholesky(damping=0.1)}, 1),
        ({"estimator": CountingRegression(C=0.1)}, 2),
    ],
    ids=str,
)
def test_what_changes_is_computed_anew(data, tmp_path, change, fits):
    fit(corrector(str(tmp_path)), data)
    cached = fit(corrector(str(tmp_path), **change), data)

    assert CALLS["fit"] == fits
    np.testing.assert_allclose(
        cached.influence_, fit(corrector(None, **change), data).influence_
    )


def test_other_rows_and_weights_are_computed_anew(data, tmp_path):
    weight = np.ones(600)
    fit(corrector(str(tmp_path)), data)
    weight[0] = 2.0
    weighted = fit(corrector(str(tmp_path)), data, sample_weight=weight)

    assert CALLS["fit"] == 2
    np.testing.assert_allclose(
        weighted.influence_,
        fit(corrector(None), data, sample_weight=weight).influence_,
    )


def test_conjugate_gradients_are_cached_without_the_data(data, tmp_path):
    params = {"curvature": ConjugateGradient(tol=1e-12)}
    first = fit(corrector(str(tmp_path), **params), data)
    second = fit(corrector(str(tmp_path), **params, delta=0.3), data)

    np.testing.assert_array_equal(first.influence_, second.influence_)
    assert not np.array_equal(first.deletion_weights_, second.deletion_weights_)


def test_memory_may_be_a_joblib_memory(data, tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    for delta in DELTAS:
        fit(corrector(memory, delta=delta), data)

    assert CALLS == {"fit": 1, "factorize": 1}


def test_memory_of_a_pipeline_and_of_a_frozen_estimator(data, tmp_path):
    X, y, group = data
    pipeline = make_pipeline(StandardScaler(), CountingRegression())
    fitted = clone(pipeline).fit(X, y)
    CALLS.clear()
    for estimator in (pipeline, FrozenEstimator(fitted)):
        for delta in DELTAS:
            cached = corrector(
                str(tmp_path),
                estimator=estimator,
                delta=delta,
                sensitive_feature_ids=None,
            )
            cached.fit(X, y, sensitive_features=group)

    assert CALLS["fit"] == 1
    assert CALLS["factorize"] == 2
