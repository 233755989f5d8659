# SPDX-License-Identifier: BSD-3-Clause
"""Stage 2: the smallest deletion weights that reach an improvement.

Every problem of this room is the projection of a point onto a box cut by a few
half-spaces, `BoxCut`; one semismooth Newton on its dual solves them all, to a relative
violation of the optimality conditions of 1e-9. The rest of the room asks it different
questions: the smallest weights, those of a cost, the largest attainable request.

Rule of the room: influences come in as an array, weights go out as an array; no model
and no criterion is known here. A new weighting is an object whose ``choose`` returns a
`WeightSolution`; here one that deletes a row at random in as many as it takes::

    class RandomDeletion(BaseEstimator):
        def choose(self, problem, influence, delta):
            weights = np.zeros(len(influence))
            ...
            return WeightSolution(weights, nothing, nothing, np.nan, 0, "random")

It is passed as ``weighting=RandomDeletion()``; one with a short name gets it in
``corrector/inputs/_parameters.py``.
"""

from sklearn_softunlearn.weights._deletion import HardDeletion, SparseDeletion
from sklearn_softunlearn.weights._exact import ExactDeletion
from sklearn_softunlearn.weights._exact import ExactSolution as ExactSolution
from sklearn_softunlearn.weights._exact import Reach as Reach
from sklearn_softunlearn.weights._explaining import RowGradients as RowGradients
from sklearn_softunlearn.weights._explaining import (
    explaining_weights as explaining_weights,
)
from sklearn_softunlearn.weights._paper import solve_weight_qp, solve_weights
from sklearn_softunlearn.weights._problem import WeightProblem
from sklearn_softunlearn.weights._solution import WeightPath, WeightSolution
from sklearn_softunlearn.weights._weighter import SoftWeighter

__all__ = [
    "ExactDeletion",
    "HardDeletion",
    "SoftWeighter",
    "SparseDeletion",
    "WeightPath",
    "WeightProblem",
    "WeightSolution",
    "solve_weight_qp",
    "solve_weights",
]
