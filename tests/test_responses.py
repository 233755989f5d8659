# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest

from sklearn_softunlearn._responses import LogisticResponse

RESPONSES = [(LogisticResponse(), 1)]


@pytest.fixture(params=RESPONSES, ids=lambda pair: type(pair[0]).__name__)
def response_and_raw(request):
    response, n_outputs = request.param
    rng = np.random.default_rng(0)
    return response, rng.normal(scale=3, size=(20, n_outputs))


def test_jacobian_is_derivative(response_and_raw):
    response, raw = response_and_raw
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
