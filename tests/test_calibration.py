# SPDX-License-Identifier: BSD-3-Clause
"""delta as what the user gets: the metric of labels falls by it."""

import numpy as np
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    equal_opportunity_difference,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from benchmarks.data.adult import one_hot_adult
from sklearn_softunlearn.corrector.stages._calibration import (
    MAX_SCAN,
    MAX_SOLVES,
    search_request,
    shorter_request,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import OverCorrectionWarning
from tests.first_order import first_order_corrector
from tests.models_for_tests import precise_logistic

METRICS = {
    "demographic_parity_difference": demographic_parity_difference,
    "equal_opportunity_difference": equal_opportunity_difference,
}


@pytest.fixture(scope="module", params=[0, 1, 2])
def data(request):
    return make_biased_classification(n_samples=1200, random_state=request.param)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("delta", [0.2, 0.5, 0.9, 1.0])
def test_the_counted_metric_falls_by_delta(data, name, delta):
    X, y, group = data
    corrector = first_order_corrector(
        precise_logistic(),
        metric=name,
        delta=delta,
        calibrate="labels",
        utility_tol=0.1,
    ).fit(X, y, sensitive_features=group)
    before, after = (
        METRICS[name](y, model.predict(X), sensitive_features=group)
        for model in (corrector.base_estimator_, corrector)
    )
    # One row of the smallest cell is a step of the metric.
    cells = [np.sum((group == g) & (y == 1)) for g in (0, 1)]
    step = 1 / min(cells)

    assert abs(after - (1 - delta) * before) <= 2 * step
    assert corrector.report_.delta == delta
    line = corrector.report_[name, "fairlearn"]
    assert (line.before, line.after) == pytest.approx((before, after))


def test_weights_are_those_of_the_request(data):
    X, y, group = data
    corrector = first_order_corrector(delta=0.5, calibrate="labels")
    corrector.fit(X, y, sensitive_features=group)
    plain = first_order_corrector(delta=corrector.report_.request)
    plain.fit(X, y, sensitive_features=group)

    np.testing.assert_array_equal(plain.deletion_weights_, corrector.deletion_weights_)
    solved = f"solved for {corrector.report_.request:.4g}"
    assert (solved in str(corrector.report_)) == (corrector.report_.request != 0.5)
    assert "solved for" not in str(plain.report_)


def test_delta_zero_changes_nothing(data):
    X, y, group = data
    corrector = first_order_corrector(delta=0.0, calibrate="labels")
    corrector.fit(X, y, sensitive_features=group)

    assert not np.any(corrector.deletion_weights_)


def test_path_and_clone_keep_the_option(data):
    X, y, group = data
    corrector = clone(first_order_corrector(calibrate="labels"))
    path = corrector.path(X, y, deltas=[0.3, 0.6], sensitive_features=group)
    name = "demographic_parity_difference"
    shares = [
        c.report_[name, "fairlearn"].after / c.report_[name, "fairlearn"].before
        for c in path
    ]

    np.testing.assert_allclose(shares, [0.7, 0.4], atol=0.03)


def test_unknown_calibration_is_refused(data):
    X, y, group = data
    with pytest.raises(ValueError, match="calibrate='other' is not known"):
        first_order_corrector(calibrate="other").fit(X, y, sensitive_features=group)


class Counted:
    def __init__(self, function):
        self.function = function
        self.calls = []

    def __call__(self, request):
        self.calls.append(request)
        return self.function(request)


@given(
    delta=st.floats(0.01, 1.0),
    power=st.floats(0.3, 3.0),
    reach=st.floats(0.2, 2.5),
    n_steps=st.integers(2, 200),
    shift=st.floats(-0.3, 0.3),
)
@settings(deadline=None, max_examples=300)
def test_search_is_near_never_worse_and_takes_two_dozen_solves(
    delta, power, reach, n_steps, shift
):
    """A staircase that may fall short of parity, or pass it."""

    def remaining(request):
        smooth = 1 - reach * request**power + shift * np.sin(9 * request) * request
        return np.round(smooth * n_steps) / n_steps

    counted = Counted(remaining)
    request = search_request(counted, delta)
    left = remaining(request) if request else 1.0

    assert len(counted.calls) <= MAX_SOLVES + MAX_SCAN < 24
    assert abs(left) <= 1.0
    assert all(0 <= call <= 1 for call in counted.calls)
    # No further than doing nothing.
    assert abs(left - (1 - delta)) <= delta + 1e-12


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("delta", [0.1, 0.5, 0.95])
def test_search_finds_the_step_of_a_monotone_staircase(power, delta):
    def remaining(request):
        return np.round((1 - 1.2 * request**power) * 50) / 50

    left = remaining(search_request(remaining, delta))

    assert abs(left - (1 - delta)) <= 0.02


def test_a_metric_that_only_grows_leaves_the_model_alone():
    assert search_request(lambda request: 1 + request, 0.5) == 0.0


def test_adult_labels_fall_by_delta(data_home):
    data = one_hot_adult(data_home)
    corrector = first_order_corrector(
        precise_logistic(), delta=0.5, calibrate="labels"
    ).fit(data.X_train, data.y_train, sensitive_features=data.sex_train)
    before, after = (
        demographic_parity_difference(
            data.y_train,
            model.predict(data.X_train),
            sensitive_features=data.sex_train,
        )
        for model in (corrector.base_estimator_, corrector)
    )

    assert after == pytest.approx(0.5 * before, rel=2e-3)


WORST_LOSS = "log_loss_group_max"


def harmful(**parameters):
    """The loss of the worst group, asked for more than the first order can do."""
    X, y, group = make_biased_classification(n_samples=1200, random_state=1)
    corrector = first_order_corrector(
        precise_logistic(), metric=WORST_LOSS, delta=1.0, utility_tol=1.0, **parameters
    )
    return corrector.fit(X, y, sensitive_features=group)


def test_the_safeguard_asks_for_less_where_the_surrogate_would_get_worse():
    line = harmful(calibrate=None).report_[WORST_LOSS, "surrogate"]
    assert line.predicted < line.before < line.after

    with pytest.warns(OverCorrectionWarning, match="left log_loss_group_max worse"):
        report = harmful().report_
    line = report[WORST_LOSS, "surrogate"]
    assert line.after < line.before
    assert 0 < report.request < report.delta
    assert any("solved for" in note and "Lower delta" in note for note in report.notes)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
def test_the_safeguarded_weights_are_those_of_a_smaller_delta():
    corrector = harmful()
    smaller = clone(corrector).set_params(delta=corrector.report_.request)
    X, y, group = make_biased_classification(n_samples=1200, random_state=1)
    smaller.fit(X, y, sensitive_features=group)

    np.testing.assert_array_equal(
        smaller.deletion_weights_, corrector.deletion_weights_
    )


def test_says_that_no_request_suits_the_labels():
    """Of 80 rows, one label is more than what was asked."""
    X, y, group = make_biased_classification(n_samples=400, random_state=0)
    train, few = slice(200), slice(200, 280)
    corrector = first_order_corrector(delta=0.01, calibrate="labels").fit(
        X[train],
        y[train],
        sensitive_features=group[train],
        X_val=X[few],
        y_val=y[few],
        sensitive_features_val=group[few],
    )

    assert corrector.report_.request == 0
    assert any("No request brings" in note for note in corrector.report_.notes)
    corrector.set_params(delta=0).fit(X, y, sensitive_features=group)
    assert not any("No request brings" in note for note in corrector.report_.notes)


def test_the_safeguard_leaves_what_does_no_harm(data):
    X, y, group = data
    kept, plain = (
        first_order_corrector(calibrate=calibrate, delta=0.7).fit(
            X, y, sensitive_features=group
        )
        for calibrate in ("safeguard", None)
    )

    np.testing.assert_array_equal(kept.deletion_weights_, plain.deletion_weights_)
    assert kept.report_.request == plain.report_.request == 0.7


def test_the_shorter_request_minimises_the_parabola():
    request, left = 0.8, 1.7
    bend = (left - 1 + request) / request**2
    found = shorter_request(request, left)

    assert found < request / 2
    assert found == pytest.approx(1 / (2 * bend))
