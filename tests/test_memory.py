# SPDX-License-Identifier: BSD-3-Clause
"""With `memory` a grid search over delta fits and factorises once for each fold."""

import os
import subprocess
import sys
from collections import Counter

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import LogisticRegression as LR
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_softunlearn import (
    Cholesky,
    ConjugateGradient,
    SoftUnlearnCorrector,
)
from sklearn_softunlearn.calls import _code_key
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


OWN = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import Cholesky, GroupMetric

POWER = 1.0
SCALES = {"all": 1.0}

def powered(X):
    return np.sign(X) * np.abs(X) ** POWER

class Base(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self
    def scaled(self, X):
        return 1.0 * X
    def __sklearn_is_fitted__(self):
        return True

class Step(Base):
    shift = 0.0
    def transform(self, X):
        '''Rows, changed.'''
        inner = lambda X: X + self.shift
        return inner(self.scaled(powered(X))) * SCALES["all"]

class Regression(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        self.C = 1.0
        return super().fit(X, y, sample_weight)

class Metric(GroupMetric):
    def gradient_factors(self, raw_prediction, rows):
        inner, outer = super().gradient_factors(raw_prediction, rows)
        return inner, 1.0 * outer

class Solver(Cholesky):
    def factorize(self, model, row_weight, parameters=None):
        CALLS["factorize"] += 1
        self.damping = 0.0
        return super().factorize(model, row_weight, parameters)
"""
EDITS = {
    "a method": ("1.0 * X\n", "X**3\n"),
    "a helper": ("np.sign(X) * np.abs", "np.sign(X) * np.sin"),
    "a constant": ("POWER = 1.0", "POWER = 2.0"),
    "a mapping": ('{"all": 1.0}', '{"all": 0.1}'),
    "an attribute of the class": ("shift = 0.0", "shift = 5.0"),
    "a lambda": ("X + self.shift", "X**2"),
    "an estimator": ("self.C = 1.0", "self.C = 0.001"),
    "a metric": ("1.0 * outer", "2.0 * outer"),
    "a curvature": ("damping = 0.0", "damping = 0.5"),
}


@pytest.fixture
def own(own_code):
    return lambda source: own_code(source, CALLS=CALLS)


def influence_of(module, data, memory, **options):
    X, y, group = data
    steps = [("own", module.Step()), ("last", module.Regression())]
    parameters = {
        "estimator": Pipeline(steps),
        "metric": module.Metric("demographic_parity_difference"),
        "curvature": module.Solver(),
    }
    fitted = SoftUnlearnCorrector(
        **(parameters | options), weighting="soft", update="influence", memory=memory
    )
    return fitted.fit(X, y, sensitive_features=group).influence_


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_own_code_that_was_edited_is_run_again(data, tmp_path, own, edit):
    """A pickle has classes by name, so that results of the old code would be found."""
    before = influence_of(own(OWN), data, str(tmp_path))
    edited = OWN.replace(*edit)
    assert edited != OWN
    found = influence_of(own(edited), data, str(tmp_path))

    np.testing.assert_array_equal(found, influence_of(own(edited), data, None))
    assert not np.allclose(found, before, rtol=1e-3)


def test_a_function_of_a_step_that_was_edited_is_run_again(data, tmp_path, own):
    def fitted(source, memory):
        module = own(source)
        pipeline = make_pipeline(FunctionTransformer(module.powered), LR())
        return influence_of(module, data, memory, estimator=pipeline)

    edited = OWN.replace("POWER = 1.0", "POWER = 3.0")
    before = fitted(OWN, str(tmp_path))
    found = fitted(edited, str(tmp_path))

    np.testing.assert_array_equal(found, fitted(edited, None))
    assert not np.allclose(found, before, rtol=1e-3)


def test_code_that_only_moved_is_found_again(data, tmp_path, own):
    influence_of(own(OWN), data, str(tmp_path))
    influence_of(own("# A comment.\n\n" + OWN), data, str(tmp_path))

    assert CALLS["factorize"] == 1


def test_the_key_of_code_is_that_of_every_process():
    script = f"""
import runpy
KINDS = {{"one", "other"}}
def own(kind): return kind in {{"a", "b", "c"}} and kind in KINDS
print(runpy.run_path({_code_key.__file__!r})["code_key"](own))
"""
    keys = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(keys) == 1


@pytest.mark.parametrize("where", ["a step", "a metric"])
def test_what_has_no_name_on_disk_is_refused_by_name(data, tmp_path, own, where):
    module = own(OWN)
    if where == "a step":
        given = {"estimator": make_pipeline(FunctionTransformer(lambda X: X), LR())}
    else:
        metric = module.Metric("demographic_parity_difference")
        metric.own = lambda: None
        given = {"metric": metric}
    with pytest.raises(ValueError, match=r"^memory: .*lambda.* at the top of a module"):
        influence_of(module, data, str(tmp_path), **given)
