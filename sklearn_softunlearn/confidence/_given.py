# SPDX-License-Identifier: BSD-3-Clause
"""Labels, predictions and groups as a user gives them, encoded."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from sklearn_softunlearn._sklearn_compat import check_sample_weight
from sklearn_softunlearn.arguments import (
    group_codes,
    group_frame,
    label_vector,
    real_array,
)
from sklearn_softunlearn.confidence._resampling import PairedAnswers
from sklearn_softunlearn.criteria import EvaluationRows
from sklearn_softunlearn.pointwise import AsGivenResponse

_EPS = np.finfo(float).eps


class GivenPredictions:
    """Predictions of several models for the same rows."""

    def __init__(self, y_true, predictions, scores, sensitive_features, sample_weight):
        y = _labels(y_true, "y_true")
        weight = check_sample_weight(sample_weight, y)
        groups = group_frame(sensitive_features)
        answers = _by_model(predictions, "predictions", _labels)
        if not answers:
            raise ValueError("predictions is empty. Give those of at least one model.")
        given = {f"predictions[{name!r}]": each for name, each in answers.items()}
        _check_one_kind({"y_true": y} | given)
        numbers = {} if scores is None else _by_model(scores, "scores", _numbers)
        given |= {f"scores[{name!r}]": each for name, each in numbers.items()}
        _check_lengths(len(y), given | {"sensitive_features": groups})
        kept = weight > 0.0  # a row of weight 0 is no row
        self.names, self.y, self.weight = list(answers), y[kept], weight[kept]
        self.predictions = {name: each[kept] for name, each in answers.items()}
        self.scores = {name: each[kept] for name, each in numbers.items()}
        self.codes, labels = group_codes(groups[kept])
        self.groups = labels.to_numpy(dtype=object)

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
        for name, columns in zip(self.names, answers, strict=True):
            if columns.shape[1] != len(rows.classes):
                raise ValueError(
                    f"scores[{name!r}] has {columns.shape[1]} columns where y_true and "
                    f"predictions hold the classes {list(rows.classes)}. Give one "
                    "column for each, or of two classes the second."
                )
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
        given = {"y_true": self.y}
        given |= {f"predictions[{k!r}]": v for k, v in self.predictions.items()}
        for name, values in given.items():
            _check_labels(values, name)
        labels = [np.unique(v) for v in given.values()]
        classes = np.unique(np.concatenate(labels))
        usual = [pair for pair in ([0, 1], [-1, 1]) if set(classes) <= set(pair)]
        return np.asarray(usual[0]) if usual else classes

    def _indicators(self, labels):
        return (labels[:, None] == self._classes()).astype(float)


def _by_model(given, parameter, checked):
    """What is given of each model, checked, by the name of the model."""
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{parameter} must be a dict of model names to arrays, such as "
            f'{{"before": ..., "after": ...}}; got {type(given).__name__}.'
        )
    return {k: checked(v, f"{parameter}[{k!r}]") for k, v in given.items()}


def _labels(values, parameter):
    """Labels that can be ordered."""
    vector = label_vector(values, parameter)
    if _kind(vector).startswith("mixed"):
        raise ValueError(
            f"{parameter} holds values that cannot be ordered. Give labels of one "
            "kind, numbers or strings."
        )
    return np.asarray(vector.tolist()) if vector.dtype == object else vector


def _check_labels(values, parameter):
    """Probabilities would be as many classes as rows, and none of them right."""
    if type_of_target(values).startswith("continuous"):
        raise ValueError(
            f"{parameter} holds numbers with a fraction, and these metrics count "
            "labels. Give labels, and probabilities in scores={...}."
        )


def _numbers(values, parameter):
    """Scores, in one or two dimensions."""
    scores = real_array(values, parameter)
    if scores.ndim not in (1, 2) or not np.all(np.isfinite(scores)):
        raise ValueError(
            f"{parameter} must be finite numbers of one or two dimensions. Drop rows "
            "with NaN or infinity."
        )
    return scores


def _kind(labels):
    kind = pd.api.types.infer_dtype(labels, skipna=False)
    numbers = ("integer", "floating", "boolean", "mixed-integer-float", "decimal")
    return "number" if kind in numbers else kind


def _check_one_kind(given):
    kinds = {name: _kind(labels) for name, labels in given.items()}
    if len(set(kinds.values())) > 1:
        found = ", ".join(f"{name} {kind}s" for name, kind in kinds.items())
        raise ValueError(f"Labels must be of one kind: {found}.")


def _check_lengths(n_samples, given):
    for name, values in given.items():
        if len(values) != n_samples:
            raise ValueError(
                f"{name} has {len(values)} rows where y_true has {n_samples}."
            )


def _columns(scores, takes):
    """One column for each class, of scores that may be of the positive one alone."""
    if scores.ndim == 1:
        other = -scores if takes == "scores" else 1.0 - scores
        scores = np.column_stack([other, scores])
    # As scikit-learn's log_loss does, of which one row could be infinite.
    return np.maximum(scores, _EPS) if takes == "probabilities" else scores
