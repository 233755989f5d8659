# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's own checks of every estimator.

They call ``fit(X, y)``, so they run on a corrector whose metric needs no groups, and
on one that derives the groups from X.
"""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_softunlearn import AdversarialLoss, SoftUnlearnCorrector
from sklearn_softunlearn._sklearn_compat import balanced_counts_sample_weight

# The data of the checks are few and random: a request is out of reach on some, there
# is nothing to correct on others, and a column of zeros makes the Hessian singular.
EXPECTED_WARNINGS = (
    "InfeasibleDeltaWarning",
    "NothingToCorrectWarning",
    "UpdateStoppedWarning",
    "SmallGroupWarning",
    "CurvatureWarning",
    "CorrectionWarning",
    "BaseNotConvergedWarning",
)
pytestmark = [
    pytest.mark.filterwarnings(f"ignore::sklearn_softunlearn.exceptions.{name}")
    for name in EXPECTED_WARNINGS
]


class GroupsFromX(SoftUnlearnCorrector):
    """Groups are the rows below and above the middle of the range of a column."""

    def fit(self, X, y, *, sensitive_features=None, sample_weight=None, **fit_params):
        if sensitive_features is None:
            sensitive_features = _two_groups(X, sample_weight)
        return super().fit(
            X,
            y,
            sensitive_features=sensitive_features,
            sample_weight=sample_weight,
            **fit_params,
        )


def _two_groups(X, sample_weight):
    """None for what is no table of numbers: the corrector itself must refuse it."""
    table = X.toarray() if sparse.issparse(X) else np.asarray(X)
    if table.ndim != 2 or table.size == 0 or table.dtype.kind == "c":
        return None
    try:
        column = table[:, 0].astype(float)
    except (TypeError, ValueError):
        return None
    # Unlike the median, the middle of the rows that have weight is the same whether
    # rows are weighted or repeated.
    weight = np.asarray(sample_weight)
    kept = column[weight > 0] if weight.shape == column.shape else column
    middle = (kept.min() + kept.max()) / 2 if kept.size else 0.0
    return (column > middle).astype(int)


BALANCED = SoftUnlearnCorrector(
    LogisticRegression(solver="newton-cholesky", class_weight="balanced"),
    metric="loss",
    delta=0.1,
)
CHECKS = parametrize_with_checks(
    [
        SoftUnlearnCorrector(metric="loss", delta=0.1),
        SoftUnlearnCorrector(
            metric=AdversarialLoss(epsilon=0.1), weighting="soft", utility_tol=0.05
        ),
        # With some loss of utility allowed, most requests are within reach.
        GroupsFromX(delta=0.1, weighting="soft", utility_tol=0.5),
        GroupsFromX(
            # Transformers that learn from data learn from rows of weight 0 as well.
            make_pipeline("passthrough", LogisticRegression()),
            delta=0.1,
            utility_tol=0.5,
            update="newton",
        ),
        SoftUnlearnCorrector(Ridge(), metric="loss", delta=0.1),
        GroupsFromX(
            Ridge(),
            metric="mean_squared_error_difference",
            delta=0.1,
            utility_tol=0.5,
        ),
        SoftUnlearnCorrector(RidgeClassifier(), metric="loss", delta=0.1),
        # Class weights that count rows have no sample weights to be equal to.
        *[BALANCED] * balanced_counts_sample_weight(),
    ]
)
NAMES, PAIRS = CHECKS.args


def _is_of(estimator, check):
    """sklearn < 1.7 weights sparse rows of estimators whose tags refuse sparse X."""
    name = getattr(check, "func", check).__name__
    return not name.endswith("on_sparse_data") or get_tags(estimator).input_tags.sparse


# Not CHECKS itself: sklearn < 1.7 hands pytest a generator, which pytest 9 deprecates.
@pytest.mark.parametrize(
    NAMES, [pair for pair in PAIRS if _is_of(*pair)], **CHECKS.kwargs
)
def test_sklearn_checks(estimator, check):
    check(estimator)
