# SPDX-License-Identifier: BSD-3-Clause
"""Newton's method on the reweighted objective."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from sklearn_softunlearn.exceptions import warn
from sklearn_softunlearn.influence import resolve_curvature
from sklearn_softunlearn.updates._checks import check_count, check_within
from sklearn_softunlearn.updates._problem import UpdateProblem, UpdateResult

_SHORTEST_STEP = 2.0**-20


class NewtonUpdate(BaseEstimator):
    """Newton steps on the objective in which row i has weight s_i * (1 - eps_i).

    Each step, with J_eps the reweighted objective and H_eps its Hessian::

        theta <- theta - t * H_eps(theta)^-1 grad J_eps(theta)

    with t = 1 unless that increases J_eps, in which case t is halved. One step is
    the leverage-exact version of `InfluenceUpdate`; iterated to convergence it is
    exact retraining, started from the fitted parameters. A step costs as much as the
    influences. Under an l1 penalty zeros stay zero and the others may pass zero as if
    the penalty went on as it was: that is retraining only while no coefficient enters
    or leaves the model. `Retrain` has no such limit.

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
    >>> corrector.update_result_.status
    'converged'
    """

    def __init__(
        self, max_iter: int = 1, tol: float = 1e-10, curvature: str | Any = "auto"
    ) -> None:
        self.max_iter = max_iter
        self.tol = tol
        self.curvature = curvature

    def update(self, problem: UpdateProblem) -> UpdateResult:
        """Result of the steps, an `UpdateResult`."""
        check_count(self, "max_iter")
        check_within(self, "tol")
        result = minimize_reweighted(
            problem.model,
            problem.retain_weight,
            curvature=self.curvature,
            max_iter=self.max_iter,
            tol=self.tol,
        )
        if result.status != "converged" and self.max_iter > 1:
            warn(
                f"NewtonUpdate stopped after max_iter={self.max_iter} steps before the "
                "Newton decrement reached tol. Raise max_iter or tol.",
                ConvergenceWarning,
            )
        return result


def minimize_reweighted(
    model, row_weight, *, curvature="auto", max_iter=100, tol=1e-10
):
    """Minimise the objective of a model with other row weights, by Newton's method.

    Parameters
    ----------
    model : TrainedModel
        Its fitted parameters are the start.
    row_weight : ndarray of shape (n_samples,)
    curvature, max_iter, tol : as in `NewtonUpdate`

    Returns
    -------
    UpdateResult
        With status "converged" or "max_iter".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(500, random_state=0)
    >>> fitted = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y)
    >>> from sklearn_softunlearn.models import model_class
    >>> from sklearn_softunlearn.updates import minimize_reweighted
    >>> model = model_class(fitted)(fitted, X, y, np.ones(500))
    >>> kept = np.ones(500)
    >>> kept[:50] = 0.0
    >>> result = minimize_reweighted(model, kept)
    >>> again = LogisticRegression(solver="newton-cholesky", tol=1e-10)
    >>> refit = again.fit(X[50:], y[50:])
    >>> bool(np.allclose(result.parameters[:10], refit.coef_[0], atol=1e-5))
    True
    """
    curvature = resolve_curvature(curvature, model.parameters.size)
    tolerance = tol * np.sum(row_weight)
    for n_iter in range(max_iter):
        step, decrement = _newton_step(model, row_weight, curvature)
        if decrement <= tolerance:
            return UpdateResult(model.parameters, n_iter, "converged")
        model = _backtracked(model, row_weight, step, decrement)
    if max_iter == 1:
        return UpdateResult(model.parameters, 1, "max_iter")
    _, decrement = _newton_step(model, row_weight, curvature)
    status = "converged" if decrement <= tolerance else "max_iter"
    return UpdateResult(model.parameters, max_iter, status)


def _newton_step(model, row_weight, curvature):
    gradient = model.objective_gradient(row_weight)
    solve = curvature.factorize(model, row_weight)
    step = solve(gradient[:, None])[:, 0]
    return step, gradient @ step


def backtrack(model, row_weight, theta, step, decrement):
    """Halve the step until J_eps falls by a fraction of what Newton promises."""
    return _backtracked(model.at(theta), row_weight, step, decrement).parameters


def _backtracked(model, row_weight, step, decrement):
    """The model at the end of the step, which knows its raw predictions there."""
    start = model.objective(row_weight)
    length = 1.0
    while length > _SHORTEST_STEP:
        moved = model.at(model.parameters - length * step)
        promised = 1e-4 * length * decrement
        if moved.objective(row_weight) <= start - promised:
            return moved
        length /= 2
    return model  # at rounding level: no step lowers the objective any more
