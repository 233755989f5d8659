# SPDX-License-Identifier: BSD-3-Clause
"""Individual fairness: similar rows should get similar predictions."""

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.neighbors import kneighbors_graph

from sklearn_softunlearn.criteria._base import Criterion, EvaluationRows, normalized


class NeighborInconsistency(Criterion):
    """How much predictions differ between rows with similar features.

    The criterion has one functional, the mean over rows i and their k nearest
    neighbours j (by Euclidean distance, among the evaluation rows)::

        F = sum_i w_i / (k * sum_i w_i) * sum_{j in N(i)} |r(f_i) - r(f_j)|^2 / 2

    with the predicted probabilities (of all classes) for ``r(f)``. ``hard_value``
    takes predicted labels, which makes it the share of neighbours that are labelled
    differently: for two classes, one minus the consistency of [1]_. For a regression
    both are half the mean squared difference.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours of each row.
    columns : array-like of int, default=None
        Positions of the features that similarity is measured on, among those that the
        model sees (after the transformers of a Pipeline). None takes all of them.
        Leave out sensitive features and their proxies to ask that they make no
        difference.

    Notes
    -----
    Distances depend on the scale of the features: standardise them. The search takes
    time of the order of n_samples^2 where there are many features. A row given twice
    is its own neighbour, so that a sample weight of 2 is not quite the row twice.

    References
    ----------
    .. [1] R. Zemel, Y. Wu, K. Swersky, T. Pitassi, C. Dwork, "Learning Fair
       Representations", ICML 2013.

    Examples
    --------
    >>> from sklearn_softunlearn import NeighborInconsistency, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(random_state=0)
    >>> metric = NeighborInconsistency(columns=[0, 1])
    >>> corrector = SoftUnlearnCorrector(metric=metric, delta=0.1, utility_tol=0.05)
    >>> line = corrector.fit(X, y).report_["NeighborInconsistency", "surrogate"]
    >>> bool(line.after < line.before)
    True
    """

    def __init__(self, n_neighbors: int = 5, columns: Any = None) -> None:
        self.n_neighbors = n_neighbors
        self.columns = columns
        self._bound = None

    def __repr__(self):
        """Constructor call."""
        columns = "" if self.columns is None else f", columns={self.columns!r}"
        return f"NeighborInconsistency(n_neighbors={self.n_neighbors!r}{columns})"

    def bind(self, rows):
        """Copy that holds the neighbours of these rows."""
        bound = copy(self)
        bound._bound = (rows, self._laplacian(rows))
        return bound

    def check(self, rows):
        """Raise ValueError unless the rows have features and enough neighbours."""
        if rows.X is None:
            raise ValueError(
                "NeighborInconsistency needs the features of the evaluation rows, and "
                "EvaluationRows.X is None."
            )
        kept = int(np.sum(rows.sample_weight > 0))
        if not 1 <= self.n_neighbors < kept:
            raise ValueError(
                f"n_neighbors={self.n_neighbors!r} must be at least 1 and less than "
                f"the number of evaluation rows, {kept}."
            )

    def value(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Mean difference, of shape (1,)."""
        return self._quadratic(rows.response.smooth(raw_prediction), rows)

    def hard_value(self, raw_prediction, rows):
        """Share of neighbours with another label, of shape (1,)."""
        return self._quadratic(rows.response.hard(raw_prediction), rows)

    def gradient(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Derivative of `value`, of shape (n_samples, n_outputs, 1)."""
        by_response = 2.0 * self._operator(rows) @ rows.response.smooth(raw_prediction)
        jacobian = rows.response.smooth_jacobian(raw_prediction)
        return np.einsum("nc,nck->nk", by_response, jacobian)[:, :, None]

    def _quadratic(self, response, rows):
        return np.atleast_1d(np.sum(response * (self._operator(rows) @ response)))

    def _operator(self, rows):
        if self._bound is not None and self._bound[0] is rows:
            return self._bound[1]
        return self._laplacian(rows)

    def _laplacian(self, rows):
        """Matrix L with ``F = sum_columns r.T @ L @ r``, sparse, symmetric."""
        self.check(rows)
        graph = self._weighted_neighbors(rows)
        # sum_ij g_ij (r_i - r_j)^2 / 2 = r.T (D_out + D_in - G - G.T) r / 2
        degree = np.asarray(graph.sum(axis=0) + graph.sum(axis=1)).ravel()
        return 0.5 * (sparse.diags_array(degree) - graph - graph.T).tocsr()

    def _weighted_neighbors(self, rows):
        """Weight of each ordered pair of neighbours; all sum to 1."""
        kept = np.flatnonzero(rows.sample_weight > 0)
        X = rows.X if self.columns is None else rows.X[:, list(self.columns)]
        graph = kneighbors_graph(X[kept], self.n_neighbors).tocoo()
        weight = normalized(rows.sample_weight)[kept] / self.n_neighbors
        pairs = (kept[graph.row], kept[graph.col])
        size = len(rows.sample_weight)
        return sparse.coo_array((weight[graph.row], pairs), shape=(size, size)).tocsr()
