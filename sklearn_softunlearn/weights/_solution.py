# SPDX-License-Identifier: BSD-3-Clause
"""What a weight problem returns."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class WeightSolution:
    """Deletion weights with the numbers that prove them optimal.

    Attributes
    ----------
    weights : ndarray of shape (n_samples,)
        Deletion weights, inside their bounds.
    multipliers : ndarray of shape (n_constraints,)
        Multipliers of the constraints, >= 0: how fast the objective rises as a
        constraint is tightened. If the request is infeasible, the certificate
        instead: y >= 0 for which ``y.(constraints.T @ eps)`` exceeds
        ``y.(bounds - delta * tighten)`` for all weights within their bounds.
    coefficients : ndarray of shape (n_constraints,)
        ``weights = clip(-(constraints @ coefficients) / norm_weight, lower, upper)``:
        the multipliers and the cost together. They give weights to rows that were not
        in the problem.
    kkt_residual : float
        Largest relative violation of the optimality conditions by ``weights`` and
        ``coefficients``. For a constraint, its excess (or any slack, if its
        multiplier is positive) relative to ``sum_i |A_ij| |eps_i| + |b_j|`` plus 4e-6
        of the most that this sum can be. For a row, the distance of its weight from
        the formula above relative to the size of the terms of that formula.
    n_iter : int
        Passes over the rows, those of `delta_max` not counted. Passes over a sample of
        them count in proportion.
    status : {"optimal", "infeasible", "inaccurate"}
        "infeasible": no weights reach the request, these reach the largest attainable
        delta. "inaccurate": ``kkt_residual`` exceeds 1e-9.
    problem : WeightProblem
        What was solved.

    Examples
    --------
    >>> from sklearn_softunlearn.weights import solve_weights
    >>> solution = solve_weights([-3.0, -2.0, 1.0], [1.0, -1.0, 0.0], delta=2.0)
    >>> solution.status, solution.kkt_residual < 1e-9
    ('optimal', True)
    """

    weights: np.ndarray
    multipliers: np.ndarray
    coefficients: np.ndarray
    kkt_residual: float
    n_iter: int
    status: str
    problem: object = field(repr=False, default=None, compare=False)

    @property
    def constrained(self):
        """Whether the weights are to satisfy the constraints; hard ones are not."""
        return not np.isnan(self.kkt_residual)

    @property
    def delta_max(self):
        """Largest delta that any weights reach (computed when first asked for)."""
        return self.problem.delta_max
