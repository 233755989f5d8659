# SPDX-License-Identifier: BSD-3-Clause
"""Weightings other than soft: few rows, and whole rows."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from sklearn_softunlearn.weights._problem import WeightProblem
from sklearn_softunlearn.weights._solution import WeightSolution


class SparseDeletion(BaseEstimator):
    """Delete as little as possible in total: few rows, nearly all of them whole.

    With the constraints of soft weights, but another cost::

        min_eps  sum_i s_i * (eps_i + penalty * eps_i^2)
        s.t.     a.eps <= -delta,   u.eps <= utility_tol,   0 <= eps <= max_weight

    where s are the sample weights. Soft weights spread the request over all rows that
    help, in proportion to how much they do; this takes the rows that help most. It is
    the choice for finding rows, such as mislabelled ones, and for deleting few of
    them. Whole rows are a larger step at each of them, for which the first order is a
    worse guide: see the report for what was realised.

    It does not rank: once the request is reached no further row gets any weight, and
    all of these tie at 0. Read it as a list of rows to act on, few of them chosen
    wrongly; to put all rows in an order, take the influences, or soft weights.

    Parameters
    ----------
    penalty : float >= 0, default=0.0
        Cost of the square of a weight in units of the cost of the weight itself. At 0
        a linear programme, of whose weights at most as many as there are functionals
        lie between the bounds. The larger, the nearer to soft weights.

    References
    ----------
    Li and Liu, Achieving fairness at no utility cost via data reweighing with
    influence, ICML 2022, arXiv:2202.00787: the linear programme (its weights are
    retrained with: ``update="retrain"``).

    Examples
    --------
    >>> from sklearn_softunlearn import SoftUnlearnCorrector, SparseDeletion
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> for weighting in ("soft", SparseDeletion()):
    ...     corrector = SoftUnlearnCorrector(weighting=weighting)
    ...     weights = corrector.fit(X, y, sensitive_features=group).deletion_weights_
    ...     print(int((weights > 0).sum()), "rows, in total", round(weights.sum(), 1))
    595 rows, in total 103.4
    63 rows, in total 62.5
    """

    def __init__(self, penalty: float = 0.0) -> None:
        self.penalty = penalty

    def choose(
        self,
        problem: WeightProblem,
        influence: NDArray[np.floating[Any]],
        delta: float,
    ) -> WeightSolution:
        """Weights for a request.

        Parameters
        ----------
        problem : WeightProblem
        influence : ndarray of shape (n_samples,)
            Not used: the problem has the influences on all functionals.
        delta : float
            Fraction of the metric to remove.

        Returns
        -------
        WeightSolution
        """
        cost = problem.norm_weight
        if cost is None:
            cost = np.ones(len(problem.constraints))
        return problem.minimise(cost, penalty=self.penalty, delta=delta)


class HardDeletion(BaseEstimator):
    """Delete the rows whose deletion is predicted to help most.

    Rows are taken in the order of their influence on the worst functional of the
    metric for each unit of sample weight, the most negative first, and get deletion
    weight 1; all others get 0. Nothing protects the utility, and ``max_weight`` does
    not apply. Rows that are not predicted to help are never deleted.

    Parameters
    ----------
    k : int, float in (0, 1], "helpful" or None, default=None
        How many rows to delete: a number, a fraction of the rows (of any sample
        weight), or all that are predicted to help. None deletes until the sum of
        their influences reaches the request ``delta``, so that hard and soft weights
        promise the same.

    Examples
    --------
    >>> from sklearn_softunlearn import HardDeletion, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(weighting=HardDeletion(k=20))
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> int(corrector.deletion_weights_.sum())
    20
    """

    def __init__(self, k: int | None = None) -> None:
        self.k = k

    def choose(
        self,
        problem: WeightProblem,
        influence: NDArray[np.floating[Any]],
        delta: float,
    ) -> WeightSolution:
        """Weights of 0 and 1 for a request.

        Parameters
        ----------
        problem : WeightProblem
        influence : ndarray of shape (n_samples,)
            Influence of deleting each row on the functional to lower.
        delta : float
            Fraction of the metric to remove; used if ``k`` is None.

        Returns
        -------
        WeightSolution
            ``multipliers`` are NaN.
        """
        unit = _per_unit(influence, problem.norm_weight)
        order = np.argsort(unit, kind="stable")
        n_helpful = int(np.sum(influence < 0))
        required = delta * np.max(problem.tighten)
        if self.k is None:
            wanted = _rows_needed(-influence[order], required)
        else:
            wanted = _count(self.k, len(influence))
        weights = np.zeros(len(influence))
        weights[order[: min(wanted, n_helpful)]] = 1.0
        short = self.k is None and -influence @ weights < required
        return WeightSolution(
            weights=weights,
            multipliers=np.full(len(problem.bounds), np.nan),
            coefficients=np.full(len(problem.bounds), np.nan),
            kkt_residual=np.nan,
            n_iter=0,
            status="hard deletion fell short" if short else "hard deletion",
            problem=problem,
        )


def _per_unit(influence, sample_weight):
    """So that a row of weight 2 ranks as two rows do; rows of weight 0 come last."""
    if sample_weight is None:
        return influence
    counted = sample_weight > 0
    return np.divide(
        influence, sample_weight, out=np.full_like(influence, np.inf), where=counted
    )


def _rows_needed(improvement, required):
    """How many rows it takes until the sum of improvements reaches the request."""
    if required <= 0.0:
        return 0
    return int(np.searchsorted(np.cumsum(np.maximum(improvement, 0.0)), required)) + 1


def _count(k, n_samples):
    if isinstance(k, str) and k == "helpful":
        return n_samples
    if isinstance(k, Integral) and not isinstance(k, bool) and k >= 0:
        return int(k)
    if isinstance(k, Real) and not isinstance(k, bool) and 0.0 < k <= 1.0:
        return round(k * n_samples)
    raise ValueError(
        f"HardDeletion(k={k!r}): k must be a number of rows, a fraction of the rows in "
        "(0, 1], 'helpful' for all that are predicted to help, or None."
    )
