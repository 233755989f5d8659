# SPDX-License-Identifier: BSD-3-Clause
"""Raw predictions of an ensemble of trees, linear in its leaf values."""

from itertools import product

import numpy as np

from sklearn_softunlearn.models._base import TrainedModel
from sklearn_softunlearn.models._row_blocks import (
    mapped_over_rows,
    summed_over_rows,
    summed_over_training_rows,
)


class TreeModel(TrainedModel):
    """Fitted ensemble of trees, of fixed structure.

    X is the indicator of the leaf of each row in each tree (`Layout.indicator`), so
    that raw predictions are linear in the parameters, the leaf values. Subclasses say
    how training moves the leaf values when the weights of the rows change.

    Parameters
    ----------
    ensemble : TreeEnsemble
    X : CSR array of shape (n_samples, n_leaves)
    y : ndarray of shape (n_samples,)
        Class indices, or the numbers of a regression.
    sample_weight : ndarray of shape (n_samples,)
    """

    retraced = True

    def __init__(self, ensemble, X, y, sample_weight):
        self.ensemble = ensemble
        self.layout = ensemble.layout
        self.X, self.y = X, y
        self._numbered = None, None
        self.sample_weight = sample_weight
        self.row_weight = ensemble.row_weight(y, sample_weight)
        self.loss, self.response = ensemble.loss, ensemble.response
        self.parameters = np.array(ensemble.values, dtype=np.float64).ravel()
        self.n_outputs = self.layout.n_outputs

    @property
    def estimator(self):
        """The fitted estimator."""
        return self.ensemble.estimator

    def cache_key(self):
        """What training depends on; the objects of a library hash differently."""
        fitted = (self.parameters, self.ensemble.base, self.X.indices)
        return type(self).__name__, self.loss, *fitted, self.y, self.sample_weight

    @property
    def numbers(self):
        """Leaf of each row of X within each tree, (n_trees, n_samples)."""
        if self._numbered[0] is not self.X:
            self._numbered = self.X, self.layout.numbers(self.X)
        return self._numbered[1]

    def input_gradient(self, inputs, cotangent):
        """No derivative by the features: trees are constant but for their steps."""
        raise ValueError(
            f"AdversarialLoss is not supported for {type(self.estimator).__name__}: "
            "trees have no gradient by the features to attack along. Use a linear "
            "model, an MLP or a skorch net."
        )

    def raw_prediction(self, X, parameters=None):
        """f_theta(X), of shape (n_samples, n_outputs)."""
        theta = self.parameters if parameters is None else parameters
        return self.ensemble.base + self.jvp(X, theta[:, None])[:, :, 0]

    def raw_predictions(self, X, parameters):
        """f_theta(X) for each column theta, from one pass over X."""
        return self.ensemble.base[:, None] + self.jvp(X, parameters)

    @mapped_over_rows
    def jvp(self, X, directions):
        """J @ directions, of shape (n_samples, n_outputs, n_directions)."""
        product = X @ self.layout.spread(directions)
        return product.reshape(X.shape[0], self.n_outputs, -1)

    @summed_over_rows
    def vjp(self, X, cotangents):
        """J.T @ cotangents, of shape (n_parameters, n_directions)."""
        columns = X.T @ cotangents.reshape(X.shape[0], -1)
        return self.layout.gathered(columns, cotangents.shape[2])

    @summed_over_training_rows
    def gram(self, curvature):
        """Dense sum_i J_i.T @ curvature_i @ J_i over the training rows.

        Two trees at a time, for which it is a table of counts: a fifth of the time
        that a sparse product takes.
        """
        layout, numbers = self.layout, self.numbers.astype(np.intp)
        gram = np.zeros((self.parameters.size,) * 2)
        for t in range(layout.n_trees):
            for u in range(t + 1):
                shape = layout.sizes[t], layout.sizes[u]
                cells = numbers[t] * shape[1] + numbers[u]
                for a, b in product(layout.outputs(t), layout.outputs(u)):
                    counts = np.bincount(cells, curvature[:, a, b], np.prod(shape))
                    rows, columns = layout.positions(t, a), layout.positions(u, b)
                    gram[rows, columns] = block = counts.reshape(shape)
                    gram[columns, rows] = block.T
        return gram

    def gram_diagonal(self, curvature):
        """Diagonal of `gram`, of shape (n_parameters,)."""
        own = np.ascontiguousarray(np.diagonal(curvature, axis1=1, axis2=2))
        return self.vjp(self.X, own[:, :, None])[:, 0]  # the entries of X are ones

    def with_parameters(self, parameters):
        """Copy of the fitted estimator with other leaf values."""
        values = np.reshape(parameters, self.ensemble.values.shape)
        return self.ensemble.with_values(values)
