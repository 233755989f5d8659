# SPDX-License-Identifier: BSD-3-Clause
"""Updates against refits: how fast each approaches, and where it ends."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.influence._first_order import first_order_shift
from sklearn_softunlearn.updates import (
    FisherForgetting,
    InfluenceUpdate,
    NewtonUpdate,
    NTKForgetting,
    Retrain,
    UpdateProblem,
    resolve_update,
)
from tests.models_for_tests import small_problem


@pytest.fixture(scope="module", params=[{}, {"class_weight": "balanced", "C": 0.3}])
def problem(request):
    weight = np.random.default_rng(5).uniform(0.2, 3, 120)
    return small_problem(sample_weight=weight, **request.param)


@pytest.fixture(scope="module")
def deletion_weights():
    return np.random.default_rng(7).uniform(0, 1, 120)


def update_problem_of(problem, deletion_weights, target=0.0):
    state = problem.state

    def metric(parameters):
        raw = problem.model.raw_prediction(problem.X_eval, parameters)
        return float(np.max(state.metric.criterion.value(raw, problem.rows)))

    def metric_gradient(parameters):
        raw = problem.model.raw_prediction(problem.X_eval, parameters)
        worst = np.argmax(state.metric.criterion.value(raw, problem.rows))
        gradient = state.metric.criterion.gradient(raw, problem.rows)
        return problem.model.vjp(problem.X_eval, gradient[:, :, [worst]])[:, 0]

    return UpdateProblem(
        model=problem.model,
        deletion_weights=deletion_weights,
        shift=first_order_shift(problem.model, state.solve, deletion_weights),
        metric=metric,
        metric_gradient=metric_gradient,
        target=target,
        relinearize=None,
    )


def updated(update, problem, deletion_weights):
    return update.update(update_problem_of(problem, deletion_weights)).parameters


def refit(problem, deletion_weights):
    return problem.model.refitted_parameters(
        problem.model.row_weight * (1 - deletion_weights)
    )


@pytest.mark.parametrize("update", [InfluenceUpdate(), NewtonUpdate()])
def test_error_is_of_second_order_in_the_weights(problem, deletion_weights, update):
    """Slope of the log error over the log of the weights' scale."""
    scales = np.geomspace(0.02, 0.2, 5)
    errors = [
        np.linalg.norm(
            updated(update, problem, t * deletion_weights)
            - refit(problem, t * deletion_weights)
        )
        for t in scales
    ]
    slope = np.polyfit(np.log(scales), np.log(errors), 1)[0]

    assert slope == pytest.approx(2.0, abs=0.1)


def test_iterated_newton_is_the_refit(problem, deletion_weights):
    newton = updated(NewtonUpdate(max_iter=50, tol=1e-14), problem, deletion_weights)

    np.testing.assert_allclose(newton, refit(problem, deletion_weights), rtol=1e-6)


def test_newton_survives_a_step_that_overshoots():
    """A nearly separable rest, where the full Newton step increases the objective."""
    problem = small_problem(C=1e6)
    margin = problem.model.fitted_raw_prediction[:, 0] * (2 * problem.y - 1)
    weights = np.where(margin < np.quantile(margin, 0.15), 1.0, 0.0)
    newton = updated(NewtonUpdate(max_iter=500, tol=1e-12), problem, weights)
    kept = problem.model.row_weight * (1 - weights)

    assert np.all(np.isfinite(newton))
    assert problem.model.objective(kept, newton) < problem.model.objective(kept)


def test_newton_says_when_it_did_not_converge(problem, deletion_weights):
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        updated(NewtonUpdate(max_iter=2, tol=1e-15), problem, deletion_weights)


def test_retrain_deletes_rows_of_weight_one(problem):
    weights = np.zeros(120)
    weights[:40] = 1.0
    retrained = updated(Retrain(), problem, weights)
    kept = problem.model.refitted_parameters(problem.model.row_weight * (1 - weights))

    np.testing.assert_array_equal(retrained, kept)
    gradient = problem.model.objective_gradient(
        problem.model.row_weight * (1 - weights), retrained
    )
    assert np.abs(gradient).max() < 1e-5


@pytest.mark.parametrize("name", ["influence", "newton", "retrain"])
def test_updates_modify_nothing(problem, deletion_weights, name):
    before = problem.model.parameters.copy(), deletion_weights.copy()
    updated(resolve_update(name), problem, deletion_weights)

    np.testing.assert_array_equal(problem.model.parameters, before[0])
    np.testing.assert_array_equal(deletion_weights, before[1])


@pytest.mark.parametrize("unknown", ["scrubb", {}, None])
def test_unknown_update_lists_the_known(unknown):
    with pytest.raises(ValueError, match=r"update=.*influence.*newton.*retrain"):
        resolve_update(unknown)


@pytest.mark.parametrize(
    ("option", "given", "remedy"),
    [
        ("update", NTKForgetting(), "influence"),
        ("update", FisherForgetting(fisher="cholesky"), "diagonal"),
        ("curvature", "cholesky", "conjugate_gradient"),
    ],
)
def test_a_matrix_over_too_many_parameters_is_refused(option, given, remedy):
    rng = np.random.default_rng(0)
    X = sparse.csr_array(sparse.random(80, 40_000, 1e-3, random_state=0))
    y, group = np.arange(80) % 2, rng.permutation(80) % 2
    corrector = SoftUnlearnCorrector(utility_tol=1.0).set_params(**{option: given})

    with pytest.raises(ValueError, match=rf"{option}=.*40001 par.*12 GiB.*{remedy}"):
        corrector.fit(X, y, sensitive_features=group)


def test_noise_of_fisher_leaves_the_zeros_of_an_l1_model():
    X, y, group = make_biased_classification(random_state=0)
    model = LogisticRegression(
        l1_ratio=1.0, solver="saga", C=0.02, tol=1e-10, max_iter=10_000
    )
    corrector = SoftUnlearnCorrector(
        model, update=FisherForgetting(noise=0.1, random_state=0), delta=0.3
    ).fit(X, y, sensitive_features=group)
    before, after = corrector.base_estimator_.coef_, corrector.estimator_.coef_

    assert np.any(before == 0)
    np.testing.assert_array_equal(after == 0, before == 0)
