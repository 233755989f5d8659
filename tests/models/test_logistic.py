# SPDX-License-Identifier: BSD-3-Clause
"""The objective that we state for LogisticRegression is the one that it minimises."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn._sklearn_compat import sklearn_version
from sklearn_softunlearn.models import LogisticModel

SOLVERS = ["lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)) + 0.5
    y = (X @ [1.0, -1.0, 0.5, 0.0] + rng.logistic(size=200) > 0.7).astype(int)
    return X, y, rng.uniform(0, 2, 200) * (rng.random(200) > 0.1)


def trained(estimator, X, y, weight):
    estimator.fit(X, y, sample_weight=weight)
    return LogisticModel(estimator, X, y, np.ones(len(y)) if weight is None else weight)


def assert_at_optimum(model, data_scale):
    gradient = model.objective_gradient(model.row_weight)

    assert np.abs(gradient).max() < 2e-5 * data_scale


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("C", [0.05, 10.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_gradient_vanishes_at_the_fitted_parameters(
    data, solver, C, fit_intercept, weighted
):
    X, y, weight = data
    estimator = LogisticRegression(
        C=C, solver=solver, fit_intercept=fit_intercept, tol=1e-9, max_iter=20000
    )
    assert_at_optimum(trained(estimator, X, y, weight if weighted else None), len(y))


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 5.0}, "balanced"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("solver", ["lbfgs", "liblinear"])
def test_class_weights_are_part_of_the_objective(data, class_weight, weighted, solver):
    X, y, weight = data
    estimator = LogisticRegression(
        class_weight=class_weight, solver=solver, tol=1e-9, max_iter=5000
    )
    assert_at_optimum(trained(estimator, X, y, weight if weighted else None), len(y))


@pytest.mark.parametrize("intercept_scaling", [0.5, 20.0])
def test_liblinear_penalises_the_scaled_intercept(data, intercept_scaling):
    X, y, weight = data
    estimator = LogisticRegression(
        solver="liblinear", intercept_scaling=intercept_scaling, tol=1e-9, C=0.01
    )
    assert_at_optimum(trained(estimator, X, y, weight), len(y))


def test_no_penalty(data):
    X, y, weight = data
    options = {"penalty": None} if sklearn_version() < (1, 8) else {"C": np.inf}
    model = trained(LogisticRegression(**options, tol=1e-9), X, y, weight)

    assert_at_optimum(model, len(y))
    assert not np.any(model.penalty_curvature())


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_operations_agree_with_the_dense_jacobian(data, fit_intercept, container):
    X, y, weight = data
    estimator = LogisticRegression(fit_intercept=fit_intercept).fit(X, y)
    model = LogisticModel(estimator, container(X), y, weight)
    jacobian = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    rng = np.random.default_rng(1)
    V, C = rng.normal(size=(jacobian.shape[1], 3)), rng.normal(size=(len(X), 1, 3))
    curvature = model.loss_curvature(model.row_weight)
    gram = jacobian.T @ (curvature[:, :, 0] * jacobian)

    np.testing.assert_allclose(
        model.raw_prediction(model.X)[:, 0], estimator.decision_function(X)
    )
    np.testing.assert_allclose(model.jvp(model.X, V)[:, 0], jacobian @ V)
    np.testing.assert_allclose(model.vjp(model.X, C), jacobian.T @ C[:, 0])
    np.testing.assert_allclose(model.gram(curvature), gram, rtol=1e-12)
    np.testing.assert_allclose(model.gram_diagonal(curvature), np.diag(gram))


def test_gram_with_negative_weights_and_many_blocks():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5000, 3)), rng.integers(0, 2, 5000)
    model = LogisticModel(LogisticRegression().fit(X, y), X, y, np.ones(5000))
    weight = rng.normal(size=5000)
    jacobian = np.column_stack([X, np.ones(5000)])

    np.testing.assert_allclose(
        model.gram(weight[:, None, None]), (jacobian.T * weight) @ jacobian, rtol=1e-9
    )


def test_objective_gradient_is_derivative_of_objective(data):
    X, y, weight = data
    estimator = LogisticRegression(solver="liblinear", class_weight="balanced", C=0.1)
    model = trained(estimator, X, y, weight)
    theta = model.parameters + 0.3
    gradient = model.objective_gradient(model.row_weight, theta)
    for j, basis in enumerate(1e-5 * np.eye(len(theta))):
        up = model.objective(model.row_weight, theta + basis)
        down = model.objective(model.row_weight, theta - basis)

        assert gradient[j] == pytest.approx((up - down) / 2e-5, rel=1e-6)


def test_with_parameters_copies(data):
    X, y, _ = data
    estimator = LogisticRegression().fit(X, y)
    before = estimator.coef_.copy(), estimator.intercept_.copy()
    model = LogisticModel(estimator, X, y, np.ones(len(y)))
    corrected = model.with_parameters(np.arange(5.0))

    assert corrected.coef_.tolist() == [[0, 1, 2, 3]]
    assert corrected.intercept_.tolist() == [4]
    np.testing.assert_array_equal(estimator.coef_, before[0])
    np.testing.assert_array_equal(estimator.intercept_, before[1])


def test_float32_models_stay_float32(data):
    X, y, _ = data
    estimator = LogisticRegression(solver="sag", tol=0.1)
    estimator = estimator.fit(X.astype(np.float32), y)
    model = LogisticModel(estimator, X, y, np.ones(len(y)))

    assert estimator.coef_.dtype == np.float32
    assert model.parameters.dtype == np.float64
    assert model.with_parameters(model.parameters).coef_.dtype == np.float32
