# SPDX-License-Identifier: BSD-3-Clause
"""`SurrogateWeights`: any estimator, refitted with the weights of another model."""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.validation import has_fit_parameter

from sklearn_softunlearn._sklearn_compat import check_features
from sklearn_softunlearn.corrector import (
    CorrectedEstimatorMixin,
    SoftUnlearnCorrector,
    ValidationData,
)
from sklearn_softunlearn.models import fit_parameter_name, predictor
from sklearn_softunlearn.scoring import fairness_scorer

_VALIDATION = ("X_val", "y_val", "sensitive_features_val", "sample_weight_val")


class SurrogateWeights(CorrectedEstimatorMixin, MetaEstimatorMixin, BaseEstimator):
    """Refit any estimator with the weights that correct another model.

    For estimators whose parameters `SoftUnlearnCorrector` cannot move (a stacking, a
    kernel machine, a model of another library). A corrector of a supported model is
    fitted on the same rows, and its ``sample_weight_``, times those of the user, are
    given to the fit of the estimator. How well rows that make one model unfair to
    groups do the same to another is not known beforehand: see ``measured_``.

    Parameters
    ----------
    estimator : estimator, default=None
        Classifier or regressor whose ``fit`` takes ``sample_weight``; None is
        ``LogisticRegression()``. It is cloned and fitted twice, without the weights
        and with them.
    corrector : SoftUnlearnCorrector, default=None
        Its model is the surrogate; metric, delta and the kind of weights are its
        parameters. A Pipeline inside may encode X in another way than the estimator
        does. None is ``SoftUnlearnCorrector(weighting="exact", utility_tol=None)``
        around a `LogisticRegression`, or a `Ridge` if the estimator is a regressor.

    Attributes
    ----------
    estimator_, base_estimator_ : estimator
        Fitted with the surrogate's weights, and without.
    corrector_ : SoftUnlearnCorrector
        Fitted; its ``report_`` is that of the surrogate.
    deletion_weights_, sample_weight_ : ndarray of shape (n_samples,)
        Of the surrogate.
    measured_ : dict of str to tuple of float
        Before and after: each metric of the corrector that compares groups, on
        predicted labels or numbers, and "score", the accuracy or R^2 of the estimator.
        On the validation rows if given, else on the training rows, which a flexible
        model may know by heart.
    classes_ : ndarray of shape (n_classes,)
        Only around a classifier.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Only if X has feature names that are all strings.

    See Also
    --------
    SoftUnlearnCorrector : Corrects supported models, which realise what is asked.
    audit : Compares both models, ``(base_estimator_, estimator_)``, on other rows.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from sklearn_softunlearn import SurrogateWeights
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> model = SurrogateWeights(SVC()).fit(X, y, sensitive_features=group)
    >>> before, after = model.measured_["demographic_parity_difference"]
    >>> after < before
    True
    """

    __metadata_request__fit = {"sensitive_features": True} | dict.fromkeys(
        _VALIDATION, True
    )

    def __init__(self, estimator=None, *, corrector=None):
        self.estimator = estimator
        self.corrector = corrector

    def fit(
        self,
        X,
        y,
        *,
        sensitive_features=None,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sensitive_features_val=None,
        sample_weight_val=None,
    ):
        """Fit the surrogate's corrector, and the estimator with and without weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            In a form that the estimator and the surrogate accept.
        y : array-like of shape (n_samples,)
        sensitive_features, sample_weight : array-like, default=None
            As in `SoftUnlearnCorrector`.
        X_val, y_val, sensitive_features_val, sample_weight_val : default=None
            Rows to measure on, also for the surrogate.

        Returns
        -------
        self : SurrogateWeights

        Raises
        ------
        TypeError
            If the estimator is frozen, or its fit takes no ``sample_weight``.
        """
        estimator = self._get_estimator()
        _check_refits(estimator)
        check_features(self, X)
        corrector = self._surrogate(estimator)
        given = (X_val, y_val, sensitive_features_val, sample_weight_val)
        validation = dict(zip(_VALIDATION, given, strict=True))
        rows = {"sensitive_features": sensitive_features}
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.corrector_ = corrector.fit(X, y, **rows, **weight, **validation)
        self.deletion_weights_ = self.corrector_.deletion_weights_
        self.sample_weight_ = self.corrector_.sample_weight_
        total = self.sample_weight_
        if sample_weight is not None:
            total = total * np.asarray(sample_weight)
        self.base_estimator_ = _fitted(estimator, X, y, sample_weight)
        self.estimator_ = _fitted(estimator, X, y, total)
        if isinstance(X_val, ValidationData):
            given = (X_val.X, X_val.y, X_val.sensitive_features, X_val.sample_weight)
        own = (X, y, sensitive_features, sample_weight)
        self.measured_ = self._measure(*(own if X_val is None else given))
        return self

    def _surrogate(self, estimator):
        if self.corrector is not None:
            return clone(self.corrector)
        model = Ridge() if is_regressor(estimator) else LogisticRegression()
        metric = "demographic_parity_difference"
        if is_regressor(estimator):
            metric = "mean_prediction_difference"
        return SoftUnlearnCorrector(
            model, metric=metric, weighting="exact", utility_tol=None
        )

    def _measure(self, X, y, groups, weight):
        """Before and after, by name."""
        models = self.base_estimator_, self.estimator_
        weighted = {} if weight is None else {"sample_weight": weight}
        found = {}
        for name, metric in _group_metrics(self.corrector_):
            scorer = fairness_scorer(
                metric,
                sensitive_feature_ids=self.corrector_.sensitive_feature_ids,
                pos_label=self.corrector_.pos_label,
            )
            # A scorer gives minus what should be small.
            found[name] = tuple(
                abs(float(scorer(m, X, y, sensitive_features=groups, **weighted)))
                for m in models
            )
        found["score"] = tuple(float(m.score(X, y, **weighted)) for m in models)
        return found


def _group_metrics(corrector):
    """Names and metrics of a corrector that a `fairness_scorer` can measure."""
    given = corrector.metric
    for each in given if isinstance(given, list | tuple) else [given]:
        try:
            fairness_scorer(each)
        except (TypeError, ValueError):  # a loss, or a criterion of the user's own
            continue
        name = each if isinstance(each, str) else getattr(each, "name", None)
        yield name or getattr(each, "__name__", type(each).__name__), each


def _fitted(estimator, X, y, sample_weight):
    if sample_weight is None:
        return clone(estimator).fit(X, y)
    name = fit_parameter_name(estimator, "sample_weight")
    return clone(estimator).fit(X, y, **{name: sample_weight})


def _check_refits(estimator):
    name = type(predictor(estimator)).__name__
    if isinstance(estimator, FrozenEstimator):
        raise TypeError(
            "estimator is a FrozenEstimator, and SurrogateWeights refits it with other "
            "weights. Give the estimator itself."
        )
    if not has_fit_parameter(predictor(estimator), "sample_weight"):
        raise TypeError(
            f"estimator: the fit of {name} takes no sample_weight, through which it "
            "would learn from the weights of the surrogate. Use one whose fit does."
        )
