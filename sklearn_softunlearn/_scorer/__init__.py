# SPDX-License-Identifier: BSD-3-Clause
from sklearn_softunlearn._scorer._fairness_scorer import fairness_scorer

__all__ = ["fairness_scorer"]
