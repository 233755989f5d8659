# SPDX-License-Identifier: BSD-3-Clause
"""Ways to solve with the Hessian: factor once, solve many."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from sklearn.base import BaseEstimator

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.exceptions import CurvatureWarning, warn
from sklearn_softunlearn.influence._conjugate_gradients import IterativeSolver
from sklearn_softunlearn.influence._hessian import (
    check_dense,
    dense_hessian,
    diagonal_and_ridge,
    off_null_space,
    products,
)
from sklearn_softunlearn.models import TrainedModel

# Up to this number of parameters a dense factor is fast and fits in 128 MiB.
MAX_DENSE_PARAMETERS = 4096

# Tolerance where the order of magnitude is enough.
_ROUGH_TOL = 1e-2
# Columns of a sketch of H.
_MIN_RANK, _MAX_RANK = 20, 400
# Relative to the diagonal: added when the factorisation breaks down.
_EMERGENCY_DAMPING = 1e-8


class Cholesky(BaseEstimator):
    """Exact curvature, formed and factorised by Cholesky.

    Cost: one pass over the data of n * p**2 operations, p**3 / 3 for the factor and
    p**2 for each solve, with p parameters; memory p**2.

    Parameters
    ----------
    damping : float, default=None
        Added to the diagonal of H, in the units of the summed training loss. None is
        0, except for all parameters of a net: a tenth of the mean of the diagonal.

    Warns
    -----
    CurvatureWarning
        If H is singular (collinear columns without a penalty). A small damping is
        then added.

    Examples
    --------
    >>> from sklearn_softunlearn import Cholesky, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(curvature=Cholesky(damping=1e-3))
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.deletion_weights_.shape
    (1000,)
    """

    def __init__(self, damping: float | None = None) -> None:
        self.damping = damping

    def factorize(
        self,
        model: TrainedModel,
        row_weight: NDArray[np.floating[Any]],
        parameters: NDArray[np.floating[Any]] | None = None,
    ) -> Callable[..., Any]:
        """Function that maps G of shape (n_parameters, k) to H^-1 G."""
        model = model.at(parameters)
        return self.factorize_curvature(model, model.loss_curvature(row_weight))

    def factorize_curvature(self, model, curvature):
        """As `factorize`, for a given s_i * loss_i'' of shape (n_samples, k, k)."""
        check_dense(
            model.parameters.size,
            "curvature='cholesky'",
            "Use curvature='conjugate_gradient' or 'diagonal'.",
        )
        hessian = dense_hessian(model, curvature, self.damping)
        factor = _positive_definite_factor(hessian)
        # Not a closure, which could not be cached on disk.
        solve = partial(linalg.cho_solve, factor)
        solve.unexplained = np.min(_unexplained(factor, np.diag(hessian)), initial=1.0)
        return solve


class ConjugateGradient(BaseEstimator):
    """Curvature known only through its products with vectors.

    Nothing of size p**2 is formed, for p parameters: made for wide and sparse data.
    Each iteration costs two passes over the data, for all right-hand sides together.
    The diagonal of H is the preconditioner; where that is slow and the data are dense,
    a randomised sketch of H takes over.

    Parameters
    ----------
    damping : float, default=None
        Added to the diagonal of H, in the units of the summed training loss. None is
        0, except for all parameters of a net: a tenth of the mean of the diagonal.
    tol : float, default=1e-8
        Stop when the residual is this fraction of the right-hand side. Influences were
        seen to be off by one to five times that. Never below the precision of the
        products: 3e-4 for all parameters of a float32 net.
    max_iter : int, default=1000
        Largest number of iterations with either preconditioner.

    Warns
    -----
    CurvatureWarning
        If the tolerance was not reached.

    References
    ----------
    .. [1] Z. Frangella, J. A. Tropp, M. Udell, "Randomized Nystroem Preconditioning",
       SIAM J. Matrix Anal. Appl. 44 (2023), arXiv:2110.02820.

    Examples
    --------
    >>> from sklearn_softunlearn import ConjugateGradient, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(curvature=ConjugateGradient(tol=1e-8))
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.deletion_weights_.shape
    (1000,)
    """

    def __init__(
        self, damping: float | None = None, tol: float = 1e-8, max_iter: int = 1000
    ) -> None:
        self.damping = damping
        self.tol = tol
        self.max_iter = max_iter

    def factorize(
        self,
        model: TrainedModel,
        row_weight: NDArray[np.floating[Any]],
        parameters: NDArray[np.floating[Any]] | None = None,
    ) -> Callable[..., Any]:
        """Function that maps G of shape (n_parameters, k) to H^-1 G."""
        model = model.at(parameters)
        curvature = model.loss_curvature(row_weight)
        diagonal, ridge = diagonal_and_ridge(model, curvature, self.damping)

        null = model.null_directions()
        iterate = IterativeSolver(
            partial(products, model, curvature, ridge),
            diagonal,
            ridge,
            rank=_sketch_rank(model),
            max_iter=self.max_iter,
        ).solve

        usual = max(self.tol, model.product_precision)

        def solve(gradients, tol=usual):
            found = iterate(off_null_space(gradients, null), tol)
            return off_null_space(found, null)

        solve.roughly = partial(solve, tol=_ROUGH_TOL)
        return solve


def _sketch_rank(model):
    """Columns of the sketch of H, 0 for none.

    With a rank of an eighth of n * n_features / p the preconditioner costs less than
    a product with H; sparse rows allow none. Nor do float32 nets, whose products are
    both costly and too coarse.
    """
    if model.product_precision > 0:
        return 0
    n_parameters = model.parameters.size
    rank = min(_MAX_RANK, n_parameters // 2, model.X.size // (8 * n_parameters))
    return rank if rank >= _MIN_RANK else 0


class Diagonal(BaseEstimator):
    """The diagonal of the curvature, all other entries taken for 0.

    Cheap and crude: influences are exact only where features are uncorrelated. The
    paper uses it for nets.

    Parameters
    ----------
    damping : float, default=None
        Added to the diagonal of H, in the units of the summed training loss. None is
        0, except for all parameters of a net: a tenth of the mean of the diagonal.

    Examples
    --------
    >>> from sklearn_softunlearn import Diagonal, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(curvature=Diagonal())
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.deletion_weights_.shape
    (1000,)
    """

    def __init__(self, damping: float | None = None) -> None:
        self.damping = damping

    def factorize(
        self,
        model: TrainedModel,
        row_weight: NDArray[np.floating[Any]],
        parameters: NDArray[np.floating[Any]] | None = None,
    ) -> Callable[..., Any]:
        """Function that maps G of shape (n_parameters, k) to H^-1 G."""
        model = model.at(parameters)
        curvature = model.loss_curvature(row_weight)
        diagonal, _ = diagonal_and_ridge(model, curvature, self.damping)
        return lambda gradients: gradients / diagonal[:, None]


_BY_NAME = {
    "cholesky": Cholesky,
    "conjugate_gradient": ConjugateGradient,
    "diagonal": Diagonal,
}


def resolve_curvature(curvature, n_parameters, beyond_dense="conjugate_gradient"):
    """Curvature object for a name or an object with a `factorize` method.

    ``"auto"`` is `Cholesky` up to 4096 parameters, and above what ``beyond_dense``
    names: conjugate gradients for linear predictors, the diagonal for all parameters
    of a net, whose products with H cost too much to be repeated hundreds of times.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    if hasattr(curvature, "factorize") and not isinstance(curvature, type):
        return curvature
    if isinstance(curvature, str) and curvature == "auto":
        dense = n_parameters <= MAX_DENSE_PARAMETERS
        return Cholesky() if dense else _BY_NAME[beyond_dense]()
    if isinstance(curvature, str) and curvature in _BY_NAME:
        return _BY_NAME[curvature]()
    known = ["auto", *sorted(_BY_NAME)]
    others = "an object such as Cholesky(damping=1e-3)"
    raise ValueError(unknown_choice("curvature", curvature, known, others))


