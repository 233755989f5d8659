# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from sklearn_softunlearn.weights import WeightProblem
from tests.weights.weight_problems import influences


@pytest.fixture
def problem():
    A = influences(np.random.default_rng(0), "plain", 3000, 3)
    return WeightProblem(A, 0.0, [1.0, 1.0, 0.0])


@pytest.mark.parametrize("regularization", [1.0, 0.3])
def test_path_equals_single_solutions(problem, regularization):
    deltas = problem.delta_max * np.linspace(0, 1.1, 12)
    path = problem.path(deltas, regularization=regularization)
    for delta, weights, status in zip(deltas, path.weights, path.status, strict=True):
        single = problem.solve(delta, regularization=regularization)
        np.testing.assert_allclose(weights, single.weights, atol=1e-9)
        assert status == single.status
    assert path.status[-1] == "infeasible"


def test_path_predicts_what_its_weights_do(problem):
    deltas = problem.delta_max * np.array([0.2, 0.8, 0.5])
    path = problem.path(deltas)
    np.testing.assert_allclose(path.predicted, path.weights @ problem.constraints)
    np.testing.assert_allclose(path.predicted[:, :2].max(axis=1), -deltas)
    np.testing.assert_allclose(path.deleted_mass, path.weights.sum(axis=1))
    np.testing.assert_allclose(path.objective, np.sum(path.weights**2, axis=1))
    np.testing.assert_array_equal(path.deltas, deltas)
    assert np.all(path.kkt_residual <= 1e-9)


def test_path_counts_weighted_rows_by_their_weight():
    A = influences(np.random.default_rng(1), "plain", 50, 1)
    r = np.random.default_rng(2).integers(1, 4, 50)
    problem = WeightProblem(A * r[:, None], 0.0, 1.0, norm_weight=r)
    path = problem.path([1e-6])
    np.testing.assert_allclose(path.deleted_mass, path.weights @ r)
    np.testing.assert_allclose(path.objective, path.weights**2 @ r)


def test_path_costs_less_than_cold_solutions(problem):
    deltas = problem.delta_max * np.linspace(0.3, 0.6, 30)
    cold = [problem.solve(delta).n_iter for delta in deltas]
    assert np.mean(problem.path(deltas).n_iter) <= 0.8 * np.mean(cold)


def test_weights_need_not_be_kept(problem):
    path = problem.path([1e-6, 2e-6], keep_weights=False)
    assert path.weights is None
    assert path.objective[1] > path.objective[0] > 0


def test_bad_deltas_are_named(problem):
    with pytest.raises(ValueError, match="deltas contains NaN"):
        problem.path([0.0, np.nan])


def test_a_path_of_nothing_is_refused(problem):
    with pytest.raises(ValueError, match="deltas is empty"):
        problem.path([])
