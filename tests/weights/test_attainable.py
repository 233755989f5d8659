# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from scipy.optimize import linprog

from sklearn_softunlearn.weights import WeightProblem
from tests.weights.weight_problems import BOXES, KINDS, influences, random_problem

# A simplex code is exact to its tolerance, which is coarse for these.
COARSE = {"nearly opposite", "heavy tails"}


def by_highs(problem):
    """Largest delta from the primal linear programme, columns normalised."""
    A, n = problem.constraints, len(problem.constraints)
    unit = np.max(np.abs(A), axis=0)
    unit = np.where(unit > 0, unit, 1e-6)
    matrix = np.column_stack([(A / unit).T, problem.tighten / unit])
    lower, upper = (np.broadcast_to(v, n) for v in (problem.lower, problem.upper))
    bounds = [*zip(lower, upper, strict=True), (None, None)]
    result = linprog(
        np.r_[np.zeros(n), -1.0],
        A_ub=matrix,
        b_ub=problem.bounds / unit,
        bounds=bounds,
        options={
            "primal_feasibility_tolerance": 1e-10,
            "dual_feasibility_tolerance": 1e-10,
        },
    )
    return {0: lambda: -result.fun, 2: lambda: -np.inf, 3: lambda: np.inf}[
        result.status
    ]()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("box", [box for box in BOXES if box != "half open"])
def test_largest_attainable_equals_the_linear_programme(kind, box):
    rng = np.random.default_rng([KINDS.index(kind), BOXES.index(box)])
    for _ in range(10):
        problem = random_problem(rng, kind, box)
        tolerance = 1e-4 if kind in COARSE else 1e-7
        assert problem.delta_max == pytest.approx(
            by_highs(problem), rel=tolerance, abs=1e-7
        )


def knapsack(a, u, tolerance):
    """Largest ``-a.eps`` with ``u.eps <= tolerance`` and eps in [0, 1].

    Take what lowers both; then buy improvement with utility, cheapest first.
    """
    free = (a < 0) & (u <= 0)
    gained, budget = -np.sum(a[free]), tolerance - np.sum(u[free])
    # Rows that only give utility (a >= 0 > u) are sold at the price -u / a.
    seller, buyer = (a >= 0) & (u < 0), (a < 0) & (u > 0)
    budget, gained = budget - np.sum(u[seller]), gained - np.sum(a[seller])
    cost = np.concatenate([u[buyer], -u[seller]])
    gain = np.concatenate([-a[buyer], a[seller]])
    order = np.argsort(cost / np.where(gain > 0, gain, 1e-300))
    spent = np.concatenate([[0.0], np.cumsum(cost[order])])
    share = np.clip((budget - spent[:-1]) / np.diff(spent), 0.0, 1.0)
    return gained + share @ gain[order]


@pytest.mark.parametrize("kind", ["plain", "heavy tails", "ties", "nearly opposite"])
@pytest.mark.parametrize("n", [1, 2, 7, 100, 20_000])
def test_one_utility_row_is_a_fractional_knapsack(kind, n):
    rng = np.random.default_rng(n)
    a, u = influences(rng, kind, n, 2).T
    for tolerance in (0.0, 0.01 * np.sum(np.abs(u))):
        problem = WeightProblem(np.c_[a, u], [0.0, tolerance], [1.0, 0.0])
        expected = knapsack(a, u, tolerance)
        size = np.sum(np.abs(a))
        assert problem.delta_max == pytest.approx(expected, rel=1e-9, abs=1e-14 * size)


def test_largest_attainable_of_many_rows_and_degenerate_constraints():
    rng = np.random.default_rng(0)
    rates = 1e-6 * rng.standard_normal((10_000, 4))
    k = range(4)
    A = np.column_stack(
        [rates[:, i] - rates[:, j] for i in k for j in k if i != j]
        + [1e-6 * rng.standard_normal(10_000)]
    )
    gaps = 0.02 * rng.random(4)
    values = np.array([gaps[i] - gaps[j] for i in k for j in k if i != j])
    bounds = np.r_[values.max() - values, 0.0]
    tighten = np.r_[np.full(len(values), values.max()), 0.0]
    problem = WeightProblem(A, bounds, tighten)
    assert 0.1 < problem.delta_max < 0.9
    assert problem.delta_max == pytest.approx(by_highs(problem), rel=1e-8)
    solution = problem.solve(problem.delta_max)
    assert solution.kkt_residual <= 1e-9


def test_nothing_attainable_where_deletion_only_harms():
    problem = WeightProblem([[1.0], [0.0], [2.0]], 0.0, 1.0)
    assert problem.delta_max == 0.0
    solution = problem.solve(0.1)
    assert solution.status == "infeasible"
    np.testing.assert_array_equal(solution.weights, 0.0)


def test_utility_opposed_to_the_metric_leaves_nothing():
    a = influences(np.random.default_rng(1), "plain", 50, 1)
    problem = WeightProblem(np.c_[a, -a], 0.0, [1.0, 0.0])
    assert problem.delta_max == pytest.approx(0.0, abs=1e-20)
    assert problem.solve(1e-7).status == "infeasible"


def test_everything_attainable_without_bounds_of_the_weights():
    A = influences(np.random.default_rng(2), "plain", 20, 2)
    problem = WeightProblem(A, 0.0, [1.0, 0.0], lower=-np.inf, upper=np.inf)
    assert problem.delta_max == np.inf


def test_nothing_feasible_at_any_delta():
    problem = WeightProblem([[1.0, -1.0], [-2.0, -1.0]], [-3.0, 0.0], [0.0, 1.0])
    assert problem.delta_max == -np.inf
    solution = problem.solve(0.0)
    assert solution.status == "infeasible"
    # The least violation.
    np.testing.assert_allclose(solution.weights, [0.0, 1.0], atol=1e-12)
    y = solution.multipliers
    assert np.all(y >= 0) and np.sum(np.minimum(problem.constraints @ y, 0)) > -3 * y[0]


def test_constraints_without_a_request_are_feasible_at_every_delta_or_at_none():
    A = [[1.0], [-2.0]]
    assert WeightProblem(A, -1.0, 0.0).delta_max == np.inf
    assert WeightProblem(A, -3.0, 0.0).delta_max == -np.inf
    np.testing.assert_allclose(WeightProblem(A, -1.0, 0.0).solve(5.0).weights, [0, 0.5])
