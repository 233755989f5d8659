# SPDX-License-Identifier: BSD-3-Clause
"""Boosting with the structure held: leaf values as a function of the row weights.

Round after round, with the loss derivatives g and h at the raw predictions F so far,
the leaf of row i gets::

    w = - rate * G / (factor * H + l2)        G = sum s_i g_i,  H = sum s_i h_i

over its rows, and F grows by it. The first round starts from a constant that training
computes from the weights too; it moves the leaves of the first trees, in one of which
every row is. `pull` is the derivative of any functionals by all row weights, from one
backward sweep, and `push` that of all leaf values along a change of the weights, from
one forward sweep. Both cost some O(n_samples * n_trees), and no Hessian.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# An empty leaf keeps the value 0.
_EMPTY = 1e-12


@dataclass(frozen=True)
class Rounds:
    """Boosting of a structure: what its trajectories have in common.

    Attributes
    ----------
    layout : Layout
        Not shared: one tree for each output in each round.
    numbers : ndarray of shape (n_trees, n_samples)
        Leaf of each training row within each tree.
    y : ndarray of shape (n_samples,)
    loss : pointwise loss, with `curvature_slope`
    rate, l2, factor : float
    start : callable
        Maps y and row weights to the first raw prediction, (n_outputs,), and its
        derivative by each weight, (n_samples, n_outputs).
    trained : ndarray of shape (n_samples,), bool, default=None
        Rows that training used; None for all.
    """

    layout: object
    numbers: np.ndarray
    y: np.ndarray
    loss: object
    rate: float
    l2: float
    factor: float
    start: object
    trained: np.ndarray | None = None

    def at(self, row_weight, whole=None):
        """The trajectory with these row weights.

        Deletion weights are shares of ``whole``, by default of ``row_weight``.
        """
        whole = row_weight if whole is None else whole
        if self.trained is not None:
            row_weight, whole = row_weight * self.trained, whole * self.trained
        return BoostingTrajectory(self, row_weight, whole)

    def sums(self, tree, columns):
        """Sums over the rows of each leaf: (n_samples, k) -> (n_leaves, k)."""
        size = int(self.layout.sizes[tree])
        own = self.numbers[tree]
        return np.column_stack([np.bincount(own, c, size) for c in columns.T])

    def trees(self, round_):
        """Tree and output of a round, as pairs."""
        outputs = self.layout.n_outputs
        return [(round_ * outputs + c, c) for c in range(outputs)]

    @property
    def n_rounds(self):
        """Number of rounds."""
        return self.layout.n_trees // self.layout.n_outputs

    def derivatives(self, raw):
        """G and the diagonal of h of all rows, each (n_samples, n_outputs)."""
        hessian = self.loss.hessian(self.y, raw)
        return self.loss.gradient(self.y, raw), np.diagonal(hessian, axis1=1, axis2=2)


class BoostingTrajectory:
    """The rounds with certain row weights, and their derivative by the weights."""

    def __init__(self, rounds, row_weight, whole):
        self._rounds = rounds
        self._weight, self._whole = row_weight, whole
        self._first, self._first_slope = rounds.start(rounds.y, row_weight)
        self._leaf, self._curvature = [], []  # of each tree
        self._raw = np.tile(self._first, (len(rounds.y), 1))
        for t in range(rounds.n_rounds):
            self._advance(t)

    def _advance(self, round_):
        weight, grown = self._weight[:, None], self._rounds
        g, h = grown.derivatives(self._raw)
        for tree, c in grown.trees(round_):
            total = grown.sums(tree, weight * np.column_stack([g[:, c], h[:, c]]))
            bend = grown.factor * total[:, 1] + grown.l2
            bend = np.where(bend > _EMPTY, bend, np.inf)
            self._curvature.append(bend)
            self._leaf.append(-grown.rate * total[:, 0] / bend)
            self._raw[:, c] += self._leaf[tree][grown.numbers[tree]]

    @cached_property
    def parameters(self):
        """Leaf values, with the start added to the first tree of each output."""
        values = list(self._leaf)
        for c, start in enumerate(self._first):
            values[c] = values[c] + start
        return np.concatenate(values)

    def pull(self, gradients):
        """Effect of deleting each row on functionals of the leaf values.

        Parameters
        ----------
        gradients : ndarray of shape (n_parameters, k)

        Returns
        -------
        ndarray of shape (n_samples, k)
        """
        grown, weight = self._rounds, self._weight
        n_samples, n_outputs = self._raw.shape
        raw, k = self._raw.copy(), gradients.shape[1]
        by_weight = np.zeros((n_samples, k))
        by_raw = np.zeros((n_samples, n_outputs, k))
        for t in reversed(range(grown.n_rounds)):
            self._retreat(t, raw)
            g, h = grown.derivatives(raw)
            by_g = np.empty_like(by_raw)
            by_h = np.empty_like(by_raw)
            for tree, c in grown.trees(t):
                own = grown.numbers[tree]
                by_leaf = gradients[grown.layout.leaves(tree)]
                by_leaf = by_leaf + grown.sums(tree, by_raw[:, c])
                share = -by_leaf / self._curvature[tree][:, None]
                by_g[:, c] = grown.rate * share[own]
                by_h[:, c] = (grown.factor * self._leaf[tree][:, None] * share)[own]
            by_weight += np.einsum("ic,icm->im", g, by_g)
            by_weight += np.einsum("ic,icm->im", h, by_h)
            bent = self._bent(raw, by_g, by_h)
            by_raw += weight[:, None, None] * bent
        first = np.stack(
            [gradients[grown.layout.leaves(c)].sum(axis=0) for c in range(n_outputs)]
        )
        by_weight += self._first_slope @ (first + by_raw.sum(axis=0))
        return -self._whole[:, None] * by_weight

    def push(self, deletion_weights):
        """First-order change of the leaf values for deletion weights (n_samples, k)."""
        grown, dropped = self._rounds, self._whole[:, None] * deletion_weights
        raw = np.tile(self._first, (len(grown.y), 1))
        first = -self._first_slope.T @ dropped
        moved = np.tile(first, (len(raw), 1, 1))
        steps = []
        for t in range(grown.n_rounds):
            g, h = grown.derivatives(raw)
            dg, dh = self._moved(raw, moved)
            for tree, c in grown.trees(t):
                dG = grown.sums(tree, self._weight[:, None] * dg[:, c]
                                - dropped * g[:, [c]])  # fmt: skip
                dH = grown.sums(tree, self._weight[:, None] * dh[:, c]
                                - dropped * h[:, [c]])  # fmt: skip
                change = grown.rate * dG
                change += grown.factor * self._leaf[tree][:, None] * dH
                change /= -self._curvature[tree][:, None]
                steps.append(change + first[c] if t == 0 else change)
                own = grown.numbers[tree]
                moved[:, c] += change[own]
                raw[:, c] += self._leaf[tree][own]
        return np.concatenate(steps)

    def _retreat(self, round_, raw):
        for tree, c in self._rounds.trees(round_):
            raw[:, c] -= self._leaf[tree][self._rounds.numbers[tree]]

    def _bent(self, raw, by_g, by_h):
        """Cotangent of F, from those of g and h: (n_samples, n_outputs, k)."""
        loss, y = self._rounds.loss, self._rounds.y
        return np.einsum("icj,icm->ijm", loss.hessian(y, raw), by_g) + np.einsum(
            "icj,icm->ijm", loss.curvature_slope(y, raw), by_h
        )

    def _moved(self, raw, moved):
        """Tangents of g and h along a tangent of F, both (n_samples, n_outputs, k)."""
        loss, y = self._rounds.loss, self._rounds.y
        return loss.hessian(y, raw) @ moved, loss.curvature_slope(y, raw) @ moved
