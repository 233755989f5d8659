# SPDX-License-Identifier: BSD-3-Clause
"""Jacobian products and curvature of linear predictors."""

import numpy as np
from scipy import sparse

from sklearn_softunlearn.models._base import TrainedModel
from sklearn_softunlearn.models._row_blocks import (
    mapped_over_rows,
    summed_over_rows,
    summed_over_training_rows,
)

# Rows of X that are scaled at a time: small enough to stay in cache, and the only
# copy of the data that the curvature ever makes.
_BLOCK_ROWS = 1024


class LinearModel(TrainedModel):
    """Linear predictor f = X @ coef.T + intercept.

    The parameters are, for each output in turn, its coefficients followed by its
    intercept (if the model has one).

    Attributes
    ----------
    fixed : ndarray of shape (n_parameters,), bool, or None
        Parameters that are held where they are: the zeros of an l1 penalty. The
        Jacobian has zeros in their place, so that they decouple from all others.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(500, random_state=0)
    >>> fitted = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y)
    >>> from sklearn_softunlearn.models import LinearModel, LogisticModel
    >>> model = LogisticModel(fitted, X, y, np.ones(500))
    >>> isinstance(model, LinearModel), model.layers
    (True, [slice(0, 11, None)])
    """

    fixed = None
    takes_row_blocks = True

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
        return self._product(X, theta[:, None])[:, :, 0]

    def raw_predictions(self, X, parameters):
        """f_theta(X) for each column theta, from one pass over X."""
        return self._product(X, parameters)

    def jvp(self, X, directions):
        """J @ directions, of shape (n_samples, n_outputs, n_directions)."""
        return self._product(X, self._free(directions))

    @mapped_over_rows
    def _product(self, X, directions):
        n_directions = directions.shape[1]
        table = directions.reshape(self.n_outputs, -1, n_directions)
        slopes = table[:, :-1] if self.has_intercept else table
        # One pass over X for all outputs.
        columns = np.moveaxis(slopes, 0, 1).reshape(X.shape[1], -1)
        product = _product(X, columns).reshape(-1, self.n_outputs, n_directions)
        return product + table[:, -1] if self.has_intercept else product

    @summed_over_rows
    def vjp(self, X, cotangents):
        """J.T @ cotangents, of shape (n_parameters, n_directions)."""
        n_directions = cotangents.shape[2]
        columns = cotangents.reshape(-1, self.n_outputs * n_directions)
        slopes = _transposed_product(X, columns)
        table = np.moveaxis(slopes.reshape(-1, self.n_outputs, n_directions), 1, 0)
        if self.has_intercept:
            table = np.concatenate([table, cotangents.sum(axis=0)[:, None]], axis=1)
        return self._free(table.reshape(-1, n_directions))

    @summed_over_training_rows
    def gram(self, curvature):
        """Dense sum_i J_i.T @ curvature_i @ J_i over the training rows."""
        if self.fixed is not None:
            return self._free_gram(curvature)
        return self._gram(self.X, curvature)

    def _free_gram(self, curvature):
        """Gram matrix with zeros in the rows and columns of fixed parameters."""
        table = ~self.fixed.reshape(self.n_outputs, -1)
        # Columns of X that are free in some output: a few, with an l1 penalty.
        kept = np.any(table, axis=0)
        if self.has_intercept:
            kept[-1] = True
        columns = np.flatnonzero(kept[: self.X.shape[1]])
        place = np.flatnonzero(np.tile(kept, self.n_outputs))
        gram = np.zeros((self.fixed.size, self.fixed.size))
        gram[np.ix_(place, place)] = self._gram(self.X[:, columns], curvature)
        return np.where(self.fixed[:, None] | self.fixed, 0.0, gram)

    def _gram(self, X, curvature):
        size = X.shape[1] + self.has_intercept
        gram = np.zeros((self.n_outputs, size, self.n_outputs, size))
        for first in range(self.n_outputs):
            for second in range(first):
                # Of softmax it is negative; without signs it is half the work.
                weight = -curvature[:, first, second]
                if not np.any(weight):
                    continue
                block = -_weighted_gram(X, weight, self.has_intercept)
                gram[first, :, second] = gram[second, :, first] = block
        self._fill_diagonal_blocks(gram, X, curvature)
        return gram.reshape(self.n_outputs * size, self.n_outputs * size)

    def _fill_diagonal_blocks(self, gram, X, curvature):
        if _is_shift_invariant(curvature):
            for own in range(self.n_outputs):
                gram[own, :, own] = -gram[own].sum(axis=1)
            return
        for own in range(self.n_outputs):
            gram[own, :, own] = _weighted_gram(
                X, curvature[:, own, own], self.has_intercept
            )

    @summed_over_training_rows
    def gram_diagonal(self, curvature):
        """Diagonal of `gram`, of shape (n_parameters,)."""
        own = np.diagonal(curvature, axis1=1, axis2=2)
        blocks = [_squares_product(self.X, own)]
        if self.has_intercept:
            blocks.append(own.sum(axis=0, keepdims=True))
        return self._free(np.vstack(blocks).T.reshape(-1, 1))[:, 0]

    def _free(self, directions):
        if self.fixed is None:
            return directions
        return np.where(self.fixed[:, None], 0.0, directions)


