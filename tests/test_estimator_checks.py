# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's own checks of every estimator.

They call `fit(X, y)`, so they run on a corrector whose metric needs no groups, and on
one that derives the groups from X.
"""

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_softunlearn import SoftUnlearnCorrector

pytestmark = [
    # The data of the checks are small or random: a request is out of reach on some,
    # there is nothing to correct on others, and identical columns make H singular.
    pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.{}".format(name))
    for name in (
        "InfeasibleDeltaWarning",
        "NothingToCorrectWarning",
        "CurvatureWarning",
        "BaseNotConvergedWarning",
    )
]


class GroupsFromX(SoftUnlearnCorrector):
    """Groups are the halves of the rows below and above the median of a column."""

    def fit(self, X, y, *, sensitive_features=None, sample_weight=None, **fit_params):
        if sensitive_features is None:
            sensitive_features = _halves(X)
        return super().fit(
            X,
            y,
            sensitive_features=sensitive_features,
            sample_weight=sample_weight,
            **fit_params,
        )


def _halves(X):
    """None for what is no table of numbers, which the corrector itself must refuse."""
    try:
        table = X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float)
    except (TypeError, ValueError):
        return None
    if table.ndim != 2 or table.size == 0:
        return None
    return (table[:, 0] > np.median(table[:, 0])).astype(int)
