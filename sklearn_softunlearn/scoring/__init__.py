# SPDX-License-Identifier: BSD-3-Clause
"""Metrics as scorers: functions of a model and rows, greater for better models.

``_answers`` reads what a model says of each row, ``_models`` makes a number of it,
``_metrics`` knows which number a name means, and the scorers hand both the rows.

Rule of the room: a metric that `GroupMetric` knows is counted as the report counts it,
so that a search and a report agree; only functions of the user are called. A name of a
metric belongs to `GroupMetric`, never to this room. What no scorer can be made of is
refused with what to give instead; a new criterion with a scorer of its own, here the
share of rows that neighbours agree on, is a branch of `metric_scorer`::

    if isinstance(criterion, NeighborAgreement):
        return make_scorer(agreement, response_method="predict")
"""

from sklearn_softunlearn.scoring._answers import Answers
from sklearn_softunlearn.scoring._counted import counted_of_all, counted_score
from sklearn_softunlearn.scoring._fairness_scorer import fairness_scorer
from sklearn_softunlearn.scoring._metric_scorer import loss_name, metric_scorer
from sklearn_softunlearn.scoring._metrics import prefers_greater
from sklearn_softunlearn.scoring._robustness_scorer import robustness_scorer
from sklearn_softunlearn.scoring._with_groups import with_groups

__all__ = [
    "Answers",
    "counted_of_all",
    "counted_score",
    "fairness_scorer",
    "loss_name",
    "metric_scorer",
    "prefers_greater",
    "robustness_scorer",
    "with_groups",
]
