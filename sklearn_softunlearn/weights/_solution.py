# SPDX-License-Identifier: BSD-3-Clause
"""What a weight problem returns: for one request, and for many."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_softunlearn.weights import _validation as check


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


@dataclass(frozen=True)
class WeightPath:
    """Solutions of one `WeightProblem` for many requests, and what each predicts.

    Attributes
    ----------
    deltas : ndarray of shape (n_deltas,)
        The requests, in the order given.
    weights : ndarray of shape (n_deltas, n_samples) or None
        The weights of each request; None if they were not kept.
    coefficients, multipliers : ndarray of shape (n_deltas, n_constraints)
        See `WeightSolution`.
    predicted : ndarray of shape (n_deltas, n_constraints)
        ``constraints.T @ eps``: the predicted change of each functional.
    deleted_mass : ndarray of shape (n_deltas,)
        Sum of the weights, times ``norm_weight`` where that is given: how many rows'
        worth is deleted.
    objective : ndarray of shape (n_deltas,)
        ``sum_i norm_weight_i * eps_i^2``.
    kkt_residual, n_iter : ndarray of shape (n_deltas,)
        See `WeightSolution`.
    status : list of str
        See `WeightSolution`.

    Examples
    --------
    >>> from sklearn_softunlearn.weights import WeightProblem
    >>> problem = WeightProblem([[-3.0], [-2.0], [1.0]], bounds=0.0, tighten=1.0)
    >>> path = problem.path([1.3, 2.6])
    >>> path.weights
    array([[0.3, 0.2, 0. ],
           [0.6, 0.4, 0. ]])
    """

    deltas: np.ndarray
    weights: np.ndarray | None = field(repr=False)
    coefficients: np.ndarray = field(repr=False)
    multipliers: np.ndarray = field(repr=False)
    predicted: np.ndarray
    deleted_mass: np.ndarray
    objective: np.ndarray
    kkt_residual: np.ndarray
    n_iter: np.ndarray
    status: list


def solve_path(problem, deltas, regularization, keep_weights):
    """Solve in increasing order of delta; answers come in the order given."""
    regularization = check.nonnegative_number(regularization, "regularization")
    deltas = check.numbers(deltas, "deltas")
    rows, weights = [None] * len(deltas), [None] * len(deltas)
    known = []
    for i in np.argsort(deltas, kind="stable"):
        # A weaker regularization multiplies the metric's coefficients by its inverse.
        start = _extrapolated(known, deltas[i], min(regularization, 1.0))
        solution = problem.solve(deltas[i], regularization=regularization, start=start)
        rows[i] = _row(problem, solution)
        weights[i] = solution.weights if keep_weights else None
        known = [*known[-1:], (deltas[i], solution)]
    return WeightPath(
        deltas,
        np.array(weights) if keep_weights else None,
        *(np.array(column) for column in list(zip(*rows, strict=True))[:-1]),
        [row[-1] for row in rows],
    )


def _row(problem, solution):
    eps, r = solution.weights, problem.norm_weight
    return (
        solution.coefficients,
        solution.multipliers,
        eps @ problem.constraints,
        np.sum(eps) if r is None else eps @ r,
        eps @ eps if r is None else (eps * eps) @ r,
        solution.kkt_residual,
        solution.n_iter,
        solution.status,
    )


def _extrapolated(known, delta, share):
    """Coefficients at delta on the line through the last two solutions."""
    usable = [(at, s.coefficients) for at, s in known if s.status == "optimal"]
    if not usable:
        return None
    (first, p), (last, q) = usable[0], usable[-1]
    slope = (q - p) / (last - first) if last > first else 0.0
    return np.maximum(share * (q + slope * (delta - last)), 0.0)
