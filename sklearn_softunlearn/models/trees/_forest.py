# SPDX-License-Identifier: BSD-3-Clause
"""RandomForest*, ExtraTrees* and DecisionTree*: the mean of independent trees."""

from copy import deepcopy

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn._sklearn_compat import (
    bootstrap_weights,
    forest_class_weights,
)
from sklearn_softunlearn.models.trees._averaging import Averages
from sklearn_softunlearn.models.trees._ensemble import (
    TreeEnsemble,
    check_unconstrained,
    leaf_numbers_of_nodes,
    not_supported,
)
from sklearn_softunlearn.models.trees._layout import Layout
from sklearn_softunlearn.models.trees._objectives import (
    averaged_classes,
    averaged_numbers,
)

# Of a share of a class.
_ROUNDING = 1e-15


class Forest(TreeEnsemble):
    """Leaf access to trees whose predictions are averaged; one tree is a forest."""

    default = "refit"

    def __init__(self, estimator):
        super().__init__(estimator)
        _check_supported(estimator)
        classifies = is_classifier(estimator)
        self.loss, self.response = (
            averaged_classes() if classifies else averaged_numbers()
        )
        trees = [tree.tree_ for tree in trees_of(estimator)]
        self._leaves = [np.flatnonzero(tree.children_left < 0) for tree in trees]
        n_outputs = len(estimator.classes_) if classifies else 1
        self.base = np.zeros(n_outputs)
        sizes = np.array([len(leaves) for leaves in self._leaves])
        self.layout = Layout(sizes, n_outputs, shared=True)
        own = [t.value[v, 0] for t, v in zip(trees, self._leaves, strict=True)]
        self.values = np.concatenate(own) / len(trees)

    def numbers(self, X):
        """Number of the leaf of each row within each tree."""
        return leaf_numbers_of_nodes(self.estimator.apply(X), self._leaves)

    def with_values(self, values):
        """Copy of the estimator with other leaf values."""
        corrected = deepcopy(self.estimator)
        trees = trees_of(corrected)
        for t, tree in enumerate(trees):
            own = len(trees) * values[self.layout.leaves(t)]
            tree.tree_.value[self._leaves[t], 0] = self._without_rounding(own)
        return corrected

    def _without_rounding(self, shares):
        """Of a class no less than 0, of which predict_log_proba would make nan."""
        if not is_classifier(self.estimator):
            return shares
        return np.where(np.abs(shares) < _ROUNDING, 0.0, shares)

    def row_weight(self, y, sample_weight):
        """Sample weight times class weight."""
        if not is_classifier(self.estimator):
            return sample_weight
        weights = forest_class_weights(self.estimator, y, sample_weight)
        return sample_weight * weights[y]

    def recursion(self, numbers, y, sample_weight):
        """Weighted means, of the rows that the bootstrap of each tree drew."""
        targets = y[:, None]
        if is_classifier(self.estimator):
            targets = targets == np.arange(self.layout.n_outputs)
        weight = self.row_weight(y, sample_weight)

        def drawn(tree):
            if not getattr(self.estimator, "bootstrap", False):
                return np.ones(len(y))
            drawn = bootstrap_weights(self.estimator, tree, y, weight)
            return np.divide(drawn, weight, out=np.zeros(len(y)), where=weight > 0)

        return Averages(
            self.layout, numbers, targets.astype(np.float64), drawn, self.values
        )


def trees_of(estimator):
    """The trees of a forest, or the one tree."""
    return getattr(estimator, "estimators_", [estimator])


def _check_supported(estimator):
    check_unconstrained(estimator, estimator.monotonic_cst)
    if estimator.n_outputs_ != 1:
        raise not_supported(
            estimator,
            f"{estimator.n_outputs_} targets",
            "Correct one model for each.",
        )
    if estimator.criterion == "absolute_error":
        raise not_supported(
            estimator,
            "criterion='absolute_error'",
            "Its leaves hold medians. Use criterion='squared_error'.",
        )


Ensemble = Forest
