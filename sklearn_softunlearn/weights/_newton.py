# SPDX-License-Identifier: BSD-3-Clause
"""One Newton step on the dual of a `BoxCut`: where to, and how far.

The step is the solution of the quadratic model, a tiny problem in the multipliers
alone::

    max_d  gradient.d - d.curvature.d / 2    s.t.  d >= -above
"""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.linalg.lapack import dposv
from scipy.optimize import nnls

_DAMPING = (1e-14, 1e-12, 1e-8, 1e-2)
_CHANGES = 20
_ROUNDING = 8 * np.finfo(np.float64).eps


def model_step(gradient, curvature, above):
    """The step d of the model, or None.

    The curvature is singular where constraints depend on each other, or where fewer
    rows are free than there are constraints; a little damping then picks a step. Its
    diagonal is scaled to ones.
    """
    unit = np.sqrt(np.diagonal(curvature))
    biggest = unit.max(initial=0.0)
    unit = np.where(unit > 1e-12 * biggest, unit, biggest if biggest > 0 else 1.0)
    correlation = curvature / unit[:, None] / unit
    gradient, above = gradient / unit, above * unit
    for damping in _DAMPING:
        damped = correlation.copy()
        damped.flat[:: len(unit) + 1] += damping
        try:
            return _active_set(damped, gradient, above) / unit
        except LinAlgError:
            continue
    return None


def _active_set(hessian, gradient, above):
    """Primal-dual active set method: a few solves, or `_bounded` where it cycles."""
    free = (above > 0.0) | (gradient > 0.0)
    if free.all():
        d = _solve(hessian, gradient)
        if (d > -above).all():  # most steps end here
            return d
    for _ in range(_CHANGES):
        d = _with_free(hessian, gradient, above, free)
        rest = gradient - hessian @ d
        wanted = np.where(free, d > -above, rest > 0.0)
        if np.array_equal(wanted, free):
            return d
        free = wanted
    return _with_free(hessian, gradient, above, _bounded(hessian, gradient, above))


def _with_free(hessian, gradient, above, free):
    if free.all():
        return np.maximum(_solve(hessian, gradient), -above)
    d = -above
    if free.any():
        # numpy.ix_ costs more than the solve.
        rest = gradient[free] - hessian[free][:, ~free] @ d[~free]
        d[free] = _solve(hessian[free][:, free], rest)
    return np.maximum(d, -above)


def _solve(hessian, gradient):
    """Cholesky without the wrappers, which cost ten times as much at this size."""
    _, d, failed = dposv(hessian, gradient)
    if failed:
        raise LinAlgError("not positive definite")
    return d


def _bounded(hessian, gradient, above):
    """Which unknowns are off their bounds, as a non-negative least-squares problem."""
    factor = cholesky(hessian, lower=True, check_finite=False)
    target = solve_triangular(factor, gradient, lower=True, check_finite=False)
    try:
        with np.errstate(invalid="ignore"):  # scipy 1.12 divides 0 by 0 in ties
            found = nnls(factor.T, target + factor.T @ above)[0]
    except RuntimeError as error:
        raise LinAlgError("nnls did not converge") from error
    if not np.all(np.isfinite(found)):
        raise LinAlgError("nnls did not converge")
    return found > 0.0


def maximum_along(cut, p, d, t_max):
    """Step in (0, t_max] where the slope of the dual along d vanishes.

    Along ``p + t d`` the slope ``d.(G x(t) - b)`` is a non-increasing, piecewise linear
    function of t, of which the kinks are sorted. The step is inf where the dual rises
    for ever: no x is feasible.
    """
    y, dy = cut.unclipped(p), d @ cut.G
    terms = cut.clip(y) * dy
    slope = float(np.sum(terms)) - float(cut.b @ d)
    # Less its rounding, so that what is 0 does not rise.
    slope -= _ROUNDING * float(np.sum(np.abs(terms)) + np.abs(cut.b) @ np.abs(d))
    kinks, change = _kinks(cut, y, dy)
    # Most steps are too long: then only the kinks before their end are sorted.
    too_long = np.sum(cut.clip(y - dy) * dy) < cut.b @ d
    end = 1.0 if too_long else np.inf
    later = (kinks > 0.0) & (kinks < end)
    order = np.argsort(kinks[later])
    t = np.concatenate([[0.0], kinks[later][order], [end]])
    bend = np.concatenate([[np.sum(change[kinks <= 0.0])], change[later][order]])
    bend = np.maximum(np.cumsum(bend), 0.0)
    drop = np.concatenate([[0.0], np.cumsum(bend[:-1] * np.diff(t[:-1]))])
    # The first root: where the slope ends at 0 it stays there, and no ray rises.
    last = max(np.searchsorted(drop, slope, side="left") - 1, 0)
    root = t[last + 1]
    if bend[last] > 0.0:
        root = min(t[last] + (slope - drop[last]) / bend[last], root)
    return min(root, t_max)


def _kinks(cut, y, dy):
    """Where rows enter and leave the inside of the box, and ``+-dy^2``."""
    moving = dy != 0.0
    lower, upper = (
        np.broadcast_to(bound, len(dy))[moving] for bound in (cut.lower, cut.upper)
    )
    dy, y = dy[moving], y[moving]
    with np.errstate(over="ignore"):
        ends = np.sort([(y - lower) / dy, (y - upper) / dy], axis=0)
    return np.concatenate(ends), np.concatenate([dy**2, -(dy**2)])
