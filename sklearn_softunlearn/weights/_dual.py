# SPDX-License-Identifier: BSD-3-Clause
"""Semismooth Newton on the dual of a `BoxCut`.

Each step maximises the local quadratic model over ``p >= p_min`` exactly (a
non-negative least-squares problem in m unknowns). It is taken as it is where the dual
rises enough; otherwise the dual is maximised along it.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import nnls

from sklearn_softunlearn.weights._cut import (
    evaluate,
    finish,
    gram,
    kkt_residual,
    part,
)
from sklearn_softunlearn.weights._line import maximum_along

_EPS = np.finfo(np.float64).eps
_SOLVED = 4 * _EPS
_GOOD = 1e-13
_NEAR = 1e-8
_NEAR_SCALE = 1e-3
_LAST = 1e-6
_FAR = 1e-3
_LARGE = 1e3
_FEW_ROWS = 4096
_STRIDE = 8
_ACTIVE_SET_STEPS = 20


@dataclass(frozen=True)
class Projection:
    """The solution x of a `BoxCut` with multipliers p.

    ``residual`` is the largest relative violation of the optimality conditions, and
    ``n_passes`` how often the rows were read. ``infeasible`` says that the dual rises
    for ever along ``p``.
    """

    x: np.ndarray
    p: np.ndarray
    residual: float
    n_passes: int
    infeasible: bool = False


def project(cut, start=None, *, max_steps=40):
    """Solve one `BoxCut`.

    Multipliers far larger than x leave rounding errors of ``1e-16 |G| |p|`` in it.
    They are removed by solving centred at the multipliers.
    """
    start, passes = _sampled_start(cut) if start is None else (start, 0)
    centre, moved = np.zeros_like(cut.b), cut
    if np.max(start, initial=0.0) > _LARGE:
        centre, start, moved = start, centre, cut.recentred(start)
    for _ in range(3):
        found = _maximise(moved, start, max_steps, finished=True)
        passes += found.n_passes
        p = np.maximum(centre + found.p, cut.p_min)
        if found.infeasible or not _SOLVED < found.residual <= _FAR:
            break
        centre, start, moved = p, np.zeros_like(p), cut.recentred(p)
    residual = found.residual if moved is cut else kkt_residual(cut, found.x, p)
    found = replace(found, p=p, residual=residual, n_passes=passes)
    return _shrunk(cut, found) if np.max(p, initial=0.0) > _LARGE else found


def _shrunk(cut, found):
    """The same solution with the smallest multipliers, if those give it.

    Where constraints depend on each other, multipliers can be large for nothing, and
    their rounding reaches x: ``G.T p`` is then a small difference of large terms.
    """
    m = len(cut.b)
    curvature, gradient = np.zeros((m, m)), -cut.b
    for rows in cut.blocks():
        G, x = cut.G[:, rows], found.x[rows]
        free = (x > part(cut.lower, rows)) & (x < part(cut.upper, rows))
        z = 0.0 if cut.z is None else cut.z[rows]
        gradient = gradient + G @ np.where(free, z, x)
        curvature += gram(G, free)
    p = model_step(gradient, curvature, -cut.p_min)
    if p is None:
        return found
    x, residual = finish(cut, p)
    passes = found.n_passes + 2
    if residual > max(_GOOD, found.residual):
        return replace(found, n_passes=passes)
    return Projection(x, p, residual, passes)


def _sampled_start(cut):
    """The multipliers of a strided sample of the rows, itself started from a sample."""
    n_rows = cut.G.shape[1]
    if n_rows <= _FEW_ROWS:
        return cut.p_min, 0
    sample = cut.strided(_STRIDE)
    start, passes = _sampled_start(sample)
    found = _maximise(sample, start, 20, finished=False)
    passes = -(-(passes + found.n_passes) // _STRIDE)
    return (cut.p_min if found.infeasible else found.p), passes


def _maximise(cut, start, max_steps, *, finished):
    """Newton steps from a start; ``finished`` asks for x and its residual as well."""
    point, passes = evaluate(cut, np.maximum(start, cut.p_min)), 1
    best, least, stalled = point, point.residual(cut.p_min), 0
    infeasible, tried, ceiling = False, False, cut.largest_value()
    for _ in range(max_steps):
        if least <= _SOLVED or stalled == 2:
            break
        if finished and not tried and least < _LAST:
            tried, last = True, _last_step(cut, best)
            passes += 1
            if last.residual <= _SOLVED:
                return replace(last, n_passes=passes)
        new, more, infeasible = _step(cut, point, least)
        passes += more
        if infeasible or new is None or np.array_equal(new.p, point.p):
            break
        if new.value > ceiling + 1e-6 * abs(ceiling):
            infeasible = True
            break
        point, residual = new, new.residual(cut.p_min)
        stalled = stalled + 1 if least < _GOOD and residual > 0.5 * least else 0
        if residual < least:
            best, least = point, residual
    # Far from the solution the dual value measures progress, the residual does not.
    p = best.p if infeasible or least < _NEAR else point.p
    if not finished:
        return Projection(None, p, least, passes, infeasible)
    x, residual = finish(cut, p)
    return Projection(x, p, residual, passes + 1, infeasible)


def _last_step(cut, point):
    """The point one step on: the solution, unless a row changes sides on the way."""
    d = model_step(point.gradient, point.curvature, point.p - cut.p_min)
    p = point.p if d is None else np.maximum(point.p + d, cut.p_min)
    x, residual = finish(cut, p)
    return Projection(x, p, residual, 0)


def _step(cut, point, residual):
    """One Newton step, its passes over the rows, and whether the dual rises for ever.

    The point is None where no ascent is left.
    """
    above = point.p - cut.p_min
    d = model_step(point.gradient, point.curvature, above)
    gain = 0.0 if d is None else float(point.gradient @ d)
    if not gain > 0.0:
        return None, 0, False
    # Near the solution the scale of the residual hardly changes.
    scale = point.scale if residual < _NEAR_SCALE else None
    new = evaluate(cut, np.maximum(point.p + d, cut.p_min), scale)
    if _accepted(point, new, d, gain):
        return new, 1, False
    t, passes = maximum_along(cut, point.p, d, _longest_step(above, d))
    if np.isinf(t):
        return None, passes + 1, True
    return evaluate(cut, np.maximum(point.p + t * d, cut.p_min)), passes + 2, False


def _accepted(point, new, d, gain):
    slope = float(new.gradient @ d)
    if slope > 0.5 * gain:
        return False
    rises = new.value >= point.value + 1e-4 * gain
    return slope >= 0.0 or rises or slope > -1e-3 * gain


def _longest_step(above, d):
    down = d < 0
    return float(np.min(above[down] / -d[down], initial=np.inf))


def model_step(gradient, curvature, above):
    """The d >= -above of largest ``gradient.d - d.curvature.d / 2``; None if stuck."""
    unit = np.sqrt(np.diagonal(curvature))
    biggest = unit.max(initial=0.0)
    unit = np.where(unit > 1e-12 * biggest, unit, biggest if biggest > 0 else 1.0)
    correlation = curvature / unit[:, None] / unit
    for damping in (1e-14, 1e-12, 1e-8, 1e-2):
        damped = correlation + damping * np.eye(len(unit))
        try:
            return _active_set(damped, gradient / unit, above * unit) / unit
        except LinAlgError:
            continue
    return None


def _active_set(hessian, gradient, above):
    """Primal-dual active set method: a few solves, or `_bounded` where it cycles."""
    free = (above > 0.0) | (gradient > 0.0)
    for _ in range(_ACTIVE_SET_STEPS):
        d = _with_free(hessian, gradient, above, free)
        rest = gradient - hessian @ d
        wanted = np.where(free, d > -above, rest > 0.0)
        if np.array_equal(wanted, free):
            return d
        free = wanted
    return _with_free(hessian, gradient, above, _bounded(hessian, gradient, above))


def _with_free(hessian, gradient, above, free):
    d = -above
    rest = gradient[free] - hessian[np.ix_(free, ~free)] @ d[~free]
    if free.any():
        d[free] = cho_solve(cho_factor(hessian[np.ix_(free, free)]), rest)
    return np.maximum(d, -above)


def _bounded(hessian, gradient, above):
    """Which unknowns are off their bounds, as a non-negative least-squares problem."""
    factor = cholesky(hessian, lower=True, check_finite=False)
    target = solve_triangular(factor, gradient, lower=True, check_finite=False)
    try:
        return nnls(factor.T, target + factor.T @ above)[0] > 0.0
    except RuntimeError as error:
        raise LinAlgError("nnls did not converge") from error
