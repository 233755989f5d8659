# SPDX-License-Identifier: BSD-3-Clause
"""What a library's ensemble offers, whatever the library."""

import re
from abc import ABC, abstractmethod

import numpy as np


class TreeEnsemble(ABC):
    """A fitted ensemble: which leaf each row falls in, and what the leaves add.

    The raw prediction of a row is ``base`` plus the values of its leaves. Values
    contain everything between a leaf and the prediction: the learning rate, or the
    division by the number of trees.

    Attributes
    ----------
    estimator : fitted estimator
        Never modified.
    layout : Layout
    values : ndarray of shape (n_leaves, width)
    base : ndarray of shape (n_outputs,)
    loss, response : as in `TrainedModel`
    """

    # What trees="auto" is.
    default = "joint"

    def __init__(self, estimator):
        self.estimator = estimator

    @abstractmethod
    def numbers(self, X):
        """Number of the leaf of each row within each tree: (n_samples, n_trees)."""

    @abstractmethod
    def with_values(self, values):
        """Copy of the estimator with other leaf values, (n_leaves, width)."""

    def row_weight(self, y, sample_weight):
        """Weight of each row in training: sample weight times class weight."""
        return sample_weight

    def recursion(self, numbers, y, sample_weight):
        """How its training sets the leaf values: `Rounds` or `Averages`.

        ``numbers`` has the leaf of each training row: (n_trees, n_samples).

        Raises
        ------
        ValueError
            If that cannot be retraced.
        """
        raise ValueError(
            f"trees='refit' is not supported for {type(self.estimator).__name__}: how "
            "it sets its leaf values cannot be retraced. Use trees='joint'."
        )


def not_supported(estimator, what, remedy):
    """The error of an ensemble whose leaf values cannot be corrected."""
    return ValueError(
        f"{type(estimator).__name__} with {what} is not supported. {remedy}"
    )


def check_unconstrained(estimator, constraints):
    """Refuse monotonic constraints, which other leaf values need not keep.

    Parameters
    ----------
    estimator : fitted estimator
    constraints : None, text, dict or array-like
        As its library writes them; 0 is no constraint.

    Raises
    ------
    ValueError
        If a feature is constrained.
    """
    if isinstance(constraints, dict):
        constraints = list(constraints.values())
    elif isinstance(constraints, str):
        constraints = re.findall(r"-?\d+", constraints)
    if constraints is not None and np.any(np.asarray(constraints, dtype=int)):
        raise not_supported(
            estimator,
            "monotonic constraints",
            "Corrected leaf values need not keep them. Train without.",
        )


def leaf_numbers_of_nodes(nodes, leaves):
    """Number of the leaf of each row within each tree, from the ids of its nodes.

    Parameters
    ----------
    nodes : array-like of shape (n_samples, n_trees) or more, as `apply` returns it
    leaves : list of ndarray
        Sorted ids of the leaves of each tree.

    Returns
    -------
    ndarray of shape (n_samples, n_trees)
    """
    nodes = np.reshape(nodes, (len(nodes), -1)).astype(int)
    return np.column_stack(
        [np.searchsorted(own, nodes[:, t]) for t, own in enumerate(leaves)]
    )
