# SPDX-License-Identifier: BSD-3-Clause
"""From weights and influences to a well-scaled `BoxCut`, and back.

The unknown is ``x = sqrt(norm_weight) * eps``, so that the norm is plain. Each
constraint is multiplied by a power of two, which is exact: influences of 1e-6 and of
1e6 are solved alike.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_softunlearn.weights._cut import BoxCut, part, row_blocks

# Below this, relative to the most that a constraint can sum, violations are rounding.
_FLOOR = 4e-6
_MAX_EXPONENT = 1000
# Bounds beyond this never bind, or never hold.
_MAX_BOUND = 1e100
_NOTHING = 1e-100


@dataclass(frozen=True)
class ScaledRows:
    """``G = scale * constraints.T / root``, the box of x, and the reach of each row.

    The reach is the most that ``|G| |x|`` can be with weights of at most 1.
    """

    G: np.ndarray
    scale: np.ndarray
    reach: np.ndarray
    root: np.ndarray | None
    lower: np.ndarray | float
    upper: np.ndarray | float

    def cut(self, b, b_size):
        """The `BoxCut` for bounds in the units of the user."""
        with np.errstate(over="ignore"):
            b = np.clip(b * self.scale, -_MAX_BOUND, _MAX_BOUND)
            size = np.minimum(b_size * self.scale, _MAX_BOUND) + _FLOOR * self.reach
        zero = np.zeros_like(self.scale)
        return BoxCut(self.G, b, self.lower, self.upper, size, zero)

    def to_x(self, per_sample):
        """A linear function of the weights as one of x."""
        return per_sample if self.root is None else per_sample / self.root

    def to_weights(self, x, lower, upper):
        """The weights for x, inside their bounds to the last bit."""
        if self.root is None:
            return x
        weights = np.clip(x / self.root, lower, upper)
        free = self.lower < self.upper
        weights = np.where(free & (x == self.lower), lower, weights)
        return np.where(free & (x == self.upper), upper, weights)


def scale_rows(constraints, lower, upper, norm_weight):
    """Scale the data once; see `ScaledRows`."""
    root = None
    if norm_weight is not None:
        root, lower, upper = _scaled_box(lower, upper, norm_weight)
    lower, upper = (float(v) if np.ndim(v) == 0 else v for v in (lower, upper))
    G, least, peak, reach = _transposed(constraints, root, lower, upper)
    exponent = np.frexp(peak)[1]
    scale = np.ldexp(1.0, -np.clip(exponent, -_MAX_EXPONENT, _MAX_EXPONENT))
    _scale_in_place(G, scale, np.any(least * scale < _NOTHING))
    return ScaledRows(G, scale, reach * scale, root, lower, upper)


def _scale_in_place(G, scale, has_nothing):
    """Scale to entries of at most 1, and drop those whose squares would underflow."""
    for rows in row_blocks(G.shape[1], len(G)):
        block = G[:, rows]
        block *= scale[:, None]
        if has_nothing:
            block[np.abs(block) < _NOTHING] = 0.0


def _scaled_box(lower, upper, norm_weight):
    """Bounds of x. A weight that costs nothing stays at its bound nearest to 0."""
    unweighted = norm_weight == 0.0
    root = np.where(unweighted, 1.0, np.sqrt(norm_weight))
    fixed = np.clip(0.0, lower, upper)
    lower = np.where(unweighted, fixed, lower * root)
    upper = np.where(unweighted, fixed, upper * root)
    return root, lower, upper


def _transposed(constraints, root, lower, upper):
    """``constraints.T / root``; the least, largest and total entries of its rows."""
    n_samples, m = constraints.shape
    G, least = np.empty((m, n_samples)), np.full(m, np.inf)
    peak, reach = np.zeros(m), np.zeros(m)
    farthest = np.maximum(np.abs(lower), np.abs(upper))
    # Far bounds are not reached: what counts are weights of the size of 1.
    farthest = np.minimum(farthest, 1.0 if root is None else root)
    for rows in row_blocks(n_samples, m):
        G[:, rows] = constraints[rows].T
        if root is not None:
            G[:, rows] /= root[rows]
        size = np.abs(G[:, rows])
        least = np.minimum(least, size.min(axis=1))
        peak = np.maximum(peak, size.max(axis=1))
        far = part(farthest, rows)
        reach += size @ far if np.ndim(far) else size.sum(axis=1) * far
    return G, least, peak, reach
