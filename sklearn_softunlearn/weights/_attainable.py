# SPDX-License-Identifier: BSD-3-Clause
"""The largest attainable improvement, and the multipliers that prove it.

    delta_max = max delta   s.t.  G x + delta t <= b,   lower <= x <= upper

Any ``y >= 0`` with ``y.t = 1`` bounds it from above, row by row of x:

    delta_max <= y.b + sum_i max(-d_i lower_i, -d_i upper_i),    d = G.T y

and the smallest bound is delta_max. With one constraint besides the improving one
this is a fractional knapsack: y has one unknown, a weighted quantile. In general delta
is taken for one more unknown, which a linear cost of rising strength pulls upwards
until delta and its bound meet. That is exact to rounding for data for which the
tolerances of simplex codes are not.
"""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_softunlearn.weights._cut import BoxCut
from sklearn_softunlearn.weights._dual import Projection
from sklearn_softunlearn.weights._limit import (
    certified_slack,
    follow_cost,
    linear_multipliers,
)

_SOLVED = 1e-6
_STALLED = 1.01
_IMPRECISE = 1e4
_NEAR = 0.99


@dataclass(frozen=True)
class Attainable:
    """Largest delta, the proof, and the smallest x that reaches it.

    ``delta`` is -inf where nothing is feasible at any delta, inf where it is
    unbounded. ``stages`` are solutions at smaller deltas, as (delta, multipliers).
    ``shortfall`` is by how much all bounds must be raised before any x is feasible.
    ``proven`` is False where rounding keeps the bound away from delta, as infinite
    bounds of x may.
    """

    delta: float
    certificate: np.ndarray
    solution: Projection
    stages: list
    proven: bool = True
    shortfall: float = 0.0

    def excludes(self, cut, delta):
        """Whether no x is feasible for a request, of which ``cut`` is the problem."""
        if self.proven and delta <= self.delta:
            return False
        slack, noise = certified_slack(cut, self.certificate)
        beyond = self.delta + 1e-9 * abs(self.delta)
        return slack < -noise or (not self.proven and delta > beyond)

    def near(self, delta):
        """Multipliers to start from for a request near the largest; None if far.

        They grow like a power of the distance from the largest request.
        """
        below = [stage for stage in self.stages if stage[0] <= delta]
        if not below or not delta >= _NEAR * self.delta > 0.0:
            return None
        (low, p), left = below[-1], self.delta - delta
        above = [stage for stage in self.stages if delta < stage[0] < self.delta]
        if not above or left <= 0.0:
            return p
        high, q = above[0]
        steps = np.log([self.delta - low, self.delta - high]) - np.log(left)
        share = steps[0] / (steps[0] - steps[1])
        both = (p > 0.0) & (q > 0.0)
        logs = [np.log(np.where(both, at, 1.0)) for at in (p, q)]
        grown = np.exp((1.0 - share) * logs[0] + share * logs[1])
        return np.where(both, grown, (1.0 - share) * p + share * q)


def largest_attainable(cut, t):
    """Solve for the largest delta; ``cut`` is the problem at ``delta = 0``."""
    unit = float(np.max(t))
    found = _Pull(cut, t / unit).solve() if unit > 0.0 else None
    if found is None:
        return _without_delta(cut)
    return replace(
        found,
        delta=found.delta / unit,
        certificate=found.certificate / unit,
        stages=[(delta / unit, p) for delta, p in found.stages],
    )


def _without_delta(cut):
    """Feasible at every delta or at none: as the least violation of all rows says."""
    found = _Pull(cut, np.ones(len(cut.b))).solve()
    if found is None:
        raise FloatingPointError(
            "The constraints are too badly scaled to tell whether they are feasible."
        )
    _, noise = certified_slack(cut, found.certificate)
    if found.delta >= -noise:
        return replace(found, delta=np.inf)
    return replace(found, delta=-np.inf, shortfall=-found.delta)


@dataclass
class _Pull:
    """The programme for ``max(t) = 1``, and the best bound on delta so far."""

    cut: BoxCut
    t: np.ndarray

    def __post_init__(self):
        self.delta, self.noise = np.inf, 0.0
        self.certificate = np.zeros_like(self.t)
        self.improve(np.where(self.t == 1.0, 1.0, 0.0))
        self.rounding = self.noise

    def solve(self):
        """Raise the strength until the bound is met; None if nothing is feasible."""
        extended, direction = self.with_delta()
        first = max(1.0, 0.1 * self.delta if np.isfinite(self.delta) else 1.0)
        stages = [
            stage
            for stage in follow_cost(
                extended, direction, first, np.inf, is_limit=self.is_met
            )
            if stage.solution.residual <= _SOLVED
        ]
        return self.attainable(stages) if stages else None

    def attainable(self, stages):
        """The answer of the last stage."""
        last, x = stages[-1], stages[-1].solution.x
        reached = [(float(stage.solution.x[-1]), stage.solution.p) for stage in stages]
        delta = self.delta if last.final else reached[-1][0]
        if not last.final and np.isinf(self.delta) and _rises(stages):
            delta = np.inf
        solution = replace(last.solution, x=x[:-1])
        return Attainable(delta, self.certificate, solution, reached, last.final)

    def with_delta(self):
        """The cut with delta as one more unknown, and the direction that raises it."""
        n_rows = self.cut.G.shape[1]
        lower, upper = (
            np.broadcast_to(bound, n_rows) for bound in (self.cut.lower, self.cut.upper)
        )
        extended = replace(
            self.cut,
            G=np.column_stack([self.cut.G, self.t]),
            lower=np.append(lower, -np.inf),
            upper=np.append(upper, np.inf),
        )
        return extended, np.append(np.zeros(n_rows), 1.0)

    def is_met(self, extended, direction, strength, solution):
        """Whether delta reaches its bound."""
        pulled = replace(extended, z=strength * direction)
        self.improve(linear_multipliers(pulled, solution))
        self.improve(solution.p)
        # The rounding of huge multipliers would meet anything.
        precise = self.noise <= _IMPRECISE * self.rounding
        return precise and self.delta - solution.x[-1] <= 4.0 * self.noise

    def improve(self, y):
        """Keep the bound that y proves if it is the smallest."""
        size = float(y @ self.t)
        if size > 0.0:
            slack, noise = certified_slack(self.cut, y / size)
            if slack + noise < self.delta + self.noise:
                self.delta, self.certificate, self.noise = slack, y / size, noise


def _rises(stages):
    """Whether delta still grows with the strength, so that nothing bounds it."""
    if len(stages) < 2:
        return True
    before, last = (stage.solution.x[-1] for stage in stages[-2:])
    return last > _STALLED * abs(before)
