# SPDX-License-Identifier: BSD-3-Clause
"""Conjugate gradients for many right-hand sides, and a preconditioner from a sketch.

Both know a symmetric positive semidefinite matrix H only through a function that
returns its products with the columns of an array.
"""

import numpy as np
from scipy import linalg

from sklearn_softunlearn.exceptions import CurvatureWarning, warn

# Iterations with the diagonal as preconditioner before a sketch of H takes over: about
# what the sketch costs.
_PATIENCE = 25
# Elements of the right-hand sides that are solved for together: each costs ten more.
_BLOCK_ELEMENTS = 2**19
# Eigenvalues of the small matrix of a sketch below this share of the largest are lost
# in rounding.
_SMALLEST_SHARE = 1e-12


class IterativeSolver:
    """Conjugate gradients that change the preconditioner where they are slow.

    Parameters
    ----------
    product : callable
        Maps V of shape (n, k) to H V.
    diagonal, ridge : ndarray of shape (n,)
        The diagonal of H, positive, and the part of H that is diagonal.
    rank : int
        Columns of the sketch, 0 for none.
    max_iter : int
        Largest number of iterations with either preconditioner.
    """

    def __init__(self, product, diagonal, ridge, *, rank, max_iter):
        self.product = product
        self.diagonal = diagonal
        self.ridge = ridge
        self.rank = rank
        self.max_iter = max_iter
        self.sketched = None

    def solve(self, targets, tol):
        """H^-1 targets, of shape (n, n_columns).

        Warns
        -----
        CurvatureWarning
            If the tolerance was not reached.
        """
        width = max(1, _BLOCK_ELEMENTS // len(targets))
        starts = range(0, targets.shape[1], width)
        blocks = [self._solve(targets[:, s : s + width], tol) for s in starts]
        if any(missed for _, missed in blocks):
            self._warn(tol)
        return np.hstack([targets[:, :0], *(solution for solution, _ in blocks)])

    def _solve(self, targets, tol):
        """Solution for a few columns, and whether the tolerance was missed."""
        solution, missed = np.zeros_like(targets), np.ones(targets.shape[1], bool)
        if self.sketched is None:
            patience = min(_PATIENCE, self.max_iter) if self.rank else self.max_iter
            scaling = scaling_preconditioner(self.diagonal)
            solution, missed = self._iterate(scaling, targets, solution, tol, patience)
        if self.rank and np.any(missed):
            precondition = self._sketched_preconditioner()
            solution, missed = self._iterate(
                precondition, targets, solution, tol, self.max_iter
            )
        return solution, np.any(missed)

    def _iterate(self, precondition, targets, start, tol, max_iter):
        return conjugate_gradients(
            self.product, precondition, targets, start, tol=tol, max_iter=max_iter
        )

    def _sketched_preconditioner(self):
        if self.sketched is None:  # for all later right-hand sides too
            self.sketched = sketched_preconditioner(
                self.product, self.diagonal, self.ridge, self.rank
            )
        return self.sketched

    def _warn(self, tol):
        warn(
            f"Conjugate gradients did not reach tol={tol:g} in {self.max_iter} "
            "iterations, so influences are inaccurate. (a) Scale the features; "
            "(b) give a damping; (c) raise max_iter.",
            CurvatureWarning,
        )


def conjugate_gradients(product, precondition, targets, start, *, tol, max_iter):
    """Solve H X = B, a column of B for each right-hand side.

    Each column has its own step lengths, as if solved alone, but the products with H
    of all columns are formed together: one pass over the data in place of many.

    Parameters
    ----------
    product : callable
        Maps V of shape (n, k) to H V.
    precondition : callable
        Maps V to P V, for P positive definite and near the inverse of H.
    targets, start : ndarray of shape (n, n_columns)
        B, and where to start.
    tol : float
        A column is done when its residual is this fraction of its right-hand side.
    max_iter : int

    Returns
    -------
    solution : ndarray of shape (n, n_columns)
    missed : ndarray of shape (n_columns,), bool
        Columns whose residual is larger.

    References
    ----------
    .. [1] Y. Saad, "Iterative Methods for Sparse Linear Systems", 2003, section 9.2.
    """
    solution = start.copy()
    residual = targets - product(start) if np.any(start) else targets.copy()
    goal = tol * np.linalg.norm(targets, axis=0)
    direction = precondition(residual)
    slope = _dots(residual, direction)
    missed = np.linalg.norm(residual, axis=0) > goal
    stuck = np.zeros_like(missed)
    for _ in range(max_iter):
        todo = np.flatnonzero(missed & ~stuck)
        if not todo.size:
            break
        step = direction[:, todo]
        image = product(step)
        bend = _dots(step, image)
        # No descent is left along a direction in the null space of H.
        stuck[todo] = bend <= 0
        length = np.divide(slope[todo], bend, out=np.zeros_like(bend), where=bend > 0)
        solution[:, todo] += length * step
        left = residual[:, todo] - length * image
        downhill = precondition(left)
        turned = _dots(left, downhill)
        direction[:, todo] = downhill + turned / slope[todo] * step
        residual[:, todo], slope[todo] = left, turned
        missed[todo] = np.linalg.norm(left, axis=0) > goal[todo]
    return solution, missed


def scaling_preconditioner(diagonal):
    """Division by the diagonal of H."""
    return lambda vectors: vectors / diagonal[:, None]


def sketched_preconditioner(product, diagonal, ridge, rank):
    """Inverse of a matrix that is H in its diagonal and its largest eigenvalues.

    H = G + diag(ridge) is approximated by ``L L.T + diag(d)``: L is the randomised
    Nystroem approximation of G, from its products with ``rank`` random columns, and d
    what the diagonal of H lacks.

    Parameters
    ----------
    product : callable
        Maps V of shape (n, k) to H V.
    diagonal : ndarray of shape (n,)
        Of H, positive.
    ridge : ndarray of shape (n,)
        The part of H that is diagonal.
    rank : int

    References
    ----------
    .. [1] Z. Frangella, J. A. Tropp, M. Udell, "Randomized Nystroem Preconditioning",
       SIAM J. Matrix Anal. Appl. 44 (2023), arXiv:2110.02820.
    """
    root = _nystroem_root(product, diagonal, ridge, rank)
    # The approximation is from below; rounding may exceed it.
    lacking = diagonal - np.einsum("ij,ij->i", root, root)
    lacking = np.maximum(lacking, np.maximum(ridge, 1e-8 * diagonal))[:, None]
    whitened = root / lacking
    small = root.T @ whitened
    small[np.diag_indices_from(small)] += 1.0
    # (L L.T + D)^-1 = D^-1 - W W.T, by Woodbury.
    whitened = linalg.solve_triangular(
        linalg.cholesky(small, lower=True), whitened.T, lower=True
    )
    return lambda vectors: vectors / lacking - whitened.T @ (whitened @ vectors)


def _nystroem_root(product, diagonal, ridge, rank):
    """L of shape (n, rank), where L L.T is at most G = H - diag(ridge)."""
    rng = np.random.default_rng(0)  # deterministic
    # Columns of like weight, whatever the scale of the features.
    probes = rng.standard_normal((len(diagonal), rank)) / np.sqrt(diagonal)[:, None]
    image = product(probes) - ridge[:, None] * probes
    core = probes.T @ image
    values, rotation = linalg.eigh(0.5 * (core + core.T))
    kept = values > _SMALLEST_SHARE * np.max(values)
    return image @ (rotation[:, kept] / np.sqrt(values[kept]))


def _dots(first, second):
    return np.einsum("ij,ij->j", first, second)
