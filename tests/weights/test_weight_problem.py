# SPDX-License-Identifier: BSD-3-Clause
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_softunlearn.weights import WeightProblem, solve_weight_qp
from tests.weights.weight_problems import (
    BOXES,
    KINDS,
    influences,
    optimality,
    pairs,
    random_problem,
)

EXACT = 1e-9
FRACTIONS = (0.0, 1e-6, 0.01, 0.3, 0.9, 0.999, 1 - 1e-6, 1.0)


def cost_of(problem, solution):
    return problem.constraints @ (solution.coefficients - solution.multipliers)


def reachable(problem, fraction):
    """A request below the largest attainable one; 0 where none or all are."""
    delta = problem.delta_max
    return fraction * delta if np.isfinite(delta) else 0.0


# Constraints that cancel up to rounding are no limit to weights that have none.
CANCELLING = {"opposite", "nearly opposite", "rank one", "group pairs", "categories"}
KINDS_AND_BOXES = [
    (kind, box)
    for kind in KINDS
    for box in BOXES
    if box != "half open" or kind not in CANCELLING
]


@pytest.mark.parametrize(("kind", "box"), KINDS_AND_BOXES)
def test_optimality_conditions_hold(kind, box):
    rng = np.random.default_rng([KINDS.index(kind), BOXES.index(box)])
    for _ in range(25):
        problem = random_problem(rng, kind, box)
        delta = reachable(problem, rng.choice(FRACTIONS))
        solution = problem.solve(delta)
        assert solution.status == "optimal"
        assert solution.kkt_residual <= EXACT
        assert optimality(problem, solution, delta) <= EXACT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("regularization", [0.5, 1e-2, 1e-6, 0.0])
def test_optimality_conditions_hold_with_a_cost(kind, regularization):
    rng = np.random.default_rng([KINDS.index(kind), 7])
    for _ in range(25):
        problem = random_problem(rng, kind)
        delta = reachable(problem, rng.choice([0.0, 0.01, 0.3, 0.9]))
        solution = problem.solve(delta, regularization=regularization)
        assert solution.status == "optimal"
        cost = cost_of(problem, solution)
        assert optimality(problem, solution, delta, cost) <= EXACT


