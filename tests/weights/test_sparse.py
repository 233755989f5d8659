# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_softunlearn import SparseDeletion
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import InfeasibleDeltaError, InfeasibleDeltaWarning
from sklearn_softunlearn.weights import WeightProblem
from tests.first_order import first_order_corrector

N = 300


def problem_of(seed, **options):
    influence = np.random.default_rng(seed).standard_t(3, size=(N, 2))
    return WeightProblem(influence, 0.0, [1.0, 0.0], **options)


def chosen(problem, share=0.3, penalty=0.0):
    weighting = SparseDeletion(penalty)
    return weighting.choose(problem, None, share * problem.delta_max)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9])
def test_total_is_that_of_the_linear_programme(seed, share):
    problem = problem_of(seed)
    oracle = linprog(
        np.ones(N),
        problem.constraints.T,
        [-share * problem.delta_max, 0.0],
        bounds=(0.0, 1.0),
        method="highs",
    )

    solution = chosen(problem, share)

    assert solution.weights.sum() == pytest.approx(oracle.fun, rel=1e-9, abs=1e-12)
    assert np.sum((solution.weights > 0) & (solution.weights < 1)) <= 2


def test_sample_weights_are_what_a_row_costs():
    sample_weight = np.random.default_rng(0).uniform(0.1, 3.0, size=N)
    problem = problem_of(0, norm_weight=sample_weight)
    oracle = linprog(
        sample_weight,
        problem.constraints.T,
        [-0.3 * problem.delta_max, 0.0],
        bounds=(0.0, 1.0),
        method="highs",
    )

    assert sample_weight @ chosen(problem).weights == pytest.approx(oracle.fun)


def test_penalty_leads_from_few_rows_to_soft_weights():
    problem = problem_of(1)
    soft = problem.solve(0.3 * problem.delta_max).weights
    distance, touched = [], []
    for penalty in (0.0, 1.0, 10.0, 1e4):
        weights = chosen(problem, penalty=penalty).weights
        distance.append(np.linalg.norm(weights - soft))
        touched.append(np.sum(weights > 0))

    assert sorted(distance, reverse=True) == distance
    assert sorted(touched) == touched
    assert distance[-1] < 1e-3 * distance[0]


@pytest.fixture(scope="module")
def data():
    X, y, group = make_biased_classification(random_state=3)
    return X, y, {"sensitive_features": group}


def test_same_prediction_as_soft_weights_with_fewer_rows(data):
    X, y, groups = data
    soft = first_order_corrector().fit(X, y, **groups)
    sparse = first_order_corrector(weighting="sparse").fit(X, y, **groups)
    name = "demographic_parity_difference"
    promised = [c.report_[name, "surrogate"].predicted for c in (soft, sparse)]

    assert promised[1] == pytest.approx(promised[0], rel=1e-9)
    assert sparse.influence_[:, -1] @ sparse.deletion_weights_ <= 1e-12
    assert sparse.deletion_weights_.sum() < soft.deletion_weights_.sum()
    assert np.sum(sparse.deletion_weights_ > 0) < np.sum(soft.deletion_weights_ > 0) / 3
    assert sparse.delta_max_ == soft.delta_max_


def test_path_is_what_single_fits_give(data):
    X, y, groups = data
    corrector = first_order_corrector(weighting="sparse", delta=0.3).fit(X, y, **groups)
    path = corrector.path(X, y, deltas=[0.1, 0.3, 0.5], **groups)

    np.testing.assert_allclose(
        path[1].estimator_.coef_, corrector.estimator_.coef_, rtol=1e-12
    )


def test_out_of_reach_is_said_with_what_is_in_reach(data):
    X, y, groups = data
    corrector = first_order_corrector(weighting="sparse", delta=1.0, max_weight=0.02)
    with pytest.warns(InfeasibleDeltaWarning, match="largest attainable"):
        corrector.fit(X, y, **groups)

    assert 0 < corrector.delta_max_ < 1
    corrector.set_params(on_infeasible="raise")
    with pytest.raises(InfeasibleDeltaError):
        corrector.fit(X, y, **groups)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
def test_penalty_can_be_searched(data):
    X, y, _ = data
    corrector = first_order_corrector(weighting=SparseDeletion(), metric="loss")
    grid = {"weighting__penalty": [0.0, 1.0], "delta": [0.001]}
    search = GridSearchCV(clone(corrector), grid, cv=2).fit(X, y)

    assert search.best_params_["weighting__penalty"] in (0.0, 1.0)


def test_negative_penalty_is_refused():
    with pytest.raises(ValueError, match="penalty"):
        chosen(problem_of(0), penalty=-1.0)
