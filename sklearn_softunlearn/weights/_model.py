# SPDX-License-Identifier: BSD-3-Clause
"""The quadratic model of one Newton step: a tiny problem in the multipliers alone.

    max_d  gradient.d - d.curvature.d / 2    s.t.  d >= -above

The curvature is singular where constraints depend on each other, or where fewer rows
are free than there are constraints; a little damping then picks a step.
"""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.linalg.lapack import dposv
from scipy.optimize import nnls

_DAMPING = (1e-14, 1e-12, 1e-8, 1e-2)
_CHANGES = 20


def model_step(gradient, curvature, above):
    """The solution d, or None. The diagonal of the curvature is scaled to ones."""
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
