# SPDX-License-Identifier: BSD-3-Clause
"""Functionals of raw predictions: what to improve and what to protect."""

from sklearn_softunlearn.criteria._adversarial import AdversarialLoss
from sklearn_softunlearn.criteria._base import Criterion, EvaluationRows
from sklearn_softunlearn.criteria._checks import check_shapes
from sklearn_softunlearn.criteria._group_metric import GroupMetric
from sklearn_softunlearn.criteria._group_values import GroupValues
from sklearn_softunlearn.criteria._limits import Limits
from sklearn_softunlearn.criteria._loss import GroupLoss, MeanLoss
from sklearn_softunlearn.criteria._neighbors import NeighborInconsistency
from sklearn_softunlearn.criteria._registry import criterion_name, resolve_criterion
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
    "resolve_criterion",
]
