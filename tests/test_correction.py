# SPDX-License-Identifier: BSD-3-Clause
"""What a correction promises: the request is met, predicted next to realised."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.data.adult import one_hot_adult
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import (
    BaseNotConvergedWarning,
    InfeasibleDeltaError,
    InfeasibleDeltaWarning,
    NothingToCorrectWarning,
)
from tests.first_order import first_order_corrector
from tests.models_for_tests import precise_logistic

DP = "demographic_parity_difference"


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=1500, random_state=1)


def corrected(data, **options):
    X, y, group = data
    corrector = first_order_corrector(precise_logistic(), **options)
    return corrector.fit(X, y, sensitive_features=group)


@pytest.mark.parametrize(
    ("metric", "delta"),
    [(DP, 0.1), (DP, 0.8), ("equal_opportunity_difference", 0.5)]
    + [("equalized_odds_difference", delta) for delta in (0.1, 0.5)],
)
def test_prediction_meets_the_request_and_keeps_the_utility(data, metric, delta):
    corrector = corrected(data, metric=metric, delta=delta)
    report = corrector.report_
    metric_line, loss_line = report[metric, "surrogate"], report["loss", "surrogate"]

    assert metric_line.predicted == pytest.approx((1 - delta) * metric_line.before)
    # To first order the loss stays; what is predicted of it is of second order.
    assert corrector.influence_[:, -1] @ corrector.deletion_weights_ <= 1e-12
    assert loss_line.before < loss_line.predicted < 1.1 * loss_line.before


def test_realised_approaches_predicted_as_delta_vanishes(data):
    """The error of the linearisation is of second order in delta."""
    errors = []
    for delta in (0.02, 0.04, 0.08):
        line = corrected(data, delta=delta).report_[DP, "surrogate"]
        errors.append(abs(line.after - line.predicted))

    assert np.polyfit(np.log([0.02, 0.04, 0.08]), np.log(errors), 1)[0] > 1.8


def test_influences_of_the_weights_are_the_predicted_change(data):
    corrector = corrected(data)
    change = corrector.deletion_weights_ @ corrector.influence_
    line = corrector.report_[DP, "surrogate"]
    worst = corrector.multipliers_[:-1].argmax()

    assert change[worst] == pytest.approx(line.predicted - line.before, rel=1e-9)


def test_delta_zero_changes_nothing(data):
    corrector = corrected(data, delta=0.0)

    assert not np.any(corrector.deletion_weights_)
    np.testing.assert_array_equal(
        corrector.estimator_.coef_, corrector.base_estimator_.coef_
    )


def test_less_regularization_gives_more_than_asked(data):
    weights = [
        corrected(data, delta=0.3, regularization=r).deletion_weights_
        for r in (5.0, 1.0, 0.6)
    ]
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-12)
    line = corrected(data, delta=0.3, regularization=0.6).report_[DP, "surrogate"]

    assert weights[2].sum() > 1.05 * weights[1].sum()
    assert line.predicted < 0.69 * line.before


def test_max_weight_bounds_the_weights(data):
    free = corrected(data, delta=0.5).deletion_weights_
    bound = free.max() / 2
    weights = corrected(data, delta=0.5, max_weight=bound).deletion_weights_

    assert weights.max() == pytest.approx(bound)
    assert np.sum(weights**2) > np.sum(free**2)


def test_utility_tol_allows_smaller_weights(data):
    held_out = {"delta": 0.5, "validation_fraction": 0.5, "random_state": 0}
    strict = corrected(data, **held_out)
    loose = corrected(data, utility_tol=0.05, **held_out)
    assert strict.multipliers_[-1] > 0  # else the utility restrains nothing
    before = loose.report_["loss", "surrogate"].before

    assert np.sum(loose.deletion_weights_**2) < np.sum(strict.deletion_weights_**2)
    assert loose.report_["loss", "surrogate"].predicted <= 1.05 * before * (1 + 1e-12)


def test_soft_weights_are_smaller_than_hard_ones_for_the_same_request(data):
    soft = corrected(data, delta=0.3)
    hard = corrected(data, delta=0.3, weighting="hard")

    assert set(np.unique(hard.deletion_weights_)) == {0.0, 1.0}
    hard_line = hard.report_[DP, "surrogate"]
    assert hard_line.predicted <= 0.7 * hard_line.before
    assert np.sum(soft.deletion_weights_**2) < np.sum(hard.deletion_weights_**2)


def infeasible(data):
    """Weights this small cannot remove the gap."""
    return {"delta": 1.0, "max_weight": 0.01}


def test_infeasible_delta_warns_and_uses_the_largest(data):
    with pytest.warns(
        InfeasibleDeltaWarning, match=r"delta=1 is out of reach: at most"
    ):
        corrector = corrected(data, **infeasible(data))
    line = corrector.report_[DP, "surrogate"]

    assert 0 < corrector.delta_max_ < 1
    assert line.predicted == pytest.approx((1 - corrector.delta_max_) * line.before)
    assert corrector.report_.status == "infeasible"


def test_infeasible_delta_raises_if_asked(data):
    with pytest.raises(InfeasibleDeltaError, match=r"Lower delta .* raise max_weight"):
        corrected(data, on_infeasible="raise", **infeasible(data))


def test_largest_attainable_delta_is_attainable(data):
    delta_max = corrected(data, delta=0.1, max_weight=0.2).delta_max_
    assert 0.1 < delta_max < 0.9

    corrected(data, delta=0.999 * delta_max, max_weight=0.2)
    with pytest.warns(InfeasibleDeltaWarning):
        corrected(data, delta=1.001 * delta_max, max_weight=0.2)


def test_metric_at_its_optimum_leaves_the_model_unchanged():
    X, y, _ = make_biased_classification(n_samples=200, random_state=0)
    # Two groups of the same rows: no gap.
    X, y = np.vstack([X, X]), np.r_[y, y]
    group = np.repeat(["a", "b"], 200)
    with pytest.warns(NothingToCorrectWarning, match="nothing to correct"):
        corrector = corrected((X, y, group))

    assert not np.any(corrector.deletion_weights_)


def test_unconverged_base_model_is_reported(data):
    X, y, group = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = LogisticRegression(max_iter=1).fit(X, y)
    with pytest.warns(BaseNotConvergedWarning, match=r"norm .*raise max_iter"):
        first_order_corrector(FrozenEstimator(base)).fit(X, y, sensitive_features=group)


def test_warnings_point_to_the_callers_line(data):
    with pytest.warns(InfeasibleDeltaWarning) as caught:
        corrected(data, **infeasible(data))

    assert caught[0].filename == __file__


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear", "newton-cg", "sag", "saga"])
def test_default_tolerances_count_as_converged(solver):
    X, y, group = make_biased_classification(n_samples=2000, random_state=0)
    base = LogisticRegression(solver=solver, max_iter=1000, random_state=0)

    first_order_corrector(base, delta=0.2).fit(X, y, sensitive_features=group)


@pytest.mark.parametrize("update", ["newton", "retrain"])
def test_exact_updates_match_their_refit(data, update):
    corrector = corrected(data, update=update, delta=0.3)
    X, y, _ = data
    refit = precise_logistic().fit(X, y, sample_weight=corrector.sample_weight_)
    tolerance = {"newton": 0.05, "retrain": 1e-10}[update]

    np.testing.assert_allclose(
        corrector.estimator_.coef_, refit.coef_, rtol=tolerance, atol=tolerance
    )


@pytest.fixture(scope="module")
def split_adult(data_home):
    return one_hot_adult(data_home)


def test_adult_by_sex_on_held_out_rows(split_adult):
    from fairlearn.metrics import demographic_parity_difference

    data = split_adult
    corrector = first_order_corrector(LogisticRegression(max_iter=1000), delta=0.5).fit(
        data.X_train, data.y_train, sensitive_features=data.sex_train
    )
    base, after = corrector.base_estimator_, corrector
    gaps = [
        demographic_parity_difference(
            data.y_test, model.predict(data.X_test), sensitive_features=data.sex_test
        )
        for model in (base, after)
    ]
    accuracy = [model.score(data.X_test, data.y_test) for model in (base, after)]

    assert 0.4 <= 1 - gaps[1] / gaps[0] <= 0.6
    assert accuracy[1] >= accuracy[0] - 0.01


@pytest.mark.parametrize("delta", [0.25, 0.5])
def test_adult_by_race_meets_the_request_for_every_pair(split_adult, delta):
    data = split_adult
    corrector = first_order_corrector(LogisticRegression(max_iter=1000), delta=delta)
    corrector.fit(data.X_train, data.y_train, sensitive_features=data.race_train)
    line = corrector.report_[DP, "surrogate"]

    assert corrector.influence_.shape[1] == 5 * 4 + 1
    assert abs(line.after - (1 - delta) * line.before) <= 0.02 * line.before


def test_hard_deletion_that_falls_short_says_so():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    corrector = first_order_corrector(
        precise_logistic(C=0.1), delta=0.3, weighting="hard", utility_tol=1.0
    )
    groups = {"sensitive_features": X[:, 1] > 0}
    with pytest.warns(InfeasibleDeltaWarning, match="reach of hard deletion"):
        corrector.fit(X, y, **groups)
    corrector.set_params(on_infeasible="raise")
    with pytest.raises(InfeasibleDeltaError, match="reach of hard deletion"):
        corrector.fit(X, y, **groups)
