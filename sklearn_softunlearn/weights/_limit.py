# SPDX-License-Identifier: BSD-3-Clause
"""Linear costs: weak, strong, and so strong that only the cost counts.

    min_x  1/2 |x|^2 - strength * (direction . x)    s.t.  x in the cut

From some finite strength on, the solution is the smallest solution of the linear
programme (Mangasarian and Meyer, 1979). It is reached by raising the strength, each
solve started from the one before, and recognised by its dual bound.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from sklearn_softunlearn.weights._cut import BoxCut, part
from sklearn_softunlearn.weights._dual import Projection, project
from sklearn_softunlearn.weights._newton import model_step

_EPS = np.finfo(np.float64).eps
# By how much the strength rises, squared after a stage of few passes; by how much more
# it rises from the multipliers of a vertex.
_FACTOR = 10.0
_EASY = 4
_FAR, _FARTHEST = 1e3, 1e9
_DIRECT = 100.0
_STAGES = 16
_ACCURACY = 1e-12
_ZERO = 1e-12
# Rows that enter the simplex method, and its tolerances.
_FIRST_ROWS, _MOST_ROWS = 1024, 4096
_TOLERANCES = {
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}
# A part of the direction below this, of a largest entry of 1, is rounding.
_NO_RAY = 1e-8


@dataclass(frozen=True)
class Stage:
    """The solution at one strength; ``final`` where more strength changes nothing."""

    strength: float
    solution: Projection
    final: bool = False

    def multipliers_at(self, cut, direction, strength):
        """Those of the cost ``-direction.x + |x|^2 / (2 strength)``.

        At this strength or, where this stage is the limit, at any above: they grow as
        those of the linear programme do.
        """
        if strength == self.strength:
            return self.solution.p / strength
        p = linear_multipliers(replace(cut, z=self.strength * direction), self.solution)
        p = p / self.strength
        if np.isinf(strength):
            return p
        share = self.strength / strength
        return self.solution.p / strength + (1.0 - share) * p


def solve_with_cost(cut, direction, strength, known=None):
    """The stage at one strength, possibly infinite; ``known`` is (strength, p).

    Directly if the strength is moderate: what is known, or no cost at all, is a good
    start then.
    """
    size = float(np.max(np.abs(direction)))
    if np.isinf(strength) and _falls_for_ever(cut, direction / size):
        raise ValueError(
            "The cost has no minimum within the constraints: some weights without a "
            "bound lower it for ever. Give finite bounds, or a positive penalty or "
            "regularization."
        )
    before, start = known or (0.0, None)
    first = min(_DIRECT * max(1.0 / size, before), strength)
    if start is not None:
        start = start * (first / before)
    stages = list(follow_cost(cut, direction, first, strength, start))
    passes = sum(stage.solution.n_passes for stage in stages)
    solution = replace(stages[-1].solution, n_passes=passes)
    return replace(stages[-1], solution=solution)


def follow_cost(cut, direction, first, last, start=None, is_limit=None):
    """Yield the solutions at rising strengths, from first to last or to the limit.

    Where only the limit is wanted, a vertex is tried at once: in between, Newton takes
    more and more steps.
    """
    now, only_limit = first, np.isinf(last) and is_limit is None
    for count in range(_STAGES):
        solution = project(replace(cut, z=now * direction), start)
        stage = _stage(cut, direction, now, last, solution, is_limit)
        asked = count == 0 and only_limit
        if not stage.final and (asked or _is_decided(cut, solution)):
            stage = _at_vertex(cut, direction, stage, last, is_limit)
        yield stage
        if stage.final or stage.solution.infeasible:
            return
        factor = _FACTOR if solution.n_passes > _EASY else _FACTOR**2
        now = min(factor * stage.strength, last)
        start = stage.solution.p * (now / stage.strength)


def _falls_for_ever(cut, direction):
    """Whether ``direction`` has a part in the directions that leave no bound."""
    lower, upper = (
        np.where(np.isinf(np.broadcast_to(bound, len(direction))), bound, 0.0)
        for bound in (cut.lower, cut.upper)
    )
    if not (lower.any() or upper.any()):
        return False
    rays = replace(cut, b=np.zeros_like(cut.b), lower=lower, upper=upper, z=direction)
    return np.max(np.abs(project(rays).x)) > _NO_RAY


def _stage(cut, direction, strength, last, solution, is_limit):
    if strength >= last:
        return Stage(strength, solution, True)
    is_limit = is_limit or _is_limit
    solved = solution.residual <= _ACCURACY
    final = solved and is_limit(cut, direction, strength, solution)
    return Stage(strength, solution, final)


def _is_decided(cut, solution):
    """Whether few rows are left between their bounds, or Newton failed to solve it.

    There Newton zigzags between the kinks of single rows; a simplex method does not.
    """
    free = (solution.x > cut.lower) & (solution.x < cut.upper)
    return solution.residual > _ACCURACY or np.sum(free) <= 4 * len(cut.b)


def _at_vertex(cut, direction, stage, last, is_limit):
    """The solution at a far larger strength, from the multipliers of a vertex.

    The stage itself where these are no good.
    """
    nearly = stage.solution.p / stage.strength
    y, d, passes = _vertex_multipliers(cut, direction, nearly)
    far = min(_deciding_strength(cut, d, stage.strength), last)
    solution = project(replace(cut, z=far * direction), far * y)
    passes += stage.solution.n_passes + solution.n_passes
    if solution.residual > _ACCURACY:
        return replace(stage, solution=replace(stage.solution, n_passes=passes))
    solution = replace(solution, n_passes=passes)
    return _stage(cut, direction, far, last, solution, is_limit)


def _vertex_multipliers(cut, direction, y):
    """Optimal multipliers from nearly optimal ones, their d, and passes over the rows.

    Near the optimal y, a row far from ``d_i = (G.T y - direction)_i = 0`` stays at the
    bound that the sign of ``d_i`` asks for; only the others enter the simplex method.
    Rows whose sign turns out otherwise join them (sifting). The multipliers are y
    itself on failure, or if too many rows are near.
    """
    lower, upper = (np.broadcast_to(v, len(direction)) for v in (cut.lower, cut.upper))
    cut = replace(cut, lower=lower, upper=upper)
    d = first = y @ cut.G - direction
    near = np.isinf(lower) | np.isinf(upper)
    size, passes = _FIRST_ROWS, 1
    while True:
        size = min(size, len(d))
        near = near | (np.abs(d) <= np.partition(np.abs(d), size - 1)[size - 1])
        found = _restricted(cut, direction, first, near)
        passes += 2
        if found is not None:
            d = found @ cut.G - direction
            wrong = ~near & np.where(first < 0, d > 0, d < 0)
            if not wrong.any():
                return found, d, passes
            near = near | wrong
        if size == len(d) or np.sum(near) > _MOST_ROWS:
            return y, first, passes
        size *= 4


def _restricted(cut: BoxCut, direction, d, near):
    """Solve with all rows but the near ones at their bound; None on failure."""
    fixed = np.where(near, 0.0, np.where(d < 0, cut.upper, cut.lower))
    result = linprog(
        -direction[near],
        A_ub=cut.G[:, near],
        b_ub=cut.b - cut.G @ fixed,
        bounds=np.column_stack([cut.lower[near], cut.upper[near]]),  # type: ignore[index]
        method="highs",
        options=_TOLERANCES,
    )
    return np.maximum(-result.ineqlin.marginals, 0.0) if result.status == 0 else None


def _deciding_strength(cut, d, strength):
    """Strength at which all rows but those of the vertex are at a bound."""
    m, n_rows = cut.G.shape
    bounds = np.maximum(np.abs(cut.lower), np.abs(cut.upper))
    distance = np.abs(d) / np.where(bounds > 0.0, bounds, 1.0)
    undecided = np.partition(distance, m)[m] if m < n_rows else 0.0
    if undecided == 0.0:  # a tie, or a row without a bound
        return _FAR * strength
    return strength * np.clip(2.0 / (undecided * strength), _FAR, _FARTHEST)


def _is_limit(cut, direction, strength, solution):
    """Whether x already maximises ``direction.x``: its dual bound is no larger."""
    p = linear_multipliers(replace(cut, z=strength * direction), solution)
    slack, noise = certified_slack(cut, p / strength, -direction)
    # np.sum adds in pairs: BLAS would leave more rounding than the noise allows for.
    return slack - float(np.sum(direction * solution.x)) <= 4.0 * noise


def linear_multipliers(cut, solution):
    """The multipliers without their share in ``|x|^2``: ``G_F.T p = z_F`` for free x.

    They are the multipliers of the linear programme once x solves it.
    """
    active = solution.p > 0.0
    if not active.any():
        return solution.p
    m = int(np.sum(active))
    curvature, gradient = np.zeros((m, m)), np.zeros(m)
    for rows in cut.blocks():
        x, G = solution.x[rows], cut.G[:, rows][active]
        free = G * ((x > part(cut.lower, rows)) & (x < part(cut.upper, rows)))
        curvature += free @ G.T
        gradient += free @ x
    p = solution.p.copy()
    step = model_step(gradient, curvature, p[active])
    p[active] += 0.0 if step is None else step
    return np.maximum(p, 0.0)


def certified_slack(cut, y, cost=None):
    """``max over the box of y.(b - G x) - cost.x``, and its rounding error.

    Without a cost: negative for some ``y >= 0`` means that no x in the box has
    ``G x <= b``.
    """
    slack, size = float(y @ cut.b), float(np.abs(y) @ cut.b_size)
    for rows in cut.blocks():
        d = y @ cut.G[:, rows]
        d_size = np.abs(y) @ np.abs(cut.G[:, rows])
        if cost is not None:
            d, d_size = d + cost[rows], d_size + np.abs(cost[rows])
        bounds = part(cut.lower, rows), part(cut.upper, rows)
        best, reach = _best_in_box(d, d_size, *bounds)
        slack, size = slack + float(np.sum(best)), size + float(np.sum(reach))
    return slack, 4 * _EPS * size


def _best_in_box(d, d_size, lower, upper):
    """``max -d x`` over the box, and its size; rounding of d meets no open bound."""
    farthest = np.maximum(np.abs(lower), np.abs(upper))
    d = np.where(np.isinf(farthest) & (np.abs(d) <= _ZERO * d_size), 0.0, d)
    with np.errstate(invalid="ignore"):
        best = np.where(d == 0.0, 0.0, np.maximum(-d * lower, -d * upper))
    return best, np.where(np.isfinite(farthest), farthest, 0.0) * d_size
