# SPDX-License-Identifier: BSD-3-Clause
"""Jacobian products and curvature of linear predictors."""

import numpy as np
from scipy import sparse

from sklearn_softunlearn.models._base import TrainedModel

# Rows of X that are scaled at a time: small enough to stay in cache, and the only
# copy of the data that the curvature ever makes.
_BLOCK_ROWS = 2048


class LinearModel(TrainedModel):
    """Linear predictor f = X @ coef.T + intercept.

    The parameters are, for each output in turn, its coefficients followed by its
    intercept (if the model has one).
    """

    def __init__(self, X, y, row_weight, *, coef, intercept, loss, response):
        self.X = X
        self.y = y
        self.row_weight = row_weight
        self.loss = loss
        self.response = response
        self.has_intercept = intercept is not None
        columns = [coef, intercept[:, None]] if self.has_intercept else [coef]
        self.parameters = np.hstack(columns).astype(np.float64).ravel()
        self.n_outputs = coef.shape[0]

    def split(self, parameters):
        """Coefficients (n_outputs, n_features) and intercept (n_outputs,)."""
        table = parameters.reshape(self.n_outputs, -1)
        if self.has_intercept:
            return table[:, :-1], table[:, -1]
        return table, np.zeros(self.n_outputs)

    def raw_prediction(self, X, parameters=None):
        """f_theta(X), of shape (n_samples, n_outputs)."""
        theta = self.parameters if parameters is None else parameters
        return self.jvp(X, theta[:, None])[:, :, 0]

    def jvp(self, X, directions):
        """J @ directions, of shape (n_samples, n_outputs, n_directions)."""
        n_directions = directions.shape[1]
        table = directions.reshape(self.n_outputs, -1, n_directions)
        product = np.empty((X.shape[0], self.n_outputs, n_directions))
        for output, block in enumerate(table):
            slopes, shift = (
                (block[:-1], block[-1]) if self.has_intercept else (block, 0.0)
            )
            product[:, output] = X @ slopes + shift
        return product

    def vjp(self, X, cotangents):
        """J.T @ cotangents, of shape (n_parameters, n_directions)."""
        blocks = []
        for output in range(self.n_outputs):
            cotangent = np.ascontiguousarray(cotangents[:, output])
            blocks.append(X.T @ cotangent)
            if self.has_intercept:
                blocks.append(cotangent.sum(axis=0, keepdims=True))
        return np.vstack(blocks)

    def gram(self, curvature):
        """Dense sum_i J_i.T @ curvature_i @ J_i over the training rows."""
        size = self.X.shape[1] + self.has_intercept
        gram = np.empty((self.n_outputs, size, self.n_outputs, size))
        for first in range(self.n_outputs):
            for second in range(first + 1):
                block = _weighted_gram(
                    self.X, curvature[:, first, second], self.has_intercept
                )
                gram[first, :, second] = gram[second, :, first] = block
        return gram.reshape(self.n_outputs * size, self.n_outputs * size)

    def gram_diagonal(self, curvature):
        """Diagonal of `gram`, of shape (n_parameters,)."""
        own = np.diagonal(curvature, axis1=1, axis2=2)
        squares = self.X.multiply(self.X) if sparse.issparse(self.X) else self.X**2
        blocks = [squares.T @ own]
        if self.has_intercept:
            blocks.append(own.sum(axis=0, keepdims=True))
        return np.vstack(blocks).T.ravel()


def _weighted_gram(X, weight, has_intercept):
    """[X 1].T @ diag(weight) @ [X 1], without a weighted copy of X."""
    if sparse.issparse(X):
        return _sparse_weighted_gram(X, weight, has_intercept)
    n_features = X.shape[1]
    gram = np.zeros((n_features + has_intercept, n_features + has_intercept))
    buffer = np.empty((min(_BLOCK_ROWS, X.shape[0]), n_features + has_intercept))
    nonnegative = np.all(weight >= 0)
    for start in range(0, X.shape[0], _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        gram += _block_gram(X[rows], weight[rows], buffer, nonnegative)
    return gram


def _block_gram(X, weight, buffer, nonnegative):
    scaled = buffer[: X.shape[0]]
    # A matrix times its own transpose is half the work (syrk), hence the root.
    scale = np.sqrt(weight) if nonnegative else weight
    np.multiply(X, scale[:, None], out=scaled[:, : X.shape[1]])
    scaled[:, X.shape[1] :] = scale[:, None]
    if nonnegative:
        return scaled.T @ scaled
    return scaled.T @ np.pad(X, [(0, 0), (0, scaled.shape[1] - X.shape[1])],
                             constant_values=1.0)  # fmt: skip


def _sparse_weighted_gram(X, weight, has_intercept):
    X = sparse.csr_array(X)
    scaled = X.multiply(weight[:, None]).tocsr()
    gram = (X.T @ scaled).toarray()
    if not has_intercept:
        return gram
    border = np.asarray(scaled.sum(axis=0)).reshape(-1, 1)
    return np.block([[gram, border], [border.T, weight.sum()]])
