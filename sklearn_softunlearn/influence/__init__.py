# SPDX-License-Identifier: BSD-3-Clause
"""Stage 1: what deleting a training row does to a functional.

The Hessian of the training objective is factored once and solves for all functionals
together; `row_influence` is the one formula, with the one sign; the leverage makes it
exact for one row at a time.

Rule of the room: a curvature is an object whose ``factorize(model, row_weight)``
returns a function that maps G of shape (n_parameters, k) to H^-1 G. A new member,
here one that takes H for a multiple of the identity::

    class Scalar(BaseEstimator):
        def factorize(self, model, row_weight, parameters=None):
            size = largest_curvature(model, row_weight)
            return lambda gradients: gradients / size

gets its short name in ``_curvature._BY_NAME``. It may use the ``jvp``, ``vjp`` and
``gram`` of a model and nothing else of it.
"""

from sklearn_softunlearn.influence._curvature import (
    MAX_DENSE_PARAMETERS,
    Cholesky,
    ConjugateGradient,
    Diagonal,
    resolve_curvature,
)
from sklearn_softunlearn.influence._first_order import (
    first_order_shift,
    first_order_shifts,
    functional_influence,
    influence_along,
    row_influence,
)
from sklearn_softunlearn.influence._hessian import (
    check_dense,
    dense_hessian,
    largest_curvature,
)
from sklearn_softunlearn.influence._leverage import (
    amplified_gradient,
    exact_row_influence,
    largest_leverage,
    leverage_matrices,
)
from sklearn_softunlearn.influence._precomputed import PrecomputedInfluence

__all__ = [
    "MAX_DENSE_PARAMETERS",
    "Cholesky",
    "ConjugateGradient",
    "Diagonal",
    "PrecomputedInfluence",
    "amplified_gradient",
    "check_dense",
    "dense_hessian",
    "exact_row_influence",
    "first_order_shift",
    "first_order_shifts",
    "functional_influence",
    "influence_along",
    "largest_curvature",
    "largest_leverage",
    "leverage_matrices",
    "resolve_curvature",
    "row_influence",
]