small = st.integers(-4, 4).map(float)
any_size = st.one_of(
    small,
    st.floats(1e-12, 1e6),
    st.floats(-1e6, -1e-12),
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(data=st.data(), n=st.integers(1, 8), m=st.integers(1, 4))
def test_every_small_problem_is_solved_or_proven_infeasible(data, n, m):
    A = data.draw(arrays(float, (n, m), elements=any_size))
    bounds = data.draw(arrays(float, m, elements=small))
    tighten = data.draw(arrays(float, m, elements=st.integers(0, 3).map(float)))
    delta = data.draw(st.floats(0.0, 2.0))
    problem = WeightProblem(A, bounds, tighten)
    solution = problem.solve(delta)
    if solution.status == "infeasible":
        assert delta >= problem.delta_max
        assert proves_infeasibility(problem, solution.multipliers, delta)
    else:
        assert solution.status == "optimal"
        assert optimality(problem, solution, delta) <= EXACT


def proves_infeasibility(problem, y, delta):
    """Whether ``y.A.eps`` exceeds what it may be, for all weights in the box."""
    d = problem.constraints @ y
    least = np.sum(np.minimum(d * problem.lower, d * problem.upper))
    return np.all(y >= 0) and least > y @ (problem.bounds - delta * problem.tighten)


@pytest.mark.parametrize("kind", KINDS)
def test_infeasible_requests_carry_a_certificate(kind):
    rng = np.random.default_rng([KINDS.index(kind), 1])
    for _ in range(25):
        problem = random_problem(rng, kind)
        delta = problem.delta_max * 1.01 + 1e-6
        solution = problem.solve(delta)
        assert solution.status == "infeasible"
        assert proves_infeasibility(problem, solution.multipliers, delta)
        largest = problem.solve(problem.delta_max)
        assert largest.status == "optimal"
        # At the edge of feasibility opposite rows amplify rounding, which differs
        # between the kernels of the BLAS.
        atol = {"nearly opposite": 1e-3, "opposite": 1e-5}.get(kind, 1e-7)
        np.testing.assert_allclose(solution.weights, largest.weights, atol=atol)


def test_smallest_weights_on_the_edge_share_ties():
    a = np.array([-1.0, -1.0, -1.0, 2.0])
    utility = np.array([1.0, 1.0, 0.0, 0.0])
    problem = WeightProblem(np.c_[a, utility], [0.0, 1.0], [1.0, 0.0])
    assert problem.delta_max == pytest.approx(2.0, abs=1e-14)
    weights = problem.solve(2.0).weights
    np.testing.assert_allclose(weights, [0.5, 0.5, 1.0, 0.0], atol=1e-12)


def test_metric_at_its_bound_does_not_depend_on_large_regularization():
    problem = random_problem(np.random.default_rng(0), "plain")
    delta = reachable(problem, 0.5)
    default, larger = problem.solve(delta), problem.solve(delta, regularization=50.0)
    np.testing.assert_array_equal(default.weights, larger.weights)


def test_less_regularization_improves_more_with_larger_weights():
    A = influences(np.random.default_rng(1), "plain", 200, 2)
    problem = WeightProblem(A, 0.0, [1.0, 0.0])
    delta = 0.2 * problem.delta_max
    solutions = [problem.solve(delta, regularization=r) for r in (1.0, 0.5, 0.1, 0.0)]
    improvement = [-s.weights @ A[:, 0] for s in solutions]
    assert improvement[0] == pytest.approx(delta)
    assert np.all(np.diff(improvement) > 0)
    assert improvement[-1] == pytest.approx(problem.delta_max)
    assert np.all(np.diff([s.weights @ s.weights for s in solutions]) > 0)


def test_regularization_is_lambda_in_units_of_its_threshold():
    A = influences(np.random.default_rng(2), "plain", 100, 3)
    problem = WeightProblem(A, 0.0, [1.0, 1.0, 0.0])
    delta = 0.4 * problem.delta_max
    nu = problem.solve(delta).multipliers * [1, 1, 0]
    cost, threshold = A @ nu / np.sum(nu), 0.5 / np.sum(nu)
    bounds = problem.bounds - delta * problem.tighten
    for r in (2.0, 1.0, 0.3, 0.01):
        direct = solve_weight_qp(cost, A, bounds, penalty=r * threshold)
        ours = problem.solve(delta, regularization=r)
        np.testing.assert_allclose(ours.weights, direct.weights, atol=1e-9)


def test_delta_zero_keeps_every_row():
    rng = np.random.default_rng(3)
    for kind in KINDS:
        problem = random_problem(rng, kind)
        for regularization in (1.0, 0.1, 0.0):
            solution = problem.solve(0.0, regularization=regularization)
            assert not solution.weights.any()
            assert solution.status == "optimal"


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e-6, 1e6, 1e200])
def test_units_of_the_influences_do_not_matter(scale):
    A = influences(np.random.default_rng(4), "plain", 50, 3)
    tighten = np.array([1e-6, 1e-6, 0.0])
    expected = WeightProblem(A, 0.0, tighten).solve(3.0)
    problem = WeightProblem(scale * A, 0.0, scale * tighten)
    solution = problem.solve(3.0)
    np.testing.assert_allclose(solution.weights, expected.weights, atol=1e-13)


def test_units_of_single_constraints_do_not_matter():
    A = influences(np.random.default_rng(5), "plain", 50, 3)
    units = np.array([1.0, 1e-12, 1e12])
    tighten = np.array([1e-6, 1e-6, 0.0])
    expected = WeightProblem(A, 0.0, tighten).solve(3.0)
    solution = WeightProblem(A * units, 0.0, tighten * units).solve(3.0)
    np.testing.assert_allclose(solution.weights, expected.weights, atol=1e-13)
    np.testing.assert_allclose(
        solution.multipliers * units, expected.multipliers, rtol=1e-9
    )


