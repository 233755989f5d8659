# SPDX-License-Identifier: BSD-3-Clause
"""XGBClassifier and XGBRegressor."""

import json
from copy import deepcopy

import numpy as np
from scipy.special import logit
from sklearn.base import is_classifier

from sklearn_softunlearn.models.trees._boosting import Rounds
from sklearn_softunlearn.models.trees._ensemble import (
    TreeEnsemble,
    check_unconstrained,
    leaf_numbers_of_nodes,
    not_supported,
)
from sklearn_softunlearn.models.trees._layout import Layout
from sklearn_softunlearn.models.trees._objectives import (
    boosted_numbers,
)
from sklearn_softunlearn.models.trees._starts import best_constant, fixed
from sklearn_softunlearn.pointwise import log_loss_of

_CLASSES = ("binary:logistic", "multi:softprob", "multi:softmax")
_DISTRIBUTIONS = {
    "reg:squarederror": "normal",
    "count:poisson": "poisson",
    "reg:gamma": "gamma",
}
_BOTH_CLASSES_LESS_ONE = 2.0  # its softmax has 2 p (1 - p) as second derivative


class XGBoost(TreeEnsemble):
    """Leaf access to XGBoost, through its JSON document.

    Only the trees that predict count: those of the best iteration, where training
    stopped early. XGBoost holds leaf values in float32, and rounds what is written.
    """

    def __init__(self, estimator):
        super().__init__(estimator)
        booster = estimator.get_booster()
        document = _document(booster)
        learner = document["learner"]
        self._config = json.loads(booster.save_config())["learner"]
        _check_supported(estimator, learner)
        check_unconstrained(estimator, _train(self._config)["monotone_constraints"])
        objective = learner["objective"]["name"]
        if is_classifier(estimator):
            self.loss, self.response = log_loss_of(len(estimator.classes_))
        else:
            self.loss, self.response = boosted_numbers(_DISTRIBUTIONS[objective])
        self.base = _base(learner, objective)
        trees = _trees(document)[: _n_used(estimator, len(self.base), learner)]
        self._leaves = [_leaves(tree) for tree in trees]
        sizes = np.array([len(leaves) for leaves in self._leaves])
        self.layout = Layout(sizes, len(self.base))
        own = [
            np.asarray(tree["split_conditions"])[leaves]
            for tree, leaves in zip(trees, self._leaves, strict=True)
        ]
        # As text it has fewer digits than as the float32 that it is.
        self.values = np.concatenate(own).astype(np.float32).astype(float)[:, None]

    def numbers(self, X):
        """Number of the leaf of each row within each tree."""
        return leaf_numbers_of_nodes(self.estimator.apply(X), self._leaves)

    def with_values(self, values):
        """Copy of the estimator with other leaf values."""
        corrected = deepcopy(self.estimator)
        booster = corrected.get_booster()
        document = _document(booster)
        for t, leaves in enumerate(self._leaves):
            conditions = _trees(document)[t]["split_conditions"]
            own = values[self.layout.leaves(t), 0]
            for leaf, value in zip(leaves.tolist(), own.tolist(), strict=True):
                conditions[leaf] = value
        booster.load_model(bytearray(json.dumps(document).encode()))
        return corrected

    def row_weight(self, y, sample_weight):
        """Sample weight, times scale_pos_weight in class 1."""
        scale = self.estimator.scale_pos_weight
        if scale is None or not is_classifier(self.estimator):
            return sample_weight
        return sample_weight * np.where(y == 1, scale, 1.0)

    def recursion(self, numbers, y, sample_weight):
        """Rounds over all rows, also where a share of them was drawn."""
        train = _train(self._config)
        for name in ("alpha", "max_delta_step"):
            if float(train[name]):
                raise ValueError(
                    f"trees='refit' is not supported for XGBoost with {name}="
                    f"{float(train[name]):g} (count:poisson sets max_delta_step). Use "
                    "trees='joint'."
                )
        given = self.estimator.base_score is not None
        return Rounds(
            self.layout,
            numbers,
            y,
            self.loss,
            rate=float(train["eta"]),
            l2=float(train["lambda"]),
            factor=_BOTH_CLASSES_LESS_ONE if len(self.base) > 1 else 1.0,
            start=fixed(self.base) if given else best_constant(self.loss),
        )


def _train(config):
    return config["gradient_booster"]["tree_train_param"]


def _document(booster):
    return json.loads(booster.save_raw("json"))


def _trees(document):
    return document["learner"]["gradient_booster"]["model"]["trees"]


def _leaves(tree):
    return np.flatnonzero(np.asarray(tree["left_children"]) < 0)


def _base(learner, objective):
    """Raw prediction before the first tree, from the text in the document."""
    parameters = learner["learner_model_param"]
    text = parameters["base_score"].strip("[]")
    base = np.array([float(number) for number in text.split(",")])
    if objective == "binary:logistic":
        return logit(base)
    if objective.startswith("multi:"):
        return np.broadcast_to(base, (int(parameters["num_class"]),)).copy()
    return base if objective == "reg:squarederror" else np.log(base)


def _n_used(estimator, n_outputs, learner):
    best = learner["attributes"].get("best_iteration")
    return None if best is None else (int(best) + 1) * n_outputs


def _check_supported(estimator, learner):
    name = learner["gradient_booster"]["name"]
    if name != "gbtree":
        raise not_supported(estimator, f"booster={name!r}", "Use booster='gbtree'.")
    objective = learner["objective"]["name"]
    wanted = _CLASSES if is_classifier(estimator) else tuple(_DISTRIBUTIONS)
    if objective not in wanted or callable(estimator.objective):
        shown = estimator.objective if callable(estimator.objective) else objective
        raise not_supported(
            estimator, f"objective={shown!r}", f"Use one of {sorted(wanted)}."
        )
    per_round = learner["gradient_booster"]["model"]["gbtree_model_param"]
    if int(per_round.get("num_parallel_tree", 1)) > 1:
        raise not_supported(
            estimator, "num_parallel_tree > 1", "Use num_parallel_tree=1."
        )
    if estimator.multi_strategy == "multi_output_tree":
        raise not_supported(
            estimator,
            "multi_strategy='multi_output_tree'",
            "Use 'one_output_per_tree'.",
        )


Ensemble = XGBoost
