# SPDX-License-Identifier: BSD-3-Clause
"""The quadratic programme of the search, where rounding leaves no Gram matrix."""

import numpy as np
import pytest

from sklearn_softunlearn.updates._least_loss import _nonnegative_maximum

ROUNDED = 1.0 + 1e-9  # of two limits that are one: below 0 by more than the jitter


@pytest.mark.parametrize(
    ("gap", "total"),
    # Of both limits together, max gap * mu - mu^2 / 2 is at mu = gap; less is 0.
    [([1.0, 1.0], 1.0), ([2.0, 1.0], 2.0), ([-1.0, -1.0], 0.0)],
)
def test_limits_that_are_one_share_its_multiplier(gap, total):
    matrix = np.array([[1.0, ROUNDED], [ROUNDED, 1.0]])
    mu = _nonnegative_maximum(matrix, np.array(gap), np.zeros(2))
    assert np.all(mu >= 0.0)
    np.testing.assert_allclose(mu.sum(), total, rtol=1e-6, atol=1e-9)


def test_limits_that_exclude_each_other_have_multipliers_without_bound():
    matrix = np.array([[1.0, -ROUNDED], [-ROUNDED, 1.0]])
    mu = _nonnegative_maximum(matrix, np.array([1.0, 0.5]), np.zeros(2))
    assert np.all(np.isfinite(mu)) and np.all(mu > 1e9)
