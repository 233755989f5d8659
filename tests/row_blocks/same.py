# SPDX-License-Identifier: BSD-3-Clause
"""Rows in blocks of many shapes, and what must not depend on the shape."""

import dask.array as da
import numpy as np

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.dask import DaskSoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification

N = 240
TOLERANCE = 1e-8
CHUNKS = {
    "one": (N,),
    "three": (100, 100, 40),
    "empty ones": (0, 1, 0, 150, N - 151, 0),
    "single rows": (*(1,) * 25, N - 50, *(1,) * 25),
}


def table(n=N, n_groups=2, seed=0):
    """X, y, groups and weights; the last group is in the last rows only."""
    X, y, group = make_biased_classification(n, random_state=seed)
    rng = np.random.default_rng(seed)
    if n_groups > 2:
        group = np.where(np.arange(n) >= n - 45, n_groups - 1, group)
    return X, y, group, rng.uniform(0.5, 2.0, n)


def in_chunks(values, chunks):
    """A dask array with these lengths of blocks."""
    values = np.asarray(values)
    return da.from_array(values, chunks=(tuple(chunks), *values.shape[1:]))


def both(estimator, X, y, chunks, *, client=None, fit=None, val=None, **options):
    """The corrector in memory and the one on blocks, fitted alike."""
    options = {"small_groups": "keep", "on_infeasible": "warn"} | options
    fit, val = fit or {}, val or {}
    one = SoftUnlearnCorrector(estimator, **options).fit(X, y, **fit, **val)
    blocks = {name: in_chunks(values, chunks) for name, values in fit.items()}
    other = DaskSoftUnlearnCorrector(estimator, **options).fit(
        in_chunks(X, chunks), in_chunks(y, chunks), client=client, **blocks, **val
    )
    return one, other


def raw(estimator, X):
    """Decision function, prediction of a regressor or probabilities."""
    for name in ("decision_function", "predict_proba", "predict"):
        if hasattr(estimator, name):
            return getattr(estimator, name)(X)


def assert_same(one, other, X, tolerance=TOLERANCE):
    """All that a correction gives, to the tolerance of the issue."""
    close = {"rtol": 0, "atol": tolerance}
    np.testing.assert_allclose(
        raw(other.estimator_, X), raw(one.estimator_, X), **close
    )
    weights = other.deletion_weights_.compute()
    np.testing.assert_allclose(weights, one.deletion_weights_, **close)
    np.testing.assert_allclose(other.influence_.compute(), one.influence_, **close)
    assert other.functional_names_ == one.functional_names_
    for mine, theirs in zip(other.report_.lines, one.report_.lines, strict=True):
        assert (mine.name, mine.kind) == (theirs.name, theirs.kind)
        numbers = [(m.before, m.predicted, m.after) for m in (mine, theirs)]
        np.testing.assert_allclose(*numbers, **close)
    assert other.report_.kinds == one.report_.kinds
    assert other.report_.status == one.report_.status
