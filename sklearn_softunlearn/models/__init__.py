# SPDX-License-Identifier: BSD-3-Clause
"""How a fitted estimator exposes parameters, predictions and their derivatives."""

from sklearn_softunlearn.models._base import TrainedModel
from sklearn_softunlearn.models._composite import (
    embed,
    fit_parameter_name,
    keeps_target_column,
    predictor,
    transformed,
    unfreeze,
    with_predictor,
)
from sklearn_softunlearn.models._linear import LinearModel
from sklearn_softunlearn.models._logistic import LogisticModel
from sklearn_softunlearn.models._registry import model_class

__all__ = [
    "LinearModel",
    "LogisticModel",
    "TrainedModel",
    "embed",
    "fit_parameter_name",
    "keeps_target_column",
    "model_class",
    "predictor",
    "transformed",
    "unfreeze",
    "with_predictor",
]
