# SPDX-License-Identifier: BSD-3-Clause
"""What a scorer counts of each row, where it is more than a function of models."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import get_scorer

from sklearn_softunlearn.criteria import EvaluationRows, GroupMetric
from sklearn_softunlearn.pointwise import AsGivenResponse
from sklearn_softunlearn.scoring._answers import Answers

# Metric of all rows as the only group, and the sign of the score.
_SCIKIT_LEARN = {
    "accuracy": ("accuracy_score_group_min", 1),
    "balanced_accuracy": ("balanced_accuracy_score_group_min", 1),
    "neg_log_loss": ("log_loss_group_max", -1),
    "r2": ("r2_score_group_min", 1),
    "neg_mean_squared_error": ("mean_squared_error_group_max", -1),
    "neg_root_mean_squared_error": ("root_mean_squared_error_group_max", -1),
    "neg_mean_absolute_error": ("mean_absolute_error_group_max", -1),
}


class CountedScore(NamedTuple):
    """A score as a metric of what models say of rows.

    Attributes
    ----------
    criterion : GroupMetric
    rows : EvaluationRows
    answers : callable
        From a model and X to what the criterion counts.
    sign : int
        -1 where the score is minus the metric.
    """

    criterion: Any
    rows: Any
    answers: Any
    sign: int

    @property
    def of_labels(self):
        """Whether it counts labels."""
        return bool(self.rows.n_classes) and self.criterion.takes == "labels"


def counted_score(scorer, estimator, X, y, **metadata):
    """What a scorer counts of models that know the classes of ``estimator``.

    Parameters
    ----------
    scorer : callable
    estimator : fitted estimator
    X, y : array-like
    **metadata : dict
        What the scorer takes of "sensitive_features" and "sample_weight".

    Returns
    -------
    CountedScore or None
        None for a function of which only values are known, and where groups are to be
        compared and there is one.
    """
    if getattr(scorer, "counts", False):
        sign = 1 if scorer.greater_is_better else -1
        criterion, rows, answers = scorer.counted_on(estimator, X, y, **metadata)
        several = len(rows.group_names) > 1
        return CountedScore(criterion, rows, answers, sign) if several else None
    for name, (metric, sign) in _SCIKIT_LEARN.items():
        if repr(scorer) == repr(get_scorer(name)):
            weight = metadata.get("sample_weight")
            return CountedScore(*counted_of_all(metric, estimator, X, y, weight), sign)
    return None


def counted_of_all(metric, estimator, X, y, sample_weight=None):
    """Criterion, rows and reader of answers of a metric, all rows being one group."""
    criterion = GroupMetric(metric)
    answers = Answers.of(
        estimator, X, y, metric=criterion, name=metric,
        response_method=None, pos_label=None,
    )  # fmt: skip
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    rows = EvaluationRows(
        answers.target(y), weight, None, AsGivenResponse(),
        np.zeros(len(y), dtype=int), ("all",), classes=answers.counted_classes,
    )  # fmt: skip
    return criterion, rows, answers
