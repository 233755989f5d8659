# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: quantities of each group, and metrics that compare groups."""

from dataclasses import dataclass
from typing import Any

from fairlearn import metrics as fairlearn_metrics

from sklearn_softunlearn.criteria import GroupMetric, GroupValues
from sklearn_softunlearn.scoring import prefers_greater

# Name here, base metric, and which way is better.
_OF_CLASSES = (
    ("selection_rate", "selection_rate", None),
    ("true_positive_rate", "true_positive_rate", "greater"),
    ("false_positive_rate", "false_positive_rate", "smaller"),
    ("accuracy_score", "accuracy_score", "greater"),
)
_OF_PROBABILITIES = (("log_loss", "log_loss", "smaller"),)
_OF_SCORES = (("mean_score", "mean_prediction", None),)
_OF_NUMBERS = (
    ("mean_prediction", "mean_prediction", None),
    ("mean_absolute_error", "mean_absolute_error", "smaller"),
    ("mean_squared_error", "mean_squared_error", "smaller"),
)
# What people look for first, in this order; the others follow as fairlearn has them.
_FIRST = ("demographic_parity", "equalized_odds", "equal_opportunity")
_TRANSFORMS = ("_difference", "_ratio", "_group_min", "_group_max")
# fairlearn has no gaps of these, and a regression has no rates.
_GAPS_OF_NUMBERS = (
    "mean_prediction_difference",
    "mean_absolute_error_difference",
    "mean_squared_error_difference",
)
# The same number under another name.
_DOUBLES = ("recall_score_group_min",)


@dataclass(frozen=True)
class Wanted:
    """A criterion, the answers that it counts, and what a reader is told.

    Attributes
    ----------
    name : str
    criterion : GroupMetric or GroupValues
    answers : {"labels", "probabilities", "scores", "numbers"}
    better : {"smaller", "greater", None}
    """

    name: str
    criterion: Any
    answers: str
    better: str | None

    @property
    def compares(self):
        """Whether it is one number for all groups, not one for each."""
        return isinstance(self.criterion, GroupMetric)


def wanted(judged, asked):
    """Everything that the target and the models' answers allow, a list of `Wanted`.

    Parameters
    ----------
    judged : JudgedRows
    asked : sequence of GroupMetric
        Metrics to be measured first.
    """
    found = _quantities(judged)
    if judged.has_groups:
        found += _metrics(judged, asked)
    return [each for each in found if each.answers in judged.answers]


def _quantities(judged):
    if judged.task == "regression":
        return [
            Wanted(name, GroupValues(base), "numbers", better)
            for name, base, better in _OF_NUMBERS
        ]
    found = [
        Wanted(name, GroupValues(base), "labels", better)
        for name, base, better in _OF_CLASSES
    ]
    of_scores = _OF_PROBABILITIES + (_OF_SCORES if judged.task == "binary" else ())
    return found + [
        Wanted(name, GroupValues(base), "probabilities", better)
        for name, base, better in of_scores
    ]


def _metrics(judged, asked):
    known = {metric.name: metric for metric in asked}
    for name in _names():
        known.setdefault(name, GroupMetric(name))
    numbers = judged.task == "regression"
    return [
        Wanted(
            name,
            metric,
            metric.takes,
            "greater" if prefers_greater(name) else "smaller",
        )
        for name, metric in known.items()
        if (metric.takes == "numbers") == numbers
    ]


def _names():
    known = [
        name
        for name in fairlearn_metrics.__all__
        if name.endswith(_TRANSFORMS) and name not in _DOUBLES
    ]
    first = [name for title in _FIRST for name in known if name.startswith(title)]
    return [*first, *(name for name in known if name not in first), *_GAPS_OF_NUMBERS]
