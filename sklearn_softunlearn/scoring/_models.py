# SPDX-License-Identifier: BSD-3-Clause
"""A metric as a function of models: counted, or a function of the user called.

A metric that the corrector knows is counted as the corrector's report counts it.

It is fairlearn's number up to rounding. `fairlearn.metrics.MetricFrame` calls a
function of scikit-learn for each group: tens of milliseconds where counting takes less
than one. In a search that scores every candidate in every fold, that is most of the
time.
"""

import numpy as np
from sklearn.utils import check_consistent_length

from sklearn_softunlearn.arguments import group_codes
from sklearn_softunlearn.criteria import EvaluationRows
from sklearn_softunlearn.pointwise import AsGivenResponse
from sklearn_softunlearn.scoring._answers import Answers
from sklearn_softunlearn.scoring._groups import group_names, one_group_reason


class CountedMetric:
    """A `GroupMetric` as a function of models.

    Parameters
    ----------
    criterion : GroupMetric
    name : str
    response_method : str or None
    pos_label : object
    """

    def __init__(self, criterion, name, response_method, pos_label):
        self.criterion, self.name = criterion, name
        self._options = {"response_method": response_method, "pos_label": pos_label}

    def on_rows(self, estimator, X, y, features, sample_weight):
        """Function from models to (value, None) or (NaN, why it has no value).

        For models that know the classes of ``estimator``. What depends on the rows
        alone is computed here.
        """
        kept = slice(None) if sample_weight is None else np.asarray(sample_weight) > 0
        _, rows, answers = self.counted_on(
            estimator, X, y, features, sample_weight, kept
        )
        reason = one_group_reason(rows.group_names) or self._rows_reason(rows)
        bound = self.criterion.bind(rows)

        def measure(model):
            if reason is not None:
                return np.nan, reason
            given = answers(model, X)
            check_consistent_length(y, given)
            return _value(bound, given[kept], rows)

        return measure

    def counted_on(self, estimator, X, y, features, sample_weight, kept=slice(None)):
        """Criterion, the rows kept, and function from a model and X to its answers."""
        answers = Answers.of(
            estimator, X, y, metric=self.criterion, name=self.name, **self._options
        )
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        target, classes = answers.target(y), answers.counted_classes
        rows = _counted_rows(target[kept], features[kept], weight[kept], classes)
        return self.criterion, rows, answers

    def _rows_reason(self, rows):
        for kind, groups in self.criterion.without_rows(rows).items():
            return (
                f"groups {groups} hold no {kind}. Use fewer folds, folds stratified by "
                "label and group, or merge groups."
            )
        return None


class CalledMetric:
    """A function ``metric(y_true, y_pred, *, sensitive_features)`` of models.

    Parameters
    ----------
    function : callable
    name : str
    response_method : str or None
        None is "predict".
    pos_label : object
    params : dict
        Further arguments of the function.
    """

    def __init__(self, function, name, response_method, pos_label, params):
        self.function, self.name = function, name
        self._method = response_method or "predict"
        self._pos_label, self._params = pos_label, params

    def on_rows(self, estimator, X, y, features, sample_weight):
        """Function from models to (value, None) or (NaN, why it has no value)."""
        params = dict(self._params)
        counted = slice(None)
        if sample_weight is not None:
            params["sample_weight"] = np.asarray(sample_weight)
            counted = params["sample_weight"] > 0
        reason = one_group_reason(group_names(features[counted]))
        params["sensitive_features"] = features.squeeze(axis="columns")

        def measure(model):
            if reason is not None:
                return np.nan, reason
            return float(self.function(*self._responses(model, X, y), **params)), None

        return measure

    def _responses(self, model, X, y):
        """True labels and what the model says, as the function wants them."""
        answers = Answers.of_one_class(
            model, X, y, name=self.name, method=self._method, pos_label=self._pos_label
        )
        given = answers(model, X)[:, -1]
        if answers.classes is None:
            return y, given
        labels = self._method == "predict"
        return answers.target(y), given.astype(int) if labels else given


def _counted_rows(target, features, weight, classes):
    """Rows whose raw predictions are answers."""
    codes, labels = group_codes(features)
    return EvaluationRows(
        target,
        weight.astype(float),
        None,
        AsGivenResponse(),
        codes,
        tuple(group_names(labels)),
        labels.to_numpy(dtype=object),
        tuple(features.columns),
        classes,
    )


def _value(criterion, answers, rows):
    with np.errstate(all="ignore"):
        try:
            functionals = criterion.hard_value(answers, rows)
        except ValueError as error:  # r2_score of a target that is constant
            return np.nan, str(error)
        return criterion.user_value(functionals, rows), None