def _positive_definite_factor(hessian):
    diagonal = np.diag(hessian).copy()
    try:
        factor = linalg.cho_factor(hessian, lower=True)
        if np.all(_unexplained(factor, diagonal) > 1e-13):
            return factor
    except linalg.LinAlgError:
        pass
    warn(
        "The Hessian of the training objective is singular to working precision, so "
        f"its diagonal was raised by a factor {_EMERGENCY_DAMPING:g}. (a) Drop "
        "collinear columns, such as one level of each one-hot encoded feature; (b) "
        "give the model a penalty (a finite C); (c) choose the damping yourself, "
        "curvature=Cholesky(damping=...).",
        CurvatureWarning,
    )
    # A zero on the diagonal is a column of zeros: it moves no prediction.
    raised = np.where(diagonal > 0, _EMERGENCY_DAMPING * diagonal, 1.0)
    hessian[np.diag_indices_from(hessian)] += raised
    try:
        return linalg.cho_factor(hessian, lower=True)
    except linalg.LinAlgError:
        # All curvature is rounding, as where training without a penalty separates the
        # classes: any positive matrix of that size does.
        rounding = np.finfo(np.float64).eps * np.trace(hessian)
        lowest = linalg.eigvalsh(hessian, subset_by_index=[0, 0])[0]
        hessian[np.diag_indices_from(hessian)] += rounding - 2.0 * min(lowest, 0.0)
        return linalg.cho_factor(hessian, lower=True)


def _unexplained(factor, diagonal):
    # Each squared pivot over its diagonal entry is the share of a column that the
    # columns before it do not explain. Unlike the condition number of H it does not
    # depend on the scale of the features.
    pivots = np.diag(factor[0]) ** 2
    return np.divide(pivots, diagonal, out=np.zeros_like(pivots), where=diagonal > 0)
