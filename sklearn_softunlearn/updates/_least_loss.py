# SPDX-License-Identifier: BSD-3-Clause
"""Parameters of least training loss among those that meet a request.

    min_theta  J(theta)   s.t.   A S(theta) + B c <= b

with S a few statistics of the raw predictions on evaluation rows (the rate of each
group, say) and c free levels (see `Limits`). Sequential quadratic programming: the
statistics are linearised at theta, and the step solves the quadratic programme with the
Hessian of J at the fitted parameters. One factor of it serves the first steps; by what
the curvature of the Lagrangian differs from it is learnt from the steps themselves
(damped limited-memory BFGS started from that factor). Where this is slow, the Hessian
of the Lagrangian is factored once more.

The first step is soft-weighted unlearning to first order; this goes on to the end.

References
----------
J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed., 2006: chapter 18, damped BFGS
in procedure 18.2; the two loops in algorithm 7.4.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import linalg
from scipy.optimize import nnls

from sklearn_softunlearn.criteria import Limits

# Pairs of steps that the curvature is learnt from.
_MEMORY = 12
# Curvature of a level relative to that of the limits that it ties: in effect free.
_LEVEL_CURVATURE = 1e-4
# Of the diagonal: dependent limits leave the matrix of the dual singular.
_JITTER = 1e-12
# Of the decrement: less than this is slow, once the factor has served a few steps.
_SLOW, _OLD = 0.1, 3
_SUFFICIENT = 1e-4
_SHORTEST = 2.0**-20
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Point:
    """Parameters, levels, and what is measured there.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
    levels : ndarray of shape (n_levels,)
    objective : float
        J.
    statistics : ndarray of shape (n_statistics,)
    gradient : ndarray of shape (n_parameters,) or None
        Of J.
    jacobian : ndarray of shape (n_parameters, n_statistics) or None
    """

    theta: np.ndarray
    levels: np.ndarray
    objective: float
    statistics: np.ndarray
    gradient: np.ndarray | None = None
    jacobian: np.ndarray | None = None

    def lagrangian_gradient(self, combination):
        """Gradient of J plus a combination of the statistics."""
        return self.gradient + self.jacobian @ combination


@dataclass(frozen=True)
class LeastLoss:
    """The answer: where, with which multipliers of the limits, after how many steps.

    ``excess`` is the largest violation of a limit, in the units of the limits.
    """

    limits: Limits
    point: Point
    multipliers: np.ndarray
    n_iter: int
    converged: bool
    excess: float


@dataclass
class _Inverse:
    """B^-1, with B the Hessian that ``solve`` solves with and a few secant pairs."""

    solve: Callable
    pairs: list = field(default_factory=list)

    def __call__(self, columns):
        kept, columns = [], columns.copy()
        for s, y, rho in reversed(self.pairs):
            share = rho * (s @ columns)
            columns -= y[:, None] * share
            kept.append(share)
        columns = self.solve(columns)
        for (s, y, rho), share in zip(self.pairs, reversed(kept), strict=True):
            columns += s[:, None] * (share - rho * (y @ columns))
        return columns

    def learn(self, s, y, Bs):
        """Add a pair, damped so that B stays positive definite."""
        sBs, sy = float(s @ Bs), float(s @ y)
        if sy < 0.2 * sBs:
            share = 0.8 * sBs / (sBs - sy)
            y = share * y + (1.0 - share) * Bs
            sy = float(s @ y)
        if sy > 0.0 and np.isfinite(sy):
            self.pairs = [*self.pairs[1 - _MEMORY :], (s, y, 1.0 / sy)]


def least_loss(problem, solve, limits, start, *, size, tol=1e-7, max_iter=100):
    """Solve from a start.

    Parameters
    ----------
    problem : object
        ``measure(theta)`` gives J and the statistics; ``differentiate(theta)`` their
        gradient and jacobian; ``factorize(theta, combination)`` what solves with the
        Hessian of J plus a combination of the statistics. ``least`` is J at its
        minimum without limits.
    solve : callable
        Maps G to H^-1 G, with H the Hessian of J at the fitted parameters.
    limits : Limits
    start : Point
    size : float
        What the excess over a limit is measured by.
    tol : float, default=1e-7
        Stop when a step would gain less than this share of the rise of J, and no limit
        is exceeded by more than a tenth of its root times ``size``.
    max_iter : int, default=100

    Returns
    -------
    LeastLoss
    """
    inverse, penalty, last, age = _Inverse(solve), 0.0, np.inf, 0
    point = _differentiated(problem, start)
    for n_iter in range(max_iter + 1):
        step, levels, mu = _quadratic_step(inverse, point, limits)
        combination = limits.A.T @ mu
        slope = point.lagrangian_gradient(combination)
        decrement = -float(step @ slope)
        excess = _excess(limits, point)
        rise = max(point.objective - problem.least, 1e-9 * abs(problem.least))
        kept = excess <= 0.1 * np.sqrt(tol) * size
        done = kept and 0.5 * decrement <= tol * rise
        if done:
            point = _polished(problem, point, (step, levels), limits)
        if done or n_iter == max_iter:
            break
        if decrement > _SLOW * last and age >= _OLD:
            fresh = problem.factorize(point.theta, combination)
            inverse, last, age = _Inverse(fresh), np.inf, 0
            continue
        penalty = max(2.0 * float(np.max(mu, initial=0.0)), penalty)
        new, length = _search(problem, point, (step, levels), limits, penalty)
        if new is None and not inverse.pairs:
            break
        if new is None:
            inverse, penalty, last = _Inverse(inverse.solve), 0.0, np.inf
            continue
        last, age = decrement, age + 1
        new = _differentiated(problem, new)
        change = new.lagrangian_gradient(combination) - slope
        # The step solves B d = -slope.
        inverse.learn(length * step, change, -length * slope)
        point = new
    return LeastLoss(limits, point, mu, n_iter, done, excess)


def _polished(problem, point, direction, limits):
    """The point one more step on, if the limits are kept better there."""
    theta, levels = point.theta + direction[0], point.levels + direction[1]
    moved = Point(theta, levels, *problem.measure(theta))
    better = np.isfinite(moved.objective) and (
        _excess(limits, moved) <= _excess(limits, point)
    )
    return moved if better else point


def _differentiated(problem, point):
    gradient, jacobian = problem.differentiate(point.theta)
    return replace(point, gradient=gradient, jacobian=jacobian)


def _excess(limits, point):
    return float(np.max(limits.excess(point.statistics, point.levels), initial=0.0))


def _quadratic_step(inverse, point, limits):
    """Step, change of the levels and multipliers of the quadratic programme.

    In the multipliers, one for each limit, it is ``max_mu gap.mu - mu.M mu / 2`` over
    ``mu >= 0``.
    """
    A, B, jacobian = limits.A, limits.B, point.jacobian
    solved = inverse(np.column_stack([point.gradient, jacobian]))
    matrix = A @ (jacobian.T @ solved[:, 1:]) @ A.T
    typical = float(np.mean(np.diag(matrix)))
    tau = _LEVEL_CURVATURE / typical if typical > 0.0 else 1.0
    matrix += B @ B.T / tau
    gap = limits.excess(point.statistics, point.levels)
    gap -= A @ (jacobian.T @ solved[:, 0])
    mu = _nonnegative_maximum(matrix, gap)
    step = -solved[:, 0] - solved[:, 1:] @ (A.T @ mu)
    return step, -(B.T @ mu) / tau, mu


def _nonnegative_maximum(matrix, gap):
    diagonal = np.diag(matrix)
    # A limit that no parameter moves has a row of zeros.
    size = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = matrix / np.outer(size, size)
    scaled[np.diag_indices_from(scaled)] += _JITTER * len(gap)
    root = linalg.cholesky(scaled)
    right = linalg.solve_triangular(root, gap / size, trans=1)
    return nnls(root, right, maxiter=100 * len(gap))[0] / size


def _search(problem, point, direction, limits, penalty):
    """The step, halved until J and what is exceeded fall together; and its length."""
    step, levels = direction

    def merit(objective, statistics, levels):
        over = np.maximum(limits.excess(statistics, levels), 0.0)
        return objective + penalty * float(np.sum(over))

    before = merit(point.objective, point.statistics, point.levels)
    over = before - point.objective
    promised = min(float(point.gradient @ step) - over, 0.0)
    noise = _ROUNDING * (abs(before) + abs(point.objective))
    length = 1.0
    while length > _SHORTEST:
        moved = point.theta + length * step, point.levels + length * levels
        objective, statistics = problem.measure(moved[0])
        falls = merit(objective, statistics, moved[1]) - before
        if falls <= _SUFFICIENT * length * promised + noise:
            return Point(*moved, objective, statistics), length
        length *= 0.5
    return None, 0.0
