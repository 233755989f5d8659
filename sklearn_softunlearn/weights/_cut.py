# SPDX-License-Identifier: BSD-3-Clause
"""A box cut by a few half-spaces, and single passes over its rows.

The problem every solver of this room works on, with G of shape (m, n), m small:

    min_x  1/2 |x - z|^2   s.t.  G x <= b,  lower <= x <= upper

Its minimiser is ``x(p) = clip(z - G.T p, lower, upper)`` for the multipliers ``p``
that maximise the concave, piecewise quadratic dual over ``p >= p_min`` (0, unless the
unknown was shifted by `BoxCut.recentred`):

    gradient = G x(p) - b,    hessian = -G_F G_F.T,    F = the x strictly inside the box
"""

from dataclasses import dataclass, replace

import numpy as np

# OpenBLAS starts threads for matrix-vector products above some 9000 elements, and these
# stall on shared machines. Such blocks stay in one thread and in the cache.
_BLOCK_ELEMENTS = 9000
_BLOCK_ROWS = (256, 4096)
_FEW_CONSTRAINTS = 3


@dataclass(frozen=True)
class BoxCut:
    """``min 1/2 |x - z|^2`` s.t. ``G x <= b``, ``lower <= x <= upper``.

    Bounds are one number, or one per row; z is None for 0. ``b_size`` is the size of
    the numbers that b is a sum of: residuals are relative to it, not to b.
    """

    G: np.ndarray
    b: np.ndarray
    lower: np.ndarray | float
    upper: np.ndarray | float
    b_size: np.ndarray
    p_min: np.ndarray
    z: np.ndarray | None = None

    def blocks(self):
        """Slices of rows that fit the cache."""
        m, n = self.G.shape
        return row_blocks(n, m)

    def unclipped(self, p, rows=slice(None)):
        """``z - G.T p`` for some rows."""
        y = -p @ self.G[:, rows]
        return y if self.z is None else y + self.z[rows]

    def clip(self, y, rows=slice(None)):
        """``y`` moved into the box."""
        # The method costs a third of np.minimum of np.maximum on blocks of this size.
        return y.clip(part(self.lower, rows), part(self.upper, rows))

    def strided(self, step):
        """Every step-th row, with the bounds b shrunk in proportion."""
        rows = slice(None, None, step)
        return replace(
            self,
            G=np.ascontiguousarray(self.G[:, rows]),
            b=self.b / step,
            lower=part(self.lower, rows),
            upper=part(self.upper, rows),
            b_size=self.b_size / step,
            z=None if self.z is None else self.z[rows],
        )

    def recentred(self, p):
        """The same problem in the unknown ``p' - p``.

        The rounding of ``G.T p`` becomes part of the data, so that a small correction
        of large multipliers keeps all its digits.
        """
        y = np.empty(self.G.shape[1])
        for rows in self.blocks():
            y[rows] = self.unclipped(p, rows)
        return replace(self, z=y, p_min=self.p_min - p)

    def largest_value(self):
        """No dual value of a feasible problem exceeds this (inf without a box)."""
        if not np.all(np.isfinite(self.lower)) or not np.all(np.isfinite(self.upper)):
            return np.inf
        ends = (_squares(self.lower, self.z), _squares(self.upper, self.z))
        farthest = np.maximum(*ends)
        if np.ndim(farthest) == 0:
            return 0.5 * float(farthest) * self.G.shape[1]
        return 0.5 * float(np.sum(farthest))


def _squares(bound, z):
    """``|bound - z|^2 - |z|^2``, row by row."""
    return np.square(bound) if z is None else np.square(bound) - 2.0 * bound * z


