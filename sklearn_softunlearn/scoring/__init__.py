# SPDX-License-Identifier: BSD-3-Clause
from sklearn_softunlearn.scoring._answers import Answers
from sklearn_softunlearn.scoring._fairness_scorer import fairness_scorer
from sklearn_softunlearn.scoring._metric_scorer import loss_name, metric_scorer
from sklearn_softunlearn.scoring._metrics import prefers_greater
from sklearn_softunlearn.scoring._robustness_scorer import robustness_scorer
from sklearn_softunlearn.scoring._with_groups import with_groups

__all__ = [
    "Answers",
    "fairness_scorer",
    "loss_name",
    "metric_scorer",
    "prefers_greater",
    "robustness_scorer",
    "with_groups",
]
