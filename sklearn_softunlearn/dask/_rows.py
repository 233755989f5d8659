# SPDX-License-Identifier: BSD-3-Clause
"""Rows of a Dask collection as `RowBlocks`: NumPy functions mapped over its blocks.

The mathematics is never written as expressions of dask.array, which measured a third
slower than the same NumPy function called once for each block.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from dask import delayed
from scipy import sparse

from sklearn_softunlearn._sklearn_compat import n_rows, safe_indexing
from sklearn_softunlearn.dask._computing import Computing
from sklearn_softunlearn.models import RowBlocks

_FIRST_ROWS = 20
# Blocks whose sums are added in one task.
_FAN_IN = 8


@dataclass(frozen=True)
class Place:
    """Where a block stands among all rows.

    ``kept`` are the positions within the block of the rows that count; None for all.
    """

    name: str
    number: int
    start: int
    length: int
    kept: np.ndarray | None = None

    @property
    def n_kept(self):
        """Number of rows that count."""
        return self.length if self.kept is None else len(self.kept)

    def position(self, row):
        """Position within the block of one of the rows that count."""
        return row if self.kept is None else int(self.kept[row])


@dataclass(frozen=True, eq=False)
class DaskRows(RowBlocks):
    """Rows whose blocks are delayed values of Dask.

    Attributes
    ----------
    blocks : tuple of Delayed
        Without those that have no rows.
    places : tuple of Place
    computing : Computing
    steps : tuple of callable
        What is done to a block when it is read.
    """

    blocks: tuple
    places: tuple
    computing: Computing
    steps: tuple = ()
    _known: Any = None

    @property
    def shape(self):
        """Number of rows and of columns."""
        return sum(place.n_kept for place in self.places), self.first_rows.shape[1]

    def __len__(self):
        """Number of rows, without looking at one."""
        return sum(place.n_kept for place in self.places)

    def __array__(self, *arguments, **options):
        """Refused: it would bring all rows into memory."""
        raise TypeError(
            f"{self.places[0].name} is in blocks, and something asked for all of its "
            "rows in memory at once: a criterion, an update or a curvature that looks "
            "at features. DaskSoftUnlearnCorrector takes those that look at raw "
            "predictions, labels, groups and weights; for others use "
            "SoftUnlearnCorrector with rows that fit in memory."
        )

    def __getitem__(self, key):
        """The rows at some increasing positions, in blocks like these."""
        rows = key[0] if isinstance(key, tuple) else key
        return self.take(np.asarray(rows))

    def take(self, positions):
        """The rows at some increasing positions, in blocks like these."""
        if np.any(np.diff(positions) <= 0):
            raise ValueError("Rows in blocks can only be taken in increasing order.")
        ends = np.cumsum([place.n_kept for place in self.places])
        parts = np.split(positions, np.searchsorted(positions, ends[:-1]))
        chosen = [
            (block, replace(place, kept=_chosen(place, part - end + place.n_kept)))
            for block, place, part, end in zip(
                self.blocks, self.places, parts, ends, strict=True
            )
            if len(part)
        ]
        blocks, places = zip(*chosen, strict=True)
        return replace(self, blocks=blocks, places=places, _known=None)

    def near(self, positions):
        """Those of some positions that are in the first block with any of them."""
        ends = np.cumsum([place.n_kept for place in self.places])
        block = np.searchsorted(ends, positions[0], side="right")
        return positions[positions < ends[block]]

    @cached_property
    def first_rows(self):
        """The first rows, made like all others."""
        if self._known is not None:
            return self._known
        few = np.arange(min(_FIRST_ROWS, self.places[0].n_kept))
        return self.take(few)._computed(_same)[0]

    def each(self, function):
        """The blocks ``function(block)``, each made when it is read."""
        return replace(self, steps=(*self.steps, function), _known=None)

    def map(self, function, *by_row):
        """What the function returns of the blocks, one below the other."""
        return stacked(self._computed(function, *by_row))

    def sum(self, function, *by_row):
        """Sum over the blocks of what the function returns, in a fixed order."""

        def total(parts):
            terms = self._tasks(function, parts)
            while len(terms) > 1:
                groups = [terms[i : i + _FAN_IN] for i in range(0, len(terms), _FAN_IN)]
                terms = [delayed(_added, pure=False)(group) for group in groups]
            return terms

        return self.computing.compute_with(self._parts(by_row), total)[0]

    def _computed(self, function, *by_row):
        return self.computing.compute_with(
            self._parts(by_row), partial(self._tasks, function)
        )

    def _parts(self, by_row):
        """The part of each block of the first array, then those of the next."""
        ends = np.cumsum([place.n_kept for place in self.places])[:-1]
        return [part for array in by_row for part in np.split(array, ends)]

    def _tasks(self, function, parts):
        """The function of each block, delayed."""
        self.computing.n_read += len(self.blocks)
        # One object in the graph, however many blocks share it.
        shared = delayed(_OnBlock(function, self.steps), pure=False, traverse=False)
        size = len(self.blocks)
        columns = [parts[i : i + size] for i in range(0, len(parts), size)]
        return [
            delayed(_call, pure=False)(shared, place, block, *own)
            for place, block, *own in zip(
                self.places, self.blocks, *columns, strict=True
            )
        ]


@dataclass(frozen=True)
class _OnBlock:
    """What is done with each block: how it is made, and what is asked of it."""

    function: Any
    steps: tuple

    def made(self, block, place):
        """The rows of a block that count, as the function takes them.

        Raises
        ------
        ValueError
            If the block has another number of rows, or one of them cannot be used.
        """
        if n_rows(block) != place.length:
            raise ValueError(
                f"{place.name}, block {place.number}, has {n_rows(block)} rows where "
                f"the other arguments have {place.length}. Give collections of the "
                "same partitions."
            )
        if place.kept is not None:
            block = safe_indexing(block, place.kept)
        try:
            return _after(self.steps, block)
        except (TypeError, ValueError) as error:
            where = f"{place.name}, block {place.number}"
            row = _first_refused(self.steps, block)
            what, remedy = str(error).splitlines()[0], ""
            if row is not None:
                row = place.position(row)
                where += f", row {row} of it (row {place.start + row} of all)"
                remedy = " Drop such rows or replace their values, with map_blocks."
            raise type(error)(f"{where}: {what}{remedy}") from error


def _call(on_block, place, block, *parts):
    return on_block.function(on_block.made(block, place), *parts)


def _after(steps, block):
    for step in steps:
        block = step(block)
    return block


def _first_refused(steps, block):
    """Position of the first row that the steps refuse; None if they refuse any row."""

    def refused(low, high):
        try:
            _after(steps, safe_indexing(block, np.arange(low, high)))
        except (TypeError, ValueError):
            return True
        return False

    low, high = 0, n_rows(block)
    if high > 1 and refused(0, 1) and refused(high - 1, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refused(low, middle) else (middle, high)
    return low


def _chosen(place, rows):
    return rows if place.kept is None else place.kept[rows]


def _same(block):
    return block


def _added(terms):
    total = terms[0].copy()  # a block's own array may be cached by a worker
    for term in terms[1:]:
        total += term
    return total


def stacked(pieces):
    """Arrays or frames, one below the other."""
    if isinstance(pieces[0], pd.DataFrame | pd.Series):
        return pd.concat(pieces)
    if any(sparse.issparse(piece) for piece in pieces):
        return sparse.vstack(pieces, format="csr")
    return np.concatenate(pieces)
