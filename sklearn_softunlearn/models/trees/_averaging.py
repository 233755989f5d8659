# SPDX-License-Identifier: BSD-3-Clause
"""Forests with the structure held: leaf values are weighted means, in closed form.

The leaf of tree t has the mean ``v = sum_i c_ti s_i t_i / sum_i c_ti s_i`` of the
targets of its rows (of a class, the share), with c_ti how often the bootstrap drew
row i; a forest adds ``v / n_trees``. Deleting a share eps_i of each row changes it by
``sum_i eps_i c_ti s_i (v - t_i) / sum_i c_ti s_i`` to first order.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Averages:
    """Trees that were trained each by itself.

    Attributes
    ----------
    layout : Layout
        Shared.
    numbers : ndarray of shape (n_trees, n_samples)
        Leaf of each training row within each tree.
    targets : ndarray of shape (n_samples, n_outputs)
        Indicators of the classes, or the numbers of a regression.
    drawn : callable
        Maps a tree to the weight of each row in its training, (n_samples,), for row
        weights of 1.
    fitted : ndarray of shape (n_leaves, n_outputs)
        Values that a leaf keeps when all of its rows are deleted.
    """

    layout: object
    numbers: np.ndarray
    targets: np.ndarray
    drawn: object
    fitted: np.ndarray

    def at(self, row_weight, whole=None):
        """The leaf values with these row weights, and their derivative.

        Deletion weights are shares of ``whole``, by default of ``row_weight``.
        """
        return AveragesAt(self, row_weight, row_weight if whole is None else whole)

    def sums(self, tree, columns):
        """Sums over the rows of each leaf: (n_samples, k) -> (n_leaves, k)."""
        size = int(self.layout.sizes[tree])
        own = self.numbers[tree]
        return np.column_stack([np.bincount(own, c, size) for c in columns.T])


class AveragesAt:
    """Weighted means with certain row weights, and their derivative by the weights."""

    def __init__(self, averages, row_weight, whole):
        self._trees = averages
        self._weight, self._whole = row_weight, whole
        self._mass, means = [], []
        for tree in range(averages.layout.n_trees):
            mass, mean = self._means(tree)
            self._mass.append(mass)
            means.append(mean)
        self.values = np.concatenate(means)

    @property
    def parameters(self):
        """Leaf values over the number of trees, flat."""
        return self.values.ravel()

    def _means(self, tree):
        weight = (self._weight * self._trees.drawn(tree))[:, None]
        targets = self._trees.targets
        total = self._trees.sums(tree, np.hstack([weight, weight * targets]))
        mass = total[:, :1]
        kept = self._trees.fitted[self._trees.layout.leaves(tree)].copy()
        n_trees = self._trees.layout.n_trees
        np.divide(total[:, 1:], n_trees * mass, out=kept, where=mass > 0)
        return mass[:, 0], kept

    def _excess(self, tree):
        """What each row's leaf adds beyond the row's own target, over its mass."""
        trees, own = self._trees, self._trees.numbers[tree]
        mass = np.where(self._mass[tree] > 0, self._mass[tree], np.inf)
        values = self.values[trees.layout.leaves(tree)]
        excess = values[own] - trees.targets / trees.layout.n_trees
        whole = self._whole * trees.drawn(tree)
        return whole[:, None] * excess / mass[own][:, None]

    def pull(self, gradients):
        """Effect of deleting each row on functionals of the leaf values."""
        layout = self._trees.layout
        table = gradients.reshape(layout.n_leaves, layout.n_outputs, -1)
        effect = np.zeros((len(self._weight), table.shape[2]))
        for tree, own in enumerate(self._trees.numbers):
            by_leaf = table[layout.leaves(tree)]
            effect += np.einsum("ic,icm->im", self._excess(tree), by_leaf[own])
        return effect

    def push(self, deletion_weights):
        """First-order change of the leaf values for deletion weights (n_samples, k)."""
        k, steps = deletion_weights.shape[1], []
        for tree in range(self._trees.layout.n_trees):
            excess = self._excess(tree)
            moved = (excess[:, :, None] * deletion_weights[:, None]).reshape(
                len(excess), -1
            )
            steps.append(self._trees.sums(tree, moved).reshape(-1, k))
        return np.concatenate(steps)
