# SPDX-License-Identifier: BSD-3-Clause
"""Functionals of raw predictions: what to improve and what to protect.

Rule of the room: a criterion knows raw predictions, labels, groups and weights of the
evaluation rows, and no model; it returns its functionals, smaller being better, and
their derivative by each raw prediction. Models, weights and updates follow from these.
A new member, here the mean squared raw prediction::

    class Spread(Criterion):
        def value(self, raw_prediction, rows):
            weight = rows.sample_weight / rows.sample_weight.sum()
            return np.atleast_1d(weight @ np.sum(raw_prediction**2, axis=1))

        def gradient(self, raw_prediction, rows):
            weight = rows.sample_weight / rows.sample_weight.sum()
            return (2 * weight[:, None] * raw_prediction)[:, :, None]

gets its short name in ``_registry._BY_NAME``, if it has one, and a line in
``tests/criteria/test_criteria.py``, which compares the derivative with finite
differences. A metric of fairlearn is no new class: its base metric is a function in
``_base_metrics``, and `GroupMetric` makes all differences, ratios and extremes of it.
"""

from sklearn_softunlearn.criteria._adversarial import AdversarialLoss
from sklearn_softunlearn.criteria._adversarial import (
    perturbs_features as perturbs_features,
)
from sklearn_softunlearn.criteria._base import Criterion, EvaluationRows
from sklearn_softunlearn.criteria._checks import check_shapes
from sklearn_softunlearn.criteria._group_metric import GroupMetric
from sklearn_softunlearn.criteria._group_values import GroupValues
from sklearn_softunlearn.criteria._limits import Limits
from sklearn_softunlearn.criteria._loss import GroupLoss, MeanLoss
from sklearn_softunlearn.criteria._names import metric_names
from sklearn_softunlearn.criteria._neighbors import NeighborInconsistency
from sklearn_softunlearn.criteria._registry import criterion_name, resolve_criterion
from sklearn_softunlearn.criteria._registry import usual_score as usual_score
from sklearn_softunlearn.criteria._several import CriterionList
from sklearn_softunlearn.pointwise import (
    IdentityResponse,
    LogisticResponse,
    SoftmaxResponse,
)

__all__ = [
    "AdversarialLoss",
    "Criterion",
    "CriterionList",
    "EvaluationRows",
    "GroupLoss",
    "GroupMetric",
    "GroupValues",
    "IdentityResponse",
    "Limits",
    "LogisticResponse",
    "MeanLoss",
    "NeighborInconsistency",
    "SoftmaxResponse",
    "check_shapes",
    "criterion_name",
    "metric_names",
    "resolve_criterion",
]