def row_blocks(n_rows, n_columns):
    """Slices over rows such that a block of them stays in the cache."""
    low, high = _BLOCK_ROWS
    size = max(low, min(high, _BLOCK_ELEMENTS // max(n_columns, 1)))
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def part(bound, rows):
    """Rows of a bound that may be one number for all."""
    return bound[rows] if isinstance(bound, np.ndarray) and bound.ndim else bound


@dataclass(frozen=True)
class DualPoint:
    """Value, gradient and curvature of the dual at ``p``, from one pass over G.

    ``scale`` is the size ``|G| |x| + b_size`` of what the gradient is a difference of.
    """

    p: np.ndarray
    value: float
    gradient: np.ndarray
    curvature: np.ndarray
    scale: np.ndarray

    def residual(self, p_min):
        """Largest violation of ``0 <= p - p_min  perp  G x <= b``, relative."""
        return _complementarity(self.p, p_min, self.gradient, self.scale)

    def rounding(self):
        """A residual that rounding of ``G.T p`` can leave: no step gains on it."""
        size = np.sqrt(np.diagonal(self.curvature))
        noise = np.finfo(np.float64).eps * size * float(np.abs(self.p) @ size)
        return float(np.max(noise / np.where(self.scale > 0.0, self.scale, 1.0)))


def _complementarity(p, p_min, gap, scale):
    violation = np.where(p > p_min, np.abs(gap), np.maximum(gap, 0.0))
    return float(np.max(violation / np.where(scale > 0.0, scale, 1.0), initial=0.0))


def evaluate(cut, p, scale=None):
    """The dual and its derivatives at ``p`` in one pass over the rows.

    Rows on the edge of the box count as free: either choice is a generalised Hessian,
    and at ``p = 0`` the other one would be zero. A known ``scale`` saves a fifth.
    """
    m = len(cut.b)
    value, gradient, total = 0.0, -cut.b, cut.b_size
    curvature = np.zeros((m, m))
    for rows in cut.blocks():
        G = cut.G[:, rows]
        y = cut.unclipped(p, rows)
        x = cut.clip(y, rows)
        value += 0.5 * float(x @ x)
        if cut.z is not None:
            value -= float(x @ cut.z[rows])
        gradient = gradient + G @ x
        if scale is None:
            total = total + np.abs(G) @ np.abs(x)
        curvature += gram(G, x == y)
    value += float(p @ gradient)
    return DualPoint(p, value, gradient, curvature, total if scale is None else scale)


def gram(G, free):
    """``G_F G_F.T``."""
    if len(G) <= _FEW_CONSTRAINTS:  # copying the free columns would cost more
        return G @ (G * free).T  # faster than the other way round
    free_G = G.compress(free, axis=1)
    return free_G @ free_G.T


def finish(cut, p):
    """``x(p)`` and its relative optimality residual, in one pass over the rows."""
    x = np.empty(cut.G.shape[1])
    gap, scale = -cut.b, cut.b_size
    for rows in cut.blocks():
        G = cut.G[:, rows]
        x[rows] = part_x = cut.clip(cut.unclipped(p, rows), rows)
        gap = gap + G @ part_x
        scale = scale + np.abs(G) @ np.abs(part_x)
    return x, _complementarity(p, cut.p_min, gap, scale)


def kkt_residual(cut, x, p):
    """Largest relative violation of the optimality conditions by any x and p.

    - rows of G: excess, or any gap where p > p_min, relative to ``|G| |x| + b_size``;
    - columns: ``x - clip(z - G.T p)``, relative to ``|z| + |G|.T |p| + |x|``.
    """
    gap, scale, worst = -cut.b, cut.b_size, 0.0
    for rows in cut.blocks():
        G, part_x = cut.G[:, rows], x[rows]
        gap = gap + G @ part_x
        scale = scale + np.abs(G) @ np.abs(part_x)
        size = np.abs(p) @ np.abs(G) + np.abs(part_x)
        size = size if cut.z is None else size + np.abs(cut.z[rows])
        off = np.abs(part_x - cut.clip(cut.unclipped(p, rows), rows))
        worst = max(worst, float(np.max(off / np.where(size > 0.0, size, 1.0))))
    return max(worst, _complementarity(p, cut.p_min, gap, scale))
