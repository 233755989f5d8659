# SPDX-License-Identifier: BSD-3-Clause
"""A metric that the package does not know, as a function of the user."""

import numpy as np
from sklearn.utils import column_or_1d

from sklearn_softunlearn.scoring._groups import group_names, one_group_reason
from sklearn_softunlearn.scoring._labels import (
    binarize,
    check_not_continuous,
    is_regression,
    known_classes,
    positive_class,
    positive_scores,
)


class CalledMetric:
    """A function ``metric(y_true, y_pred, *, sensitive_features)`` of models.

    Parameters
    ----------
    function : callable
    name : str
    response_method : str or None
        None is "predict".
    pos_label : object
    params : dict
        Further arguments of the function.
    """

    def __init__(self, function, name, response_method, pos_label, params):
        self.function, self.name = function, name
        self._method = response_method or "predict"
        self._pos_label, self._params = pos_label, params

    def on_rows(self, estimator, X, y, features, sample_weight):
        """Function from models to (value, None) or (NaN, why it has no value)."""
        params = dict(self._params)
        counted = slice(None)
        if sample_weight is not None:
            params["sample_weight"] = np.asarray(sample_weight)
            counted = params["sample_weight"] > 0
        reason = one_group_reason(group_names(features[counted]))
        params["sensitive_features"] = features.squeeze(axis="columns")

        def measure(model):
            if reason is not None:
                return np.nan, reason
            return float(self.function(*self._responses(model, X, y), **params)), None

        return measure

    def _responses(self, model, X, y):
        """True labels and what the model says, as the function wants them."""
        response = np.asarray(getattr(model, self._method)(X))
        if is_regression(model):
            return y, column_or_1d(response)
        if self._method != "predict":
            classes = known_classes(model, y)
            positive = positive_class(classes, self._pos_label)
            scores = positive_scores(response, classes, positive)
            return binarize(y, classes, positive, "y"), scores
        response = column_or_1d(response)
        check_not_continuous(self.name, response)
        classes = known_classes(model, y, response)
        positive = positive_class(classes, self._pos_label)
        labels = binarize(response, classes, positive, "predict(X)")
        return binarize(y, classes, positive, "y"), labels
