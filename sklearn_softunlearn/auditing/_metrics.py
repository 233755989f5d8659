# SPDX-License-Identifier: BSD-3-Clause
"""Metrics that compare groups: all of fairlearn's names, and those asked for."""

import math

import numpy as np
from fairlearn import metrics as fairlearn_metrics

from sklearn_softunlearn.auditing._measurement import Measurement
from sklearn_softunlearn.criteria import GroupMetric
from sklearn_softunlearn.scoring import prefers_greater

# What people look for first, in this order; the others follow as fairlearn has them.
_FIRST = ("demographic_parity", "equalized_odds", "equal_opportunity")
_TRANSFORMS = ("_difference", "_ratio", "_group_min", "_group_max")
# fairlearn has no gaps of these, and a regression has no rates.
_OF_NUMBERS = (
    "mean_prediction_difference",
    "mean_absolute_error_difference",
    "mean_squared_error_difference",
)
# The same number under another name.
_DOUBLES = ("recall_score_group_min",)


def group_metrics(judged, asked=()):
    """Measurements of all metrics that the target allows.

    Parameters
    ----------
    judged : JudgedRows
    asked : sequence of GroupMetric
        Metrics to be measured first.

    Returns
    -------
    list of Measurement
    """
    if not judged.has_groups:
        return []
    known = {metric.name: metric for metric in asked}
    for name in _names():
        known.setdefault(name, GroupMetric(name))
    numbers = judged.task == "regression"
    return [
        measure(metric, judged)
        for metric in known.values()
        if (metric.takes == "numbers") == numbers and metric.takes in judged.answers
    ]


def measure(metric, judged):
    """A group metric before and after, with the groups that it comes from."""
    name = metric.name
    better = "greater" if prefers_greater(name) else "smaller"
    if metric.without_rows(judged.rows):
        return Measurement(name, math.nan, math.nan, better, n=judged.n)
    bound = metric.bind(judged.rows)
    values, drivers = [], []
    for answers in judged.answers[metric.takes]:
        value, driver = _value(bound, answers, judged.rows)
        values.append(value)
        drivers.append(driver)
    return Measurement(name, *values, better, n=judged.n, drivers=tuple(drivers))


def _value(metric, answers, rows):
    """The metric and the name of the functional that it comes from."""
    with np.errstate(all="ignore"):
        try:
            functionals = metric.hard_value(answers, rows)
        except ValueError:  # r2_score of a target that is constant
            return math.nan, ""
        value = metric.user_value(functionals, rows)
    if not np.isfinite(functionals).any():
        return math.nan, ""
    return value, metric.names(rows)[int(np.nanargmax(functionals))]


def _names():
    known = [
        name
        for name in fairlearn_metrics.__all__
        if name.endswith(_TRANSFORMS) and name not in _DOUBLES
    ]
    first = [name for title in _FIRST for name in known if name.startswith(title)]
    return [*first, *(name for name in known if name not in first), *_OF_NUMBERS]
