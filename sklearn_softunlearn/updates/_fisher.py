# SPDX-License-Identifier: BSD-3-Clause
"""Forgetting in closed form with another curvature than that of the training loss."""

import numpy as np
from scipy import linalg
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from sklearn_softunlearn.influence import Cholesky, check_dense, resolve_curvature
from sklearn_softunlearn.updates._checks import check_within
from sklearn_softunlearn.updates._newton import backtrack
from sklearn_softunlearn.updates._problem import UpdateProblem, UpdateResult


class FisherForgetting(BaseEstimator):
    """Newton-like shift with the Fisher information of the retained rows, and noise.

    With F the Fisher information of the rows weighted by s_i (1 - eps_i), plus the
    curvature of the penalty::

        theta' = theta - t * F^-1 grad [sum_i s_i (1 - eps_i) loss_i + Omega](theta)
                 + noise * F^(-1/4) n,    n standard normal

    t is 1 unless that raises the retain objective, in which case it is halved. For a
    canonical link, such as logistic regression, the full Fisher information is the
    Hessian, and the shift is that of `NewtonUpdate`; the diagonal, which the source
    uses, is coarser. The noise hides what the shift left behind from an attacker; a
    correction of a metric does not need it. Costs two passes over the training rows.

    Parameters
    ----------
    fisher : {"diagonal", "cholesky"}, default="diagonal"
        Diagonal or full Fisher information, of at most 32768 parameters.
    noise : float, default=0.0
        (lambda * sigma_h^2)^(1/4) of the source; 0 omits the noise.
    random_state : int, RandomState instance or None, default=None
        The noise.

    References
    ----------
    .. [1] A. Golatkar, A. Achille, S. Soatto, "Eternal Sunshine of the Spotless Net:
       Selective Forgetting in Deep Networks", CVPR 2020, eq. 7 and proposition 3.

    Examples
    --------
    >>> from sklearn_softunlearn import FisherForgetting, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=FisherForgetting())
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.n_iter_
    1
    """

    def __init__(
        self,
        fisher: str = "diagonal",
        noise: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.fisher = fisher
        self.noise = noise
        self.random_state = random_state

    def update(self, problem: UpdateProblem) -> UpdateResult:
        """Result of the shift and the noise, an `UpdateResult`."""
        model, weight = problem.model, problem.retain_weight
        self._check(model.parameters.size)
        solve = resolve_curvature(self.fisher, model.parameters.size).factorize(
            model, weight
        )
        gradient = problem.retain_gradient(model.parameters)
        step = solve(gradient[:, None])[:, 0]
        theta = backtrack(model, weight, model.parameters, step, gradient @ step)
        if self.noise:
            # The zeros of an l1 penalty are held, here as by every other step.
            held = (model.l1_strength() > 0) & (model.parameters == 0)
            noise = np.where(held, 0.0, self._noise(model, weight))
            theta = theta + self.noise * noise
        return UpdateResult(theta)

    def _check(self, n_parameters):
        if self.fisher not in ("diagonal", "cholesky"):
            raise ValueError(
                f"fisher={self.fisher!r} must be 'diagonal' or 'cholesky'."
            )
        check_within(self, "noise")
        if self.fisher == "cholesky":
            check_dense(
                n_parameters,
                "update=FisherForgetting(fisher='cholesky')",
                "Use fisher='diagonal', or update='newton', which forms no matrix.",
            )

    def _noise(self, model, weight):
        normal = check_random_state(self.random_state).normal(
            size=model.parameters.size
        )
        curvature = model.loss_curvature(weight)
        if self.fisher == "diagonal":
            diagonal = model.gram_diagonal(curvature) + model.penalty_curvature()
            return normal / np.where(diagonal > 0, diagonal, np.inf) ** 0.25
        fisher = model.gram(curvature) + np.diag(model.penalty_curvature())
        values, vectors = linalg.eigh(fisher)
        # Directions without information get no noise rather than infinite noise.
        kept = values > np.finfo(float).eps * values[-1] * len(values)
        scale = np.where(kept, values, np.inf) ** -0.25
        return vectors @ (scale * (vectors.T @ normal))


class NTKForgetting(BaseEstimator):
    """Scrubbing shift of the model linearised around the fitted parameters (NTK).

    The raw predictions are replaced by their linearisation and the loss by a squared
    error of the same gradient. The shift from the optimum on all rows to the optimum
    on the retained ones is then exact::

        theta' = theta - t * K^-1 grad [sum_i s_i (1 - eps_i) loss_i + Omega](theta)
        K = c * sum_i s_i (1 - eps_i) J_i.T J_i + Omega''

    This is the shift of the source, written with a matrix over parameters instead of
    one over rows, and with soft weights. t is 1 unless that raises the retain
    objective, in which case it is halved. c is the mean curvature of the loss over the
    retained rows, 1 for the squared error, which the source trains with: for ridge
    regression the shift is exact retraining. Costs two passes over the training rows
    and the Cholesky factor of K, of at most 32768 parameters.

    Parameters
    ----------
    damping : float, default=0.0
        Added to the diagonal of K.

    References
    ----------
    .. [1] A. Golatkar, A. Achille, S. Soatto, "Forgetting Outside the Box: Scrubbing
       Deep Networks of Information Accessible from Input-Output Observations", ECCV
       2020, eq. 5.

    Examples
    --------
    >>> from sklearn_softunlearn import NTKForgetting, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=NTKForgetting())
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.n_iter_
    1
    """

    def __init__(self, damping: float | None = 0.0) -> None:
        self.damping = damping

    def update(self, problem: UpdateProblem) -> UpdateResult:
        """Result of the shift, an `UpdateResult`."""
        check_within(self, "damping")
        model, weight = problem.model, problem.retain_weight
        check_dense(
            model.parameters.size,
            "update='ntk'",
            "Use update='influence' or 'newton', which form no matrix.",
        )
        solve = Cholesky(self.damping).factorize_curvature(
            model, _mean_curvature(model, weight)
        )
        gradient = problem.retain_gradient(model.parameters)
        step = solve(gradient[:, None])[:, 0]
        theta = backtrack(model, weight, model.parameters, step, gradient @ step)
        return UpdateResult(theta)


def _mean_curvature(model, weight):
    """The weighted identity with the mean curvature of the loss, (n, k, k)."""
    curvature = model.loss_curvature(weight)
    n_outputs = curvature.shape[1]
    mean = np.trace(curvature, axis1=1, axis2=2).sum() / (n_outputs * weight.sum())
    return mean * weight[:, None, None] * np.eye(n_outputs)
