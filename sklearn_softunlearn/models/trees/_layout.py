# SPDX-License-Identifier: BSD-3-Clause
"""Where the leaf values of an ensemble stand in one vector of parameters."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Layout:
    """Leaves of all trees, one after the other.

    Raw predictions have ``n_outputs`` columns. In a *shared* layout every leaf holds
    a value for each of them (a forest of several classes); otherwise tree t belongs
    to output ``t % n_outputs`` (boosting, one tree for each class in each round).

    Attributes
    ----------
    sizes : ndarray of shape (n_trees,)
        Number of leaves of each tree.
    n_outputs : int
    shared : bool
    """

    sizes: np.ndarray
    n_outputs: int
    shared: bool = False

    @property
    def n_trees(self):
        """Number of trees."""
        return len(self.sizes)

    @cached_property
    def offsets(self):
        """Number of the first leaf of each tree, and after the last, of all leaves."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    @property
    def n_leaves(self):
        """Leaves of all trees."""
        return int(self.offsets[-1])

    @property
    def width(self):
        """Values of a leaf."""
        return self.n_outputs if self.shared else 1

    @cached_property
    def output(self):
        """Output that each leaf belongs to, of shape (n_leaves,), unless shared."""
        return np.repeat(np.arange(self.n_trees) % self.n_outputs, self.sizes)

    @property
    def _scatters(self):
        return not self.shared and self.n_outputs > 1

    def outputs(self, tree):
        """The raw predictions that a tree adds to."""
        own = tree % self.n_outputs
        return range(self.n_outputs) if self.shared else (own,)

    def leaves(self, tree):
        """Positions of the leaves of a tree, as a slice."""
        return slice(int(self.offsets[tree]), int(self.offsets[tree + 1]))

    def indicator(self, numbers):
        """CSR array (n_samples, n_leaves), with a one for the leaf of each tree.

        ``numbers`` counts leaves within each tree: (n_samples, n_trees).
        """
        n_samples, n_trees = numbers.shape
        columns = (numbers + self.offsets[:-1]).astype(np.int32).ravel()
        starts = np.arange(0, n_samples * n_trees + 1, n_trees)
        return sparse.csr_array(
            (np.ones(columns.size), columns, starts), shape=(n_samples, self.n_leaves)
        )

    def numbers(self, indicator):
        """The inverse of `indicator`, tree by tree: (n_trees, n_samples), int32."""
        columns = indicator.indices.reshape(indicator.shape[0], self.n_trees)
        return np.ascontiguousarray(columns.T - self.offsets[:-1, None], np.int32)

    def spread(self, directions):
        """Parameters (n_parameters, k) as columns for each output (n_leaves, K * k)."""
        n_columns = directions.shape[1]
        if not self._scatters:
            return directions.reshape(self.n_leaves, -1)
        table = np.zeros((self.n_leaves, self.n_outputs, n_columns))
        table[np.arange(self.n_leaves), self.output] = directions
        return table.reshape(self.n_leaves, -1)

    def gathered(self, columns, n_columns):
        """The transpose of `spread`: from (n_leaves, K * k) to (n_parameters, k)."""
        table = columns.reshape(self.n_leaves, self.n_outputs, n_columns)
        if self._scatters:
            return table[np.arange(self.n_leaves), self.output]
        return table.reshape(-1, n_columns)

    def positions(self, tree, output):
        """Parameters of a tree that one of its `outputs` has, as a slice."""
        start, stop = self.offsets[tree], self.offsets[tree + 1]
        if not self.shared:
            return slice(int(start), int(stop))
        width = self.n_outputs
        return slice(int(start * width + output), int(stop * width), width)
