# SPDX-License-Identifier: BSD-3-Clause
"""HistGradientBoostingClassifier and HistGradientBoostingRegressor."""

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn._sklearn_compat import HistogramTrees, class_weights
from sklearn_softunlearn.models.trees._boosting import Rounds
from sklearn_softunlearn.models.trees._ensemble import (
    TreeEnsemble,
    check_unconstrained,
    not_supported,
)
from sklearn_softunlearn.models.trees._layout import Layout
from sklearn_softunlearn.models.trees._objectives import (
    boosted_numbers,
)
from sklearn_softunlearn.models.trees._starts import best_constant
from sklearn_softunlearn.pointwise import log_loss_of


class HistGradientBoosting(TreeEnsemble):
    """Leaf access to scikit-learn's histogram-based boosting."""

    def __init__(self, estimator):
        super().__init__(estimator)
        check_unconstrained(estimator, estimator.monotonic_cst)
        if is_classifier(estimator):
            self.loss, self.response = log_loss_of(len(estimator.classes_))
        else:
            self.loss, self.response = boosted_numbers(_distribution(estimator))
        self._trees = HistogramTrees(estimator)
        values = self._trees.leaf_values()
        self.base = self._trees.baseline()
        self.layout = Layout(np.array([len(v) for v in values]), len(self.base))
        self.values = np.concatenate(values)[:, None]

    def numbers(self, X):
        """Number of the leaf of each row within each tree."""
        return self._trees.leaf_numbers(X)

    def with_values(self, values):
        """Copy of the estimator with other leaf values."""
        return self._trees.with_leaf_values(
            np.split(values[:, 0], self.layout.offsets[1:-1])
        )

    def row_weight(self, y, sample_weight):
        """Sample weight times class weight, which counts rows."""
        if not is_classifier(self.estimator):
            return sample_weight
        return sample_weight * class_weights(self.estimator, y, None)[y]

    def recursion(self, numbers, y, sample_weight):
        """Rounds over the rows that were not held out to stop early."""
        return Rounds(
            self.layout,
            numbers,
            y,
            self.loss,
            rate=self.estimator.learning_rate,
            l2=self.estimator.l2_regularization,
            factor=1.0,
            start=best_constant(self.loss),
            trained=self._trees.trained_rows(y),
        )


def _distribution(estimator):
    known = {"squared_error": "normal", "poisson": "poisson", "gamma": "gamma"}
    if estimator.loss not in known:
        raise not_supported(
            estimator,
            f"loss={estimator.loss!r}",
            f"Use one of {sorted(known)}.",
        )
    return known[estimator.loss]


Ensemble = HistGradientBoosting
