# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn.exceptions import CurvatureWarning
from sklearn_softunlearn.influence import _conjugate_gradients
from sklearn_softunlearn.influence._curvature import (
    MAX_DENSE_PARAMETERS,
    Cholesky,
    ConjugateGradient,
    Diagonal,
    resolve_curvature,
)
from sklearn_softunlearn.models import LogisticModel
from tests.models_for_tests import precise_logistic, small_problem


@pytest.fixture(scope="module")
def problem():
    return small_problem(C=0.5)


def finite_difference_hessian(model, step=1e-5):
    columns = []
    for basis in step * np.eye(model.parameters.size):
        up = model.objective_gradient(model.row_weight, model.parameters + basis)
        down = model.objective_gradient(model.row_weight, model.parameters - basis)
        columns.append((up - down) / (2 * step))
    return np.column_stack(columns)


@pytest.mark.parametrize("curvature", [Cholesky(), ConjugateGradient(tol=1e-13)])
@pytest.mark.parametrize("damping", [0.0, 3.0])
def test_solves_with_the_hessian_of_the_objective(problem, curvature, damping):
    curvature.set_params(damping=damping)
    hessian = finite_difference_hessian(problem.model) + damping * np.eye(4)
    gradients = np.random.default_rng(0).normal(size=(4, 3))
    solve = curvature.factorize(problem.model, problem.model.row_weight)

    np.testing.assert_allclose(hessian @ solve(gradients), gradients, rtol=1e-6)


def test_a_wide_dense_model_is_solved_exactly_through_a_sketch(monkeypatch):
    """More columns than the rows can tell apart, of very unequal weight."""
    rng = np.random.default_rng(0)
    X = (
        rng.normal(size=(400, 60))
        @ rng.normal(size=(60, 300))
        * np.geomspace(1e-2, 10, 300)
    )
    y = (X[:, -1] + rng.logistic(size=400) > 0).astype(int)
    model = LogisticModel(precise_logistic().fit(X, y), X, y, np.ones(400))
    G = rng.normal(size=(301, 2))
    sketches = []
    sketch = _conjugate_gradients.sketched_preconditioner
    monkeypatch.setattr(
        _conjugate_gradients,
        "sketched_preconditioner",
        lambda *given: sketches.append(given) or sketch(*given),
    )

    found = ConjugateGradient().factorize(model, model.row_weight)(G)
    exact = Cholesky().factorize(model, model.row_weight)(G)

    assert len(sketches) == 1
    assert np.linalg.norm(found - exact) < 1e-6 * np.linalg.norm(exact)


def test_diagonal_solves_with_the_diagonal(problem):
    diagonal = np.diag(finite_difference_hessian(problem.model)) + 2.0
    solve = Diagonal(damping=2.0).factorize(problem.model, problem.model.row_weight)

    np.testing.assert_allclose(solve(np.ones((4, 1)))[:, 0], 1 / diagonal, rtol=1e-7)


def collinear_model(scale=1.0):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)) * [1.0, scale]
    X = np.column_stack([X, X[:, 0] + X[:, 1] / scale])
    y = rng.integers(0, 2, 300)
    estimator = LogisticRegression(C=1e20, tol=1e-8).fit(X, y)
    return LogisticModel(estimator, X, y, np.ones(300))


def test_singular_hessian_is_damped_with_a_warning():
    model = collinear_model()
    gradient = model.X.T @ np.random.default_rng(1).normal(size=(300, 1))
    gradient = np.vstack([gradient, [[0.5]]])  # in the range of the Hessian
    with pytest.warns(CurvatureWarning, match="collinear columns"):
        solve = Cholesky().factorize(model, model.row_weight)
    hessian = model.gram(model.loss_curvature(model.row_weight))

    np.testing.assert_allclose(hessian @ solve(gradient), gradient, rtol=1e-4)


def test_scale_of_the_features_is_no_singularity():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = rng.integers(0, 2, 300)
    scale = np.array([1e-6, 1e6])
    estimator = LogisticRegression(C=1e20).fit(X, y)
    estimator.coef_ = estimator.coef_ / scale  # the same predictions
    model = LogisticModel(estimator, X * scale, y, np.ones(300))
    Cholesky().factorize(model, model.row_weight)  # warnings are errors


def test_conjugate_gradients_say_when_they_did_not_converge(problem):
    solve = ConjugateGradient(max_iter=1).factorize(
        problem.model, problem.model.row_weight
    )
    with pytest.warns(CurvatureWarning, match="did not reach tol"):
        solve(np.ones((4, 1)))


def test_auto_avoids_dense_curvature_of_wide_models():
    assert isinstance(resolve_curvature("auto", MAX_DENSE_PARAMETERS), Cholesky)
    assert isinstance(
        resolve_curvature("auto", MAX_DENSE_PARAMETERS + 1), ConjugateGradient
    )


@pytest.mark.parametrize("unknown", ["lu", None, 3])
def test_unknown_curvature_lists_the_known(unknown):
    with pytest.raises(ValueError, match=r"curvature=.*cholesky.*conjugate_gradient"):
        resolve_curvature(unknown, 3)
