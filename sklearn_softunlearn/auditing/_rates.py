# SPDX-License-Identifier: BSD-3-Clause
"""Quantities of all rows and of each group: means over rows of one kind."""

import math
from dataclasses import dataclass

import numpy as np

from sklearn_softunlearn.auditing._measurement import Measurement


@dataclass(frozen=True)
class Quantity:
    """A mean of one value for each row, before and after.

    Attributes
    ----------
    name : str
    values : tuple of (ndarray, ndarray), each of shape (n_samples,)
    better : {"smaller", "greater", None}
    counted : ndarray of shape (n_samples,), bool, or None
        The rows that it runs over; None for all.
    of_class : str or None
    """

    name: str
    values: tuple
    better: str | None = None
    counted: np.ndarray | None = None
    of_class: str | None = None

    def within(self, mask):
        """Rows of a part that are counted."""
        return mask if self.counted is None else mask & self.counted


def quantities(judged):
    """Quantities that the target and the models' answers allow, a list."""
    if judged.task == "regression":
        return _of_numbers(judged)
    found = [_accuracy(judged)]
    if judged.task == "binary":
        found = [*_rates(judged, 1, None), *found]
    if "probabilities" in judged.answers:
        found += _of_probabilities(judged)
    if judged.task == "multiclass":
        for code, label in enumerate(judged.rows.classes):
            found += _rates(judged, code, str(label))
    return found


def overall(judged):
    """Measurements of all rows."""
    every = np.ones(judged.n, bool)
    return [_measured(each, judged, None, every) for each in quantities(judged)]


def by_group(judged):
    """Measurements of each group, those of one quantity together."""
    if not judged.has_groups:
        return []
    return [
        _measured(quantity, judged, group, mask)
        for quantity in quantities(judged)
        for group, mask in judged.members()
    ]


def _measured(quantity, judged, group, mask):
    rows = quantity.within(mask)
    weight = judged.rows.sample_weight[rows]
    values = [
        float(np.average(v[rows], weights=weight)) if len(weight) else math.nan
        for v in quantity.values
    ]
    return Measurement(
        quantity.name,
        *values,
        quantity.better,
        group=group,
        of_class=quantity.of_class,
        n=int(rows.sum()),
    )


def _rates(judged, code, label):
    """Selection rate, true and false positive rate of a class."""
    own = judged.rows.y == code
    chosen = tuple(labels[:, code] for labels in judged.answers["labels"])
    return [
        Quantity("selection_rate", chosen, None, None, label),
        Quantity("true_positive_rate", chosen, "greater", own, label),
        Quantity("false_positive_rate", chosen, "smaller", ~own, label),
    ]


def _accuracy(judged):
    right = tuple(_of_true_class(judged, "labels"))
    return Quantity("accuracy_score", right, "greater")


def _of_probabilities(judged):
    # Clipped as in scikit-learn's log_loss, of which one row could be infinite.
    tiny = np.finfo(float).eps
    right = _of_true_class(judged, "probabilities")
    loss = tuple(-np.log(np.maximum(p, tiny)) for p in right)
    found = [Quantity("log_loss", loss, "smaller")]
    if judged.task == "binary":
        scores = tuple(p[:, 1] for p in judged.answers["probabilities"])
        found.append(Quantity("mean_score", scores))
    return found


def _of_true_class(judged, kind):
    rows = np.arange(judged.n)
    return [answers[rows, judged.rows.y] for answers in judged.answers[kind]]


def _of_numbers(judged):
    predictions = [answers[:, 0] for answers in judged.answers["numbers"]]
    errors = [prediction - judged.rows.y for prediction in predictions]
    return [
        Quantity("mean_prediction", tuple(predictions)),
        Quantity("mean_error", tuple(errors)),
        Quantity("mean_absolute_error", tuple(map(np.abs, errors)), "smaller"),
        Quantity("mean_squared_error", tuple(map(np.square, errors)), "smaller"),
    ]
