# SPDX-License-Identifier: BSD-3-Clause
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils.metadata_routing import UNCHANGED, MetadataRequest

from sklearn_softunlearn._sklearn_compat import check_sample_weight, routing_enabled
from sklearn_softunlearn.arguments import (
    check_unmasked,
    group_frame,
    label_vector,
)
from sklearn_softunlearn.corrector import check_same_order, columns_of
from sklearn_softunlearn.scoring._groups import aligned_by_index, check_indexed
from sklearn_softunlearn.scoring._metrics import prefers_greater, resolve_metric
from sklearn_softunlearn.scoring._models import CalledMetric, CountedMetric


def fairness_scorer(
    metric: str | Callable[..., Any],
    *,
    sensitive_feature_ids: Any = None,
    sensitive_features: Any = None,
    greater_is_better: bool | None = None,
    response_method: str | None = None,
    pos_label: Any = None,
    **metric_params: Any,
) -> Callable[..., Any]:
    """Make a scorer of a metric that compares sensitive groups.

    The scorer works in :class:`~sklearn.model_selection.GridSearchCV`,
    :func:`~sklearn.model_selection.cross_validate` and wherever else scikit-learn
    takes a scorer, alone or among several. It finds the sensitive features of the
    rows that it scores in the first of these places that has them:

    1. the keyword argument `sensitive_features` of the call. With metadata routing
       enabled, ``GridSearchCV(...).fit(X, y, sensitive_features=A)`` passes it; the
       scorer requests it by default, so `set_score_request` is not needed;
    2. the columns `sensitive_feature_ids` of the X that it scores;
    3. the Series `sensitive_features` given here, aligned through the index of X or y.

    Parameters
    ----------
    metric : str, callable or GroupMetric
        Every group metric that `SoftUnlearnCorrector` takes: its name, for example
        ``"demographic_parity_difference"``, its function in `fairlearn.metrics` or
        made with `fairlearn.metrics.make_derived_metric`, or a `GroupMetric`. Or a
        function of your own with the signature
        ``metric(y_true, y_pred, *, sensitive_features, **metric_params)``; labels of
        a classifier reach it as 0 and 1.
    sensitive_feature_ids : str, int or list of these, default=None
        Columns of X that hold the sensitive features: names if X is a DataFrame,
        positions if it is an array. Several columns give intersections of groups.
    sensitive_features : pandas Series or DataFrame, default=None
        Sensitive features of all rows that will ever be scored, under the index that
        X or y has. Each index entry must be unique.
    greater_is_better : bool, default=None
        Whether a greater metric is better. If it is not, the score is minus the
        metric, as in :func:`~sklearn.metrics.make_scorer`. None reads it from the end
        of the metric's name: differences and `group_max` (of losses) are minimised,
        ratios and `group_min` (of accuracies) are maximised.
    response_method : {"predict", "predict_proba", "decision_function"}, default=None
        Method of the estimator whose output the metric compares. None is
        "predict_proba" for log_loss, "decision_function" or else "predict_proba" for
        roc_auc_score, and "predict" for all others. A function of your own, and a
        metric of numbers, may be given scores of the positive class instead.
    pos_label : int, float, bool or str, default=None
        Label that counts as positive; all others are negative. None means the second
        of the two `classes_` of the estimator; of more than two, a metric that the
        package knows treats all as `GroupMetric` does, and a function of your own is
        an error.
    **metric_params : dict
        Further parameters of the metric, such as ``method="to_overall"``,
        ``agg="mean"`` or ``marginal=True``.

    Returns
    -------
    scorer : callable
        Call it as ``scorer(estimator, X, y, *, sensitive_features=None,
        sample_weight=None)``; it returns a float.

    Raises
    ------
    ValueError
        On construction, if the metric is not known or does not take sensitive
        features, or if its direction cannot be read from its name. On scoring, if no
        sensitive features are found, if they are missing (NaN) or of the wrong
        length, or if the predictions are not class labels.

    Warns
    -----
    sklearn.exceptions.UndefinedMetricWarning
        If the scored rows hold one group only, or a group without the labels that
        the metric conditions on (not known for functions of your own), or if the
        metric is not finite. The score is then NaN.

    Notes
    -----
    The value is that of the corrector's report on the same rows, and fairlearn's
    where it has the metric. A ratio of two groups that are both at 0 is 1, since they
    are alike; fairlearn has no number for it.

    Examples
    --------
    Without metadata routing, sensitive features come from a column of X, or from a
    Series with the index of X:

    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_softunlearn import fairness_scorer
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, groups = make_biased_classification(random_state=0)
    >>> X, A = pd.DataFrame(X), pd.Series(groups)
    >>> scorer = fairness_scorer("demographic_parity_difference", sensitive_features=A)
    >>> search = GridSearchCV(
    ...     LogisticRegression(),
    ...     {"C": [0.001, 1.0]},
    ...     scoring={"accuracy": "accuracy", "parity": scorer},
    ...     refit="accuracy",
    ... ).fit(X, y)
    >>> search.cv_results_["mean_test_parity"].shape
    (2,)

    With metadata routing, they are passed to fit:

    >>> import sklearn
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     search = GridSearchCV(
    ...         LogisticRegression(),
    ...         {"C": [0.001, 1.0]},
    ...         scoring=fairness_scorer("demographic_parity_difference"),
    ...     ).fit(X, y, sensitive_features=groups)
    >>> search.best_params_
    {'C': 0.001}
    """
    resolved = resolve_metric(metric, response_method, pos_label, metric_params)
    check_indexed(sensitive_features)
    if greater_is_better is None:
        greater_is_better = prefers_greater(resolved.name)
    return _FairnessScorer(
        metric=resolved,
        name=resolved.name,
        greater_is_better=greater_is_better,
        sensitive_feature_ids=sensitive_feature_ids,
        sensitive_features=sensitive_features,
        response_method=response_method,
        pos_label=pos_label,
        metric_params=metric_params,
    )


