# SPDX-License-Identifier: BSD-3-Clause
"""Combinations of the features of a net that are 0 but for rounding.

Units of a layer are often combinations of each other: after a linear layer that is
wider than its input, or where rectifiers are never off. A net computes them in float32,
so that what should be 0 is noise of 1e-7; without weight decay an optimum would give
this noise weights of 1e7, which float32 cannot hold.
"""

import numpy as np
from scipy import linalg, sparse

# Of the precision of the net: what a few layers make of the rounding of each sum.
_ROUNDINGS = 20.0


def collinear_combinations(X, kept, has_intercept, precision):
    """Orthonormal combinations of columns of [X 1] that are 0 in all rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    kept : ndarray of shape (n_features + has_intercept,), bool
        Columns to combine.
    has_intercept : bool
        Whether a column of ones is the last.
    precision : float
        Relative rounding of a number of X.

    Returns
    -------
    ndarray of shape (n_kept, n_combinations)

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.models.skorch._collinear import collinear_combinations
    >>> X = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 1.0], [3.0, 6.0, 0.0]])
    >>> found = collinear_combinations(X, np.ones(3, dtype=bool), False, 1e-7)
    >>> found.shape, bool(np.allclose(X @ found, 0.0))
    ((3, 1), True)
    """
    columns = X[:, kept[: X.shape[1]]]
    if has_intercept and kept[-1]:
        columns = np.hstack([columns, np.ones((len(X), 1))])
    size = np.sqrt(np.sum(columns**2, axis=0))
    size = np.where(size > 0, size, 1.0)
    columns = columns / size
    return _null_space(columns.T @ columns, (_ROUNDINGS * precision) ** 2, size)


def _null_space(gram, tolerance, size):
    """Directions of a Gram matrix of columns over their size, in the columns' own."""
    # The pivots are the squared parts of a column that those before do not explain.
    factor, pivots, rank, _ = linalg.lapack.dpstrf(gram, tol=tolerance)
    if rank == len(gram):
        return np.empty((len(gram), 0))
    explained = linalg.solve_triangular(factor[:rank, :rank], factor[:rank, rank:])
    directions = np.zeros((len(gram), len(gram) - rank))
    directions[pivots - 1] = np.vstack([-explained, np.eye(len(gram) - rank)])
    return linalg.qr(directions / size[:, None], mode="economic")[0]


def directions_of_outputs(kept, collinear, n_outputs, *, shared):
    """Directions of the parameters of all outputs along which no prediction moves.

    Parameters
    ----------
    kept : ndarray of shape (n_parameters_of_an_output,), bool
    collinear : ndarray of shape (n_kept, n_combinations)
        As from `collinear_combinations`.
    n_outputs : int
    shared : bool
        Whether a shift of all outputs moves none, either, as with softmax.

    Returns
    -------
    csc_array of shape (n_parameters, n_directions), of orthonormal columns
    """
    place = sparse.csc_array(sparse.identity(kept.size, format="csc")[:, kept])
    found = [sparse.kron(sparse.identity(n_outputs), place @ collinear)]
    if shared:
        others = linalg.null_space(collinear.T)
        shift = np.full((n_outputs, 1), n_outputs**-0.5)
        found.append(sparse.kron(shift, place @ others))
    return sparse.csc_array(sparse.hstack(found, format="csc"))
