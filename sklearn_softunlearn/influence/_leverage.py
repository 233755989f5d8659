# SPDX-License-Identifier: BSD-3-Clause
"""What deleting one row exactly does in one Newton step: influence with leverage.

The first-order influence keeps the curvature of the deleted row. Taken out, with
``C_i = s_i loss_i''`` and ``M_i = J_i H^-1 J_i.T`` (both k x k for k raw outputs)::

    dtheta = (H - J_i.T C_i J_i)^-1 s_i J_i.T dloss_i
           = H^-1 J_i.T (I - C_i M_i)^-1 s_i dloss_i            (Woodbury)

so that the influence of the row on a functional with v = H^-1 grad F becomes::

    a_i = < J_i v , (I - C_i M_i)^-1 s_i dloss_i >

which for one output is the first-order influence over 1 - h_i, with the leverage
``h_i = s_i loss_i'' x_i.T H^-1 x_i`` (Cook & Weisberg 1982, section 5.2).
"""

import numpy as np

from sklearn_softunlearn.exceptions import CurvatureWarning, warn

# A block holds J.T of its rows, of shape (n_parameters, n_outputs * block).
_BLOCK_ELEMENTS = 2**20
_LARGEST_BLOCK = 256

# Beyond this leverage nothing but the row itself determines some parameter.
_ALONE = 1.0 - 1e-12


def leverage_matrices(model, solve, indices):
    """C_i M_i of some training rows, of shape (n_rows, n_outputs, n_outputs).

    Never forms an array with rows and two parameter axes: rows go in blocks.

    Parameters
    ----------
    model : TrainedModel
    solve : callable
        Maps G to H^-1 G.
    indices : ndarray of shape (n_rows,)
    """
    curvature = model.loss_curvature(model.row_weight)[indices]
    n_outputs = curvature.shape[1]
    size = _BLOCK_ELEMENTS // (n_outputs * model.parameters.size)
    size = int(np.clip(size, 1, _LARGEST_BLOCK))
    blocks = [indices[start : start + size] for start in range(0, len(indices), size)]
    reach = [_solved_gram(model, solve, model.X[rows], n_outputs) for rows in blocks]
    return curvature @ np.concatenate(reach) if blocks else curvature


def largest_leverage(matrices):
    """Largest eigenvalue of each C_i M_i: for one output the leverage h_i."""
    if matrices.shape[1] == 1:
        return matrices[:, 0, 0]
    # A product of two positive semidefinite matrices: real eigenvalues in [0, 1].
    return np.max(np.linalg.eigvals(matrices).real, axis=1)


def amplified_gradient(model, matrices, indices):
    """(I - C_i M_i)^-1 s_i dloss_i of some rows, of shape (n_rows, n_outputs).

    NaN, with a warning, for a row without which some parameter is undetermined.
    """
    gradient = (model.row_weight[:, None] * model.loss_gradient())[indices]
    alone = largest_leverage(matrices) > _ALONE
    if np.any(alone):
        warn(
            f"{np.sum(alone)} rows have leverage 1: without the row some parameter is "
            "undetermined, so the effect of its deletion is not defined (NaN). (a) "
            "Give the model a penalty; (b) drop columns that one row alone holds; (c) "
            "with a diagonal curvature, use curvature='cholesky'.",
            CurvatureWarning,
        )
    rest = np.eye(matrices.shape[1]) - matrices
    rest[alone] = np.nan
    if rest.shape[1] == 1:
        return gradient / rest[:, :, 0]
    return np.linalg.solve(rest, gradient[:, :, None])[:, :, 0]


def exact_row_influence(model, matrices, directions, indices):
    """Influence of deleting each of some rows, exact for one Newton step.

    Parameters
    ----------
    model : TrainedModel
    matrices : ndarray of shape (n_rows, n_outputs, n_outputs)
        C_i M_i of these rows.
    directions : ndarray of shape (n_parameters, n_functionals)
        v = H^-1 grad F for each functional.
    indices : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows, n_functionals)
    """
    gradient = amplified_gradient(model, matrices, indices)
    products = model.jvp(model.X[indices], directions)
    return np.einsum("ikm,ik->im", products, gradient)


def _solved_gram(model, solve, X, n_outputs):
    """M_i = J_i H^-1 J_i.T of the rows of X, of shape (n_rows, k, k)."""
    n_rows = X.shape[0]
    size = n_rows * n_outputs
    # One direction for each row and output: the cotangent that picks it.
    picks = np.eye(size).reshape(n_rows, n_outputs, size)
    solved = solve(model.vjp(X, picks))
    products = model.jvp(X, solved).reshape(n_rows, n_outputs, n_rows, n_outputs)
    own = np.arange(n_rows)
    return products[own, :, own, :]
