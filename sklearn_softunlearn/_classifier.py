# SPDX-License-Identifier: BSD-3-Clause
"""What a corrected classifier shares with the estimator inside it."""

from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn._sklearn_compat import routing_enabled


def _has(method):
    def check(self):
        # Raises AttributeError with the inner estimator's own message.
        getattr(getattr(self, "estimator_", self._get_estimator()), method)
        return True

    return check


class CorrectedClassifierMixin:
    """Predictions, tags and metadata routing of a meta-estimator that corrects.

    Expects the parameter `estimator` and, once fitted, the attribute `estimator_`.
    """

    def predict(self, X):
        """Labels predicted by the corrected estimator, of shape (n_samples,)."""
        return self._corrected().predict(X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X):
        """Class probabilities, of shape (n_samples, 2)."""
        return self._corrected().predict_proba(X)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Logarithm of the class probabilities, of shape (n_samples, 2)."""
        return self._corrected().predict_log_proba(X)

    @available_if(_has("decision_function"))
    def decision_function(self, X):
        """Confidence scores, of shape (n_samples,)."""
        return self._corrected().decision_function(X)

    def get_metadata_routing(self):
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
        """Tags of the wrapped estimator, restricted to two classes."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self._get_estimator())
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.classifier_tags.multi_class = False
        return tags

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
