# SPDX-License-Identifier: BSD-3-Clause
"""Small integer problems, whose feasible sets are often a face of the box.

HiGHS says what is feasible and what a linear programme can reach; the optimality
conditions, with the multipliers that were returned, prove the rest.
"""

import numpy as np
import pytest
from scipy.optimize import linprog

from sklearn_softunlearn.weights import solve_weight_qp

PENALTIES = (0.0, 0.5, 1.0, 1e-3, 1e-6)


def integer_problem(rng):
    n, m, size = rng.integers(1, 6), rng.integers(1, 4), rng.integers(1, 4)
    draw = [rng.integers(-size, size + 1, shape) for shape in (n, (n, m), m)]
    cost, constraints, bounds = (values.astype(float) for values in draw)
    return cost, constraints, bounds, float(rng.choice([0.0, -1.0]))


def violation(problem, penalty, solution):
    """Of the optimality conditions of ``cost.eps + penalty |eps|^2``, absolute."""
    cost, A, bounds, lower = problem
    eps, y = solution.weights, solution.multipliers
    room = bounds - eps @ A
    active = y > 1e-9 * max(1.0, np.max(y))
    slope = cost + 2.0 * penalty * eps + A @ y
    wrong = np.where(eps > lower, np.maximum(slope, 0.0), 0.0)
    wrong = np.maximum(wrong, np.where(eps < 1.0, -slope, 0.0))
    return max(np.max(-room), np.max(np.abs(room) * active), np.max(wrong))


@pytest.mark.parametrize("penalty", PENALTIES)
def test_feasible_problems_are_solved_and_others_are_not(penalty):
    for seed in range(100):
        rng = np.random.default_rng([seed, PENALTIES.index(penalty)])
        problem = cost, A, bounds, lower = integer_problem(rng)
        oracle = linprog(cost, A.T, bounds, bounds=(lower, 1.0), method="highs")
        solution = solve_weight_qp(cost, A, bounds, penalty=penalty, lower=lower)
        assert solution.status == ("infeasible" if oracle.status == 2 else "optimal")
        if oracle.status != 2:
            assert violation(problem, penalty, solution) <= 1e-8, seed
            if penalty == 0.0:
                assert cost @ solution.weights == pytest.approx(oracle.fun, abs=1e-9)


def test_a_feasible_set_that_is_one_corner_of_the_box():
    solution = solve_weight_qp([0, 1], [[2], [-1]], -1, penalty=1)
    np.testing.assert_allclose(solution.weights, [0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(solution.multipliers, [3.0])


def test_multipliers_are_those_of_the_penalty_asked_for():
    """Also where a larger penalty has the same weights, and where nothing costs."""
    one = solve_weight_qp([-1, 1, 2], [[2], [2], [-1]], 1, penalty=1e-6)
    np.testing.assert_allclose(one.multipliers, 0.5 - 0.5e-6, rtol=1e-12)
    free = solve_weight_qp([0.0], [[-1.0]], -0.5, penalty=3.0)
    np.testing.assert_allclose(free.multipliers, 3.0)


def test_a_cost_without_a_minimum_is_refused():
    with pytest.raises(ValueError, match="no minimum within the constraints"):
        solve_weight_qp([-1, -1], [[1], [-1]], 1, penalty=0, upper=np.inf)
    bounded = solve_weight_qp([-1, -1], [[1], [2]], 1, penalty=0, upper=np.inf)
    np.testing.assert_allclose(bounded.weights, [1.0, 0.0], atol=1e-12)
