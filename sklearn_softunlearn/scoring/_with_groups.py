# SPDX-License-Identifier: BSD-3-Clause
"""Models whose predict wants more than X, as scorers want them."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, is_regressor


class _LabelsOnly(ClassifierMixin, BaseEstimator):
    """A fitted model whose predict wants more than X, as a plain classifier."""

    def __init__(self, estimator, predict_params, classes):
        self.estimator = estimator
        self.predict_params = predict_params
        self.classes = classes
        self.classes_ = classes  # fitted from the start: there is nothing to learn

    def predict(self, X):
        return self.estimator.predict(X, **self.predict_params)


def with_groups(model, y, sensitive_features, random_state):
    """Fitted model whose predict takes X alone.

    Mitigators of fairlearn predict at random, need the groups to do so, and some have
    no `classes_`; scorers of scikit-learn can deal with none of this.
    """
    if is_regressor(model):
        return model
    accepted = inspect.signature(model.predict).parameters
    offered = {"sensitive_features": sensitive_features, "random_state": random_state}
    params = {k: v for k, v in offered.items() if k in accepted and v is not None}
    if not params and hasattr(model, "classes_"):
        return model
    return _LabelsOnly(model, params, np.unique(y))
