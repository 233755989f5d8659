# SPDX-License-Identifier: BSD-3-Clause
"""What every model promises, on every supported estimator."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier

from sklearn_softunlearn.influence._curvature import Cholesky, ConjugateGradient
from sklearn_softunlearn.influence._first_order import first_order_shift
from sklearn_softunlearn.models import embed
from tests.models.cases import CASES, MULTINOMIAL, REFITTABLE, fitted, rows

pytestmark = [
    # Some are asked for more than their solver can give: what counts is the gradient.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

LINEAR = [case for case in CASES if not hasattr(case.estimator, "hidden_layer_sizes")]


def copied(case):
    return replace(case, estimator=clone(case.estimator))


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    # A copy for each module, since it is fitted.
    return copied(request.param)


@pytest.fixture(scope="module")
def model(case):
    return fitted(case, weighted=True)[0]


@pytest.mark.parametrize("weighted", [True, False])
def test_gradient_vanishes_at_the_fitted_parameters(case, weighted):
    model, _ = fitted(case, weighted)
    gradient = model.objective_gradient(model.row_weight)

    assert np.abs(gradient).max() < case.optimum * len(model.y)


def test_response_predicts_what_the_estimator_predicts(case):
    model, estimator = fitted(case, weighted=True)
    X = rows(case.n_classes)[0]
    hard = model.response.hard(model.raw_prediction(embed(estimator, X)))
    if is_classifier(estimator):
        hard = estimator.classes_[np.argmax(hard, axis=1)]

    np.testing.assert_allclose(np.ravel(hard), estimator.predict(X), rtol=1e-9)


def test_objective_gradient_is_derivative_of_objective(model):
    free = np.ones(model.parameters.size, bool)
    if model.fixed is not None:
        free = ~model.fixed
    theta = model.parameters.copy()
    theta[free] *= 1.1
    gradient = model.objective_gradient(model.row_weight, theta)
    scale = np.abs(gradient).max()
    for j in np.flatnonzero(free):
        step = np.zeros(theta.size)
        step[j] = 1e-6
        up = model.objective(model.row_weight, theta + step)
        down = model.objective(model.row_weight, theta - step)

        assert gradient[j] == pytest.approx((up - down) / 2e-6, abs=1e-5 * scale)


def test_hessian_is_derivative_of_objective_gradient(model):
    theta = model.parameters
    hessian = model.gram(model.loss_curvature(model.row_weight))
    hessian += np.diag(model.penalty_curvature())
    free = np.flatnonzero(~model.fixed if model.fixed is not None else theta == theta)
    for j in free:
        step = np.zeros(theta.size)
        step[j] = 1e-7
        up = model.objective_gradient(model.row_weight, theta + step)
        down = model.objective_gradient(model.row_weight, theta - step)

        np.testing.assert_allclose(
            hessian[free, j],
            (up - down)[free] / 2e-7,
            atol=2e-5 * np.abs(hessian).max(),
        )


def test_predictions_for_many_parameters_are_those_for_each(model):
    columns = model.parameters[:, None] * np.array([1.0, 1.1, 0.9])
    together = model.raw_predictions(model.X, columns)
    for j, theta in enumerate(columns.T):
        np.testing.assert_allclose(
            together[:, :, j], model.raw_prediction(model.X, theta), atol=1e-12
        )


# Those of an MLP, with kinks of relu, are in tests/test_robustness.py.
@pytest.mark.parametrize("case", LINEAR, ids=str)
def test_gradient_by_features_is_that_of_finite_differences(case):
    model, estimator = fitted(copied(case), weighted=True)
    inputs = np.array(rows(case.n_classes)[0])
    rng = np.random.default_rng(0)
    factors = rng.normal(size=model.fitted_raw_prediction.shape)
    _, gradient = model.input_gradient(inputs, lambda raw, part: factors[part])

    def measured(j, step):
        moved = inputs.copy()
        moved[:, j] += step
        return np.sum(factors * model.raw_prediction(embed(estimator, moved)), axis=1)

    for j in range(inputs.shape[1]):
        slope = (measured(j, 1e-6) - measured(j, -1e-6)) / 2e-6
        np.testing.assert_allclose(gradient[:, j], slope, atol=1e-6)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_products_agree_with_the_dense_jacobian(case, container):
    model, _ = fitted(case, weighted=True)
    X = model.X
    model.X = container(X)
    basis = np.eye(model.parameters.size)
    jacobian = model.jvp(model.X, basis)  # (n, k, p)
    rng = np.random.default_rng(0)
    C = rng.normal(size=(*jacobian.shape[:2], 2))
    curvature = model.loss_curvature(model.row_weight)
    gram = np.einsum("iap,iab,ibq->pq", jacobian, curvature, jacobian)
    slope = (
        model.raw_prediction(X, model.parameters + 1e-3 * basis[0])
        - model.raw_prediction(X)
    ) / 1e-3

    np.testing.assert_allclose(
        model.vjp(model.X, C), np.einsum("iap,iad->pd", jacobian, C), atol=1e-10
    )
    np.testing.assert_allclose(model.gram(curvature), gram, atol=1e-9)
    np.testing.assert_allclose(
        model.gram_diagonal(curvature), np.diag(gram), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(jacobian[:, :, 0], slope, atol=1e-8)


@pytest.mark.parametrize("case", REFITTABLE, ids=str)
def test_influence_is_the_derivative_of_refits(case):
    model, _ = fitted(copied(case), weighted=True)
    solve = Cholesky().factorize(model, model.row_weight)
    slope = model.response.smooth_jacobian(model.fitted_raw_prediction)
    share = 1e-4
    for row in np.flatnonzero(model.row_weight)[[0, 17, 80]]:
        deleted = np.eye(len(model.y))[row]
        shift = first_order_shift(model, solve, deleted)
        up, down = (
            model.refitted_parameters(model.row_weight * (1 - sign * share * deleted))
            for sign in (1, -1)
        )
        # Predictions, because parameters may be known up to a shift only.
        change = model.raw_prediction(model.X, up) - model.raw_prediction(model.X, down)
        expected = slope @ change[:, :, None] / (2 * share)

        np.testing.assert_allclose(
            slope @ model.jvp(model.X, shift[:, None]),
            expected,
            atol=case.derivative * np.abs(expected).max(),
        )


def test_curvatures_agree(model):
    gradient = model.loss_parameter_gradient(np.linspace(0, 1, len(model.y)))
    dense = Cholesky().factorize(model, model.row_weight)(gradient[:, None])
    iterative = ConjugateGradient(tol=1e-12).factorize(model, model.row_weight)

    np.testing.assert_allclose(
        iterative(gradient[:, None]), dense, atol=1e-6 * np.abs(dense).max()
    )


@pytest.mark.parametrize("case", MULTINOMIAL, ids=str)
def test_null_directions_are_all_that_makes_the_hessian_singular(case):
    model, _ = fitted(copied(case), weighted=True)
    N = model.null_directions().toarray()
    hessian = model.gram(model.loss_curvature(model.row_weight))
    hessian += np.diag(model.penalty_curvature())
    direction = N.sum(axis=1)  # 0 without an intercept and with a penalty
    moved = model.raw_prediction(model.X, model.parameters + 10 * direction)
    rank = np.linalg.matrix_rank(hessian, tol=1e-9 * np.abs(hessian).max())

    np.testing.assert_allclose(N.T @ N, np.eye(N.shape[1]), atol=1e-12)
    np.testing.assert_allclose(hessian @ N, 0, atol=1e-9 * np.abs(hessian).max())
    np.testing.assert_allclose(
        model.response.smooth(moved),
        model.response.smooth(model.fitted_raw_prediction),
        atol=1e-10,
    )
    assert rank == len(hessian) - N.shape[1]  # and there are no others


def test_with_parameters_copies(case):
    model, estimator = fitted(case, weighted=True)
    X = rows(case.n_classes)[0]
    before = estimator.predict(X)
    theta = model.parameters * 0.5
    corrected = model.with_parameters(theta)
    moved = type(model)(corrected, model.X, model.y, model.row_weight)

    np.testing.assert_allclose(moved.parameters, theta, rtol=1e-12)
    np.testing.assert_array_equal(estimator.predict(X), before)
    assert type(corrected) is type(estimator)
