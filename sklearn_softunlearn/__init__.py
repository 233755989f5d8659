# SPDX-License-Identifier: BSD-3-Clause
"""Soft-weighted machine unlearning for scikit-learn estimators."""

from sklearn_softunlearn.auditing import Audit, audit
from sklearn_softunlearn.confidence import bootstrap_intervals, learn_then_test
from sklearn_softunlearn.corrector import (
    CorrectionReport,
    ReportLine,
    SoftUnlearnCorrector,
    ValidationData,
)
from sklearn_softunlearn.criteria import (
    AdversarialLoss,
    Criterion,
    EvaluationRows,
    GroupLoss,
    GroupMetric,
    MeanLoss,
    NeighborInconsistency,
)
from sklearn_softunlearn.display import (
    DeletionWeightsDisplay,
    InfluenceDisplay,
    TradeoffDisplay,
)
from sklearn_softunlearn.influence import (
    Cholesky,
    ConjugateGradient,
    Diagonal,
    PrecomputedInfluence,
)
from sklearn_softunlearn.inspection import (
    InfluenceTransformer,
    influence,
    leave_one_out,
    over_unlearning,
)
from sklearn_softunlearn.reweighting import SurrogateWeights
from sklearn_softunlearn.scoring import fairness_scorer, robustness_scorer
from sklearn_softunlearn.tuning import Requirement, SoftUnlearnCorrectorCV
from sklearn_softunlearn.updates import (
    HAMU,
    SCRUB,
    BadTeacher,
    FineTune,
    FisherForgetting,
    GradientAscent,
    InfluenceUpdate,
    NegativeGradient,
    NewtonUpdate,
    NTKForgetting,
    Retrain,
)
from sklearn_softunlearn.weights import (
    ExactDeletion,
    HardDeletion,
    SoftWeighter,
    SparseDeletion,
    WeightPath,
    WeightProblem,
    WeightSolution,
    solve_weight_qp,
    solve_weights,
)

__all__ = [
    "HAMU",
    "SCRUB",
    "AdversarialLoss",
    "Audit",
    "BadTeacher",
    "Cholesky",
    "ConjugateGradient",
    "CorrectionReport",
    "Criterion",
    "DeletionWeightsDisplay",
    "Diagonal",
    "EvaluationRows",
    "ExactDeletion",
    "FineTune",
    "FisherForgetting",
    "GradientAscent",
    "GroupLoss",
    "GroupMetric",
    "HardDeletion",
    "InfluenceDisplay",
    "InfluenceTransformer",
    "InfluenceUpdate",
    "MeanLoss",
    "NTKForgetting",
    "NegativeGradient",
    "NeighborInconsistency",
    "NewtonUpdate",
    "PrecomputedInfluence",
    "ReportLine",
    "Requirement",
    "Retrain",
    "SoftUnlearnCorrector",
    "SoftUnlearnCorrectorCV",
    "SoftWeighter",
    "SparseDeletion",
    "SurrogateWeights",
    "TradeoffDisplay",
    "ValidationData",
    "WeightPath",
    "WeightProblem",
    "WeightSolution",
    "audit",
    "bootstrap_intervals",
    "fairness_scorer",
    "influence",
    "learn_then_test",
    "leave_one_out",
    "over_unlearning",
    "robustness_scorer",
    "solve_weight_qp",
    "solve_weights",
]
__version__ = "0.1.0rc1"