def _is_shift_invariant(curvature):
    """Whether the loss does not change along a common shift of outputs, as softmax."""
    if curvature.shape[1] == 1:
        return False
    left = np.max(np.abs(curvature.sum(axis=2)), initial=0.0)
    return bool(left <= 1e-15 * np.max(np.abs(curvature), initial=0.0))


def common_shifts(loose, n_outputs):
    """The same shift of a parameter in all outputs, as orthonormal columns.

    Parameters
    ----------
    loose : ndarray of shape (n_parameters_of_an_output,), bool
        Parameters that may shift.
    n_outputs : int

    Returns
    -------
    csc_array of shape (n_parameters, n_loose)
    """
    shift = sparse.csc_array(np.full((n_outputs, 1), n_outputs**-0.5))
    units = sparse.csc_array(sparse.identity(loose.size, format="csc")[:, loose])
    # SciPy < 1.12 gives a matrix, whose ** is not elementwise.
    return sparse.csc_array(sparse.kron(shift, units, format="csc"))


def _product(X, columns):
    """X @ columns; BLAS takes up to half the time for few columns as rows."""
    if sparse.issparse(X):
        return X @ columns
    return np.ascontiguousarray((np.ascontiguousarray(columns.T) @ X.T).T)


def _transposed_product(X, cotangent):
    """X.T @ cotangent; BLAS takes half the time for it with X on the right."""
    return X.T @ cotangent if sparse.issparse(X) else (cotangent.T @ X).T


def _squares_product(X, weights):
    """(X * X).T @ weights, without a squared copy of dense X."""
    if sparse.issparse(X):
        return X.multiply(X).T @ weights
    total = np.zeros((X.shape[1], weights.shape[1]))
    for start in range(0, X.shape[0], _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        total += (X[rows] ** 2).T @ weights[rows]
    return total


def _weighted_gram(X, weight, has_intercept):
    """[X 1].T @ diag(weight) @ [X 1], without a weighted copy of X."""
    if sparse.issparse(X):
        return _sparse_weighted_gram(X, weight, has_intercept)
    size = X.shape[1] + has_intercept
    gram = np.zeros((size, size))
    buffer = np.empty((min(_BLOCK_ROWS, X.shape[0]), size))
    for start in range(0, X.shape[0], _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        # Of either sign by itself: a matrix times its own transpose is half the work.
        for sign in (1.0, -1.0):
            signed = np.maximum(sign * weight[rows], 0.0)
            if np.any(signed):
                gram += sign * _block_gram(*_counted(X[rows], signed), buffer)
    return gram


def _counted(X, weight):
    """Without rows of weight 0, where leaving them out saves more than it costs."""
    kept = np.flatnonzero(weight)
    return (X[kept], weight[kept]) if 2 * kept.size < weight.size else (X, weight)


def _block_gram(X, weight, buffer):
    scaled = buffer[: X.shape[0]]
    root = np.sqrt(weight)[:, None]
    np.multiply(X, root, out=scaled[:, : X.shape[1]])
    scaled[:, X.shape[1] :] = root
    return scaled.T @ scaled


def _sparse_weighted_gram(X, weight, has_intercept):
    X = sparse.csr_array(X)
    scaled = X.multiply(weight[:, None]).tocsr()
    gram = (X.T @ scaled).toarray()
    if not has_intercept:
        return gram
    border = np.asarray(scaled.sum(axis=0)).reshape(-1, 1)
    return np.block([[gram, border], [border.T, weight.sum()]])
