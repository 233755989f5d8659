# SPDX-License-Identifier: BSD-3-Clause
"""Leaf values as training itself sets them, with the structure held."""

from functools import cached_property

import numpy as np

from sklearn_softunlearn.models.trees._model import TreeModel


class RefitLeaves(TreeModel):
    """Leaf values that are refitted, round after round or tree by tree.

    They are no optimum of the loss, so there is no Hessian: how the row weights move
    them is the derivative of the recursion (`Rounds`, `Averages`). With R(s) the
    leaf values of the recursion, the parameters at row weights s' are
    ``theta_hat + R(s') - R(s)``: where training was on other rows than these (a share
    of the rows drawn in each round), theta_hat is kept and `training_gap` tells.
    """

    minimises_objective = False
    convex = False

    @cached_property
    def _recursion(self):
        return self.ensemble.recursion(self.numbers, self.y, self.sample_weight)

    @cached_property
    def _fitted(self):
        return self._recursion.at(self.row_weight)

    @property
    def curvature(self):
        """Itself: `factorize` gives the derivative of the recursion."""
        return self

    def factorize(self, model, row_weight, parameters=None):
        """The recursion with these row weights, with its `pull` and its `push`."""
        if row_weight is self.row_weight:
            return self._fitted
        return self._recursion.at(row_weight, self.row_weight)

    def penalty_curvature(self):
        """No penalty."""
        return np.zeros(self.parameters.size)

    def trained(self, row_weight):
        """Leaf values with these row weights, and what has their derivative."""
        training = self._recursion.at(row_weight, self.row_weight)
        moved = training.parameters - self._fitted.parameters
        return self.parameters + moved, training

    def refitted_parameters(self, row_weight):
        """Leaf values of the recursion with these row weights."""
        return self.trained(row_weight)[0]

    def training_gap(self):
        """What the recursion misses of the fitted predictions, as a share of them."""
        raw = self.fitted_raw_prediction
        found = self.jvp(self.X, self._fitted.parameters[:, None])[:, :, 0]
        weight = self.row_weight[:, None] / np.sum(self.row_weight)
        spread = raw - np.sum(weight * raw, axis=0)
        missed = np.sum(weight * (found - raw) ** 2)
        return float(np.sqrt(missed / max(np.sum(weight * spread**2), 1e-300)))
