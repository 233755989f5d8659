# SPDX-License-Identifier: BSD-3-Clause
"""Where iterated updates end, and what they refuse to do."""

import numpy as np
import pytest
from sklearn.linear_model import HuberRegressor, LogisticRegression, Ridge

from sklearn_softunlearn import (
    HAMU,
    SCRUB,
    BadTeacher,
    FineTune,
    FisherForgetting,
    GradientAscent,
    InfluenceUpdate,
    NegativeGradient,
    NewtonUpdate,
    NTKForgetting,
    SoftUnlearnCorrector,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import UpdateStoppedWarning
from sklearn_softunlearn.updates._walk import Walk
from tests.models_for_tests import small_problem
from tests.updates.test_updates import update_problem_of, updated

DP = "demographic_parity_difference"
UNSTOPPED = {"stop_at_target": False, "max_loss_increase": np.inf}


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=1500, random_state=1)


@pytest.fixture(scope="module")
def context():
    weights = np.random.default_rng(7).uniform(0, 1, 120)
    return update_problem_of(small_problem(C=0.5), weights)


def corrected(data, update, estimator=None, **options):
    X, y, group = data
    corrector = SoftUnlearnCorrector(estimator, update=update, **options)
    return corrector.fit(X, y, sensitive_features=group)


@pytest.mark.parametrize(
    "update",
    [
        GradientAscent(),
        NegativeGradient(),
        FineTune(),
        SCRUB(alpha=0.1),
        HAMU(),
        HAMU("U"),
        HAMU(objective="loss"),
    ],
)
def test_the_last_step_ends_at_the_target(data, update):
    """Not beyond it: each of these steps is longer than what is left to do."""
    corrector = corrected(data, update, delta=0.2)
    line = corrector.report_[DP, "surrogate"]
    target = 0.8 * line.before

    assert corrector.update_result_.status == "target reached"
    assert target - 1e-4 * line.before <= line.after <= target


@pytest.mark.parametrize("radius", [0.2, 0.5])
def test_a_step_past_parity_is_shortened_too(data, radius):
    """At its end the gap is the other way round, and as large as before."""
    corrector = corrected(data, HAMU(radius=radius, max_loss_increase=np.inf))
    line = corrector.report_[DP, "surrogate"]

    assert corrector.n_iter_ == 1
    assert line.after == pytest.approx(0.5 * line.before, rel=1e-2)


@pytest.mark.parametrize("update", [FineTune(), NegativeGradient(), HAMU()])
def test_where_no_step_lowers_the_metric_the_model_is_unchanged(data, update):
    """The training loss of least squares: it is at its minimum already."""
    X, y, _ = data
    corrector = SoftUnlearnCorrector(
        Ridge(1e-6), metric="loss", utility_tol=0.1, update=update
    )
    with pytest.warns(match="No step of the update lowered the metric|out of reach"):
        corrector.fit(X, y + X[:, 0])

    assert corrector.update_result_.status == "no improvement"
    np.testing.assert_array_equal(
        corrector.estimator_.coef_, corrector.base_estimator_.coef_
    )


def test_the_best_step_is_kept_where_the_target_is_out_of_reach(context):
    """Straight past the minimum of the metric: the nearest step is the result."""
    theta = context.model.parameters
    direction = context.metric_gradient(theta)
    walk = Walk(context, theta, stop_at_target=True, max_loss_increase=np.inf)
    for length in (0.1, 0.2, 5.0, 10.0, 40.0):
        assert walk.step_to(theta - length * direction / np.linalg.norm(direction))
    result = walk.result()

    best = np.argmin(result.history["metric"])
    assert best < 4
    assert context.metric(result.parameters) == result.history["metric"][best]


def test_without_a_target_the_last_step_is_kept(context):
    theta = context.model.parameters
    walk = Walk(context, theta, **UNSTOPPED)
    steps = [theta + 3.0, theta + 1.0]
    for step in steps:
        walk.step_to(step)

    np.testing.assert_array_equal(walk.result().parameters, steps[-1])


@pytest.mark.parametrize("harm", [np.nan, np.inf, 1e300])
def test_a_step_that_overflows_is_not_taken(context, harm):
    theta = context.model.parameters
    walk = Walk(context, theta, **UNSTOPPED)

    assert not walk.step_to(theta + harm)
    assert walk.status == "loss limit"
    np.testing.assert_array_equal(walk.theta, theta)


def test_wide_steps_of_hamu_are_stopped(data):
    """The metric is out of reach, and every step costs much."""
    update = HAMU(objective="loss", radius=0.3, required=1.0)
    with pytest.warns(UpdateStoppedWarning, match="stopped one step early"):
        corrector = corrected(data, update, delta=1.0)

    result = corrector.update_result_
    assert result.status == "loss limit"
    assert result.n_iter >= 1
    assert np.ptp(result.history["retain_objective"]) > 0
    assert np.all(np.isfinite(corrector.estimator_.coef_))


def test_ntk_shift_never_raises_the_retain_objective():
    """A nearly separable rest: its mean curvature says little about its margins."""
    problem = small_problem(C=1e6)
    margin = problem.model.fitted_raw_prediction[:, 0] * (2 * problem.y - 1)
    weights = np.where(margin < np.quantile(margin, 0.15), 1.0, 0.0)
    shifted = updated(NTKForgetting(), problem, weights)
    kept = problem.model.row_weight * (1 - weights)

    assert problem.model.objective(kept, shifted) < problem.model.objective(kept)


def test_an_untrained_huber_regressor_has_a_scale(data):
    X, y, _ = data
    with pytest.warns(match="out of reach|lowered the metric"):
        corrector = SoftUnlearnCorrector(
            HuberRegressor(), metric="loss", utility_tol=0.1, update=BadTeacher()
        ).fit(X, y + X[:, 0])

    assert corrector.estimator_.scale_ > 0


@pytest.mark.parametrize(
    ("update", "name"),
    [
        (GradientAscent(learning_rate=0.0), "learning_rate"),
        (GradientAscent(max_iter=0), "max_iter"),
        (FineTune(max_loss_increase=-0.1), "max_loss_increase"),
        (FineTune(learning_rate="fast"), "learning_rate"),
        (NegativeGradient(forget_share=1.1), "forget_share"),
        (SCRUB(alpha=-1.0), "alpha"),
        (SCRUB(alpha=0.0, gamma=0.0), "alpha and gamma"),
        (SCRUB(max_steps=1.5), "max_steps"),
        (BadTeacher(max_iter=-1), "max_iter"),
        (HAMU(max_iter=0), "max_iter"),
        (FisherForgetting("full"), "fisher="),
        (FisherForgetting(noise=-1.0), "noise"),
        (NTKForgetting(damping=-1.0), "damping"),
        (NewtonUpdate(max_iter=0), "max_iter"),
        (InfluenceUpdate(max_iter=2, tol=-1.0), "tol"),
    ],
)
def test_parameters_out_of_range_are_named(data, update, name):
    with pytest.raises((TypeError, ValueError), match=name):
        corrected(data, update, LogisticRegression())
