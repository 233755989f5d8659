# SPDX-License-Identifier: BSD-3-Clause
"""Rows in every form that a skorch net takes: arrays, dicts of arrays, Datasets."""

from collections.abc import Mapping

import numpy as np
import torch
from skorch.dataset import Dataset, unpack_data
from skorch.helper import SliceDataset, SliceDict
from skorch.utils import to_numpy, to_tensor
from torch.utils.data import DataLoader

# Batches of numbers in which there is nothing to train need not be small.
_SMALLEST_BATCH = 512
_FIRST_ROWS = 64


def as_rows(X):
    """X in a form whose rows can be taken by position.

    Parameters
    ----------
    X : ndarray, dict of arrays (also a BatchEncoding or SliceDict), or Dataset

    Returns
    -------
    ndarray, SliceDict of arrays, or SliceDataset

    Raises
    ------
    TypeError
        For a DataFrame (skorch passes its columns as keyword arguments), a list or
        tuple, or a Dataset without a length.
    ValueError
        If the values of a dict are not arrays of the same number of rows.
    """
    if isinstance(X, np.ndarray | SliceDataset):
        return X
    if isinstance(X, Mapping):
        return SliceDict(**{name: _array(name, value) for name, value in X.items()})
    if isinstance(X, torch.utils.data.Dataset) and hasattr(X, "__len__"):
        return SliceDataset(X)
    raise TypeError(
        f"X is a {type(X).__name__}. For a net, pass the rows as one NumPy array of "
        "the dtype that the module expects, for example "
        "np.asarray(X, dtype=np.float32); several inputs as a dict of arrays by the "
        "names of the arguments of forward, such as a tokenizer returns; or a "
        "torch Dataset of (x, y) with a length. Texts need a tokenizer of skorch.hf as "
        "a step before the net."
    )


def labels_of(X):
    """Labels of a Dataset of (x, y), or None for other rows."""
    rows = X if isinstance(X, SliceDataset) else None
    if isinstance(X, torch.utils.data.Dataset):
        rows = SliceDataset(X)
    if rows is None:
        return None
    return np.asarray(SliceDataset(rows.dataset, idx=1, indices=rows.indices))


def first_rows(X):
    """A few rows, of which the form of the outputs can be seen."""
    return X[:_FIRST_ROWS]


def batches(net, X):
    """Tensors of consecutive rows, or dicts of them, as skorch feeds the module."""
    X = as_rows(X)
    plain = net.dataset is Dataset and net.iterator_valid is DataLoader
    if plain and not isinstance(X, SliceDataset):
        # What they would do, without collating the rows one by one: ten times faster.
        for start in _starts(net, X):
            yield _tensors(net, X[start])
        return
    with torch.random.fork_rng(devices=[]):  # of which a loader draws a seed
        loader = iter(net.get_iterator(net.get_dataset(X), training=False))
    for batch in loader:
        rows, _ = unpack_data(batch)
        yield _tensors(net, rows)


def _starts(net, X):
    size = len(X) if net.batch_size == -1 else net.batch_size
    if isinstance(X, np.ndarray):
        size = max(_SMALLEST_BATCH, size)
    return [slice(start, start + size) for start in range(0, len(X), size)]


def _tensors(net, rows):
    if isinstance(rows, Mapping):  # a plain dict: no index by name is a slice
        return {key: to_tensor(v, device=net.device) for key, v in rows.items()}
    return to_tensor(rows, device=net.device)


def n_rows_of(rows):
    """Number of rows of a batch."""
    return len(next(iter(rows.values())) if isinstance(rows, dict) else rows)


def pieces(rows, size):
    """Parts of a batch of at most ``size`` rows."""
    for start in range(0, n_rows_of(rows), size):
        part = slice(start, start + size)
        if isinstance(rows, dict):
            yield {name: value[part] for name, value in rows.items()}
        else:
            yield rows[part]


def alone(row):
    """A row without its axis as a batch of one."""
    if isinstance(row, dict):
        return {name: value[None] for name, value in row.items()}
    return row[None]


def arguments(rows):
    """Positional and keyword arguments of the module for a batch."""
    return ((), rows) if isinstance(rows, dict) else ((rows,), {})


def _array(name, value):
    try:
        array = to_numpy(value) if torch.is_tensor(value) else np.asarray(value)
    except ValueError:  # rows of unequal lengths
        array = np.empty(0, dtype=object)
    if array.ndim == 0 or array.dtype == object:
        raise ValueError(
            f"X[{name!r}] is no array of numbers with one row for each row of X. Rows "
            "of unequal lengths: let the tokenizer pad (padding=True, "
            "return_tensors='np'), or give a Dataset and a collate_fn that pads, as "
            "iterator_train__collate_fn and iterator_valid__collate_fn."
        )
    return array
