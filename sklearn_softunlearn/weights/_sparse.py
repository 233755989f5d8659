# SPDX-License-Identifier: BSD-3-Clause
"""Sparse deletion: the least total weight, so that few rows are touched."""

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
