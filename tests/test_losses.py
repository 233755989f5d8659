# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss, mean_tweedie_deviance

from sklearn_softunlearn.pointwise import (
    BinaryLogLoss,
    ConcomitantHuber,
    HalfBrierLoss,
    HalfSquaredError,
    HalfTweedieDeviance,
    HuberRegressionLoss,
    LogisticMargin,
    ModifiedHuber,
    OneVsRestLoss,
    SoftmaxLogLoss,
    SquaredHinge,
    SquaredMargin,
)

MARGINS = [LogisticMargin(), SquaredHinge(), ModifiedHuber(), SquaredMargin()]
# Loss, number of raw predictions, number of classes (0 for a number as target).
LOSSES = [
    (BinaryLogLoss(), 1, 2),
    (SoftmaxLogLoss(), 4, 4),
    (HalfBrierLoss(), 3, 3),
    *((OneVsRestLoss(margin), 1, 2) for margin in MARGINS),
    *((OneVsRestLoss(margin), 3, 3) for margin in MARGINS),
    (OneVsRestLoss(SquaredHinge(), np.array([0.5, 2.0, 3.0])), 3, 3),
    (HalfSquaredError(), 1, 0),
    (HuberRegressionLoss(0.7), 1, 0),
    *((HalfTweedieDeviance(power, True), 1, 0) for power in (0, 1, 1.5, 2, 3)),
    *((HalfTweedieDeviance(power, False), 1, 0) for power in (-1, 0, 1, 1.5, 2, 3)),
    (ConcomitantHuber(1.35), 2, 0),
]


def name(case):
    margin = getattr(case[0], "margin_loss", None)
    power = getattr(case[0], "power", "")
    return f"{type(case[0]).__name__}-{type(margin).__name__}-{power}-{case[1]}"


@pytest.fixture(params=LOSSES, ids=name)
def loss_y_raw(request):
    loss, n_outputs, n_classes = request.param
    rng = np.random.default_rng(0)
    if n_classes:
        return (
            loss,
            rng.integers(0, n_classes, 40),
            rng.normal(size=(40, n_outputs)) * 3,
        )
    # Positive, as means and scales must be.
    return loss, rng.gamma(2.0, size=40), rng.gamma(2.0, size=(40, n_outputs)) + 0.1


def steps(raw):
    return 1e-6 * np.eye(raw.shape[1])


def test_gradient_is_derivative_of_value(loss_y_raw):
    loss, y, raw = loss_y_raw
    for output, step in enumerate(steps(raw)):
        difference = (loss.value(y, raw + step) - loss.value(y, raw - step)) / 2e-6

        np.testing.assert_allclose(
            loss.gradient(y, raw)[:, output], difference, rtol=1e-6, atol=1e-7
        )


def test_hessian_is_derivative_of_gradient(loss_y_raw):
    loss, y, raw = loss_y_raw
    for output, step in enumerate(steps(raw)):
        up, down = loss.gradient(y, raw + step), loss.gradient(y, raw - step)

        np.testing.assert_allclose(
            loss.hessian(y, raw)[:, :, output],
            (up - down) / 2e-6,
            rtol=1e-5,
            atol=1e-7,
        )


def test_value_is_scikit_learns_log_loss():
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=3, size=(20, 3))
    y = rng.integers(0, 3, 20)
    binary = np.hstack([np.zeros((20, 1)), raw[:, :1]])

    assert SoftmaxLogLoss().value(y, raw).mean() == pytest.approx(
        log_loss(y, softmax(raw, axis=1), labels=[0, 1, 2]), rel=1e-12
    )
    assert BinaryLogLoss().value(y % 2, raw[:, :1]).mean() == pytest.approx(
        log_loss(y % 2, softmax(binary, axis=1)), rel=1e-12
    )


@pytest.mark.parametrize("power", [-1, 0, 1, 1.5, 2, 3])
@pytest.mark.parametrize("log_link", [True, False])
def test_value_is_half_of_scikit_learns_deviance(power, log_link):
    rng = np.random.default_rng(0)
    y, mean = rng.gamma(2.0, size=20), rng.gamma(2.0, size=20)
    raw = (np.log(mean) if log_link else mean)[:, None]

    assert HalfTweedieDeviance(power, log_link).value(y, raw).mean() == pytest.approx(
        mean_tweedie_deviance(y, mean, power=power) / 2, rel=1e-12
    )


def test_a_poisson_count_of_zero_has_a_finite_loss():
    loss = HalfTweedieDeviance(1, True)

    assert loss.value(np.zeros(1), np.zeros((1, 1))).tolist() == [1.0]


def test_own_class_weight_counts_in_the_own_output_only():
    y, raw = np.array([0, 2]), np.zeros((2, 3))
    loss = OneVsRestLoss(SquaredHinge(), np.array([5.0, 6.0, 7.0]))

    assert loss.value(y, raw).tolist() == [5.0 + 2.0, 7.0 + 2.0]


def test_extreme_predictions_stay_finite():
    y, raw = np.array([0, 1]), np.array([[1000.0], [-1000.0]])
    both = np.hstack([-raw, raw]) / 2
    for loss, f in ((BinaryLogLoss(), raw), (SoftmaxLogLoss(), both)):
        assert loss.value(y, f).tolist() == [1000.0, 1000.0]
        assert np.all(np.abs(loss.gradient(y, f)) == 1.0)
        assert np.all(np.isfinite(loss.hessian(y, f)))


def test_curvature_slope_is_derivative_of_the_diagonal_of_the_hessian(loss_y_raw):
    loss, y, raw = loss_y_raw
    linked = getattr(loss, "log_link", True)
    if not hasattr(loss, "curvature_slope") or not linked:
        pytest.skip("nothing is boosted with this loss")
    if type(loss) in (HuberRegressionLoss,):
        pytest.skip("its second derivative jumps")
    for output, step in enumerate(steps(raw)):
        up, down = loss.hessian(y, raw + step), loss.hessian(y, raw - step)
        difference = np.diagonal(up - down, axis1=1, axis2=2) / 2e-6

        np.testing.assert_allclose(
            loss.curvature_slope(y, raw)[:, :, output],
            difference,
            rtol=1e-5,
            atol=1e-7,
        )
