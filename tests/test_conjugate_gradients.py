# SPDX-License-Identifier: BSD-3-Clause
"""Solving with a matrix that is known by its products alone."""

import numpy as np
import pytest

from sklearn_softunlearn.exceptions import CurvatureWarning
from sklearn_softunlearn.influence._conjugate_gradients import (
    IterativeSolver,
    conjugate_gradients,
    scaling_preconditioner,
    sketched_preconditioner,
)


@pytest.fixture
def hard():
    """Eigenvalues that fall over six decades, and a ridge."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(400, 400)))[0]
    ridge = np.full(400, 1.0)
    return (basis * np.geomspace(1e4, 1e-2, 400)) @ basis.T + np.diag(ridge), ridge


class Counting:
    """Products with a matrix, and how often they were asked for."""

    def __init__(self, matrix):
        self.matrix = matrix
        self.calls = 0

    def __call__(self, vectors):
        self.calls += 1
        return self.matrix @ vectors


def targets(n=400, n_columns=3):
    return np.random.default_rng(1).normal(size=(n, n_columns))


def solver(matrix, ridge, rank, max_iter=5000):
    diagonal = np.diag(matrix).copy()
    product = Counting(matrix)
    solver = IterativeSolver(product, diagonal, ridge, rank=rank, max_iter=max_iter)
    return solver, product


@pytest.mark.parametrize("rank", [0, 50])
def test_solutions_are_those_of_a_direct_solver(hard, rank):
    B = targets() * [1.0, 1e6, 1e-6]
    found = solver(*hard, rank)[0].solve(B, 1e-11)
    exact = np.linalg.solve(hard[0], B)

    error = np.linalg.norm(found - exact, axis=0) / np.linalg.norm(exact, axis=0)
    assert np.max(error) < 1e-8


def test_columns_do_not_touch_each_other(hard):
    B = targets()
    together = solver(*hard, 50)[0].solve(B, 1e-8)
    alone = [solver(*hard, 50)[0].solve(B[:, [j]], 1e-8) for j in range(3)]

    np.testing.assert_allclose(together, np.hstack(alone), rtol=1e-5, atol=1e-9)


def test_a_sketch_saves_iterations_and_is_made_once(hard):
    plain, slow = solver(*hard, 0)
    sketched, fast = solver(*hard, 100)
    for each in (plain, sketched):
        each.solve(targets(), 1e-8)
    first = fast.calls
    sketched.solve(targets(), 1e-8)

    assert first < slow.calls / 2
    assert fast.calls - first < first  # neither patience nor a sketch again


def test_no_sketch_where_scaling_is_enough():
    matrix = np.diag(np.geomspace(1e-6, 1e6, 400))
    easy, product = solver(matrix, np.zeros(400), 50)
    easy.solve(targets(), 1e-10)

    assert easy.sketched is None
    assert product.calls <= 2


def test_the_sketched_preconditioner_is_the_inverse_of_low_rank_and_diagonal():
    rng = np.random.default_rng(0)
    root, ridge = rng.normal(size=(60, 5)), rng.random(60) + 0.5
    matrix = root @ root.T + np.diag(ridge)
    precondition = sketched_preconditioner(
        Counting(matrix), np.diag(matrix).copy(), ridge, 10
    )

    np.testing.assert_allclose(precondition(matrix), np.eye(60), atol=1e-7)


def test_a_singular_matrix_and_targets_in_its_range():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(400, 150)) * np.geomspace(1, 1e-2, 150)
    B = root @ rng.normal(size=(150, 2))
    found = solver(root @ root.T, np.zeros(400), 100)[0].solve(B, 1e-9)

    np.testing.assert_allclose(root @ (root.T @ found), B, atol=1e-7)


def test_zero_targets_have_zero_solutions(hard):
    assert not np.any(solver(*hard, 50)[0].solve(np.zeros((400, 2)), 1e-8))


def test_what_was_not_reached_is_said(hard):
    B = targets()
    _, missed = conjugate_gradients(
        Counting(hard[0]),
        scaling_preconditioner(np.diag(hard[0])),
        np.column_stack([B, np.zeros(400)]),
        np.zeros((400, 4)),
        tol=1e-8,
        max_iter=3,
    )
    assert missed.tolist() == [True, True, True, False]
    with pytest.warns(CurvatureWarning, match=r"tol=1e-08 in 3 iterations.*max_iter"):
        solver(*hard, 0, max_iter=3)[0].solve(B, 1e-8)
