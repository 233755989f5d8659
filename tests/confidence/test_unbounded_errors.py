# SPDX-License-Identifier: BSD-3-Clause
"""No confidence is promised where no bound was found to hold."""

import numpy as np
import pytest

from sklearn_softunlearn import learn_then_test


@pytest.mark.parametrize("error", ["mean_squared_error", "root_mean_squared_error"])
@pytest.mark.parametrize("transform", ["difference", "group_max"])
def test_squared_errors_are_refused_by_name(error, transform):
    rng = np.random.default_rng(0)
    y, group = rng.exponential(size=200), np.repeat(["a", "b"], 100)
    with pytest.raises(ValueError, match="heavy tails"):
        learn_then_test(
            y,
            {"model": y + 1.0},
            sensitive_features=group,
            metric=f"{error}_{transform}",
            at_most=2.0,
            n_bootstrap=50,
        )
