# SPDX-License-Identifier: BSD-3-Clause
"""Deletion weights as a scikit-learn transformer of influences."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_softunlearn.weights import _validation as check
from sklearn_softunlearn.weights._problem import WeightProblem


class SoftWeighter(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learn which combination of influences decides how far a row is deleted.

    The input are influences, one row per sample: column 0 on the metric to lower, the
    others on functionals that must not rise. `fit` finds the smallest weights that
    lower the metric by a fraction of what is attainable, and keeps their multipliers;
    `transform` gives weights to any rows, also to those not seen in `fit`.

    Parameters
    ----------
    delta : float, default=0.5
        Required improvement as a fraction of the largest attainable one, in [0, 1], so
        that it can be searched on any scale.
    utility_tol : float, default=0.0
        How much each protected functional may rise, as a fraction of the sum of the
        absolute influences on it.
    regularization : float, default=1.0
        1.0 gives the smallest weights that reach delta, smaller values trade larger
        weights for more improvement. See `WeightProblem.solve`.
    max_weight : float, default=1.0
        Largest weight, > 0 and finite.

    Attributes
    ----------
    coef_ : ndarray of shape (n_functionals,)
        ``weights = clip(-I @ coef_, 0, max_weight)``.
    multipliers_ : ndarray of shape (n_functionals,)
        Multipliers of the constraints, one for each column.
    delta_max_ : float
        Largest attainable improvement of the metric, in the units of the influences.
    kkt_residual_ : float
        Relative violation of the optimality conditions by the weights of the rows
        seen in fit.
    n_iter_ : int
        Passes over the rows.
    n_features_in_ : int
        Number of functionals.
    feature_names_in_ : ndarray of shape (n_functionals,)
        Names of the functionals, where the input has names.

    See Also
    --------
    solve_weights : The same for a request in the units of the influences.

    Notes
    -----
    At delta = 1 the weights of some rows are not determined by any finite multipliers,
    and those that `transform` gives may be off by rounding of large numbers; use
    `solve_weights` for these.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.weights import SoftWeighter
    >>> influence = np.array([[-3.0, 1.0], [-2.0, -1.0], [1.0, 0.0]])
    >>> weighter = SoftWeighter(delta=0.4).fit(influence)
    >>> weighter.transform(influence).ravel()
    array([0.4, 0.4, 0. ])
    >>> weighter.transform([[-1.0, 0.0]])
    array([[0.16]])
    """

    def __init__(
        self,
        delta: float = 0.5,
        *,
        utility_tol: float = 0.0,
        regularization: float = 1.0,
        max_weight: float = 1.0,
    ) -> None:
        self.delta = delta
        self.utility_tol = utility_tol
        self.regularization = regularization
        self.max_weight = max_weight

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Learn the multipliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_functionals)
            Influences; column 0 on the metric, the others protected.
        y : None
            Ignored.

        Returns
        -------
        SoftWeighter
            Fitted.
        """
        X = validate_data(self, X, dtype=np.float64)
        fraction, tolerance, max_weight = self._checked()
        bounds = tolerance * np.sum(np.abs(X), axis=0)
        bounds[0] = 0.0
        tighten = np.zeros(X.shape[1])
        tighten[0] = 1.0
        problem = WeightProblem(X, bounds, tighten, upper=max_weight)
        solution = problem.solve(
            fraction * problem.delta_max, regularization=self.regularization
        )
        self.coef_ = solution.coefficients
        self.multipliers_ = solution.multipliers
        self.delta_max_ = problem.delta_max
        self.kkt_residual_ = solution.kkt_residual
        self.n_iter_ = solution.n_iter
        self._max_weight = max_weight
        return self

    def transform(self, X: Any) -> Any:
        """Deletion weights of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_functionals)
            Influences, as in fit.

        Returns
        -------
        ndarray of shape (n_samples, 1)
            In [0, max_weight].
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        # Not the negative: that of 0 is shown as "-0.".
        return np.clip(0.0 - X @ self.coef_, 0.0, self._max_weight)[:, None]

    @property
    def _n_features_out(self):
        if not hasattr(self, "coef_"):  # by which the mixin knows what is not fitted
            raise AttributeError("SoftWeighter is not fitted")
        return 1

    def _checked(self):
        delta = check.nonnegative_number(self.delta, "delta")
        tolerance = check.nonnegative_number(self.utility_tol, "utility_tol")
        max_weight = check.finite_number(self.max_weight, "max_weight")
        if delta > 1.0:
            raise ValueError(
                f"delta is the fraction of the largest attainable improvement, in "
                f"[0, 1]; got {delta:g}. `solve_weights` takes it in the units of the "
                "influences."
            )
        if max_weight <= 0.0:
            raise ValueError(f"max_weight must be positive, got {max_weight:g}.")
        return delta, tolerance, max_weight
