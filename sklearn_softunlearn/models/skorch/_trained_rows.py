# SPDX-License-Identifier: BSD-3-Clause
"""Which rows a skorch net was trained on, and how often in an epoch."""

import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def epoch_visits(net, X, y):
    """How often an epoch visits each row, of shape (n_samples,).

    Rows that ``train_split`` held out, or that the sampler of ``iterator_train``
    leaves out, are not visited. Of a sampler that draws at random it is the
    expectation.

    Raises
    ------
    ValueError
        If the split cannot be repeated, or the sampler does not say what it draws.
    """
    dataset, positions = _training_set(net, X, y)
    again = _training_set(net, X, y)[1]
    if not np.array_equal(positions, again):
        raise ValueError(
            "train_split holds out other rows each time, so the rows that the net was "
            "trained on are not known. Give it a random_state, for example "
            "ValidSplit(0.2, random_state=0), or use train_split=None."
        )
    visits = np.zeros(len(y))
    visits[positions] = _visits(net, dataset, len(positions))
    return visits


def _training_set(net, X, y):
    dataset, _ = net.get_split_datasets(X, y)
    whole, positions = dataset, np.arange(len(y))
    while isinstance(whole, Subset):
        positions = positions[np.asarray(whole.indices)]
        whole = whole.dataset
    if len(whole) != len(y):
        raise ValueError(
            f"train_split returns a training set of {len(whole)} rows that is no "
            "torch.utils.data.Subset of the rows passed to fit, so the rows that the "
            "net was trained on are not known. Use ValidSplit or train_split=None."
        )
    return dataset, positions


def _visits(net, dataset, n_rows):
    """Visits of the rows of a training set, by the sampler of ``iterator_train``."""
    loader = net.get_iterator(dataset, training=True)
    batches = getattr(loader, "batch_sampler", None)
    if batches is None:
        raise ValueError(
            f"iterator_train={net.iterator_train!r} makes no batches by a sampler, so "
            "the rows that the net was trained on are not known. Use a "
            "torch.utils.data.DataLoader, and freeze a net that was trained otherwise."
        )
    if type(batches) is not BatchSampler:
        return _counted(batches, n_rows)
    sampler = batches.sampler
    if type(sampler) is SubsetRandomSampler:
        return _counts(np.asarray(sampler.indices), n_rows)
    if type(sampler) is WeightedRandomSampler and sampler.replacement:
        weight = np.asarray(sampler.weights, dtype=float)
        _check_number(len(weight), n_rows)
        return sampler.num_samples * weight / weight.sum()
    if type(sampler) is RandomSampler:
        _check_number(len(sampler.data_source), n_rows)
        return np.ones(n_rows)
    if type(sampler) is SequentialSampler and not batches.drop_last:
        return _counts(np.arange(len(sampler.data_source)), n_rows)
    return _counted(batches, n_rows)


def _counted(batches, n_rows):
    """Visits of an epoch that is the same each time, whatever its order."""
    # Sampling must not move the generators that the user's program draws from.
    state = np.random.get_state()  # noqa: NPY002 (theirs may be the legacy one)
    try:
        with torch.random.fork_rng(devices=[]):
            epochs = [
                _counts(np.concatenate([np.ravel(b) for b in batches]), n_rows)
                for _ in range(2)
            ]
    finally:
        np.random.set_state(state)  # noqa: NPY002
    if np.array_equal(*epochs):
        return epochs[0]
    name = type(getattr(batches, "sampler", batches)).__name__
    raise ValueError(
        f"iterator_train draws other rows in each epoch ({name}), so how often the "
        "net was trained on each row is not known. Known are RandomSampler, "
        "SubsetRandomSampler, WeightedRandomSampler with replacement, and samplers "
        "that visit the same rows in each epoch."
    )


def _counts(positions, n_rows):
    if positions.size and not (0 <= positions.min() and positions.max() < n_rows):
        _check_number(int(positions.max()) + 1, n_rows)
    return np.bincount(positions.astype(int), minlength=n_rows).astype(float)


def _check_number(n_sampled, n_rows):
    if n_sampled > n_rows or n_sampled < 1:
        raise ValueError(
            f"The sampler of iterator_train knows {n_sampled} rows where the net is "
            f"trained on {n_rows}. Give the rows that it was made for."
        )