def test_repeated_constraints_change_nothing():
    A = influences(np.random.default_rng(6), "plain", 80, 2)
    once = WeightProblem(A, 0.0, [1.0, 0.0])
    often = WeightProblem(np.c_[A, A, A @ [1.0, 0.5]], 0.0, [1.0, 0.0, 1.0, 0.0, 1.0])
    delta = 0.5 * once.delta_max
    assert often.delta_max == pytest.approx(once.delta_max, rel=1e-12)
    np.testing.assert_allclose(
        often.solve(delta).weights, once.solve(delta).weights, atol=1e-12
    )


@pytest.mark.parametrize("n_groups", [2, 3, 5])
def test_parity_of_groups_is_an_equality(n_groups):
    rng = np.random.default_rng(n_groups)
    A = pairs(1e-6 * rng.standard_normal((500, n_groups)))
    gaps = pairs(1e-5 * rng.random((1, n_groups)))[0]
    worst = gaps.max()
    problem = WeightProblem(A, worst - gaps, worst)
    assert problem.delta_max == pytest.approx(1.0, abs=1e-12)
    for delta in (0.3, 1.0):
        solution = problem.solve(delta)
        after = gaps + solution.weights @ A
        assert after.max() == pytest.approx((1 - delta) * worst, abs=1e-12 * worst)
        assert optimality(problem, solution, delta) <= EXACT


def test_a_row_of_weight_two_is_two_rows():
    A = influences(np.random.default_rng(7), "plain", 30, 2)
    count = np.random.default_rng(8).integers(0, 3, 30)
    weighted = WeightProblem(A * count[:, None], 0.0, [1.0, 0.0], norm_weight=count)
    repeated = WeightProblem(np.repeat(A, count, axis=0), 0.0, [1.0, 0.0])
    delta = 0.6 * repeated.delta_max
    assert weighted.delta_max == pytest.approx(repeated.delta_max)
    one, other = weighted.solve(delta), repeated.solve(delta)
    np.testing.assert_allclose(np.repeat(one.weights, count), other.weights, atol=1e-12)
    np.testing.assert_array_equal(one.weights[count == 0], 0.0)


def test_weights_that_cost_nothing_stay_at_the_bound_nearest_to_zero():
    problem = WeightProblem(
        [[-1.0], [-1.0], [-1.0]],
        0.0,
        1.0,
        lower=[0.2, -0.5, -0.5],
        upper=[1.0, -0.1, 1.0],
        norm_weight=[0.0, 0.0, 1.0],
    )
    np.testing.assert_allclose(problem.solve(0.4).weights, [0.2, -0.1, 0.3])


def test_protected_rows_keep_weight_zero():
    A = influences(np.random.default_rng(9), "plain", 60, 2)
    upper = np.ones(60)
    upper[::2] = 0.0
    problem = WeightProblem(A, 0.0, [1.0, 0.0], upper=upper)
    weights = problem.solve(0.8 * problem.delta_max).weights
    np.testing.assert_array_equal(weights[::2], 0.0)
    assert weights[1::2].any()


def test_coefficients_give_the_weights_of_unseen_rows():
    A = influences(np.random.default_rng(10), "plain", 90, 3)
    problem = WeightProblem(A, 0.0, [1.0, 0.0, 0.0])
    solution = problem.solve(0.5 * problem.delta_max, regularization=0.3)
    np.testing.assert_allclose(
        np.clip(-A @ solution.coefficients, 0, 1), solution.weights, atol=1e-12
    )


def test_a_start_does_not_change_the_answer():
    A = influences(np.random.default_rng(11), "plain", 5000, 3)
    problem = WeightProblem(A, 0.0, [1.0, 0.0, 0.0])
    delta = problem.delta_max
    cold = problem.solve(0.5 * delta)
    warm = problem.solve(0.5 * delta, start=problem.solve(0.49 * delta))
    np.testing.assert_allclose(warm.weights, cold.weights, atol=1e-12)
    again = problem.solve(0.5 * delta, start=cold)
    assert again.n_iter < cold.n_iter


