# SPDX-License-Identifier: BSD-3-Clause
"""Stage 3: ways to move the parameters, given deletion weights.

Rule of the room: an update is an object with ``update(problem)``, where the problem is
an `UpdateProblem`, that returns an `UpdateResult` and modifies nothing. A new member,
here half of the influence step::

    class HalfStep(BaseEstimator):
        def update(self, problem):
            return UpdateResult(problem.model.parameters + 0.5 * problem.shift)

gets its short name in ``_registry._BY_NAME``, a line in ``doc/api.rst`` and a place in
the cases of ``tests/updates/test_updates.py``.
"""

# The active set is for the rooms below, not for users: not in __all__.
from sklearn_softunlearn.updates._active_set import SHRINKAGE as SHRINKAGE
from sklearn_softunlearn.updates._active_set import is_optimal as is_optimal
from sklearn_softunlearn.updates._active_set import minimize_l1 as minimize_l1
from sklearn_softunlearn.updates._active_set import signs_of as signs_of
from sklearn_softunlearn.updates._distillation import SCRUB, BadTeacher
from sklearn_softunlearn.updates._fisher import FisherForgetting, NTKForgetting
from sklearn_softunlearn.updates._gradient import (
    FineTune,
    GradientAscent,
    NegativeGradient,
)
from sklearn_softunlearn.updates._hamu import HAMU, constrained_step, hardness
from sklearn_softunlearn.updates._influence import InfluenceUpdate
from sklearn_softunlearn.updates._least_loss import Inverse as Inverse
from sklearn_softunlearn.updates._least_loss import Point as Point
from sklearn_softunlearn.updates._least_loss import least_loss as least_loss
from sklearn_softunlearn.updates._newton import NewtonUpdate, minimize_reweighted
from sklearn_softunlearn.updates._problem import UpdateProblem, UpdateResult
from sklearn_softunlearn.updates._registry import check_update, resolve_update
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
    "check_update",
    "constrained_step",
    "hardness",
    "minimize_reweighted",
    "resolve_update",
]
