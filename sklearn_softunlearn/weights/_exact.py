# SPDX-License-Identifier: BSD-3-Clause
"""Exact deletion: the options of the exact weight problem, and its answer."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import BaseEstimator


class ExactDeletion(BaseEstimator):
    """Weights with which retraining ends exactly where the request is met.

    First the parameters: of all that bring every functional F_j of the metric to its
    target, those of least training loss J, penalty included::

        theta* = argmin_theta J(theta)   s.t.   F_j(theta) <= target_j(delta)

    Then the smallest weights that explain them, so that training with
    ``sample_weight = s * (1 - eps)`` ends at theta*::

        eps = argmin sum_i r_i eps_i^2 / 2
              s.t.   sum_i eps_i s_i grad loss_i(theta*) = grad J(theta*)
                     min_weight <= eps <= max_weight

    with r_i the user's sample weights and s_i these times the class weights. For small
    delta these are the weights of ``weighting="soft"``. If no weights within their
    bounds explain theta*, those that come nearest are taken, and the model becomes the
    one that they retrain to: weights and model always agree.

    Parameters
    ----------
    tol : float, default=1e-7
        Parameters are accepted when a step would gain less than this share of the rise
        of J, and every target is met to a tenth of its root, relative to the metric.
    max_iter : int, default=100
        Largest number of steps of the parameters.

    See Also
    --------
    SparseDeletion, HardDeletion : Other choices of weights.

    Notes
    -----
    Of trees, whose training with other weights is retraced, the weights come first: the
    smallest with which training meets the targets, to 1e-4 of the metric and at most
    5e-3 beyond. They are settled where training once more would change them by less
    than 1 % of their norm, or after five trainings. The model is the one that they
    train to, with the structure held; its loss is not the least.

    For models whose training problem is convex in the parameters that are corrected,
    with at most 32768 of them: linear models and last layers of nets.

    References
    ----------
    J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed., 2006, chapter 18
    (sequential quadratic programming).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn import ExactDeletion, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> model = LogisticRegression(tol=1e-8)
    >>> corrector = SoftUnlearnCorrector(
    ...     model, weighting=ExactDeletion(), delta=0.7, utility_tol=None
    ... )
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> line = corrector.report_["demographic_parity_difference", "surrogate"]
    >>> round(line.after / line.before, 4)
    0.3
    >>> retrained = model.fit(X, y, sample_weight=corrector.sample_weight_)
    >>> bool(abs(retrained.coef_ - corrector.estimator_.coef_).max() < 1e-4)
    True
    """

    def __init__(self, tol: float = 1e-7, max_iter: int = 100) -> None:
        self.tol = tol
        self.max_iter = max_iter


@dataclass(frozen=True)
class Reach:
    """Largest delta known to be within reach, and the largest weight allowed."""

    delta_max: float
    upper: float = 1.0


@dataclass(frozen=True)
class ExactSolution:
    """Weights that retrain to the corrected parameters.

    Attributes
    ----------
    weights : ndarray of shape (n_samples,)
    multipliers : ndarray of shape (n_functionals,)
        How fast J rises as the target of a functional is lowered.
    left : float
        Share of the way from the fitted parameters that the weights do not explain.
    status : {"optimal", "bounds of the weights", "out of reach", "not converged"}
    problem : Reach
    at_lower, at_upper : int
        How many rows are at ``min_weight`` and at ``max_weight``.
    n_iter : int
        Steps of the parameters.
    bounded : bool
        Whether the utility was bounded, too.
    """

    weights: np.ndarray
    multipliers: np.ndarray
    left: float
    status: str
    problem: Reach
    at_lower: int = 0
    at_upper: int = 0
    n_iter: int = 0
    bounded: bool = False
    kkt_residual: float = field(default=np.nan, repr=False)

    # The safeguard against the errors of the first order is not for exact weights.
    constrained = False

    @property
    def delta_max(self):
        """Largest delta known to be within reach."""
        return self.problem.delta_max