@pytest.mark.parametrize("n", [1000, 40_000])
def test_large_problems_are_solved_exactly_in_few_passes(n):
    A = influences(np.random.default_rng(12), "plain", n, 2)
    problem = WeightProblem(A, 0.0, [1.0, 0.0])
    for fraction in (0.01, 0.5, 0.9):
        delta = fraction * problem.delta_max
        solution = problem.solve(delta)
        assert optimality(problem, solution, delta) <= 1e-12
        assert solution.n_iter <= 20


def test_a_linear_programme_has_the_solution_of_smallest_norm():
    cost = [-1.0, -1.0, -1.0, 0.0]
    solution = solve_weight_qp(cost, [[1.0], [1.0], [2.0], [0.0]], 1.0, penalty=0.0)
    np.testing.assert_allclose(solution.weights, [0.5, 0.5, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(solution.multipliers, [1.0], atol=1e-12)


def test_inputs_are_not_modified():
    A = np.asfortranarray(influences(np.random.default_rng(13), "plain", 20, 2))
    before = A.copy()
    WeightProblem(A, 0.0, [1.0, 0.0], norm_weight=np.full(20, 2.0)).solve(1e-7)
    np.testing.assert_array_equal(A, before)


def test_an_inaccurate_answer_is_never_silent(monkeypatch):
    problem = WeightProblem(influences(np.random.default_rng(0), "plain", 9, 1), 0, 1)
    monkeypatch.setattr("sklearn_softunlearn.weights._problem._ACCURACY", -1.0)
    with pytest.warns(RuntimeWarning, match="violate their optimality conditions"):
        assert problem.solve(1e-7).status == "inaccurate"


OK = {"constraints": np.ones((3, 2)), "bounds": 0.0, "tighten": [1.0, 0.0]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"constraints": np.ones(3)}, "constraints must be 2-dimensional"),
        ({"constraints": np.ones((0, 2))}, "constraints is empty"),
        ({"constraints": np.ones((3, 0))}, "constraints is empty"),
        ({"constraints": [[np.nan, 1.0]]}, "constraints contains NaN or infinity"),
        ({"constraints": [[np.inf, 1.0]]}, "constraints contains NaN or infinity"),
        ({"constraints": [["a", "b"]]}, "constraints: could not convert"),
        ({"bounds": [1.0]}, r"bounds must be one number or have shape \(2,\)"),
        ({"bounds": np.nan}, "bounds contains NaN"),
        ({"bounds": np.inf}, "bounds contains NaN or infinity"),
        ({"tighten": [1.0, -1.0]}, "tighten must not be negative"),
        ({"lower": [0.0, 0.0]}, r"lower must be one number or have shape \(3,\)"),
        ({"lower": np.nan}, "lower must not contain NaN"),
        ({"lower": 2.0}, "lower must not exceed upper"),
        ({"upper": -np.inf, "lower": -np.inf}, "lower must not exceed upper"),
        ({"norm_weight": [1.0, -1.0, 1.0]}, "norm_weight must not be negative"),
        ({"norm_weight": [1.0, 1.0]}, "norm_weight must be one number or have shape"),
    ],
)
def test_bad_data_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        WeightProblem(**{**OK, **changed})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delta": np.nan}, "delta must be one number"),
        ({"delta": np.inf}, "delta must be finite"),
        ({"delta": [1.0]}, "delta must be one number"),
        ({"delta": 0.0, "regularization": -1.0}, "regularization must not be negative"),
        ({"delta": 0.0, "regularization": np.nan}, "regularization must be one number"),
        ({"delta": 0.0, "start": [1.0]}, "start must be one number or have shape"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightProblem(**OK).solve(**arguments)


def test_no_warning_comes_from_arithmetic():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in KINDS:
            problem = random_problem(np.random.default_rng(14), kind, "half open")
            problem.solve(reachable(problem, 0.7), regularization=0.1)
