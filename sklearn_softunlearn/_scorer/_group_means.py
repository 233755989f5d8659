# SPDX-License-Identifier: BSD-3-Clause
"""fairlearn's metrics of labels from group means, equal up to rounding.

`fairlearn.metrics.MetricFrame` calls a function of scikit-learn for each group: tens
of milliseconds where counting takes less than one. In a search that scores every
candidate in every fold, that is most of the time.
"""

import numpy as np

from sklearn_softunlearn.criteria import EvaluationRows, GroupMetric


class _LabelResponse:
    """Predicted labels, 0 and 1, in the place of raw predictions."""

    def hard(self, raw_prediction):
        return np.hstack([1.0 - raw_prediction, raw_prediction])


def counted_metric(metric, metric_params):
    """The criterion that counts the same as a metric of fairlearn; None if none does.

    Parameters
    ----------
    metric : callable
    metric_params : dict
    """
    module = str(getattr(metric, "__module__", ""))
    generated = type(metric).__module__  # of derived metrics, which are objects
    if not (module.startswith("fairlearn.") or generated.startswith("fairlearn.")):
        return None
    if not set(metric_params) <= {"method", "agg"}:
        return None
    try:
        return GroupMetric(metric, **metric_params)
    except (TypeError, ValueError):
        return None


def counted_rows(y_true, features, sample_weight):
    """Rows with labels 0 and 1 and their groups, for `count`."""
    columns = list(features.columns)
    codes = features.groupby(columns, sort=True, observed=True).ngroup().to_numpy()
    weight = np.ones(len(y_true)) if sample_weight is None else sample_weight
    return EvaluationRows(
        np.asarray(y_true, dtype=int),
        np.asarray(weight, dtype=float),
        None,
        _LabelResponse(),
        codes,
        tuple(map(str, range(codes.max() + 1))),
        classes=(0, 1),
    )


def count(criterion, y_pred, rows):
    """Value of the metric for predicted labels 0 and 1 of the rows."""
    raw = np.asarray(y_pred, dtype=float)[:, None]
    with np.errstate(all="ignore"):
        return criterion.user_value(criterion.hard_value(raw, rows), rows)
