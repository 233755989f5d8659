# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from sklearn_softunlearn.pointwise import (
    BinaryLogLoss,
    ExponentialResponse,
    IdentityResponse,
    LogisticResponse,
    SoftmaxResponse,
    SwappedClasses,
    margin_response,
)

CLASSES = [
    (LogisticResponse(), 1),
    (LogisticResponse(2.0), 1),
    (SoftmaxResponse(), 3),
    (SoftmaxResponse(2.0), 4),
    (SwappedClasses(BinaryLogLoss(), LogisticResponse()), 1),
]
NUMBERS = [(IdentityResponse(), 1), (IdentityResponse(), 2), (ExponentialResponse(), 1)]


def name(pair):
    return f"{type(pair[0]).__name__}-{pair[1]}"


def raw_predictions(n_outputs):
    return np.random.default_rng(0).normal(scale=3, size=(20, n_outputs))


@pytest.fixture(params=CLASSES, ids=name)
def response_and_raw(request):
    response, n_outputs = request.param
    return response, raw_predictions(n_outputs)


@pytest.mark.parametrize(("response", "n_outputs"), CLASSES + NUMBERS)
def test_jacobian_is_derivative(response, n_outputs):
    raw = raw_predictions(n_outputs)
    for output, step in enumerate(1e-6 * np.eye(raw.shape[1])):
        up, down = response.smooth(raw + step), response.smooth(raw - step)

        np.testing.assert_allclose(
            response.smooth_jacobian(raw)[:, :, output],
            (up - down) / 2e-6,
            rtol=1e-6,
            atol=1e-9,
        )


def test_smooth_tends_to_hard(response_and_raw):
    response, raw = response_and_raw

    np.testing.assert_allclose(
        response.smooth(1e6 * raw), response.hard(raw), atol=1e-12
    )


def test_classes_sum_to_one(response_and_raw):
    response, raw = response_and_raw

    np.testing.assert_allclose(response.smooth(raw).sum(axis=1), 1.0, rtol=1e-15)
    assert np.all(response.hard(raw).sum(axis=1) == 1.0)


@pytest.mark.parametrize(("response", "n_outputs"), NUMBERS)
def test_numbers_are_predicted_smoothly(response, n_outputs):
    raw = raw_predictions(n_outputs)

    np.testing.assert_array_equal(response.smooth(raw), response.hard(raw))
    assert response.hard(raw).shape == (20, 1)


def test_margin_responses_of_two_and_of_more_classes_agree_in_slope():
    two, three = margin_response(2), margin_response(3)

    # (1 + f) / 2, the least-squares estimate of a probability, to first order.
    assert two.smooth_jacobian(np.zeros((1, 1)))[0, 1, 0] == pytest.approx(0.5)
    assert three.scale == two.scale


def test_swapped_classes_are_the_other_class():
    loss, response = BinaryLogLoss(), LogisticResponse()
    view = SwappedClasses(loss, response)
    raw, y = raw_predictions(1), np.arange(20) % 2

    np.testing.assert_array_equal(view.smooth(raw)[:, 1], response.smooth(raw)[:, 0])
    np.testing.assert_array_equal(view.value(1 - y, raw), loss.value(y, raw))
    np.testing.assert_array_equal(view.gradient(1 - y, raw), loss.gradient(y, raw))
    np.testing.assert_array_equal(view.hessian(1 - y, raw), loss.hessian(y, raw))
