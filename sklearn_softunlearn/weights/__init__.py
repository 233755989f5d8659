# SPDX-License-Identifier: BSD-3-Clause
"""The weight problem: the smallest deletion weights that reach an improvement."""

from sklearn_softunlearn.weights._exact import ExactDeletion
from sklearn_softunlearn.weights._exact import ExactSolution as ExactSolution
from sklearn_softunlearn.weights._exact import Reach as Reach
from sklearn_softunlearn.weights._explaining import RowGradients as RowGradients
from sklearn_softunlearn.weights._explaining import (
    explaining_weights as explaining_weights,
)
from sklearn_softunlearn.weights._hard import HardDeletion
from sklearn_softunlearn.weights._paper import solve_weight_qp, solve_weights
from sklearn_softunlearn.weights._path import WeightPath
from sklearn_softunlearn.weights._problem import WeightProblem
from sklearn_softunlearn.weights._solution import WeightSolution
from sklearn_softunlearn.weights._sparse import SparseDeletion
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
