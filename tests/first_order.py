# SPDX-License-Identifier: BSD-3-Clause
"""The method of the paper, to first order and with the utility protected.

For tests of what it promises: the sums of influences, the safeguard, the bounds.
"""

from sklearn_softunlearn import SoftUnlearnCorrector

FIRST_ORDER = {"weighting": "soft", "update": "influence", "utility_tol": 0.0}


def first_order_corrector(estimator=None, **options):
    """A `SoftUnlearnCorrector` with first-order defaults."""
    return SoftUnlearnCorrector(estimator, **(FIRST_ORDER | options))
