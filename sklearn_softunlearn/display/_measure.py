# SPDX-License-Identifier: BSD-3-Clause
"""A metric or utility as a number of a fitted model on given rows."""

import inspect
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer, get_scorer_names

from sklearn_softunlearn._scorer import fairness_scorer


@dataclass(frozen=True)
class Measure:
    """A scorer without the sign that makes greater better."""

    name: str
    scorer: object
    sign: int = 1
    takes_groups: bool = False

    def __call__(self, model, X, y, sensitive_features):
        """Value for a fitted model on the rows of X."""
        groups = {"sensitive_features": sensitive_features} if self.takes_groups else {}
        return self.sign * self.scorer(model, X, y, **groups)


def as_measure(given, sensitive_feature_ids):
    """Measure of a group metric, of "loss", or of a scorer's name."""
    name = "neg_log_loss" if given == "loss" else given
    if isinstance(name, str) and name in get_scorer_names():
        negated = name.startswith("neg_")
        plain = name.removeprefix("neg_")
        return Measure(plain, get_scorer(name), sign=-1 if negated else 1)
    scorer = fairness_scorer(
        given, greater_is_better=True, sensitive_feature_ids=sensitive_feature_ids
    )
    return Measure(scorer.name, scorer, takes_groups=True)


class _WithGroups(ClassifierMixin, BaseEstimator):
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
    accepted = inspect.signature(model.predict).parameters
    offered = {"sensitive_features": sensitive_features, "random_state": random_state}
    params = {k: v for k, v in offered.items() if k in accepted and v is not None}
    if not params and hasattr(model, "classes_"):
        return model
    return _WithGroups(model, params, np.unique(y))