@dataclass(repr=False, eq=False, kw_only=True)
class _FairnessScorer:
    """What `fairness_scorer` returns; the attributes are its parameters."""

    metric: CountedMetric | CalledMetric
    name: str
    greater_is_better: bool
    sensitive_feature_ids: object
    sensitive_features: object
    response_method: str | None
    pos_label: object
    metric_params: dict
    requests: dict = field(
        default_factory=lambda: {"sensitive_features": True, "sample_weight": None}
    )

    def __call__(self, estimator, X, y, *, sensitive_features=None, sample_weight=None):
        """Score of the estimator on X and y: the metric, or minus the metric."""
        given = {"sensitive_features": sensitive_features}
        given["sample_weight"] = sample_weight
        return self.on_rows(estimator, X, y, **given)(estimator)

    def on_rows(self, estimator, X, y, *, sensitive_features=None, sample_weight=None):
        """The scorer as a function of models that know the classes of ``estimator``.

        For many models on the same rows: what depends on the rows alone is computed
        once.
        """
        check_same_order(X=X, y=y, sensitive_features=sensitive_features)
        given = self._checked(X, y, sensitive_features, sample_weight)
        measure = self.metric.on_rows(estimator, X, *given)
        sign = 1.0 if self.greater_is_better else -1.0

        def score(model):
            value, reason = measure(model)
            if reason is None and not np.isfinite(value):
                reason = f"its value is {value}."
            if reason is None:
                return sign * value
            message = f"{self.name} is undefined on the rows to score: {reason}"
            warnings.warn(message, UndefinedMetricWarning, stacklevel=3)
            return np.nan

        return score

    @property
    def counts(self):
        """Whether `counted_on` knows what is counted."""
        return isinstance(self.metric, CountedMetric)

    def counted_on(
        self, estimator, X, y, *, sensitive_features=None, sample_weight=None
    ):
        """What is counted of models that know the classes of ``estimator``.

        Returns
        -------
        criterion : GroupMetric
        rows : EvaluationRows
        answers : callable
            From a model and X to what the criterion counts.

        Raises
        ------
        ValueError
            If the metric is a function of the user, which counts nothing.
        """
        if not self.counts:
            raise ValueError(
                f"{self.name} is a function of your own, of which only values are "
                "known. A confidence needs a metric that GroupMetric knows."
            )
        given = self._checked(X, y, sensitive_features, sample_weight)
        return self.metric.counted_on(estimator, X, *given)

    def __repr__(self):
        """Call that makes this scorer, without the data in it."""
        shown = {"greater_is_better": self.greater_is_better}
        for name in ("sensitive_feature_ids", "response_method", "pos_label"):
            if getattr(self, name) is not None:
                shown[name] = getattr(self, name)
        shown |= self.metric_params
        params = "".join(f", {name}={value!r}" for name, value in shown.items())
        return f"fairness_scorer({self.name}{params})"

    def set_score_request(
        self, *, sensitive_features=UNCHANGED, sample_weight=UNCHANGED
    ):
        """Set which metadata is requested, as for scikit-learn's scorers.

        Parameters
        ----------
        sensitive_features, sample_weight : bool, str or None
            True requests it, False ignores it, a string requests it under that name,
            None makes passing it an error. By default `sensitive_features` is True
            and `sample_weight` is None.

        Returns
        -------
        self : object
            This scorer.

        Raises
        ------
        RuntimeError
            If metadata routing is not enabled.
        """
        if not routing_enabled():
            raise RuntimeError(
                "set_score_request needs metadata routing. Enable it with "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        given = {
            "sensitive_features": sensitive_features,
            "sample_weight": sample_weight,
        }
        changed = {name: alias for name, alias in given.items() if alias != UNCHANGED}
        _metadata_request(repr(self), changed)  # refuses what is no alias
        self.requests = self.requests | changed
        return self

    def get_metadata_routing(self):
        """Metadata that this scorer requests, as a `MetadataRequest`."""
        return _metadata_request(repr(self), self.requests)

    def _accept_sample_weight(self):
        # scikit-learn >= 1.9 asks this of every scorer when routing is off
        return True

    def _checked(self, X, y, sensitive_features, sample_weight):
        """Labels, groups and weights of the rows."""
        check_unmasked(X, "X")
        features = group_frame(self._find_features(X, y, sensitive_features))
        y = label_vector(y, "y")
        if len(features) != len(y):
            raise ValueError(
                f"sensitive_features has {len(features)} rows where y has {len(y)}."
            )
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, y)
        return y, features, sample_weight

    def _find_features(self, X, y, passed):
        if passed is not None:
            return passed
        if self.sensitive_feature_ids is not None:
            return columns_of(X, self.sensitive_feature_ids)
        if self.sensitive_features is not None:
            return aligned_by_index(self.sensitive_features, X, y)
        raise ValueError(
            f"{self.name} compares groups, but the scorer found no sensitive features. "
            "Give them in one of three ways: (1) enable metadata routing and pass "
            "sensitive_features=... to fit, or to the scorer itself; (2) name columns "
            "of X in fairness_scorer(..., sensitive_feature_ids=...); (3) give "
            "fairness_scorer(..., sensitive_features=series), a pandas Series with the "
            "index of X or y."
        )


def _metadata_request(owner, requests):
    request = MetadataRequest(owner=owner)
    for name, alias in requests.items():
        request.score.add_request(param=name, alias=alias)
    return request
