# SPDX-License-Identifier: BSD-3-Clause
"""The step of HAMU solves its problem, in every branch."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar

from sklearn_softunlearn import HAMU, SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.influence import largest_curvature
from sklearn_softunlearn.updates import constrained_step, hardness
from tests.models_for_tests import small_problem
from tests.updates.test_updates import update_problem_of

DP = "demographic_parity_difference"
gradients = arrays(float, 4, elements=st.floats(-10, 10, width=16))


def assert_optimal(cost, improvement, required, radius):
    """KKT conditions of min <g, d> s.t. <q, d> >= B, |d| <= R, or infeasibility."""
    solved = constrained_step(cost, improvement, required, radius)
    d, scale = solved.direction, radius * (1 + np.linalg.norm(improvement))
    feasible = required <= radius * np.linalg.norm(improvement)

    assert (solved.branch == "infeasible") == (not feasible)
    assert np.linalg.norm(d) <= radius * (1 + 1e-9)
    if not feasible:
        assert improvement @ d == pytest.approx(
            radius * np.linalg.norm(improvement), abs=1e-9 * scale
        )
        return
    # At the edge of what is feasible the step is a square root of a difference, whose
    # rounding is that of sqrt(eps).
    assert improvement @ d >= required - 1e-8 * scale
    # The dual function of the same problem bounds the cost of every feasible d from
    # below; here the bound is attained.
    bound = max_dual(cost, improvement, required, radius)
    assert cost @ d == pytest.approx(bound, abs=2e-6 * (scale + abs(cost @ d) + 10))


def max_dual(cost, improvement, required, radius):
    """max over mu >= 0 of mu * B - R * |g - mu q|, concave in mu."""

    def dual(mu):
        return mu * required - radius * np.linalg.norm(cost - mu * improvement)

    # The grid brackets the maximum, which a scalar search then finds.
    size = np.linalg.norm(improvement)
    unit = np.linalg.norm(cost) / size if size > 0 and np.any(cost) else 1.0
    grid = unit * np.r_[0.0, np.geomspace(1e-9, 1e6, 300)]
    best = int(np.argmax([dual(mu) for mu in grid]))
    bracket = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(
        lambda mu: -dual(mu), bounds=bracket, method="bounded", options={"xatol": 1e-12}
    )
    # Where one point alone is feasible, mu has no upper end.
    alone = size > 0 and required >= radius * size * (1 - 1e-12)
    limit = radius * (cost @ improvement) / size if alone else -np.inf
    return max(dual(grid[best]), -found.fun, limit)


@given(gradients, gradients, st.floats(-0.5, 1.5), st.floats(0.1, 3))
def test_step_solves_its_problem(cost, improvement, share, radius):
    required = share * radius * np.linalg.norm(improvement)
    assert_optimal(cost, improvement, required, radius)


@pytest.mark.parametrize(
    ("cost", "improvement", "required", "branch"),
    [
        ([1.0, 0.0], [-1.0, 0.1], 0.5, "direct"),
        ([1.0, 0.0], [1.0, 1.0], 0.5, "rectified"),
        ([1.0, 0.0], [1.0, 0.0], 0.5, "rectified"),
        ([0.0, 0.0], [1.0, 0.0], 0.5, "rectified"),
        ([1.0, 0.0], [1.0, 0.0], 1.5, "infeasible"),
        ([1.0, 0.0], [0.0, 0.0], 0.5, "infeasible"),
    ],
)
def test_every_branch(cost, improvement, required, branch):
    cost, improvement = np.array(cost), np.array(improvement)

    assert constrained_step(cost, improvement, required, 1.0).branch == branch
    assert_optimal(cost, improvement, required, 1.0)


# What the implementation released by the authors (repository aoi3142/HAMU, function
# compute_hamu_update, lr=1, stop_on_infeasible=False) answers to random problems.
RELEASED = json.loads((Path(__file__).parent / "hamu_released.json").read_text())


def of_released(problem):
    """The problem in our terms: "u" exchanges the objectives."""
    retain, forget = np.array(problem["retain"]), np.array(problem["forget"])
    pair = (retain, forget) if problem["variant"] == "hamu-q" else (-forget, -retain)
    return (*pair, problem["constraint"], problem["radius"])


def test_the_step_is_that_of_the_released_implementation():
    feasible = [p for p in RELEASED if p["branch"] != "infeasible"]
    assert len(feasible) == 108
    for problem in feasible:
        step = constrained_step(*of_released(problem))
        # It holds radius and requirement in single precision.
        np.testing.assert_allclose(step.direction, problem["update"], atol=2e-6)


def test_out_of_reach_ours_keeps_the_radius_and_the_released_one_does_not():
    infeasible = [p for p in RELEASED if p["branch"] == "infeasible"]
    assert len(infeasible) == 12
    for problem in infeasible:
        cost, improvement, required, radius = of_released(problem)
        step = constrained_step(cost, improvement, required, radius)
        theirs = required / (improvement @ improvement) * improvement
        np.testing.assert_allclose(theirs, problem["update"], atol=2e-6)
        assert np.linalg.norm(theirs) > radius
        assert step.branch == "infeasible"
        np.testing.assert_allclose(
            step.direction, radius * theirs / np.linalg.norm(theirs), atol=1e-12
        )


def test_hardness_is_the_angle_between_improvement_and_descent():
    east, north = np.array([2.0, 0.0]), np.array([0.0, 3.0])

    assert hardness(-east, east) == pytest.approx(0.0)
    assert hardness(north, east) == pytest.approx(np.pi / 2)
    assert hardness(east, east) == pytest.approx(np.pi)
    assert hardness(np.zeros(2), east) == 0.0


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=1500, random_state=1)


@pytest.fixture(scope="module")
def context():
    weights = np.random.default_rng(7).uniform(0, 1, 120)
    return update_problem_of(small_problem(C=0.5), weights)


def corrected(data, update, delta=0.5):
    X, y, group = data
    corrector = SoftUnlearnCorrector(update=update, delta=delta)
    return corrector.fit(X, y, sensitive_features=group)


@pytest.mark.parametrize("variant", ["Q", "U"])
@pytest.mark.parametrize("objective", ["metric", "loss"])
@pytest.mark.parametrize("per_layer", [True, False])
def test_metric_falls_to_the_request(data, variant, objective, per_layer):
    update = HAMU(
        variant, objective, per_layer=per_layer, required=0.3, max_iter=400, radius=0.01
    )
    corrector = corrected(data, update, delta=0.2)
    line = corrector.report_[DP, "surrogate"]
    history = corrector.update_result_.history

    assert line.after < line.before
    assert all(len(values) == corrector.n_iter_ for values in history.values())
    assert np.all((history["hardness"] >= 0) & (history["hardness"] <= np.pi))


def test_guaranteed_improvement_is_kept_in_every_step(data):
    """With the metric as objective, each step lowers it by what was required."""
    corrector = corrected(data, HAMU(required=0.5, radius=0.001, max_iter=30), 0.9)
    metric = corrector.update_result_.history["metric"]
    start = corrector.report_[DP, "surrogate"].before

    assert np.all(np.diff(np.r_[start, metric]) < 0)


def test_stops_where_the_retain_cost_is_unavoidable(data):
    update = HAMU(stop_when_unavoidable=True, required=0.9, max_iter=200, radius=0.005)
    result = corrected(data, update, delta=1.0).update_result_

    assert result.status == "retain cost unavoidable"
    assert np.all(result.history["retain_cost"] <= 0)


@given(gradients, gradients, st.floats(0.01, 1.0))
def test_the_angle_says_what_the_cost_says_where_gradients_conflict(
    cost, improvement, share
):
    update = HAMU(required=share, stop_when_unavoidable="angle")
    step, _ = update._step(None, cost, improvement, 1.0)
    by_angle = update._unavoidable(cost, improvement, step)
    costs = cost @ step
    scale = np.linalg.norm(cost)
    if cost @ improvement > 1e-6 and abs(costs) > 1e-6 * scale:
        assert by_angle == (costs > 0)
    elif costs > 1e-6 * scale:
        assert by_angle


def test_stops_by_the_angle(data):
    update = HAMU(stop_when_unavoidable="angle", required=0.9, max_iter=200,
                  radius=0.005)  # fmt: skip
    result = corrected(data, update, delta=1.0).update_result_

    assert result.status == "retain cost unavoidable"
    assert np.all(np.sin(result.history["hardness"]) >= 0.9 - 1e-12)


@pytest.mark.parametrize("variant", ["Q", "U"])
def test_with_a_learning_rate_a_free_step_is_a_gradient_step(context, variant):
    """Nothing is required: the step is that of gradient descent on one objective."""
    theta = context.model.parameters
    update = HAMU(variant, required=0.0, learning_rate=0.1, max_iter=1)
    rate = 0.1 / largest_curvature(context.model, context.model.row_weight)
    cost, improvement = context.retain_gradient(theta), -context.metric_gradient(theta)
    # pushed apart, so that neither gradient asks for a rectified step
    free = -cost if variant == "Q" else improvement
    pair = (cost, -cost) if variant == "Q" else (-improvement, improvement)
    length = update._radius_rule(context.model)(*pair)
    step, branch = update._step(context.model, *pair, length)

    assert branch == "direct"
    np.testing.assert_allclose(step, rate * free, rtol=1e-12)


def test_learning_rate_meets_the_request(data):
    corrector = corrected(data, HAMU(learning_rate=1.0, max_iter=400), delta=0.2)
    assert corrector.update_result_.status == "target reached"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "R"}, "variant='R'"),
        ({"objective": "gap"}, "objective='gap'"),
        ({"required": 2.0}, "required == 2.0"),
        ({"radius": 0.0}, "radius == 0.0"),
        ({"learning_rate": -1.0}, "learning_rate == -1.0"),
        ({"stop_when_unavoidable": "cost"}, "stop_when_unavoidable='cost'"),
    ],
)
def test_bad_parameters(data, options, message):
    with pytest.raises(ValueError, match=message):
        corrected(data, HAMU(**options))
