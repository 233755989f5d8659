# SPDX-License-Identifier: BSD-3-Clause
"""The maximum of the dual of a `BoxCut` along a line.

Along ``p + t d`` the dual has the slope ``d.(G x(t) - b)``, a non-increasing piecewise
linear function of t. Newton inside a bracket finds its root; if it has not after a few
passes, the kinks left in the bracket are sorted.
"""

import numpy as np

_NEWTON_PASSES = 4
_FEW_ROWS = 16384
_TOLERANCE = 1e-3
_ROUNDING = 8 * np.finfo(np.float64).eps


def maximum_along(cut, p, d, t_max):
    """Step in (0, t_max] where the slope vanishes, and passes over the rows used.

    The step is inf where the dual rises for ever: no x is feasible.
    """
    line = _Line(cut, p, d)
    start, bend = line.slope(0.0)
    low, high, t = 0.0, np.inf, min(1.0, t_max)
    if line.y.size <= _FEW_ROWS:
        return min(line.root_between(low, high), t_max), 2
    for n_passes in range(2, 2 + _NEWTON_PASSES):
        slope, bend = line.slope(t)
        if abs(slope) <= _TOLERANCE * start or (slope > 0.0 and t == t_max):
            return t, n_passes
        low, high = (t, high) if slope > 0.0 else (low, t)
        t = t + slope / bend if bend > 0.0 else np.inf
        if not low < t < high:
            t = 0.5 * (low + high) if np.isfinite(high) else 16.0 * low
        t = min(t, t_max)
    return min(line.root_between(low, high), t_max), n_passes + 2


class _Line:
    """``x(t) = clip(y - t dy)`` for all rows, and its slope."""

    def __init__(self, cut, p, d):
        self.cut, self.d = cut, d
        self.y, self.dy, self.bd = cut.unclipped(p), d @ cut.G, float(cut.b @ d)

    def slope(self, t):
        """Slope at t, and minus its own derivative."""
        slope, bend = -self.bd, 0.0
        for rows in self.cut.blocks():
            dy = self.dy[rows]
            moved = self.y[rows] - t * dy
            x = self.cut.clip(moved, rows)
            slope += float(x @ dy)
            bend += float((dy * (x == moved)) @ dy)
        return slope, bend

    def root_between(self, low, high):
        """Root in a bracket, from the sorted kinks inside it; inf if there is none."""
        kinks, change = self._kinks()
        inside = (kinks > low) & (kinks < high)
        order = np.argsort(kinks[inside])
        t = np.concatenate([[low], kinks[inside][order], [high]])
        start = np.sum(change[kinks <= low])
        bend = np.cumsum(np.concatenate([[start], change[inside][order]]))
        bend = np.maximum(bend, 0.0)
        drop = np.concatenate([[0.0], np.cumsum(bend[:-1] * np.diff(t[:-1]))])
        slope = self.slope(low)[0] - self._noise(low)
        # The first root: where the slope ends at 0 it stays there, and no ray rises.
        last = max(np.searchsorted(drop, slope, side="left") - 1, 0)
        if bend[last] > 0.0:
            return min(t[last] + (slope - drop[last]) / bend[last], t[last + 1])
        return t[last + 1]

    def _noise(self, t):
        """Rounding of the slope at t."""
        size = float(np.abs(self.cut.b) @ np.abs(self.d))
        for rows in self.cut.blocks():
            x = self.cut.clip(self.y[rows] - t * self.dy[rows], rows)
            size += float(np.abs(x) @ np.abs(self.dy[rows]))
        return _ROUNDING * size

    def _kinks(self):
        """Where rows enter and leave the inside of the box, and ``+-dy^2``."""
        moving = self.dy != 0.0
        dy, y = self.dy[moving], self.y[moving]
        lower, upper = (
            np.broadcast_to(bound, len(self.dy))[moving]
            for bound in (self.cut.lower, self.cut.upper)
        )
        with np.errstate(over="ignore"):
            ends = np.sort([(y - lower) / dy, (y - upper) / dy], axis=0)
        return np.concatenate(ends), np.concatenate([dy**2, -(dy**2)])
