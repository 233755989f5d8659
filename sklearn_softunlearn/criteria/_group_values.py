# SPDX-License-Identifier: BSD-3-Clause
"""A base metric of each group and of all rows, for who only wants to look."""

import numpy as np

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.criteria._base_metrics import BASE_METRICS, classes_of
from sklearn_softunlearn.criteria._comparison import reweighting_groups
from sklearn_softunlearn.criteria._populations import populations


class GroupValues:
    """What a metric such as "selection_rate" is of each group, and of all rows.

    It is measured as a `GroupMetric` measures it, and compares nothing: there is no
    direction in which it would be improved.

    Parameters
    ----------
    metric : str
        Name of a base metric.
    pos_label : object, default=None
        As in `GroupMetric`.

    Examples
    --------
    >>> from sklearn_softunlearn.criteria import GroupValues
    >>> GroupValues("selection_rate").takes
    'labels'
    """

    NAMES = tuple(BASE_METRICS)

    def __init__(self, metric, pos_label=None):
        if metric not in BASE_METRICS:
            raise ValueError(unknown_choice("metric", metric, self.NAMES))
        self.name, self._base, self._pos_label = metric, BASE_METRICS[metric], pos_label

    @property
    def takes(self):
        """What it counts: "labels", "probabilities", "scores" or "numbers"."""
        return self._base.takes

    def populations(self, rows):
        """The groups, and all rows as the last."""
        return populations(rows, overall=True)

    def n_counted(self, rows, multiplicity):
        """Number of rows that count in each value, of shape (n_values,)."""
        member = self.populations(rows).member
        counted = []
        for label in self._labels(rows):
            conditions = self._base.conditions(rows, label).values()
            masks = [np.ones(len(member)) if m is None else m for m in conditions]
            # Of a metric of several rates, all rows that one of them counts.
            mask = np.any(masks, axis=0)
            counted.append((multiplicity * mask) @ member)
        return np.concatenate(counted).astype(int)

    def names(self, rows):
        """Name of each value: that of the group, with the class if there are many."""
        labels, names = self._labels(rows), self.populations(rows).names
        if len(labels) == 1:
            return list(names)
        return [f"{name}: {rows.class_labels[k]}" for k in labels for name in names]

    def hard_value(self, raw_prediction, rows):
        """Each value on predicted labels, of shape (n_values,)."""
        return self.reweighted(raw_prediction, rows, rows.sample_weight[:, None])[:, 0]

    def reweighted(self, raw_prediction, rows, weight):
        """The values in several weightings, of shape (n_values, n_weightings)."""
        return self.reweighting(raw_prediction, rows)(weight)

    def reweighting(self, raw_prediction, rows):
        """Function from weightings to `reweighted`, for one set after the other."""
        groups = self.populations(rows)
        of_labels = [
            reweighting_groups(self._base, raw_prediction, rows, label, groups)
            for label in self._labels(rows)
        ]
        return lambda weight: np.concatenate([of(weight) for of in of_labels])

    def check_target(self, rows):
        """Raise ValueError if it is not a metric of targets of this kind."""
        self._base.check_target(rows)

    def _labels(self, rows):
        return classes_of(self._base, rows, self._pos_label)
