# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from sklearn_softunlearn.exceptions import (
    InfeasibleDeltaError,
    InfeasibleDeltaWarning,
)
from sklearn_softunlearn.weights import solve_weight_qp, solve_weights

UNBOUNDED = {"lower": -np.inf, "upper": np.inf}


def closed_form(a, u, delta, penalty):
    """The paper's four cases of ``a.eps + penalty |eps|^2`` without bounds.

    Which of ``a.eps <= -delta`` and ``u.eps <= 0`` are active decides. Let a' be a
    without its component along u, if utility would be lost, and a otherwise.
    """
    loses_utility = a @ u < 0  # of eps = -a
    a = a - (a @ u) / (u @ u) * u if loses_utility else a
    free = -a / (2 * penalty)
    if free @ a <= -delta:  # improves enough by itself
        return free, ("utility" if loses_utility else "none")
    return -delta * a / (a @ a), ("both" if loses_utility else "metric")


@pytest.mark.parametrize("seed", range(40))
def test_closed_forms(seed):
    rng = np.random.default_rng(seed)
    a, u = 1e-6 * rng.standard_normal((2, 30))
    seen = set()
    for sign in (1, -1):
        for delta in (1e-8, 1e-4):
            penalty = 1e-6
            v = sign * u * np.sign(a @ u)
            expected, case = closed_form(a, v, delta, penalty)
            seen.add(case)
            solution = solve_weight_qp(
                a, np.c_[a, v], [-delta, 0.0], penalty=penalty, **UNBOUNDED
            )
            np.testing.assert_allclose(solution.weights, expected, rtol=1e-9)
    assert seen == {"none", "metric", "utility", "both"}


@pytest.mark.parametrize("seed", range(20))
def test_closed_forms_hold_inside_the_box(seed):
    """Where no bound is active the box changes nothing."""
    a, u = 1e-6 * np.random.default_rng(seed).standard_normal((2, 30))
    delta = 0.1 * (a @ a) / np.max(np.abs(a))
    expected, _ = closed_form(a, u, delta, 1e9)
    assert np.max(np.abs(expected)) < 1
    solution = solve_weights(a, u, delta=delta, min_weight=-1.0)
    np.testing.assert_allclose(solution.weights, expected, rtol=1e-9, atol=1e-15)


def test_threshold_of_the_penalty():
    """Above |a|^2 / (2 delta) the penalty does not matter, below it a smaller one."""
    a = np.array([-1.0, -2.0, 0.5])
    delta = 0.1
    threshold = a @ a / (2 * delta)
    smallest = -delta * a / (a @ a)

    def weights(penalty):
        return solve_weight_qp(
            a, a[:, None], -delta, penalty=penalty, **UNBOUNDED
        ).weights

    np.testing.assert_allclose(weights(1.01 * threshold), smallest)
    np.testing.assert_allclose(weights(0.5 * threshold), 2 * smallest)
    halved = solve_weights(
        a, delta=delta, regularization=0.5, min_weight=-np.inf, max_weight=np.inf
    )
    np.testing.assert_allclose(halved.weights, 2 * smallest)


def test_several_metrics_and_utilities_each_hold():
    rng = np.random.default_rng(0)
    A, U = rng.standard_normal((200, 2)), rng.standard_normal((200, 3))
    solution = solve_weights(A, U, delta=[3.0, 5.0], utility_tol=[0.0, 0.1, 1.0])
    assert np.all(solution.weights @ A <= np.array([-3.0, -5.0]) + 1e-12)
    assert np.all(solution.weights @ U <= np.array([0.0, 0.1, 1.0]) + 1e-12)
    assert solution.multipliers.shape == (5,)


def test_out_of_reach_warns_and_names_the_largest_attainable():
    with pytest.warns(InfeasibleDeltaWarning, match=r"delta=9.*improvement is 5\."):
        solution = solve_weights([-3.0, -2.0, 1.0], delta=9.0)
    assert solution.status == "infeasible"
    assert solution.delta_max == 5.0
    np.testing.assert_allclose(solution.weights, [1.0, 1.0, 0.0])


def test_out_of_reach_raises_if_asked():
    with pytest.raises(InfeasibleDeltaError, match="largest attainable"):
        solve_weights([-3.0, 1.0], delta=9.0, on_infeasible="raise")


def test_utility_that_cannot_be_had_is_named():
    with pytest.warns(InfeasibleDeltaWarning, match="No weights satisfy"):
        solution = solve_weights([-3.0], [-1.0], delta=1.0, utility_tol=-2.0)
    assert solution.delta_max == -np.inf


def test_largest_attainable_keeps_the_proportion_of_the_requests():
    A = -np.eye(2)
    with pytest.warns(InfeasibleDeltaWarning):
        solution = solve_weights(A, delta=[4.0, 2.0])
    assert solution.delta_max == pytest.approx(1.0)
    np.testing.assert_allclose(solution.weights, [1.0, 0.5])


def test_infeasible_constraints_of_the_general_problem():
    solution = solve_weight_qp([1.0, 1.0], [[-1.0], [-1.0]], -3.0, penalty=1.0)
    assert solution.status == "infeasible"
    np.testing.assert_allclose(solution.weights, [1.0, 1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric_influence": []}, "metric_influence is empty"),
        ({"metric_influence": [np.nan]}, "metric_influence contains NaN"),
        ({"metric_influence": np.ones((1, 1, 1))}, "metric_influence must be 2-dim"),
        ({"utility_influence": [1.0]}, "utility_influence must have one row per"),
        ({"delta": -1.0}, "delta must not be negative"),
        ({"delta": [1.0, 2.0]}, r"delta must be one number or have shape \(1,\)"),
        ({"utility_tol": [1.0, 2.0]}, "utility_tol must be one number or have"),
        ({"max_weight": -1.0}, "min_weight must not exceed max_weight"),
        ({"min_weight": 2.0}, "min_weight must not exceed max_weight"),
        ({"min_weight": np.nan}, "min_weight must not contain NaN"),
        ({"max_weight": [1.0, np.nan, 1.0]}, "max_weight"),
        ({"max_weight": "a"}, "max_weight"),
        ({"on_infeasible": "ignore"}, "on_infeasible must be 'warn' or 'raise'"),
        ({"regularization": -1.0}, "regularization must not be negative"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    good = {
        "metric_influence": [-1.0, 1.0],
        "utility_influence": [1.0, 0.0],
        "delta": 0.1,
    }
    with pytest.raises(ValueError, match=message):
        solve_weights(**{**good, **arguments})
