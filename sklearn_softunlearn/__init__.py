# SPDX-License-Identifier: BSD-3-Clause
"""Soft-weighted machine unlearning for scikit-learn estimators."""

from sklearn_softunlearn._corrector import SoftUnlearnCorrector
from sklearn_softunlearn._curvature import Cholesky, ConjugateGradient, Diagonal
from sklearn_softunlearn._scorer import fairness_scorer
from sklearn_softunlearn.criteria import GroupRateDifference, MeanLoss
from sklearn_softunlearn.display import TradeoffDisplay
from sklearn_softunlearn.updates import InfluenceUpdate, NewtonUpdate, Retrain
from sklearn_softunlearn.weights import WeightProblem, WeightSolution, solve_weights

__all__ = [
    "Cholesky",
    "ConjugateGradient",
    "Diagonal",
    "GroupRateDifference",
    "InfluenceUpdate",
    "MeanLoss",
    "NewtonUpdate",
    "Retrain",
    "SoftUnlearnCorrector",
    "TradeoffDisplay",
    "WeightProblem",
    "WeightSolution",
    "fairness_scorer",
    "solve_weights",
]
__version__ = "0.1.0.dev0"
