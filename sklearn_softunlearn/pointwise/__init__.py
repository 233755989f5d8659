# SPDX-License-Identifier: BSD-3-Clause
"""Losses of raw predictions and what a metric counts of them, row by row.

A *loss* has ``value``, ``gradient`` and ``hessian`` of a target and the raw
predictions; a *response* makes probabilities and labels, or numbers, of raw
predictions. All are functions of one row's numbers: nothing here knows a model, a
metric or scikit-learn.

Rule of the room: write the formula at the top of the class, in raw predictions, and
its two derivatives by hand. A new member is a class with the methods of its kind::

    class AbsoluteLoss:
        def value(self, y, raw_prediction): ...     # (n_samples,)
        def gradient(self, y, raw_prediction): ...  # (n_samples, n_outputs)
        def hessian(self, y, raw_prediction): ...   # (n_samples, n_outputs, n_outputs)

and one line in the list of cases of ``tests/test_losses.py``, which compares the
derivatives with finite differences.
"""

from sklearn_softunlearn.pointwise._losses import (
    BinaryLogLoss,
    HalfBrierLoss,
    OneVsRestLoss,
    SoftmaxLogLoss,
)
from sklearn_softunlearn.pointwise._margins import (
    LogisticMargin,
    ModifiedHuber,
    SquaredHinge,
    SquaredMargin,
)
from sklearn_softunlearn.pointwise._pairs import SwappedClasses, log_loss_of
from sklearn_softunlearn.pointwise._regression import (
    ConcomitantHuber,
    HalfSquaredError,
    HalfTweedieDeviance,
    HuberRegressionLoss,
)
from sklearn_softunlearn.pointwise._responses import (
    AsGivenResponse,
    ExponentialResponse,
    IdentityResponse,
    LogisticResponse,
    ProbabilityResponse,
    SoftmaxResponse,
    margin_response,
)

__all__ = [
    "AsGivenResponse",
    "BinaryLogLoss",
    "ConcomitantHuber",
    "ExponentialResponse",
    "HalfBrierLoss",
    "HalfSquaredError",
    "HalfTweedieDeviance",
    "HuberRegressionLoss",
    "IdentityResponse",
    "LogisticMargin",
    "LogisticResponse",
    "ModifiedHuber",
    "OneVsRestLoss",
    "ProbabilityResponse",
    "SoftmaxLogLoss",
    "SoftmaxResponse",
    "SquaredHinge",
    "SquaredMargin",
    "SwappedClasses",
    "log_loss_of",
    "margin_response",
]
