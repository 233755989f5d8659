# SPDX-License-Identifier: BSD-3-Clause
"""Predictions of Dask collections, lazy and block by block."""

from functools import partial

import dask.array as da
import numpy as np
from dask import delayed
from dask.base import is_dask_collection

from sklearn_softunlearn._sklearn_compat import n_rows
from sklearn_softunlearn.dask._collections import blocks_of


class LazyEstimator:
    """A fitted estimator whose methods map Dask collections block by block.

    Parameters
    ----------
    estimator : fitted estimator
        Plain; rows in memory are its own matter.
    """

    def __init__(self, estimator):
        self._estimator = estimator

    def __getattr__(self, name):
        """The method of this name, for either kind of rows."""
        return partial(_answer, getattr(self._estimator, name))

    def score(self, X, y, sample_weight=None):
        """Score of rows in memory."""
        if is_dask_collection(X):
            raise TypeError(
                "score takes rows in memory. Of Dask collections compare predict(X) "
                "with y, for example (corrector.predict(X) == y).mean()."
            )
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._estimator.score(X, y, **weight)


def _answer(method, X):
    return lazily(method, X) if is_dask_collection(X) else method(X)


def lazily(method, X):
    """The method of each block of a Dask collection, a dask array.

    Its blocks are as long as those of X: of a DataFrame, unknown.
    """
    blocks, lengths = blocks_of(X, "X")
    form = np.asarray(method(_one_row(X)))[:0]
    shared = delayed(partial(_of_block, method, form), pure=False, traverse=False)
    lengths = [np.nan] * len(blocks) if lengths is None else lengths
    pieces = [
        da.from_delayed(shared(block), (length, *form.shape[1:]), dtype=form.dtype)
        for block, length in zip(blocks, lengths, strict=True)
    ]
    return da.concatenate(pieces, allow_unknown_chunksizes=True)


def _one_row(X):
    """A row that the method can be tried on: of a frame, one of its own."""
    if hasattr(X, "chunks"):
        return np.zeros((1, X.shape[1]), dtype=X.dtype)
    return X.head(1, npartitions=-1)


def _of_block(method, form, block):
    return np.asarray(method(block)) if n_rows(block) else form
