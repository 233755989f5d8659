# SPDX-License-Identifier: BSD-3-Clause
"""From what a user gives, Dask collections or arrays in memory, to rows in blocks.

X stays where it is. Everything else of a row, its label, group and weight, is a few
numbers, which are brought into memory.
"""

import numpy as np
from dask import delayed
from dask.base import is_dask_collection

from sklearn_softunlearn._sklearn_compat import n_rows
from sklearn_softunlearn.corrector import ValidationData
from sklearn_softunlearn.dask._rows import DaskRows, Place, stacked

# Arguments that hold a value, or a row of a few, for each row of X.
_BESIDE = ("y", "sample_weight", "sensitive_features")


def in_blocks(given, suffix, computing):
    """Arguments of a fit with X in blocks and the rest in memory.

    Parameters
    ----------
    given : dict
        "X", "y", "sample_weight" and "sensitive_features", without the suffix.
    suffix : str
        "" or "_val".
    computing : Computing

    Returns
    -------
    dict
        The same keys. X that is in memory stays as it is.
    """
    beside = {name: given[name] for name in _BESIDE}
    found, lengths = _gathered(beside, computing)
    X = given["X"]
    if not is_dask_collection(X):
        return {"X": X, **found}
    return {"X": rows_of(X, lengths, f"X{suffix}", computing), **found}


def unpacked(X_val, y_val, sensitive_features_val, sample_weight_val):
    """The validation data as separate arguments, or as given where they are."""
    if not isinstance(X_val, ValidationData):
        return X_val, y_val, sensitive_features_val, sample_weight_val
    if any(o is not None for o in (y_val, sensitive_features_val, sample_weight_val)):
        raise ValueError(
            "X_val is a ValidationData, which holds everything, but y_val, "
            "sensitive_features_val or sample_weight_val is given too. Give one."
        )
    return X_val.X, X_val.y, X_val.sensitive_features, X_val.sample_weight


def rows_of(X, lengths, name, computing):
    """X of a Dask array or DataFrame as `DaskRows`.

    Parameters
    ----------
    X : dask.array.Array or dask.dataframe.DataFrame
    lengths : list of int or None
        Number of rows of each partition, where another collection of as many
        partitions told; they are compared when a block is read.
    name : str
        For messages.
    computing : Computing
    """
    blocks, known = blocks_of(X, name)
    if known is None and lengths is not None and len(lengths) == len(blocks):
        known = lengths
    if known is None:  # a pass, though of a few numbers
        computing.n_read += len(blocks)
        known = computing.compute([delayed(n_rows)(block) for block in blocks])
    starts = np.concatenate([[0], np.cumsum(known)]).astype(int)
    kept = [i for i, length in enumerate(known) if length > 0]
    if not kept:
        raise ValueError(f"{name} has 0 sample(s) while a minimum of 1 is required.")
    places = tuple(Place(name, i, int(starts[i]), int(known[i])) for i in kept)
    return DaskRows(tuple(blocks[i] for i in kept), places, computing)


def row_counts(X, rows):
    """Number of rows of each partition of what was given as X, a tuple."""
    if not isinstance(rows, DaskRows):
        return (len(rows),)
    counts = np.zeros(len(blocks_of(X, "X")[0]), dtype=int)
    for place in rows.places:
        counts[place.number] = place.length
    return tuple(counts.tolist())


def blocks_of(X, name):
    """Delayed blocks of all columns, and their numbers of rows where they are known."""
    if not hasattr(X, "chunks"):
        return X.to_delayed(), None
    if X.ndim != 2:
        raise ValueError(
            f"{name} must have two dimensions, (n_samples, n_features); got "
            f"{X.ndim}. A column is {name}.reshape(-1, 1)."
        )
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    sizes = X.chunks[0]
    known = None if np.any(np.isnan(sizes)) else [int(size) for size in sizes]
    return list(X.to_delayed().ravel()), known


def _gathered(beside, computing):
    """What is given beside X in memory, and the lengths of its partitions."""
    tasks, lengths = {}, None
    for name, values in beside.items():
        if isinstance(values, dict):
            columns = {k: _one(v, computing) for k, v in values.items()}
            beside = beside | {name: columns}
        elif is_dask_collection(values):
            tasks[name] = _pieces_of(values)
    done = computing.compute([piece for pieces in tasks.values() for piece in pieces])
    for name, pieces in tasks.items():
        own, done = done[: len(pieces)], done[len(pieces) :]
        beside = beside | {name: stacked(own)}
        lengths = [n_rows(piece) for piece in own]
    return beside, lengths


def _one(values, computing):
    if not is_dask_collection(values):
        return values
    return stacked(computing.compute(_pieces_of(values)))


def _pieces_of(values):
    if hasattr(values, "chunks") and values.ndim == 2 and values.numblocks[1] > 1:
        values = values.rechunk({1: -1})
    pieces = values.to_delayed()
    return list(np.ravel(pieces)) if isinstance(pieces, np.ndarray) else list(pieces)
