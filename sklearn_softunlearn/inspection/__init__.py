# SPDX-License-Identifier: BSD-3-Clause
"""What single training rows do to a fitted estimator: questions, with plain answers.

Rule of the room: a function takes a fitted estimator and the rows that it was trained
on, and returns a frozen dataclass of arrays in the order of these rows, in the units of
the functional. It changes nothing that it was given, and says what deletion *would
do*: negative means that it lowers. A new member, here what the rows of each group do
together::

    def influence_of_groups(estimator, X, y, group, **options):
        rows = influence(estimator, X, y, sensitive_features=group, **options)
        return GroupInfluence(pd.Series(rows.metric).groupby(group).sum())

has its result in ``_results``, and a test that compares it with actual refits.
"""

from sklearn_softunlearn.inspection._functions import influence, leave_one_out
from sklearn_softunlearn.inspection._over_unlearning import (
    OverUnlearning,
    over_unlearning,
)
from sklearn_softunlearn.inspection._results import (
    LeaveOneOut,
    RowInfluence,
    agreement,
)
from sklearn_softunlearn.inspection._transformer import InfluenceTransformer

__all__ = [
    "InfluenceTransformer",
    "LeaveOneOut",
    "OverUnlearning",
    "RowInfluence",
    "agreement",
    "influence",
    "leave_one_out",
    "over_unlearning",
]
