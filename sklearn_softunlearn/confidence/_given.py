# SPDX-License-Identifier: BSD-3-Clause
"""Labels, predictions and groups as a user gives them, encoded."""

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d

from sklearn_softunlearn.confidence._resampling import PairedAnswers
from sklearn_softunlearn.criteria import EvaluationRows
from sklearn_softunlearn.pointwise import AsGivenResponse

_EPS = np.finfo(float).eps


class GivenPredictions:
    """Predictions of several models for the same rows."""

    def __init__(self, y_true, predictions, scores, sensitive_features, sample_weight):
        if not predictions:
            raise ValueError("predictions is empty. Give those of at least one model.")
        self.names = list(predictions)
        self.y = column_or_1d(y_true)
        self.predictions = {k: column_or_1d(v) for k, v in predictions.items()}
        self.scores = {k: np.asarray(v) for k, v in (scores or {}).items()}
        groups = _group_table(sensitive_features)
        weight = np.ones(len(self.y)) if sample_weight is None else sample_weight
        self.weight = column_or_1d(weight).astype(float)
        check_consistent_length(
            self.y, groups, self.weight, *self.predictions.values(),
            *self.scores.values(),
        )  # fmt: skip
        codes = groups.groupby(list(groups), sort=True, observed=True).ngroup()
        self.codes = codes.to_numpy()
        first = np.unique(self.codes, return_index=True)[1]
        self.groups = groups.iloc[first].to_numpy(dtype=object)

    def paired(self, takes, criteria, labels=False):
        """Answers of all models in the form that these criteria count.

        With ``labels`` the predictions count even where there are scores.
        """
        numeric = self.y.dtype.kind in "fiub"
        without = labels or not self.scores
        regression = takes == "numbers" and without and numeric
        rows = self._rows(regression)
        for criterion in criteria:
            criterion.check_target(rows)
        if regression:
            answers = [self.predictions[k].astype(float)[:, None] for k in self.names]
            return PairedAnswers.of_rows(rows, answers)
        if takes == "labels" or (takes == "numbers" and without):
            answers = [self._indicators(self.predictions[k]) for k in self.names]
            return PairedAnswers.of_labels(rows, answers)
        missing = [name for name in self.names if name not in self.scores]
        if missing:
            raise ValueError(
                f"{criteria[0].name} needs scores, and scores has none of {missing}. "
                "Give predict_proba or decision_function of every model in scores."
            )
        answers = [_columns(self.scores[k], takes) for k in self.names]
        return PairedAnswers.of_rows(rows, answers)

    def _rows(self, regression):
        names = tuple(", ".join(map(str, label)) for label in self.groups)
        if regression:
            y, classes = self.y.astype(float), ()
        else:
            y = np.argmax(self._indicators(self.y), axis=1)
            classes = tuple(self._classes().tolist())
        return EvaluationRows(
            y, self.weight, None, AsGivenResponse(), self.codes, names, self.groups,
            classes=classes,
        )  # fmt: skip

    def _classes(self):
        labels = [np.unique(v) for v in (self.y, *self.predictions.values())]
        classes = np.unique(np.concatenate(labels))
        usual = [pair for pair in ([0, 1], [-1, 1]) if set(classes) <= set(pair)]
        return np.asarray(usual[0]) if usual else classes

    def _indicators(self, labels):
        return (labels[:, None] == self._classes()).astype(float)


def _group_table(sensitive_features):
    if isinstance(sensitive_features, dict | pd.Series | pd.DataFrame):
        table = pd.DataFrame(sensitive_features)
    elif hasattr(sensitive_features, "to_pandas"):  # polars
        table = pd.DataFrame(sensitive_features.to_pandas())
    else:
        table = pd.DataFrame(np.asarray(sensitive_features))
    missing = int(table.isna().any(axis=1).sum())
    if missing:
        raise ValueError(
            f"sensitive_features are missing in {missing} of {len(table)} rows. Drop "
            "these rows or give them a group of their own."
        )
    return table.reset_index(drop=True).set_axis(range(table.shape[1]), axis=1)


def _columns(scores, takes):
    """One column for each class, of scores that may be of the positive one alone."""
    scores = scores.astype(float)
    if scores.ndim == 1:
        other = -scores if takes == "scores" else 1.0 - scores
        scores = np.column_stack([other, scores])
    # As scikit-learn's log_loss does, of which one row could be infinite.
    return np.maximum(scores, _EPS) if takes == "probabilities" else scores
