# SPDX-License-Identifier: BSD-3-Clause
"""Rows that are not in memory: known by what is mapped over them, or summed.

Everything that a correction needs of X is a map of its rows or a sum over them. The
products of a model are written for rows in memory; the decorators below call the same
method block by block where X is a `RowBlocks`, and nothing else has to know. The method
is found by its name: one that overrides a decorated one is decorated, too.
"""

from abc import ABC, abstractmethod
from copy import copy
from functools import partial, wraps

# Arrays with an entry for each training row, of which a block gets its own part.
_OF_ROWS = ("X", "y", "row_weight", "sample_weight", "fitted_raw_prediction")
# What only the making of a corrected estimator needs.
_OF_ESTIMATOR = ("estimator", "ensemble")


class RowBlocks(ABC):
    """Blocks of consecutive rows, which are read when something is asked of them.

    `map` and `sum` are one pass over the blocks each. Their ``function`` is called as
    ``function(block, *parts)``, with the part of each array ``by_row`` that belongs to
    the block.
    """

    @property
    @abstractmethod
    def shape(self):
        """Number of rows and of columns."""

    @abstractmethod
    def map(self, function, *by_row):
        """What the function returns of the blocks, one below the other."""

    @abstractmethod
    def sum(self, function, *by_row):
        """Sum over the blocks of what the function returns."""

    @abstractmethod
    def each(self, function):
        """The blocks ``function(block)``, each made when it is read."""

    @abstractmethod
    def near(self, positions):
        """Those of some positions that are read without a pass over all blocks."""

    @property
    @abstractmethod
    def first_rows(self):
        """A few rows in memory, which have the columns of all."""

    def __len__(self):
        """Number of rows."""
        return self.shape[0]

    @property
    def size(self):
        """Number of entries."""
        return self.shape[0] * self.shape[1]


def mapped_over_rows(method):
    """``method(self, X, *small)`` gives one row of the result for each row of X."""

    @wraps(method)
    def product(self, X, *small):
        if not isinstance(X, RowBlocks):
            return method(self, X, *small)
        return X.map(partial(_product, _lean(self), method.__name__, small))

    return product


def summed_over_rows(method):
    """``method(self, X, by_row)`` is a sum over the rows of X."""

    @wraps(method)
    def product(self, X, by_row):
        if not isinstance(X, RowBlocks):
            return method(self, X, by_row)
        return X.sum(partial(_product, _lean(self), method.__name__, ()), by_row)

    return product


def summed_over_training_rows(method):
    """``method(self, by_row)`` is a sum over the rows of ``self.X``."""

    @wraps(method)
    def product(self, by_row):
        if not isinstance(self.X, RowBlocks):
            return method(self, by_row)
        name = method.__name__
        return self.X.sum(partial(_training_product, _lean(self), name), by_row)

    return product


def in_each_block(X, function):
    """``function(X)``, which treats rows one by one; of blocks, when they are read."""
    return X.each(function) if isinstance(X, RowBlocks) else function(X)


def of_each_block(X, function):
    """``function(X)`` in memory, one row of the result for each row."""
    return X.map(function) if isinstance(X, RowBlocks) else function(X)


def first_rows(X):
    """Rows in memory that have the columns of X: X itself, or the first of blocks."""
    return X.first_rows if isinstance(X, RowBlocks) else X


def in_memory(X):
    """All rows of X, in memory."""
    return of_each_block(X, _itself)


def near_rows(X, positions):
    """Those of some positions that are cheap to read: all of them, if in memory."""
    return X.near(positions) if isinstance(X, RowBlocks) else positions


def _itself(X):
    return X


def _product(model, name, small, X, *by_row):
    return getattr(model, name)(X, *small, *by_row)


def _training_product(model, name, X, *by_row):
    model = copy(model)
    model.X = X
    return getattr(model, name)(*by_row)


def _lean(model):
    """The model without what is as long as its rows, or as large as its estimator."""
    lean = copy(model)
    for name in (*_OF_ROWS, *_OF_ESTIMATOR):
        vars(lean).pop(name, None)
    return lean
