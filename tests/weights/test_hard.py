# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from sklearn_softunlearn.weights import HardDeletion, WeightProblem


@pytest.fixture
def influence():
    return np.array([-3.0, 2.0, -1.0, 0.0, -2.0])


def deleted(influence, k, delta=0.5):
    problem = WeightProblem(influence[:, None], [0.0], [8.0])
    solution = HardDeletion(k).choose(problem, influence, delta)
    return set(np.flatnonzero(solution.weights)), solution


@pytest.mark.parametrize(
    ("k", "rows"),
    [
        (0, set()),
        (1, {0}),
        (2, {0, 4}),
        (0.4, {0, 4}),
        (5, {0, 2, 4}),
        ("helpful", {0, 2, 4}),
        (None, {0, 4}),
    ],
)
def test_most_helpful_rows_go_first_and_harmless_ones_stay(influence, k, rows):
    assert deleted(influence, k)[0] == rows


def test_request_is_met_exactly_at_its_boundary(influence):
    assert deleted(influence, None, delta=3 / 8)[0] == {0}
    assert deleted(influence, None, delta=3.01 / 8)[0] == {0, 4}
    assert deleted(influence, None, delta=0.0)[0] == set()


def test_says_when_no_row_is_left_that_helps(influence):
    rows, solution = deleted(influence, None, delta=0.9)

    assert rows == {0, 2, 4}
    assert solution.status == "hard deletion fell short"


@pytest.mark.parametrize("k", [-1, 1.5, 0.0, True, "all"])
def test_unknown_k(influence, k):
    with pytest.raises(ValueError, match="k must be a number of rows"):
        deleted(influence, k)


def test_a_row_of_weight_two_ranks_as_two_rows():
    weight = np.array([1.0, 2.0, 0.0, 1.0])
    influence = weight * np.array([-3.0, -2.0, -9.0, -1.0])
    problem = WeightProblem(influence[:, None], [0.0], [8.0], norm_weight=weight)
    repeated = np.array([-3.0, -2.0, -2.0, -1.0])
    twice = WeightProblem(repeated[:, None], [0.0], [8.0])

    chosen = HardDeletion().choose(problem, influence, 7 / 8)
    same = HardDeletion().choose(twice, repeated, 7 / 8)

    np.testing.assert_array_equal(chosen.weights, [1, 1, 0, 0])
    np.testing.assert_array_equal(same.weights, [1, 1, 1, 0])
