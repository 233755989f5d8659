# SPDX-License-Identifier: BSD-3-Clause
"""How a fitted estimator exposes parameters, predictions and their derivatives.

Rule of the room: a model is read from a fitted estimator and from the rows that it was
trained on. It knows the objective J that the estimator minimised, in one form for all
(see `TrainedModel`), and nothing of metrics, weights or updates. Rooms below ask it for
products with its Jacobian and never look at the estimator.

A new member is a subclass of `TrainedModel` and a line in ``_registry._MODELS``. For an
estimator with ``coef_`` and ``intercept_`` it states loss, response and penalty. Here
the scikit-learn user's own ``MyLogistic(strength=...)``, which minimises the sum of log
losses plus ``strength * |w|^2 / 2``::

    class MyLogisticModel(FittedLinearModel):
        def __init__(self, estimator, X, y, sample_weight):
            super().__init__(
                estimator, X, y, sample_weight,
                loss=BinaryLogLoss(), response=LogisticResponse(),
            )

        def l2_strength(self):
            return self.per_parameter(self.estimator.strength, 0.0)

    _MODELS = {..., MyLogistic: MyLogisticModel}

A case in ``tests/models/cases.py`` then holds it to what every model promises: the
gradient of J vanishes at the fitted parameters, products agree with differences, the
influence is the derivative of refits. What the estimator says of itself (``predict``,
and what `TrainedModel.answers` and `TrainedModel.losses` add) is compared once with
the model whenever it is used, so that a subclass with another meaning is refused.
"""

from sklearn_softunlearn.models._base import TrainedModel
from sklearn_softunlearn.models._composite import (
    checked_array,
    copying_clone,
    embed,
    fit_parameter_name,
    indexable_rows,
    keeps_target_column,
    predictor,
    transformed,
    unfreeze,
    with_predictor,
)
from sklearn_softunlearn.models._last_step import (
    check_keeps_rows,
    cross_fitted_steps,
    recorded_fit,
    same_rows,
    unlike_steps,
)
from sklearn_softunlearn.models._linear import LinearModel
from sklearn_softunlearn.models._logistic import LogisticModel
from sklearn_softunlearn.models._registry import model_class
from sklearn_softunlearn.models._row_blocks import RowBlocks as RowBlocks
from sklearn_softunlearn.models._row_blocks import first_rows as first_rows
from sklearn_softunlearn.models._row_blocks import in_each_block as in_each_block
from sklearn_softunlearn.models._row_blocks import in_memory as in_memory
from sklearn_softunlearn.models._row_blocks import near_rows as near_rows
from sklearn_softunlearn.models._row_blocks import of_each_block as of_each_block

__all__ = [
    "LinearModel",
    "LogisticModel",
    "TrainedModel",
    "check_keeps_rows",
    "checked_array",
    "copying_clone",
    "cross_fitted_steps",
    "embed",
    "fit_parameter_name",
    "indexable_rows",
    "keeps_target_column",
    "model_class",
    "predictor",
    "recorded_fit",
    "same_rows",
    "transformed",
    "unfreeze",
    "unlike_steps",
    "with_predictor",
]
