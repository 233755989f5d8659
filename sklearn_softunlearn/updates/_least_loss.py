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
from typing import Any

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
# Of the gain: less than this is slow, once the factor has served a few steps.
_SLOW, _OLD = 0.1, 3
# Gains below this are rounding; once converged, the search goes on unless so many steps
# have not made them smaller by this.
_ROUNDED, _SHRINKS, _PATIENCE = 1e-19, 0.5, 8
# What losses outside their domain give is next to the largest number.
_HUGE = 1e100
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

    ``excess`` is the largest violation of a limit, in the units of the limits, and
    ``inverse`` what the curvature of the Lagrangian was learnt to be: with ``point`` it
    starts the search for a request nearby.
    """

    limits: Limits
    point: Point
    multipliers: np.ndarray
    n_iter: int
    converged: bool
    excess: float
    inverse: "Inverse"


@dataclass
class Inverse:
    """B^-1, with B the Hessian that ``solve`` solves with and a few secant pairs."""

    solve: Callable
    pairs: list = field(default_factory=list)
    # How many pairs it has learnt from.
    age: int = 0

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

    def learnt(self, s, y, Bs):
        """With one more pair, damped so that B stays positive definite."""
        sBs, sy = float(s @ Bs), float(s @ y)
        if sy < 0.2 * sBs:
            share = 0.8 * sBs / (sBs - sy)
            y = share * y + (1.0 - share) * Bs
            sy = float(s @ y)
        if not (sy > 0.0 and np.isfinite(sy)):
            return self
        pairs = [*self.pairs[1 - _MEMORY :], (s, y, 1.0 / sy)]
        return Inverse(self.solve, pairs, self.age + 1)


def least_loss(problem, inverse, limits, start, *, size, tol=1e-7, max_iter=100):
    """Solve from a start.

    Once the answer is good enough by ``tol`` the search goes on to rounding: what is
    found must not tell where it was started from.

    Parameters
    ----------
    problem : object
        ``measure(theta)`` gives J and the statistics; ``differentiate(theta)`` their
        gradient and jacobian; ``factorize(theta, combination)`` what solves with the
        Hessian of J plus a combination of the statistics. ``least`` is J at its
        minimum without limits.
    inverse : Inverse
        Of the Hessian of J at the fitted parameters, or from an answer nearby.
    limits : Limits
    start : Point
    size : float
        What the excess over a limit is measured by.
    tol : float, default=1e-7
        Converged when a step would gain less than this share of the rise of J, and no
        limit is exceeded by more than a tenth of its root times ``size``.
    max_iter : int, default=100

    Returns
    -------
    LeastLoss
    """
    search = _Search(problem, limits, inverse, _differentiated(problem, start))
    kept, converged = 0.1 * np.sqrt(tol) * size, False
    for n_iter in range(max_iter + 1):
        search.look()
        within = search.excess <= kept and search.gain <= tol
        if converged and not (within and search.gains()):
            break
        converged = within
        if n_iter == max_iter or not search.advance():
            break
    return LeastLoss(
        limits,
        search.point,
        search.multipliers,
        n_iter,
        converged,
        search.excess,
        search.inverse,
    )


@dataclass
class _Search:
    """Where the search is, the step that is next, and what it would gain."""

    problem: Any
    limits: Limits
    inverse: Inverse
    point: Point
    multipliers: np.ndarray | float = 0.0
    penalty: float = 0.0
    gain: float = np.inf
    last: float = np.inf
    # The least gain so far, and how many steps ago.
    best: float = np.inf
    stalled: int = 0

    def look(self):
        """The next step; ``gain`` is the share of the rise of J that it promises."""
        self.programme = _QuadraticProgramme(
            self.inverse, self.point, self.limits, self.multipliers
        )
        excess = self.limits.excess(self.point.statistics, self.point.levels)
        self.step = self.programme.step(excess)
        self.multipliers = self.step[2]
        slope = self._slope(self.point, self.step)
        self.excess = float(np.max(excess, initial=0.0))
        least = self.problem.least
        rise = max(self.point.objective - least, 1e-9 * abs(least))
        self.last, self.gain = self.gain, -0.5 * float(self.step[0] @ slope) / rise
        self.stalled += 1
        if self.gain < _SHRINKS * self.best:
            self.best, self.stalled = self.gain, 0

    def gains(self):
        """Whether steps are above rounding, and shrank lately."""
        return self.gain > _ROUNDED and self.stalled < _PATIENCE

    def _is_old(self):
        return self.inverse.age >= _OLD

    def advance(self):
        """Go the step, or find a new inverse if the old one is slow; False if stuck."""
        if self.gain > _SLOW * self.last and self._is_old():
            combination = self.limits.A.T @ self.multipliers
            solve = self.problem.factorize(self.point.theta, combination)
            self._restart(Inverse(solve))
            return True
        largest = 2.0 * float(np.max(self.multipliers, initial=0.0))
        self.penalty = max(largest, self.penalty)
        new, step, length = _line_search(
            self.problem, self.point, self.programme, self.step, self.penalty
        )
        if new is None and not self.inverse.pairs:
            return False
        if new is None:
            self._restart(Inverse(self.inverse.solve))
            self.penalty = 0.0
            return True
        new = _differentiated(self.problem, new)
        slope = self._slope(self.point, step)
        # The step solves B d = -slope.
        self.inverse = self.inverse.learnt(
            length * step[0], self._slope(new, step) - slope, -length * slope
        )
        self.point = new
        return True

    def _slope(self, point, step):
        return point.lagrangian_gradient(self.limits.A.T @ step[2])

    def _restart(self, inverse):
        self.inverse, self.gain = inverse, np.inf


def _differentiated(problem, point):
    gradient, jacobian = problem.differentiate(point.theta)
    return replace(point, gradient=gradient, jacobian=jacobian)


class _QuadraticProgramme:
    """The problem near a point: limits linearised, J with a constant Hessian.

    In the multipliers, one for each limit, it is ``max_mu gap.mu - mu.M mu / 2`` over
    ``mu >= 0``, proximal about the last ones.
    """

    def __init__(self, inverse, point, limits, near):
        self.limits, self.near, self.jacobian = limits, near, point.jacobian
        columns = np.column_stack([point.gradient, point.jacobian])
        self.solved = inverse(columns)
        A, B = limits.A, limits.B
        matrix = A @ (self.jacobian.T @ self.solved[:, 1:]) @ A.T
        typical = float(np.mean(np.diag(matrix)))
        self.tau = _LEVEL_CURVATURE / typical if typical > 0.0 else 1.0
        self.matrix = matrix + B @ B.T / self.tau

    def step(self, excess):
        """Step, change of the levels, and multipliers."""
        A, B = self.limits.A, self.limits.B
        gap = excess - A @ (self.jacobian.T @ self.solved[:, 0])
        mu = _nonnegative_maximum(self.matrix, gap, self.near)
        step = -self.solved[:, 0] - self.solved[:, 1:] @ (A.T @ mu)
        return step, -(B.T @ mu) / self.tau, mu

    def removed(self, step, levels, _):
        """By how much a step lowers each limit's excess, where limits are linear."""
        A, B = self.limits.A, self.limits.B
        return -A @ (self.jacobian.T @ step) - B @ levels


