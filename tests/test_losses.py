# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from sklearn.metrics import log_loss

from sklearn_softunlearn._losses import BinaryLogLoss


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, 20), rng.normal(scale=3, size=(20, 1))


def test_value_is_scikit_learns_log_loss(rows):
    y, raw = rows
    expected = log_loss(y, 1 / (1 + np.exp(-raw[:, 0])))

    assert BinaryLogLoss().value(y, raw).mean() == pytest.approx(expected, rel=1e-12)


def test_gradient_is_derivative_of_value(rows):
    y, raw = rows
    loss = BinaryLogLoss()
    step = 1e-5
    difference = (loss.value(y, raw + step) - loss.value(y, raw - step)) / (2 * step)

    np.testing.assert_allclose(loss.gradient(y, raw)[:, 0], difference, rtol=1e-7)


def test_hessian_is_derivative_of_gradient(rows):
    y, raw = rows
    loss = BinaryLogLoss()
    step = 1e-5
    up, down = loss.gradient(y, raw + step), loss.gradient(y, raw - step)

    np.testing.assert_allclose(
        loss.hessian(y, raw)[:, :, 0], (up - down) / (2 * step), rtol=1e-6
    )


def test_extreme_predictions_stay_finite():
    loss = BinaryLogLoss()
    y, raw = np.array([0, 1]), np.array([[1000.0], [-1000.0]])

    assert loss.value(y, raw).tolist() == [1000.0, 1000.0]
    assert loss.gradient(y, raw).ravel().tolist() == [1.0, -1.0]
    assert np.all(loss.hessian(y, raw) >= 0)
