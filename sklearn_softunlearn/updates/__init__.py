# SPDX-License-Identifier: BSD-3-Clause
"""Ways to move the parameters, given deletion weights.

Each update is an object with ``update(problem)``, where the problem is an
`UpdateProblem`, that returns an `UpdateResult` and modifies nothing.
"""

from sklearn_softunlearn.updates._distillation import SCRUB, BadTeacher
from sklearn_softunlearn.updates._fisher import FisherForgetting, NTKForgetting
from sklearn_softunlearn.updates._gradient import (
    FineTune,
    GradientAscent,
    NegativeGradient,
)
from sklearn_softunlearn.updates._hamu import HAMU, constrained_step, hardness
from sklearn_softunlearn.updates._influence import InfluenceUpdate
from sklearn_softunlearn.updates._newton import NewtonUpdate, minimize_reweighted
from sklearn_softunlearn.updates._problem import UpdateProblem, UpdateResult
from sklearn_softunlearn.updates._registry import resolve_update
from sklearn_softunlearn.updates._retrain import Retrain

__all__ = [
    "HAMU",
    "SCRUB",
    "BadTeacher",
    "FineTune",
    "FisherForgetting",
    "GradientAscent",
    "InfluenceUpdate",
    "NTKForgetting",
    "NegativeGradient",
    "NewtonUpdate",
    "Retrain",
    "UpdateProblem",
    "UpdateResult",
    "constrained_step",
    "hardness",
    "minimize_reweighted",
    "resolve_update",
]
