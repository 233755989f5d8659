# SPDX-License-Identifier: BSD-3-Clause
"""Leaf access to every library, and both models of how training moves leaf values."""

import numpy as np
import pytest

from sklearn_softunlearn.influence import Cholesky, first_order_shift, row_influence
from tests.trees.tree_cases import CASES, REFITTED, answers, fitted

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def joint(case):
    return fitted(case, "joint")


@pytest.fixture(scope="module", params=REFITTED, ids=str)
def refit(request):
    return request.param, *fitted(request.param, "refit")


def test_the_leaves_of_a_row_add_up_to_its_prediction(case, joint):
    model, estimator, X = joint

    np.testing.assert_allclose(
        model.response.smooth(model.fitted_raw_prediction),
        answers(estimator, X),
        rtol=case.precision,
        atol=case.precision,
    )


def test_a_copy_predicts_with_the_leaf_values_that_it_was_given(case, joint):
    model, estimator, X = joint
    before = answers(estimator, X)
    theta = model.parameters * np.linspace(0.5, 1.5, model.parameters.size)
    copied = model.with_parameters(theta)

    assert type(copied) is type(estimator)
    np.testing.assert_allclose(
        answers(copied, X),
        model.response.smooth(model.raw_prediction(model.X, theta)),
        rtol=10 * case.precision,
        atol=10 * case.precision,
    )
    np.testing.assert_array_equal(answers(estimator, X), before)


def test_products_agree_with_the_dense_jacobian(joint):
    model, _, _ = joint
    part = model.parameters.size
    jacobian = model.jvp(model.X, np.eye(part))
    C = np.random.default_rng(0).normal(size=(*jacobian.shape[:2], 2))
    curvature = model.loss_curvature(model.row_weight)
    gram = np.einsum("iap,iab,ibq->pq", jacobian, curvature, jacobian, optimize=True)

    np.testing.assert_allclose(
        model.vjp(model.X, C), np.einsum("iap,iad->pd", jacobian, C), atol=1e-10
    )
    np.testing.assert_allclose(model.gram(curvature), gram, atol=1e-9)
    np.testing.assert_allclose(
        model.gram_diagonal(curvature), np.diag(gram), rtol=1e-9, atol=1e-12
    )


def test_joint_leaf_values_are_stationary(joint):
    model, _, _ = joint
    gradient = model.objective_gradient(model.row_weight)

    np.testing.assert_allclose(gradient, 0, atol=1e-9 * len(model.y))


def test_joint_influence_is_the_derivative_of_joint_refits(joint):
    model, _, _ = joint
    solve = Cholesky().factorize(model, model.row_weight)
    deleted = np.zeros(len(model.y))
    deleted[[3, 90, 200]] = 1e-3
    shift = first_order_shift(model, solve, deleted)
    up, down = (
        model.refitted_parameters(model.row_weight * (1 - sign * deleted))
        for sign in (1, -1)
    )
    change = model.jvp(model.X, (up - down)[:, None] / 2)
    expected = model.jvp(model.X, shift[:, None])

    np.testing.assert_allclose(change, expected, atol=2e-3 * np.abs(expected).max())


def test_the_recursion_gives_the_fitted_leaf_values(refit):
    case, model, _, _ = refit

    assert model.training_gap() < case.traced


def test_refit_influence_is_the_derivative_of_refits(refit):
    _, model, _, _ = refit
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(model.parameters.size, 2))
    solve = model.factorize(model, model.row_weight)
    found = row_influence(model, solve, gradients)
    for row in (0, 17, 80, 133):
        step = 1e-5 * (np.arange(len(model.y)) == row)
        up, down = (
            model.refitted_parameters(model.row_weight * (1 - sign * step))
            for sign in (1, -1)
        )
        change = (up - down) @ gradients / 2e-5

        np.testing.assert_allclose(
            found[row], change, rtol=1e-6, atol=1e-6 * np.abs(found).max()
        )


def test_pull_is_the_transpose_of_push(refit):
    _, model, _, _ = refit
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(model.parameters.size, 3))
    weights = rng.uniform(size=(len(model.y), 2))
    at = model.factorize(model, 0.7 * model.row_weight)

    np.testing.assert_allclose(
        weights.T @ at.pull(gradients), at.push(weights).T @ gradients, rtol=1e-9,
        atol=1e-12,
    )  # fmt: skip
