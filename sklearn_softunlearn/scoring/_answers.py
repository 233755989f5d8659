# SPDX-License-Identifier: BSD-3-Clause
"""What a model says of each row, in the form of raw predictions that criteria count.

One column for each class: 1 for the predicted one, or its probability or score. Of a
regression one column, the prediction.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target, unique_labels

METHODS = ("predict", "predict_proba", "decision_function")
# The methods whose output a metric can count, in order of preference.
_METHODS_OF = {
    "labels": ("predict",),
    "numbers": METHODS,
    "probabilities": ("predict_proba",),
    "scores": ("decision_function", "predict_proba"),
}


@dataclass(frozen=True)
class Answers:
    """Reader of the answers of models that know the same classes.

    Attributes
    ----------
    name : str
        Of the metric, for messages.
    methods : tuple of str
        The first that a model has is called.
    classes : list or None
        None for a regression.
    positive : int or None
        Position of the class that is compared with the rest; None keeps all.
    """

    name: str
    methods: tuple
    classes: list | None
    positive: int | None

    @classmethod
    def of(cls, estimator, X, y, *, metric, name, response_method, pos_label):
        """Reader for models like this one and a criterion ``metric``."""
        methods = methods_of(metric, name, response_method)
        numbers = metric.takes == "numbers"
        classes = _classes_of(estimator, X, y, name, numbers=numbers)
        if classes is None or pos_label is None:
            return cls(name, methods, classes, None)
        return cls(name, methods, classes, _position(classes, pos_label))

    @classmethod
    def of_one_class(cls, estimator, X, y, *, name, method, pos_label):
        """Reader of one method, that compares one class with the rest."""
        classes = _classes_of(estimator, X, y, name)
        position = None if classes is None else _position(classes, pos_label)
        return cls(name, (method,), classes, position)

    @property
    def counted_classes(self):
        """Class labels in the order of the columns; () for a regression."""
        if self.classes is None:
            return ()
        if self.positive is None:
            return tuple(self.classes)
        return ("rest", self.classes[self.positive])

    def target(self, y):
        """True labels as positions among `counted_classes`, or true numbers."""
        if self.classes is None:
            return np.asarray(y, dtype=float)
        return np.argmax(self._columns(_indicators(y, self.classes, "y")), axis=1)

    def __call__(self, model, X):
        """Columns of the answers, of shape (n_samples, n_columns)."""
        method = next((m for m in self.methods if hasattr(model, m)), None)
        if method is None:
            wanted = " or ".join(self.methods)
            raise ValueError(
                f"{self.name} needs {wanted}, which {type(model).__name__} does not "
                "have. Give a metric of labels, or another model."
            )
        response = np.asarray(getattr(model, method)(X))
        if self.classes is None:
            return column_or_1d(response).astype(float)[:, None]
        if method == "predict":
            response = _indicators(column_or_1d(response), self.classes, "predict(X)")
        elif response.ndim == 1:
            response = np.column_stack([-response, response])
        elif method == "predict_proba":
            # As scikit-learn's log_loss does, of which one row could be infinite.
            response = np.maximum(response, np.finfo(response.dtype).eps)
        return self._columns(response)

    def _columns(self, columns):
        if self.positive is None:
            return columns
        positive = columns[:, self.positive]
        return np.column_stack([1.0 - positive, positive])


def methods_of(metric, name, response_method):
    """Methods of a model whose output the criterion can count.

    Raises
    ------
    ValueError
        If it cannot count the one that was asked for.
    """
    known = _METHODS_OF[metric.takes]
    if response_method is None:
        return known[:1] if metric.takes == "numbers" else known
    if response_method in known:
        return (response_method,)
    compared = "class labels" if metric.takes == "labels" else metric.takes
    given = "labels" if response_method == "predict" else "scores"
    raise ValueError(
        f"{name} compares {compared}, and response_method={response_method!r} gives "
        f"{given}. Leave response_method out, or give one of {known}."
    )


def _classes_of(estimator, X, y, name, *, numbers=False):
    """Classes that the estimator can predict, as a list; None if it predicts numbers.

    ``numbers`` says what it does where it does not say itself.
    """
    unknown = not hasattr(estimator, "classes_")
    regression = hasattr(estimator, "__sklearn_tags__") and is_regressor(estimator)
    if regression or (unknown and numbers):
        return None
    if not unknown:
        return np.asarray(estimator.classes_).tolist()
    predicted = column_or_1d(np.asarray(estimator.predict(X)))
    _check_not_continuous(name, predicted)
    found = unique_labels(y, predicted).tolist()
    usual = [pair for pair in ([0, 1], [-1, 1]) if set(found) <= set(pair)]
    return usual[0] if usual else found


def _position(classes, pos_label):
    """Of the class that is compared with the rest."""
    if pos_label is None and len(classes) == 2:
        return 1
    if pos_label in classes:
        return classes.index(pos_label)
    raise ValueError(
        f"pos_label={pos_label!r} must be one of the {len(classes)} classes {classes}."
    )


def _indicators(labels, classes, name):
    """1 in the column of the class of each row, of shape (n_samples, n_classes).

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    columns = np.column_stack([labels == label for label in classes]).astype(float)
    unknown = labels[~np.any(columns, axis=1)]
    if len(unknown):
        raise ValueError(
            f"{name} holds labels that are no class of the estimator: "
            f"{sorted(map(repr, set(unknown.tolist())))[:5]}. Its classes are "
            f"{classes}."
        )
    return columns


def _check_not_continuous(name, response):
    if type_of_target(response, input_name="predict(X)").startswith("continuous"):
        raise ValueError(
            f"{name} compares class labels, and predict(X) gives continuous values "
            f"such as {response[0]:.3g}. Give an estimator that predicts labels."
        )
