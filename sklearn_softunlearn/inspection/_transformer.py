# SPDX-License-Identifier: BSD-3-Clause
"""Influences as the first step of a Pipeline, in front of `SoftWeighter`."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_array, get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn._sklearn_compat import check_features
from sklearn_softunlearn.corrector import (
    encoded_target,
    make_table,
    split_rows,
    take_input_tags,
)
from sklearn_softunlearn.criteria import Criterion
from sklearn_softunlearn.influence import influence_along
from sklearn_softunlearn.inspection._changes import check_hessian, directions_of
from sklearn_softunlearn.inspection._functions import linearized
from sklearn_softunlearn.models import (
    copying_clone,
    embed,
    fit_parameter_name,
    model_class,
    predictor,
    recorded_fit,
)


class InfluenceTransformer(TransformerMixin, BaseEstimator):
    """Influence of deleting each row on a metric and on what it must not harm.

    Column 0 is the influence on the functional of the metric that is largest at the
    fitted model (of two groups, the gap in the direction in which it is open); then
    follows one column for each utility. This is what `SoftWeighter` expects.

    Parameters
    ----------
    estimator : estimator, default=None
        Of a kind that `SoftUnlearnCorrector` accepts; None is `LogisticRegression`.
    metric : str, callable or Criterion, default="demographic_parity_difference"
        As in `SoftUnlearnCorrector`.
    utility : str, Criterion, or list of these, default="loss"
        As in `SoftUnlearnCorrector`.
    curvature : str or object, default="auto"
        As in `SoftUnlearnCorrector`.
    sensitive_feature_ids : str, int or list of these, default=None
        Columns of X that hold the sensitive features, if not passed to `fit`.

    Attributes
    ----------
    estimator_ : fitted estimator
    directions_ : ndarray of shape (n_parameters, n_functionals)
        H^-1 grad F of each functional.
    functional_names_ : list of str
        Name of each column.
    n_features_in_ : int

    See Also
    --------
    influence : The same as a function, with all functionals.
    SoftUnlearnCorrector : All pairs of several groups at once, and the correction.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_softunlearn import InfluenceTransformer, SoftWeighter
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> pipeline = make_pipeline(InfluenceTransformer(), SoftWeighter(delta=0.2))
    >>> weights = pipeline.fit_transform(
    ...     X, y, influencetransformer__sensitive_features=group
    ... )
    >>> weights.shape
    (1000, 1)
    """

    # Requested without a call of set_fit_request, as by the corrector.
    __metadata_request__fit = {"sensitive_features": True}

    def __init__(
        self,
        estimator: Any = None,
        *,
        metric: str
        | Callable[..., Any]
        | Criterion
        | Sequence[Any] = "demographic_parity_difference",
        utility: str | Callable[..., Any] | Criterion | Sequence[Any] = "loss",
        curvature: str | Any = "auto",
        sensitive_feature_ids: Any = None,
    ) -> None:
        self.estimator = estimator
        self.metric = metric
        self.utility = utility
        self.curvature = curvature
        self.sensitive_feature_ids = sensitive_feature_ids

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sensitive_features: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the estimator and the directions of influence.

        Parameters
        ----------
        X, y, sensitive_features, sample_weight : as in `SoftUnlearnCorrector.fit`

        Returns
        -------
        InfluenceTransformer
            Fitted.
        """
        self._fit(X, y, sensitive_features, sample_weight)
        return self

    def fit_transform(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sensitive_features: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> Any:
        """Influences of the rows that are fitted, (n_samples, n_functionals)."""
        return self._fit(X, y, sensitive_features, sample_weight)

    def transform(self, X: Any, y: ArrayLike | None = None) -> Any:
        """Influences of rows as if they were training rows of weight 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            What deletion of a row does depends on its label.

        Returns
        -------
        ndarray of shape (n_samples, n_functionals)

        Raises
        ------
        ValueError
            If y is missing.
        """
        check_is_fitted(self)
        if len(getattr(X, "shape", (0, 0))) == 1:
            check_array(X)  # says what to do
        check_features(self, X, reset=False)
        if y is None:
            raise ValueError(
                "The influence of a row depends on its label: give transform(X, y). "
                "For the rows of fit use fit_transform."
            )
        last = predictor(self.estimator_)
        table = make_table(X, y, None, None, None, "", self.estimator_)
        seen = check_array(
            embed(self.estimator_, table.X), accept_sparse="csr", dtype=np.float64
        )
        target = encoded_target(table, last)
        model = model_class(last).untrained_on(last, seen, target)
        model.row_weight = self._row_scale(target)
        return influence_along(model, self.directions_)

    def __sklearn_tags__(self):
        """Tags of what the estimator accepts; labels are required."""
        tags = super().__sklearn_tags__()
        take_input_tags(tags, get_tags(self._unfitted()))
        tags.transformer_tags.preserves_dtype = []
        return tags

    def get_feature_names_out(self, input_features=None):
        """Names of the functionals."""
        check_is_fitted(self)
        return np.asarray(self.functional_names_, dtype=object)

    def _fit(self, X, y, sensitive_features, sample_weight):
        check_features(self, X)
        table = make_table(
            X,
            y,
            sensitive_features,
            sample_weight,
            self.sensitive_feature_ids,
            "",
            self._unfitted(),
        )
        self.estimator_, inputs = self._fitted_estimator(
            table, sample_weight is not None
        )
        rows = split_rows(table, None, None, None, already_trained=False)
        rows = rows.trained_on(self.estimator_, inputs)
        utility = self.utility if isinstance(self.utility, list) else [self.utility]
        state = linearized(
            self.estimator_,
            (rows.training, rows.evaluation),
            [self.metric, *utility],
            self.curvature,
        )
        instead = "Use boosting, of which leaf values minimise one, or influence."
        check_hessian(state, "InfluenceTransformer", instead)
        columns = state.metric.criterion.largest(state.value, state.rows)
        self.directions_ = directions_of(state)[:, columns]
        self.functional_names_ = [state.names[j] for j in columns]
        self._scale = _scale_of_rows(state.model, table.sample_weight)
        return state.influence[:, columns]

    def _fitted_estimator(self, table, weighted):
        """The estimator, fitted, and what its last step was fitted on, if known."""
        given = self._unfitted()
        name = fit_parameter_name(given, "sample_weight")
        weight = {name: table.sample_weight} if weighted else {}
        unfitted = copying_clone(given)
        with recorded_fit(unfitted) as seen:
            fitted = unfitted.fit(table.X, table.target, **weight)
        return fitted, seen[-1][0] if seen else None

    def _unfitted(self):
        return LogisticRegression() if self.estimator is None else self.estimator

    def _row_scale(self, target):
        """Weight by which the estimator multiplies each row in its objective."""
        return self._scale[
            target if len(self._scale) > 1 else np.zeros(len(target), int)
        ]


def _scale_of_rows(model, sample_weight):
    """That weight for each class, or one for all rows of a regression."""
    kept = sample_weight > 0
    scale = model.row_weight[kept] / sample_weight[kept]
    if np.issubdtype(model.y.dtype, np.floating):
        return scale[:1]
    by_class = np.zeros(int(model.y.max()) + 1)
    by_class[model.y[kept]] = scale
    return by_class
