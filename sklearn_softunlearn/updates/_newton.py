# SPDX-License-Identifier: BSD-3-Clause
"""Newton's method on the reweighted objective."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from sklearn_softunlearn._curvature import resolve_curvature
from sklearn_softunlearn.exceptions import warn

_SHORTEST_STEP = 2.0**-20


class NewtonUpdate(BaseEstimator):
    """Newton steps on the objective in which row i has weight s_i * (1 - eps_i).

    Each step, with J_eps the reweighted objective and H_eps its Hessian::

        theta <- theta - t * H_eps(theta)^-1 grad J_eps(theta)

    with t = 1 unless that increases J_eps, in which case t is halved. One step is
    the leverage-exact version of `InfluenceUpdate`; iterated to convergence it is
    exact retraining, started from the fitted parameters.

    Parameters
    ----------
    max_iter : int, default=1
        Largest number of steps.
    tol : float, default=1e-10
        Stop when the squared Newton decrement, twice the estimated distance of J_eps
        from its minimum, is below ``tol`` per unit of remaining row weight.
    curvature : str or object, default="auto"
        As in `SoftUnlearnCorrector`.

    Warns
    -----
    ConvergenceWarning
        If ``max_iter > 1`` steps did not reach ``tol``.

    Examples
    --------
    >>> from sklearn_softunlearn import NewtonUpdate, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=NewtonUpdate(max_iter=20))
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.deletion_weights_.shape
    (1000,)
    """

    def __init__(self, max_iter=1, tol=1e-10, curvature="auto"):
        self.max_iter = max_iter
        self.tol = tol
        self.curvature = curvature

    def update(self, model, deletion_weights, shift):
        """Corrected parameters, of shape (n_parameters,). ``shift`` is not used."""
        row_weight = model.row_weight * (1.0 - deletion_weights)
        curvature = resolve_curvature(self.curvature, model.parameters.size)
        tolerance = self.tol * np.sum(row_weight)
        theta = model.parameters
        for _ in range(self.max_iter):
            gradient = model.objective_gradient(row_weight, theta)
            solve = curvature.factorize(model, row_weight, theta)
            step = solve(gradient[:, None])[:, 0]
            if gradient @ step <= tolerance:
                return theta
            theta = _backtrack(model, row_weight, theta, step, gradient @ step)
        self._warn_if_unconverged(model, row_weight, theta, solve, tolerance)
        return theta

    def _warn_if_unconverged(self, model, row_weight, theta, solve, tolerance):
        if self.max_iter == 1:
            return
        gradient = model.objective_gradient(row_weight, theta)
        decrement = gradient @ solve(gradient[:, None])[:, 0]
        if decrement > tolerance:
            warn(
                f"NewtonUpdate stopped after max_iter={self.max_iter} steps with a "
                f"squared Newton decrement of {decrement:.3g} > {tolerance:.3g}. "
                "Raise max_iter or tol.",
                ConvergenceWarning,
            )


def _backtrack(model, row_weight, theta, step, decrement):
    """Halve the step until J_eps falls by a fraction of what Newton promises."""
    start = model.objective(row_weight, theta)
    length = 1.0
    while length > _SHORTEST_STEP:
        candidate = theta - length * step
        promised = 1e-4 * length * decrement
        if model.objective(row_weight, candidate) <= start - promised:
            return candidate
        length /= 2
    return theta  # at rounding level: no step lowers the objective any more
