# SPDX-License-Identifier: BSD-3-Clause
"""What a model says of each row, in the form of raw predictions that criteria count.

One column for each class: 1 for the predicted one, or its probability or score. Of a
regression one column, the prediction.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import column_or_1d

from sklearn_softunlearn.scoring._labels import (
    check_not_continuous,
    indicators,
    is_regression,
    known_classes,
    positive_class,
)

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
        unknown = not hasattr(estimator, "classes_")
        if is_regression(estimator) or (unknown and metric.takes == "numbers"):
            return cls(name, methods, None, None)
        labels = [y]
        if unknown:
            labels.append(column_or_1d(np.asarray(estimator.predict(X))))
            check_not_continuous(name, labels[-1])
        classes = known_classes(estimator, *labels)
        if pos_label is None:
            return cls(name, methods, classes, None)
        position = classes.index(positive_class(classes, pos_label))
        return cls(name, methods, classes, position)

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
        return np.argmax(self._columns(indicators(y, self.classes, "y")), axis=1)

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
            response = indicators(column_or_1d(response), self.classes, "predict(X)")
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
