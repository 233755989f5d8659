# SPDX-License-Identifier: BSD-3-Clause
"""Influences against what they claim: the effect of deleting rows and refitting."""

import numpy as np
import pytest

from benchmarks.data.adult import AUTHORS_C, authors_adult
from sklearn_softunlearn.corrector.inputs._evaluation import make_table
from sklearn_softunlearn.corrector.stages._preparation import linearize_estimator
from sklearn_softunlearn.influence._curvature import Cholesky, ConjugateGradient
from sklearn_softunlearn.influence._first_order import row_influence
from tests.models_for_tests import functionals, precise_logistic, small_problem

METRICS = [
    "demographic_parity_difference",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "loss",
]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"C": 0.01},
        {"fit_intercept": False},
        {"class_weight": {0: 1.0, 1: 3.0}},
    ],
    ids=str,
)
def test_influence_is_the_derivative_of_deletion(metric, options):
    rng = np.random.default_rng(3)
    weight = rng.uniform(0.5, 2.0, 120)
    problem = small_problem(metric, sample_weight=weight, **options)
    share = 1e-4
    for row in (0, 17, 80):
        refits = []
        for sign in (1, -1):
            changed = problem.model.row_weight.copy()
            changed[row] *= 1 - sign * share
            refit = problem.model.refitted_parameters(changed)
            refits.append(functionals(problem, refit))
        derivative = (refits[0] - refits[1]) / (2 * share)

        np.testing.assert_allclose(
            problem.state.influence[row], derivative, rtol=1e-5, atol=1e-9
        )


def test_negative_influence_means_that_deletion_lowers_the_functional():
    problem = small_problem("loss")
    best = int(np.argmin(problem.state.influence[:, 0]))
    kept = np.arange(len(problem.y)) != best
    refit = problem.model.refitted_parameters(problem.weight * kept)

    assert functionals(problem, refit)[0] < problem.state.value[0]


def test_rows_of_weight_zero_have_no_influence():
    weight = np.ones(120)
    weight[:30] = 0
    influence = small_problem(sample_weight=weight).state.influence

    assert not np.any(influence[:30])
    assert np.all(np.any(influence[30:], axis=1))


def test_a_row_of_weight_two_has_the_influence_of_two_rows():
    weight = np.ones(120)
    weight[5] = 2.0
    problem = small_problem(sample_weight=weight)
    repeated = np.r_[np.arange(120), 5]
    estimator = precise_logistic().fit(problem.X[repeated], problem.y[repeated])
    model = type(problem.model)(
        estimator, problem.X[repeated], problem.y[repeated], np.ones(121)
    )
    solve = Cholesky().factorize(model, model.row_weight)
    criterion = problem.state.metric.criterion
    raw = model.raw_prediction(problem.X_eval)
    gradient = model.vjp(problem.X_eval, criterion.gradient(raw, problem.rows))
    influence = row_influence(model, solve, gradient)

    np.testing.assert_allclose(
        problem.state.influence[5, :2], influence[5] + influence[120], rtol=1e-6
    )


def test_every_curvature_gives_the_same_influence():
    dense = small_problem().state.influence
    iterative = small_problem(curvature=ConjugateGradient(tol=1e-13)).state.influence

    np.testing.assert_allclose(iterative, dense, rtol=1e-8, atol=1e-14)


@pytest.fixture(scope="module")
def authors_state(data_home):
    data = authors_adult(data_home)
    estimator = precise_logistic(C=AUTHORS_C, fit_intercept=False).fit(data.X, data.y)
    sex, sex_val = data.male.astype(int), data.male_val.astype(int)
    training = make_table(data.X, data.y, sex, None, None, "")
    validation = make_table(data.X_val, data.y_val, sex_val, None, None, "_val")
    state, _ = linearize_estimator(
        estimator,
        training,
        validation,
        metric="demographic_parity_difference",
        utility="loss",
        curvature="auto",
    )
    return state


def test_adult_influences_are_the_published_ones(authors_state):
    """Reference values of the authors' setting, to four significant digits."""
    state = authors_state
    gap = state.names.index("1 - 0")
    n_validation = len(state.rows.y)

    assert state.influence.shape == (30162, 3)
    assert n_validation == 7530
    assert state.value[gap] == pytest.approx(0.1904, abs=5e-5)
    np.testing.assert_allclose(
        state.influence[:4, -1] * n_validation,
        [-0.0075187, 0.0128298, 0.0009358, 0.0072943],
        rtol=5e-5,
    )
    np.testing.assert_allclose(
        state.influence[:4, gap],
        [2.4447e-05, 2.5486e-05, 4.3455e-06, 1.3137e-05],
        rtol=5e-5,
    )
    np.testing.assert_allclose(
        state.influence[[18175, 14535, 18600], -1] * n_validation,
        [-0.0327, -0.8688, -0.8121],
        rtol=1e-3,
    )
