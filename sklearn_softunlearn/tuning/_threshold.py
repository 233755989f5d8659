# SPDX-License-Identifier: BSD-3-Clause
"""Decision thresholds of a model as further candidates of a search.

Moving the threshold is the cheapest way to move a gap, and the one that costs most
accuracy beyond a few hundredths; together with a correction it repairs what the
correction leaves. Thresholds are on the log-odds of the positive class, 0 being that
of the model itself.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier

# Log-odds: probabilities from 0.27 to 0.73.
THRESHOLDS = np.linspace(-1.0, 1.0, 21)


class _Above(ClassifierMixin, BaseEstimator):
    """A fitted classifier of two classes with another decision threshold."""

    def __init__(self, margins, threshold):
        self.margins = margins
        self.threshold = threshold
        self.classes_ = margins.model.classes_

    def predict(self, X):
        above = self.margins(X) > self.threshold
        return self.classes_[above.astype(int)]

    def __getattr__(self, name):
        # Scores do not depend on the threshold.
        if name in ("predict_proba", "predict_log_proba", "decision_function"):
            return getattr(self.margins.model, name)
        raise AttributeError(name)


class _Margins:
    """Log-odds of the rows of X, computed once for all thresholds."""

    def __init__(self, model):
        self.model, self._seen = model, (None, None)

    def __call__(self, X):
        if self._seen[0] is not X:
            self._seen = X, margins_of(self.model, X)
        return self._seen[1]


def margins_of(model, X):
    """Decision function, or log-odds of the probabilities, of shape (n_samples,)."""
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(X))
    p = np.asarray(model.predict_proba(X), dtype=float)
    tiny = np.finfo(float).tiny
    return np.log(np.maximum(p[:, 1], tiny)) - np.log(np.maximum(p[:, 0], tiny))


def check_threshold(threshold, model_tags):
    """Thresholds to try with each delta, or None.

    Raises
    ------
    ValueError
        If the parameter is not known, or there is nothing that a threshold decides.
    """
    if threshold is None:
        return None
    if not isinstance(threshold, str) or threshold != "tuned":
        raise ValueError(f"threshold={threshold!r} must be None or 'tuned'.")
    if model_tags.estimator_type != "classifier":
        raise ValueError("threshold='tuned' needs a classifier, whose scores it cuts.")
    return THRESHOLDS


def with_thresholds(path, thresholds):
    """Models of all pairs of a corrector and a threshold, by corrector.

    Raises
    ------
    ValueError
        If there are more than two classes.
    """
    n_classes = len(path[0].classes_)
    if n_classes != 2:
        raise ValueError(
            f"threshold='tuned' needs two classes, and y has {n_classes}. Leave "
            "threshold=None."
        )
    return [
        _Above(margins, threshold)
        for margins in map(_Margins, path)
        for threshold in thresholds
    ]


def fixed_threshold(model, threshold, X, y):
    """The fitted classifier with this threshold, as scikit-learn has it.

    ``threshold`` is on the log-odds.
    """
    by_score = hasattr(model, "decision_function")
    fixed = FixedThresholdClassifier(
        FrozenEstimator(model),
        threshold=threshold if by_score else 1.0 / (1.0 + np.exp(-threshold)),
        response_method="decision_function" if by_score else "predict_proba",
        pos_label=model.classes_[1],
    )
    return fixed.fit(X, y)  # which leaves a frozen estimator as it is
