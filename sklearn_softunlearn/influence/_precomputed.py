# SPDX-License-Identifier: BSD-3-Clause
"""Influences that another package computed, in the place of ours."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_softunlearn.influence._curvature import resolve_curvature


class PrecomputedInfluence(BaseEstimator):
    """Influences of captum, dattri or kronfluence, and a curvature to move by.

    Weights are chosen by the given influences. The parameters then move by
    ``curvature``, unless the update is one that needs none, such as ``"retrain"``.
    Needs ``weighting="soft"``: exact weights are computed from the model itself.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_functionals), or callable
        The change of each functional when a row is deleted: negative means that
        deletion lowers it. Functionals are those of the metric, then those of the
        utility, as in ``functional_names_`` of `SoftUnlearnCorrector`. Most packages
        give the effect of a row's presence on a loss, so that their sign is the other
        one; scores that are known up to a factor only (TRAK, TracIn) have to be scaled,
        or the report shows other changes than predicted.

        A callable is given the derivative of the functionals by the raw predictions of
        the evaluation rows, of shape (n_eval, n_outputs, n_functionals), and returns
        the values. It is the query of such packages: the functional is, to first
        order, ``sum(derivative[:, :, k] * raw_prediction)``.
    curvature : str or object, default="auto"
        As in `SoftUnlearnCorrector`.

    Examples
    --------
    The influences of one setting handed to another, as if they came from elsewhere:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn import (
    ...     PrecomputedInfluence, SoftUnlearnCorrector, influence
    ... )
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> model = LogisticRegression().fit(X, y)
    >>> found = influence(model, X, y, utility="loss", sensitive_features=group)
    >>> corrector = SoftUnlearnCorrector(
    ...     LogisticRegression(), weighting="soft", utility_tol=0.1,
    ...     curvature=PrecomputedInfluence(found.values),
    ... )
    >>> corrector.fit(X, y, sensitive_features=group).deletion_weights_.shape
    (1000,)
    """

    # Weights that are solved to the end would not look at the values.
    first_order_only = True

    def __init__(
        self, values: ArrayLike | Callable[..., Any], curvature: Any = "auto"
    ) -> None:
        self.values = values
        self.curvature = curvature

    def factorize(self, model, row_weight, parameters=None):
        """What solves with H and, asked for influences, returns those given.

        Raises
        ------
        ValueError
            If influences are asked for with other weights than those of training.
        """
        if not np.array_equal(row_weight, model.row_weight):
            raise ValueError(
                "PrecomputedInfluence holds influences at the fitted parameters, and "
                "the update asks for them anew at others. Use update='influence' or "
                "'retrain'."
            )
        inner = resolve_curvature(
            self.curvature, model.parameters.size, model.curvature_beyond_dense
        )
        solve = inner.factorize(model, row_weight, parameters)
        return _GivenInfluence(self.values, solve, model.row_weight)


class _GivenInfluence:
    """H^-1 of another curvature, with influences that are given."""

    def __init__(self, values, solve, row_weight):
        self.values = values
        self.solve = solve
        self.row_weight = row_weight

    def __call__(self, gradients):
        return self.solve(gradients)

    def roughly(self, gradients):
        """H^-1 G to its order of magnitude."""
        return getattr(self.solve, "roughly", self.solve)(gradients)

    def given(self, derivative):
        """The values, of shape (n_samples, n_functionals)."""
        values = self.values(derivative) if callable(self.values) else self.values
        values = np.asarray(values, dtype=np.float64)
        shape = len(self.row_weight), derivative.shape[2]
        if values.shape != shape:
            raise ValueError(
                f"PrecomputedInfluence: values has shape {values.shape}, where one row "
                f"for each training row and one column for each functional, {shape}, "
                "is expected. functional_names_ names the functionals."
            )
        if not np.all(np.isfinite(values)):
            raise ValueError("PrecomputedInfluence: values holds NaN or infinity.")
        # Rows that were not trained on cannot be deleted.
        return np.where(self.row_weight[:, None] > 0, values, 0.0)
