# SPDX-License-Identifier: BSD-3-Clause
"""Problems that are hard to solve, and what proves that an answer is right."""

import numpy as np

from sklearn_softunlearn.weights import WeightProblem

KINDS = (
    "plain",
    "heavy tails",
    "ties",
    "zeros",
    "scales",
    "repeated",
    "opposite",
    "all harmful to delete",
    "rank one",
    "nearly opposite",
    "categories",
    "group pairs",
)
BOXES = ("unit", "capped", "per row", "up-weighting", "protected", "half open")


def influences(rng, kind, n, m):
    """A matrix of influences of one of KINDS, at the scale of real ones."""
    A = rng.standard_normal((n, m))
    if kind == "heavy tails":
        A = rng.standard_cauchy((n, m)) ** 3
    if kind == "ties":
        A = rng.integers(-2, 3, (n, m)).astype(float)
    if kind == "zeros":
        A *= rng.random((n, m)) < 0.3
    if kind == "scales":
        A *= 10.0 ** rng.uniform(-12, 0, m)
    if kind == "repeated":
        A[:, -1] = A[:, 0]
    if kind == "opposite":
        A[:, -1] = -A[:, 0]
    if kind == "all harmful to delete":
        A = np.abs(A)
    if kind == "rank one":
        A = A[:, :1] @ rng.standard_normal((1, m))
    if kind == "nearly opposite":
        A[:, -1] = -A[:, 0] * (1 + 1e-6 * rng.standard_normal(n))
    if kind == "categories":
        A = A[rng.integers(0, min(n, 4), n)]
    if kind == "group pairs":
        A = pairs(rng.standard_normal((n, 3)))
    return 1e-6 * A


def pairs(rates):
    """All differences of two columns, in both directions: rows of a gap metric."""
    k = range(rates.shape[1])
    return np.column_stack([rates[:, i] - rates[:, j] for i in k for j in k if i != j])


def box(rng, kind, n):
    lower, upper = 0.0, 1.0
    if kind == "capped":
        upper = 0.3
    if kind == "per row":
        upper = 3 * rng.random(n)
    if kind == "up-weighting":
        lower, upper = -rng.random(n), rng.random(n)
    if kind == "protected":
        upper = (rng.random(n) < 0.5).astype(float)
    if kind == "half open":
        upper = np.inf
    return lower, upper


def random_problem(rng, kind, box_kind="unit"):
    """A problem of a few rows or a few hundred; the later rows only protect."""
    n = int(rng.choice([1, 2, 3, 5, 10, 30, 100, 300]))
    A = influences(rng, kind, n, int(rng.integers(1, 6)))
    m = A.shape[1]
    size = np.sum(np.abs(A), axis=0)
    size[size == 0.0] = 1e-6
    improving = np.arange(m) < max(1, m // 2)
    lower, upper = box(rng, box_kind, n)
    bounds = size * rng.choice([0.0, 0.0, 1e-3, 0.1]) * rng.random(m)
    norm_weight = rng.integers(1, 4, n) if rng.random() < 0.25 else None
    return WeightProblem(
        A,
        bounds,
        np.where(improving, size, 0.0),
        lower=lower,
        upper=upper,
        norm_weight=norm_weight,
    )


def optimality(problem, solution, delta, cost=0.0):
    """Largest relative violation of the KKT conditions, in the user's units.

    Written from the conditions, with none of the solver's code: bounds, constraints,
    multipliers >= 0, complementarity, and a gradient that only the bounds can balance.
    ``cost`` is that of the objective ``cost.eps + sum r eps^2 / 2``.
    """
    A, eps, y = problem.constraints, solution.weights, solution.multipliers
    r = np.ones(len(A)) if problem.norm_weight is None else problem.norm_weight
    lower, upper = (np.broadcast_to(v, len(A)) for v in (problem.lower, problem.upper))
    assert np.all(lower <= eps) and np.all(eps <= upper)
    assert np.all(y >= 0)
    room = problem.bounds - delta * problem.tighten - eps @ A
    size = np.abs(eps) @ np.abs(A) + np.abs(problem.bounds) + delta * problem.tighten
    # A sum over weights of 1 is known to rounding only.
    size = size + 1e-5 * np.sum(np.abs(A), axis=0) + 1e-300
    excess = np.max(-room / size)
    slack = np.max(np.where(y > 1e-9 * np.max(y), room, 0.0) / size)
    slope = cost + r * eps + A @ y
    parts = np.abs(cost) + r * np.abs(eps) + np.abs(A) @ y + 1e-300
    wrong = np.where(eps > lower, np.maximum(slope, 0.0), 0.0)
    wrong = np.maximum(wrong, np.where(eps < upper, -slope, 0.0))
    return max(excess, slack, np.max(wrong / parts))
