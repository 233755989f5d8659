# SPDX-License-Identifier: BSD-3-Clause
"""CatBoostClassifier and CatBoostRegressor."""

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn.models.trees._ensemble import (
    TreeEnsemble,
    check_unconstrained,
    not_supported,
)
from sklearn_softunlearn.models.trees._layout import Layout
from sklearn_softunlearn.models.trees._objectives import (
    boosted_numbers,
)
from sklearn_softunlearn.pointwise import log_loss_of

_CLASSES = ("Logloss", "MultiClass")
_SYMMETRIC = "SymmetricTree"
_DISTRIBUTIONS = {"RMSE": "normal", "Poisson": "poisson"}


class CatBoost(TreeEnsemble):
    """Leaf access to CatBoost.

    A tree of several classes holds a value for each of them in a leaf. How CatBoost
    sets leaf values (several Newton steps, on weights drawn anew for each tree) cannot
    be retraced, so that there is no refit.
    """

    def __init__(self, estimator):
        super().__init__(estimator)
        options = estimator.get_all_params()
        objective = options["loss_function"]
        self._class_weights = options.get("class_weights")
        classifies = is_classifier(estimator)
        wanted = _CLASSES if classifies else tuple(_DISTRIBUTIONS)
        if objective not in wanted:
            raise not_supported(
                estimator, f"loss_function={objective!r}", f"Use one of {wanted}."
            )
        check_unconstrained(estimator, options.get("monotone_constraints"))
        policy = options.get("grow_policy", _SYMMETRIC)
        if policy != _SYMMETRIC:
            raise not_supported(
                estimator, f"grow_policy={policy!r}", f"Use {_SYMMETRIC!r}."
            )
        if classifies:
            self.loss, self.response = log_loss_of(len(estimator.classes_))
        else:
            self.loss, self.response = boosted_numbers(_DISTRIBUTIONS[objective])
        self._scale, bias = estimator.get_scale_and_bias()
        self.base = np.atleast_1d(np.asarray(bias, dtype=np.float64))
        n_outputs = len(self.base)
        sizes = np.asarray(estimator.get_tree_leaf_counts())
        self.layout = Layout(sizes, n_outputs, shared=n_outputs > 1)
        own = np.asarray(estimator.get_leaf_values(), dtype=np.float64)
        self.values = self._scale * own.reshape(-1, self.layout.width)

    def numbers(self, X):
        """Number of the leaf of each row within each tree."""
        return np.asarray(self.estimator.calc_leaf_indexes(X), dtype=np.int32)

    def with_values(self, values):
        """Copy of the estimator with other leaf values."""
        corrected = self.estimator.copy()
        # A copy is a view that cannot be changed, until it is cut to its own length.
        corrected.shrink(corrected.tree_count_)
        corrected.set_leaf_values(values.ravel() / self._scale)
        return corrected

    def row_weight(self, y, sample_weight):
        """Sample weight times class weight."""
        if not self._class_weights:
            return sample_weight
        return sample_weight * np.asarray(self._class_weights)[y]


Ensemble = CatBoost
