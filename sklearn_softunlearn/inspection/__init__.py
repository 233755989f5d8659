# SPDX-License-Identifier: BSD-3-Clause
"""What single training rows do to a fitted estimator."""

from sklearn_softunlearn.inspection._functions import influence, leave_one_out
from sklearn_softunlearn.inspection._over_unlearning import (
    OverUnlearning,
    over_unlearning,
)
from sklearn_softunlearn.inspection._results import (
    ESTIMATES,
    LeaveOneOut,
    RowInfluence,
    agreement,
)
from sklearn_softunlearn.inspection._transformer import InfluenceTransformer

__all__ = [
    "ESTIMATES",
    "InfluenceTransformer",
    "LeaveOneOut",
    "OverUnlearning",
    "RowInfluence",
    "agreement",
    "influence",
    "leave_one_out",
    "over_unlearning",
]