def _nonnegative_maximum(matrix, gap, near):
    diagonal = np.diag(matrix)
    # A limit that no parameter moves has a row of zeros.
    size = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = matrix / np.outer(size, size)
    jitter = _JITTER * len(gap)
    scaled[np.diag_indices_from(scaled)] += jitter
    root = _root(scaled, jitter)
    # About the last multipliers, or the limits would be missed by what jitter costs.
    right = linalg.solve_triangular(root, gap / size + jitter * size * near, trans=1)
    return nnls(root, right, maxiter=100 * len(gap))[0] / size


def _root(gram, least):
    """Triangular R with R.T @ R equal to a Gram matrix, as far as rounding lets it."""
    try:
        return linalg.cholesky(gram)
    except linalg.LinAlgError:
        # Of limits that oppose each other: rounding took it below 0 by more.
        values, vectors = linalg.eigh(0.5 * (gram + gram.T))
        root = np.sqrt(np.maximum(values, least))[:, None] * vectors.T
        return linalg.qr(root, mode="r")[0]


def _line_search(problem, point, programme, step, penalty):
    """The next point, where J and what is exceeded fall together, and its length.

    The step, then the step that makes up for how limits curve (without it a step along
    a limit is refused, however near the answer is: the Maratos effect), then halves.
    """
    limits = programme.limits

    def moved(step, length=1.0):
        theta = point.theta + length * step[0]
        levels = point.levels + length * step[1]
        return Point(theta, levels, *problem.measure(theta))

    def merit(place):
        over = np.maximum(limits.excess(place.statistics, place.levels), 0.0)
        return place.objective + penalty * float(np.sum(over))

    before = merit(point)
    over = before - point.objective
    promised = min(float(point.gradient @ step[0]) - over, 0.0)
    noise = _ROUNDING * (abs(before) + abs(point.objective))

    def enough(place, length=1.0):
        return merit(place) - before <= _SUFFICIENT * length * promised + noise

    new = moved(step)
    if enough(new):
        return new, step, 1.0
    seen = limits.excess(new.statistics, new.levels) + programme.removed(*step)
    if np.all(np.abs(seen) < _HUGE):
        curved = programme.step(seen)
        new = moved(curved)
        if enough(new):
            return new, curved, 1.0
    length = 0.5
    while length > _SHORTEST:
        new = moved(step, length)
        if enough(new, length):
            return new, step, length
        length *= 0.5
    return None, step, 0.0
