# SPDX-License-Identifier: BSD-3-Clause
"""Semismooth Newton on the dual of a `BoxCut`.

Each step maximises the local quadratic model over ``p >= p_min`` (see `_newton`). It is
taken as it is where the dual rises enough; otherwise the dual is maximised along it.
"""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_softunlearn.weights._cut import evaluate, finish, kkt_residual
from sklearn_softunlearn.weights._newton import maximum_along, model_step

# Residuals at which there is nothing left to gain; at which steps that gain nothing
# are rounding; which measure progress; below which the scale of the residual hardly
# changes; and above which rounding of large multipliers is not the cause.
_SOLVED = 64 * np.finfo(np.float64).eps
_GOOD = 1e-13
_ROUNDING = 8 * np.finfo(np.float64).eps
_NEAR = 1e-6
_STEADY = 1e-3
_FAR = 1e-3
_LARGE_MULTIPLIERS = 1e3
_FEW_ROWS = 4096
# Samples of samples may be smaller: they need only tell the order of magnitude.
_STRIDE, _NEXT_STRIDE = 8, 16


@dataclass(frozen=True)
class Projection:
    """The solution x of a `BoxCut` with multipliers p.

    ``residual`` is the largest relative violation of the optimality conditions, and
    ``n_passes`` how often the rows were read. ``infeasible`` says that the dual rises
    for ever along ``p``. ``scale`` is that of the gradient, where it is wanted.
    """

    x: np.ndarray
    p: np.ndarray
    residual: float
    n_passes: float
    infeasible: bool = False
    scale: np.ndarray | None = None

    def better(self, other):
        """The more accurate of two solutions, with the passes of both."""
        best = self if self.residual <= other.residual else other
        return replace(best, n_passes=self.n_passes + other.n_passes)


def project(cut, start=None, *, max_steps=40):
    """Solve one `BoxCut`.

    Multipliers far larger than x leave rounding errors of ``1e-16 |G| |p|`` in it.
    They are removed by solving centred at the multipliers.
    """
    start, passes, scale = _sampled_start(cut) if start is None else (start, 0, None)
    centre, moved = np.zeros_like(cut.b), cut
    if np.max(start, initial=0.0) > _LARGE_MULTIPLIERS:
        centre, start, moved = start, centre, cut.recentred(start)
    most = _FAR
    for _ in range(3):
        found = _maximise(moved, start, max_steps, scale)
        passes += found.n_passes
        p = np.maximum(centre + found.p, cut.p_min)
        if found.infeasible or not _GOOD < found.residual <= most:
            break
        most = found.residual
        centre, start, moved = p, np.zeros_like(p), cut.recentred(p)
    residual = found.residual if moved is cut else kkt_residual(cut, found.x, p)
    return replace(found, p=p, residual=residual, n_passes=passes)


def _sampled_start(cut, stride=_STRIDE):
    """The multipliers of a strided sample of the rows, itself started from a sample.

    Returns these, the passes used and the scale of the gradient (None: not known).
    """
    n_rows = cut.G.shape[1]
    if n_rows <= _FEW_ROWS:
        return cut.p_min, 0, None
    sample = cut.strided(stride)
    start, passes, scale = _sampled_start(sample, _NEXT_STRIDE)
    found = _maximise(sample, start, 20, scale, rough=True)
    passes = (passes + found.n_passes) / stride
    if found.infeasible:
        return cut.p_min, passes, None
    return found.p, passes, stride * found.scale


def _maximise(cut, start, max_steps, scale=None, *, rough=False):
    """Newton steps from a start, and then x and its residual.

    A ``rough`` solution is that of a sample, near to that of all rows at best, and
    without x. A ``scale`` of the gradient that is known roughly saves computing it:
    `finish` judges by the exact one.
    """
    # A sample is solved to its sampling error.
    enough = cut.G.shape[1] ** -0.5 if rough else 0.0
    # Hardly a row changes sides in a step this close: it is the last.
    last_step = 2.0 / cut.G.shape[1]
    steady = _STEADY if scale is None else np.inf
    point, passes = evaluate(cut, np.maximum(start, cut.p_min), scale), 1
    best, least, stalled = point, point.residual(cut.p_min), False
    infeasible, tried, ceiling = False, False, cut.largest_value()
    for _ in range(max_steps):
        if stalled or least <= enough or (least < _NEAR and least <= _reachable(best)):
            break
        if not rough and not tried and least < last_step:
            tried, last = True, _last_step(cut, best)
            passes += 1
            if last.residual <= _SOLVED:
                return replace(last, n_passes=passes)
        new, more, infeasible = _step(cut, point, least < steady)
        passes += more
        if infeasible or new is None or np.array_equal(new.p, point.p):
            break
        if new.value > ceiling + 1e-6 * abs(ceiling):
            infeasible = True
            break
        point, residual = new, new.residual(cut.p_min)
        stalled = least < _GOOD and residual > 0.5 * least
        if residual < least:
            best, least = point, residual
    # Far from the solution the dual value measures progress, the residual does not.
    p = best.p if infeasible or least < _NEAR else point.p
    if rough:
        return Projection(None, p, least, passes, infeasible, point.scale)
    x, residual = finish(cut, p)
    return Projection(x, p, residual, passes + 1, infeasible)


def _reachable(point):
    """Residual at which steps gain nothing; `project` removes what rounding left."""
    rounding = min(point.rounding(), _NEAR)
    return rounding if rounding > _GOOD else _SOLVED


def _last_step(cut, point):
    """The point one step on: the solution, unless a row changes sides on the way."""
    d = model_step(point.gradient, point.curvature, point.p - cut.p_min)
    p = point.p if d is None else np.maximum(point.p + d, cut.p_min)
    x, residual = finish(cut, p)
    return Projection(x, p, residual, 0)


def _step(cut, point, keeps_scale):
    """One Newton step, its passes over the rows, and whether the dual rises for ever.

    The point is None where no ascent is left.
    """
    above = point.p - cut.p_min
    d = model_step(point.gradient, point.curvature, above)
    gain = 0.0 if d is None else float(point.gradient @ d)
    if not gain > 0.0:
        return None, 0, False
    scale = point.scale if keeps_scale else None
    new = evaluate(cut, np.maximum(point.p + d, cut.p_min), scale)
    if _accepted(point, new, d, gain) or new.residual(cut.p_min) <= _GOOD:
        return new, 1, False
    t = maximum_along(cut, point.p, d, _longest_step(above, d))
    if np.isinf(t):
        return None, 3, True
    p = np.maximum(point.p + t * d, cut.p_min)
    return evaluate(cut, p), 4, False


def _accepted(point, new, d, gain):
    slope = float(new.gradient @ d)
    if slope > 0.5 * gain:
        return False
    rise = new.value - point.value
    # A small slope backwards is no proof: the dual may have fallen all the way.
    level = rise >= -_ROUNDING * float(np.abs(new.p) @ new.scale)
    return slope >= 0.0 or rise >= 1e-4 * gain or (level and slope > -1e-3 * gain)


def _longest_step(above, d):
    down = d < 0
    return float(np.min(above[down] / -d[down], initial=np.inf))
