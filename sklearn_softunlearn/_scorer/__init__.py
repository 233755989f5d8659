# SPDX-License-Identifier: BSD-3-Clause
from sklearn_softunlearn._scorer._fairness_scorer import fairness_scorer
from sklearn_softunlearn._scorer._metric_scorer import metric_scorer
from sklearn_softunlearn._scorer._robustness_scorer import robustness_scorer

__all__ = ["fairness_scorer", "metric_scorer", "robustness_scorer"]
