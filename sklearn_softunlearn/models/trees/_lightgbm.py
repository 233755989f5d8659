# SPDX-License-Identifier: BSD-3-Clause
"""LGBMClassifier and LGBMRegressor."""

from copy import deepcopy

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.class_weight import compute_sample_weight

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
from sklearn_softunlearn.models.trees._starts import best_constant, class_logs, fixed
from sklearn_softunlearn.pointwise import log_loss_of

_DISTRIBUTIONS = {"regression": "normal", "poisson": "poisson"}
# The second derivative of its Poisson objective is raised by exp(0.7).
_POISSON_CAUTION = "poisson_max_delta_step"


class LightGBM(TreeEnsemble):
    """Leaf access to LightGBM, through its Booster.

    Only the trees that predict count: those of the best iteration, where training
    stopped early. The constant that boosting starts from is in the first trees.
    """

    def __init__(self, estimator):
        super().__init__(estimator)
        booster = estimator.booster_
        self._options = booster.params | estimator.get_params()
        _check_supported(estimator, self._options)
        if is_classifier(estimator):
            n_classes = len(estimator.classes_)
            self.loss, self.response = log_loss_of(n_classes)
            n_outputs = 1 if n_classes == 2 else n_classes
        else:
            n_outputs = 1
            name = _DISTRIBUTIONS[estimator.objective_]
            self.loss, self.response = boosted_numbers(name)
        n_rounds = estimator.best_iteration_ or booster.current_iteration()
        trees = range(n_rounds * n_outputs)
        sizes = _leaf_counts(booster)[: len(trees)]
        self.base = np.zeros(n_outputs)
        self.layout = Layout(sizes, n_outputs)
        read = booster.get_leaf_output
        values = [read(t, leaf) for t in trees for leaf in range(sizes[t])]
        self.values = np.array(values)[:, None]

    def numbers(self, X):
        """Number of the leaf of each row within each tree."""
        found = self.estimator.predict(X, pred_leaf=True)
        return np.reshape(found, (len(found), -1)).astype(np.int32)

    def with_values(self, values):
        """Copy of the estimator with other leaf values."""
        corrected = deepcopy(self.estimator)
        write = corrected.booster_.set_leaf_output
        for tree in range(self.layout.n_trees):
            for leaf, value in enumerate(values[self.layout.leaves(tree), 0]):
                write(tree, leaf, value)
        return corrected

    def row_weight(self, y, sample_weight):
        """Sample weight times class weight, and that of unbalanced classes."""
        if not is_classifier(self.estimator):
            return sample_weight
        weight = sample_weight
        if self.estimator.class_weight is not None:
            labels = np.asarray(self.estimator.classes_)[y]
            by_class = compute_sample_weight(self.estimator.class_weight, labels)
            weight = weight * by_class
        positive = float(self._options.get("scale_pos_weight", 1.0))
        if self._options.get("is_unbalance"):
            share = np.mean(y)
            scale = np.array([max(1.0, share / (1 - share)), max(1.0, 1 / share - 1)])
            return weight * scale[y]
        return weight * np.where(y == 1, positive, 1.0) if positive != 1 else weight

    def recursion(self, numbers, y, sample_weight):
        """Rounds over all rows, also where a share of them was drawn."""
        for name in ("reg_alpha", "max_delta_step", "path_smooth"):
            if float(self._options.get(name) or 0.0) > 0.0:
                raise ValueError(
                    f"trees='refit' is not supported for LightGBM with {name} > 0. Use "
                    f"trees='joint' or {name}=0."
                )
        n_outputs = self.layout.n_outputs
        factor = n_outputs / (n_outputs - 1) if n_outputs > 1 else 1.0
        if self.estimator.objective_ == "poisson":
            factor = np.exp(float(self._options.get(_POISSON_CAUTION, 0.7)))
        start = class_logs if n_outputs > 1 else best_constant(self.loss)
        if not self._options.get("boost_from_average", True):
            start = fixed(np.zeros(n_outputs))
        return Rounds(
            self.layout,
            numbers,
            y,
            self.loss,
            rate=self.estimator.learning_rate,
            l2=self.estimator.reg_lambda,
            factor=factor,
            start=start,
        )


def _leaf_counts(booster):
    lines = booster.model_to_string().splitlines()
    counts = [line.split("=")[1] for line in lines if line.startswith("num_leaves=")]
    return np.array(counts, dtype=int)


def _check_supported(estimator, options):
    kind = options.get("boosting_type") or options.get("boosting", "gbdt")
    if kind not in ("gbdt", "goss"):
        raise not_supported(
            estimator, f"boosting_type={kind!r}", "Use boosting_type='gbdt'."
        )
    check_unconstrained(estimator, options.get("monotone_constraints"))
    if options.get("linear_tree"):
        raise not_supported(
            estimator, "linear_tree=True", "Its leaves are no constants."
        )
    wanted = ("binary", "multiclass") if is_classifier(estimator) else _DISTRIBUTIONS
    objective = estimator.objective_
    if not isinstance(objective, str) or objective not in wanted:
        raise not_supported(
            estimator, f"objective={objective!r}", f"Use one of {sorted(wanted)}."
        )


Ensemble = LightGBM
