# SPDX-License-Identifier: BSD-3-Clause
"""The weight problem: its data, its solutions, its largest attainable request."""

import warnings
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from sklearn_softunlearn.weights import _validation as check
from sklearn_softunlearn.weights._attainable import largest_attainable
from sklearn_softunlearn.weights._cut import kkt_residual
from sklearn_softunlearn.weights._dual import project
from sklearn_softunlearn.weights._limit import certified_slack, solve_with_cost
from sklearn_softunlearn.weights._scaling import scale_rows
from sklearn_softunlearn.weights._solution import WeightSolution, solve_path

_ACCURACY = 1e-9
_SOLVED = 1e-12
# Nearer to the largest attainable delta than this many roundings, its weights are it.
_EDGE = 16.0


class WeightProblem:
    """Smallest weights that reach a requested improvement.

    ::

        minimise    sum_i norm_weight_i * eps_i^2
        subject to  constraints.T @ eps <= bounds - delta * tighten
                    lower <= eps <= upper

    The data are checked and scaled once; `solve` and `path` then answer for any
    ``delta``. Multipliers may be degenerate: constraints may be repeated, come in
    pairs of opposite sign, or depend linearly on each other.

    Parameters
    ----------
    constraints : array-like of shape (n_samples, n_constraints)
        Influence of deleting each row on each functional, of any scale.
    bounds : float or array-like of shape (n_constraints,)
        What the weighted sums of the influences may be at ``delta = 0``.
    tighten : float or array-like of shape (n_constraints,)
        How much a unit of delta lowers each bound, >= 0; 0 for a functional that is
        only protected.
    lower, upper : float or array-like of shape (n_samples,), default=0.0 and 1.0
        Bounds of the weights, possibly infinite. ``upper = 0`` protects a row, a
        negative ``lower`` lets it be up-weighted.
    norm_weight : array-like of shape (n_samples,), default=None
        Cost of each weight in the norm, >= 0, such as user sample weights; 1 by
        default. A weight that costs nothing has no effect: it stays at its bound
        nearest to 0.

    Attributes
    ----------
    constraints, bounds, tighten, lower, upper, norm_weight
        The data as float64.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, is empty, or is not finite.

    Notes
    -----
    The problem is a projection onto a polyhedron with few faces besides those of the
    box. Its dual has one unknown per constraint and each evaluation is one pass over
    the rows; semismooth Newton needs some 3 to 10 of them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.weights import WeightProblem
    >>> metric, utility = [-3.0, -2.0, 1.0], [1.0, -1.0, 0.0]
    >>> problem = WeightProblem(np.c_[metric, utility], bounds=0.0, tighten=[1.0, 0.0])
    >>> problem.delta_max
    5.0
    >>> problem.solve(2.0).weights
    array([0.4, 0.4, 0. ])
    """

    def __init__(
        self,
        constraints: ArrayLike,
        bounds: ArrayLike,
        tighten: ArrayLike,
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = 1.0,
        norm_weight: ArrayLike | None = None,
    ) -> None:
        self.constraints = check.finite_matrix(constraints, "constraints")
        n_samples, m = self.constraints.shape
        self.bounds = check.finite_vector(bounds, "bounds", m)
        self.tighten = check.finite_vector(tighten, "tighten", m, nonnegative=True)
        self.lower, self.upper = check.box(lower, upper, n_samples)
        self.norm_weight = norm_weight
        if norm_weight is not None:
            self.norm_weight = check.finite_vector(
                norm_weight, "norm_weight", n_samples, nonnegative=True
            )
        rows = scale_rows(self.constraints, self.lower, self.upper, self.norm_weight)
        self._rows = replace(rows, reach=_with_request(rows, self.tighten))

    @property
    def delta_max(self):
        """Largest delta for which weights exist, exact to rounding.

        -inf if no weights satisfy the constraints at any delta, inf if all deltas are
        attainable. Computed when first asked for.
        """
        return self._attainable.delta

    @cached_property
    def delta_max_unprotected(self):
        """Largest delta if what is only protected (``tighten`` 0) were left out."""
        asked = self.tighten > 0.0
        if np.all(asked) or not np.any(asked):
            return self.delta_max
        return WeightProblem(
            self.constraints[:, asked],
            self.bounds[asked],
            self.tighten[asked],
            lower=self.lower,
            upper=self.upper,
            norm_weight=self.norm_weight,
        ).delta_max

    def solve(
        self,
        delta: float,
        *,
        regularization: float = 1.0,
        start: WeightSolution | None = None,
    ) -> WeightSolution:
        """Weights for one request.

        Parameters
        ----------
        delta : float
            The request, in units of ``tighten``.
        regularization : float, default=1.0
            At 1 or more: the smallest weights that satisfy the constraints. Below 1
            the weights also minimise a cost, see Notes, and may improve more than
            asked; at 0 only the cost counts, and the norm among equal costs.
        start : WeightSolution or ndarray of shape (n_constraints,), default=None
            A solution for similar data, or its coefficients, to start from.

        Returns
        -------
        WeightSolution
            If the request is infeasible: of status "infeasible", the smallest weights
            that reach ``delta_max``, for every regularization. No warning is given.
            So it is for requests within rounding of ``delta_max``.

        Warns
        -----
        RuntimeWarning
            If the solution is less accurate than 1e-9.

        Notes
        -----
        Let nu be the multipliers of the tightened constraints at the smallest
        weights. The cost is their active combination, ``c = A nu / sum(nu)``: the
        influences themselves where there is one such constraint. In::

            min_eps  c.eps + lambda * sum_i norm_weight_i * eps_i^2

        the smallest weights are optimal for every lambda above a threshold
        ``1 / (2 sum(nu))``. ``regularization`` is lambda in units of this threshold.
        ``multipliers`` are those of the objective divided by 2 lambda,
        ``c.eps / (2 lambda) + sum_i norm_weight_i * eps_i^2 / 2``.
        """
        delta = check.finite_number(delta, "delta")
        regularization = check.nonnegative_number(regularization, "regularization")
        cut, found, status = self._smallest(delta, self._start(start))
        nu = np.where(self.tighten > 0.0, found.p, 0.0)
        if status == "infeasible" or regularization >= 1.0:
            return self._solution(found, status)
        direction = -(nu @ cut.G)
        if not direction.any():
            return self._solution(found, status)
        strength = 1.0 / regularization if regularization > 0.0 else np.inf
        stage = solve_with_cost(cut, direction, strength, (1.0, found.p - nu))
        if status == "edge" and stage.solution.residual > _ACCURACY:
            return self._solution(found, status)
        passes = found.n_passes + stage.solution.n_passes
        found = replace(stage.solution, n_passes=passes)
        return self._solution(found, status, nu * stage.strength)

    def minimise(self, cost, *, penalty, delta=0.0):
        """Weights of least cost among those that satisfy the constraints.

        ::

            min_eps  cost.eps + penalty * sum_i norm_weight_i * eps_i^2

        Parameters
        ----------
        cost : array-like of shape (n_samples,)
        penalty : float
            >= 0. At 0, a linear programme: its solution of smallest norm.
        delta : float, default=0.0
            The request, in units of ``tighten``.

        Returns
        -------
        WeightSolution
            ``multipliers`` are those of the objective above. ``coefficients`` are NaN
            unless the cost is zero: the weights depend on the cost as well.

        Raises
        ------
        ValueError
            If ``penalty = 0`` and, for want of bounds, no cost is the least.
        """
        delta = check.finite_number(delta, "delta")
        penalty = check.nonnegative_number(penalty, "penalty")
        cost = check.finite_vector(cost, "cost", len(self.constraints))
        cut, found, status = self._smallest(delta, None)
        direction = -self._rows.to_x(cost)
        if status == "infeasible":
            return self._solution(found, status)
        if not direction.any():
            solution = self._solution(found, status)
            return replace(solution, multipliers=2.0 * penalty * solution.multipliers)
        strength = 0.5 / penalty if penalty > 0.0 else np.inf
        stage = solve_with_cost(cut, direction, strength)
        solution = self._solution(stage.solution, status, np.nan)
        p = stage.multipliers_at(cut, direction, strength)
        return replace(solution, multipliers=p * self._rows.scale)

    def path(self, deltas, *, regularization=1.0, keep_weights=True):
        """Weights for many requests, each started from the one before.

        Parameters
        ----------
        deltas : array-like of shape (n_deltas,)
            In any order; the answer keeps it.
        regularization : float, default=1.0
            See `solve`.
        keep_weights : bool, default=True
            Whether the path holds the weights, n_deltas * n_samples numbers.

        Returns
        -------
        WeightPath
        """
        return solve_path(self, deltas, regularization, keep_weights)

    @cached_property
    def _attainable(self):
        return largest_attainable(self._cut(0.0), self.tighten * self._rows.scale)

    def _cut(self, delta):
        step = delta * self.tighten
        return self._rows.cut(self.bounds - step, np.abs(self.bounds) + np.abs(step))

    def _start(self, start):
        if start is None:
            return None
        m = len(self.bounds)
        p = check.finite_vector(getattr(start, "coefficients", start), "start", m)
        return np.maximum(p / self._rows.scale, 0.0)

    def _smallest(self, delta, start):
        """The smallest x, and whether it is optimal, on the edge, or infeasible."""
        cut = self._cut(delta)
        if "_attainable" in self.__dict__:
            if self._attainable.excludes(cut, delta):
                return self._largest()
            near = self._attainable.near(delta)
            edge = None if near is None else self._on_edge(cut)
            if edge is not None and edge.residual <= _SOLVED:
                return cut, edge, "edge"
            start = near if start is None else start
        found = project(cut, start)
        if found.residual <= _SOLVED:
            return cut, found, "optimal"
        if self._attainable.excludes(cut, delta):
            return self._largest()
        return cut, *self._from_stages(cut, delta, found)

    def _largest(self):
        best = self._attainable
        cut = self._cut(best.delta if np.isfinite(best.delta) else 0.0)
        cut = replace(cut, b=cut.b + best.shortfall)
        return cut, _judged(cut, best.solution), "infeasible"

    def _on_edge(self, cut):
        """The solution for the largest request, if this is within rounding of it."""
        slack, noise = certified_slack(cut, self._attainable.certificate)
        if slack > _EDGE * noise:
            return None
        return _judged(cut, self._attainable.solution)

    def _from_stages(self, cut, delta, found):
        """Start again from solutions for nearby requests, nearest first."""
        edge = self._on_edge(cut)
        if edge is not None:
            return found.better(edge), "edge"
        stages = self._attainable.stages
        for _, p in sorted(stages, key=lambda stage: abs(stage[0] - delta)):
            found = found.better(project(cut, p))
            if found.residual <= _SOLVED:
                break
        return found, "optimal"

    def _solution(self, found, status, cost=0.0):
        certificate = status == "infeasible"
        multipliers = self._attainable.certificate if certificate else found.p
        if not certificate:
            status = "optimal" if found.residual <= _ACCURACY else "inaccurate"
        if status == "inaccurate":
            warnings.warn(
                f"The weights violate their optimality conditions by "
                f"{found.residual:.1e}, relative, more than {_ACCURACY:g}.",
                RuntimeWarning,
                stacklevel=3,
            )
        return WeightSolution(
            self._rows.to_weights(found.x, self.lower, self.upper),
            multipliers * self._rows.scale,
            (found.p + cost) * self._rows.scale,
            found.residual,
            int(np.ceil(found.n_passes)),
            status,
            self,
        )


def _with_request(rows, tighten):
    """The reach of the constraints; for constraints of zeros, that of the request."""
    step = tighten * rows.scale
    live = (rows.reach > 0.0) & (step > 0.0)
    delta = np.min(rows.reach[live] / step[live]) if live.any() else 0.0
    return np.where(rows.reach > 0.0, rows.reach, step * delta)


def _judged(cut, solution):
    """A kept solution, judged by another problem; x is copied for the user to own."""
    residual = kkt_residual(cut, solution.x, solution.p)
    return replace(solution, x=solution.x.copy(), residual=residual, n_passes=1)
