# SPDX-License-Identifier: BSD-3-Clause
"""GradientBoostingClassifier and GradientBoostingRegressor."""

from copy import deepcopy

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn._sklearn_compat import gradient_boosting_base
from sklearn_softunlearn.models.trees._boosting import Rounds
from sklearn_softunlearn.models.trees._ensemble import (
    TreeEnsemble,
    leaf_numbers_of_nodes,
    not_supported,
)
from sklearn_softunlearn.models.trees._layout import Layout
from sklearn_softunlearn.models.trees._objectives import (
    boosted_numbers,
)
from sklearn_softunlearn.models.trees._starts import best_constant, fixed
from sklearn_softunlearn.pointwise import log_loss_of


class GradientBoosting(TreeEnsemble):
    """Leaf access to scikit-learn's exact boosting."""

    def __init__(self, estimator):
        super().__init__(estimator)
        _check_supported(estimator)
        if is_classifier(estimator):
            self.loss, self.response = log_loss_of(len(estimator.classes_))
        else:
            self.loss, self.response = boosted_numbers("normal")
        trees = [tree.tree_ for tree in estimator.estimators_.ravel()]
        self._leaves = [np.flatnonzero(tree.children_left < 0) for tree in trees]
        self.base = gradient_boosting_base(estimator)
        self.layout = Layout(np.array([len(v) for v in self._leaves]), len(self.base))
        own = [t.value[v, 0, :1] for t, v in zip(trees, self._leaves, strict=True)]
        self.values = estimator.learning_rate * np.concatenate(own)

    def numbers(self, X):
        """Number of the leaf of each row within each tree."""
        return leaf_numbers_of_nodes(self.estimator.apply(X), self._leaves)

    def with_values(self, values):
        """Copy of the estimator with other leaf values."""
        corrected = deepcopy(self.estimator)
        own = values / corrected.learning_rate
        for t, tree in enumerate(corrected.estimators_.ravel()):
            tree.tree_.value[self._leaves[t], 0, :1] = own[self.layout.leaves(t)]
        return corrected

    def recursion(self, numbers, y, sample_weight):
        """Rounds over all rows, also where each round drew a share of them."""
        outputs = self.layout.n_outputs
        # An arbitrary factor of scikit-learn's, kept there for compatibility.
        shrunk = (outputs - 1) / outputs if outputs > 1 else 1.0
        zero = self.estimator.init == "zero"
        return Rounds(
            self.layout,
            numbers,
            y,
            self.loss,
            rate=self.estimator.learning_rate * shrunk,
            l2=0.0,
            factor=1.0,
            start=fixed(self.base) if zero else best_constant(self.loss),
        )


def _check_supported(estimator):
    wanted = "log_loss" if is_classifier(estimator) else "squared_error"
    if estimator.loss != wanted:
        raise not_supported(
            estimator, f"loss={estimator.loss!r}", f"Use loss={wanted!r}."
        )
    if estimator.init not in (None, "zero"):
        raise not_supported(
            estimator, f"init={estimator.init!r}", "Leave init at its default."
        )


Ensemble = GradientBoosting
