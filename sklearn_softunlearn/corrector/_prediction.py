# SPDX-License-Identifier: BSD-3-Clause
"""What a corrected estimator shares with the estimator inside it."""

from copy import deepcopy
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn._sklearn_compat import routing_enabled
from sklearn_softunlearn.criteria import perturbs_features
from sklearn_softunlearn.models import predictor


def _has(method):
    def check(self):
        # Raises AttributeError with the inner estimator's own message.
        getattr(getattr(self, "estimator_", self._get_estimator()), method)
        return True

    return check


def take_input_tags(tags, inner):
    """Let tags accept the X and y that a wrapped estimator accepts, with labels."""
    tags.input_tags.sparse = inner.input_tags.sparse
    tags.input_tags.allow_nan = inner.input_tags.allow_nan
    tags.target_tags.required = True
    tags.target_tags.positive_only = inner.target_tags.positive_only


class CorrectedEstimatorMixin:
    """Predictions, tags and metadata routing of a meta-estimator that corrects.

    It is a classifier around a classifier and a regressor around a regressor. Expects
    the parameter `estimator` and, once fitted, the attributes `estimator_` and
    `base_estimator_`.
    """

    def predict(self, X: Any) -> NDArray[Any]:
        """Predictions of the corrected estimator, of shape (n_samples,)."""
        return self._corrected().predict(X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Class probabilities, of shape (n_samples, n_classes)."""
        return self._corrected().predict_proba(X)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Logarithm of the class probabilities, of shape (n_samples, n_classes)."""
        return self._corrected().predict_log_proba(X)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Confidence scores, of shape (n_samples,) or (n_samples, n_classes)."""
        return self._corrected().decision_function(X)

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Score of the corrected estimator: accuracy, R^2 or what it defines.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._corrected().score(X, y, **weight)

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels, of shape (n_classes,); absent if a regressor is corrected."""
        check_is_fitted(self, "base_estimator_")
        return predictor(self.base_estimator_).classes_

    def get_metadata_routing(self) -> MetadataRouter:
        """Metadata that `fit` consumes and passes on to the estimator."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self._get_estimator(),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_tags__(self):
        """Tags of the wrapped estimator, with one target."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self._get_estimator())
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        take_input_tags(tags, inner)
        if any(perturbs_features(given) for given in self._measured()):
            tags.input_tags.sparse = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags

    def _measured(self):
        return getattr(self, "metric", None), getattr(self, "utility", None)

    def _get_estimator(self):
        if self.estimator is not None:
            return self.estimator
        estimator = LogisticRegression()
        if routing_enabled():
            estimator.set_fit_request(sample_weight=True)
        return estimator

    def _corrected(self):
        check_is_fitted(self)
        return self.estimator_  # which checks the columns of X itself
