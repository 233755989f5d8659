# SPDX-License-Identifier: BSD-3-Clause
"""Functionals of raw predictions: what to improve and what to protect."""

from sklearn_softunlearn.criteria._base import Criterion, EvaluationRows
from sklearn_softunlearn.criteria._group_gaps import GroupRateDifference
from sklearn_softunlearn.criteria._loss import MeanLoss
from sklearn_softunlearn.criteria._registry import criterion_name, resolve_criterion

__all__ = [
    "Criterion",
    "EvaluationRows",
    "GroupRateDifference",
    "MeanLoss",
    "criterion_name",
    "resolve_criterion",
]
