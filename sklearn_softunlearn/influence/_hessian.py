# SPDX-License-Identifier: BSD-3-Clause
"""The Hessian of the training objective: as a matrix, a diagonal or products.

    H = sum_i s_i * J_i.T @ loss_i'' @ J_i + Omega'' + damping * I

at given parameters and row weights. J_i is the Jacobian of the raw prediction of row
i, so H is the exact Hessian for linear predictors and the Gauss-Newton matrix for
others.
"""

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, eigsh

# Up to this number of parameters a dense factor can be asked for; it takes 8 GiB.
MAX_FACTORED_PARAMETERS = 2**15
# Elements of a block of directional derivatives of all rows.
_BLOCK_ELEMENTS = 2**23
# Lanczos needs more than a handful of dimensions.
_SMALLEST_FOR_LANCZOS = 16


def dense_hessian(model, curvature, damping=None):
    """H of shape (n_parameters, n_parameters), for a given s_i * loss_i''."""
    hessian = model.gram(curvature)
    damping = _absolute_damping(damping, model, np.diag(hessian))
    hessian[np.diag_indices_from(hessian)] += model.penalty_curvature() + damping
    _fill_null_space(hessian, model.null_directions())
    return hessian


def check_dense(n_parameters, asked, remedy):
    """Raise ValueError where a dense matrix over all parameters is out of reach."""
    if n_parameters > MAX_FACTORED_PARAMETERS:
        raise ValueError(
            f"{asked} forms a dense matrix over {n_parameters} parameters, of "
            f"{n_parameters**2 / 2**27:.0f} GiB. It is supported for at most "
            f"{MAX_FACTORED_PARAMETERS} parameters. {remedy}"
        )


def largest_curvature(model, row_weight):
    """Largest eigenvalue of the Hessian of the objective at the fitted parameters."""
    curvature = model.loss_curvature(row_weight)
    ridge = model.penalty_curvature()
    if model.parameters.size < _SMALLEST_FOR_LANCZOS:
        return linalg.eigvalsh(model.gram(curvature) + np.diag(ridge))[-1]
    operator = LinearOperator(
        (ridge.size,) * 2,
        matvec=lambda v: products(model, curvature, ridge, v.reshape(-1, 1))[:, 0],
        dtype=float,
    )
    start = np.ones(ridge.size)  # deterministic
    return eigsh(operator, k=1, tol=1e-3, v0=start, return_eigenvectors=False)[0]


def products(model, curvature, ridge, directions):
    """H @ directions, for any number of columns in bounded memory."""
    n_columns = directions.shape[1]
    size = max(1, _BLOCK_ELEMENTS // (curvature.shape[0] * curvature.shape[1]))
    if n_columns > size:
        parts = np.array_split(directions, -(-n_columns // size), axis=1)
        return np.hstack([products(model, curvature, ridge, part) for part in parts])
    raw = curvature @ model.jvp(model.X, directions)
    return model.vjp(model.X, raw) + ridge[:, None] * directions


def diagonal_and_ridge(model, curvature, damping):
    """Diagonal of H, and the part of it that is penalty and damping."""
    diagonal = model.gram_diagonal(curvature)
    damping = _absolute_damping(damping, model, diagonal)
    ridge = model.penalty_curvature() + damping
    # A column of zeros without penalty: no row moves it, and it moves no prediction.
    return np.where(diagonal + ridge > 0, diagonal + ridge, 1.0), ridge


def _absolute_damping(damping, model, diagonal):
    if damping is not None:
        return damping
    return model.relative_damping * np.mean(diagonal)


def _fill_null_space(hessian, null_directions):
    """Add N diag(c) N.T, in place: solutions orthogonal to N do not change.

    Not a damping: H is singular along N however it is damped by rounding, and every
    gradient of a functional of the response is orthogonal to N.
    """
    if null_directions.shape[1] == 0:
        return
    # On the scale of the entries that each direction meets.
    scale = np.diag(hessian) @ null_directions**2
    weighted = null_directions * np.where(scale > 0, scale, 1.0)
    hessian += (weighted @ null_directions.T).toarray()  # += of sparse is not in place


def off_null_space(vectors, null_directions):
    if null_directions.shape[1] == 0:
        return vectors
    return vectors - null_directions @ (null_directions.T @ vectors)
