# SPDX-License-Identifier: BSD-3-Clause
"""What an estimator can be trained to predict, and how the stages count it."""

from dataclasses import replace

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

from sklearn_softunlearn.pointwise import SwappedClasses


def check_target(table, estimator):
    """Raise ValueError unless the target is what the estimator can predict.

    Class labels, of which at least two among the rows of positive weight, for a
    classifier; at least two finite numbers for a regressor.
    """
    if not is_classifier(estimator):
        _numbers(table.y, f"y{table.suffix}")
        if np.sum(table.sample_weight > 0) < 2:
            raise ValueError(
                "y has one sample only among the rows of positive sample weight. A "
                "correction needs rows to choose from: give more."
            )
        return
    kind = type_of_target(table.y, input_name="y", raise_unknown=True)
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"Unknown label type: y is {kind} and the estimator is a classifier. Give "
            "class labels, or a regressor as estimator."
        )
    classes = np.unique(table.y[table.sample_weight > 0]).tolist()
    if len(classes) < 2:
        raise ValueError(
            f"y has one class only ({classes[0]!r}) among the rows of positive sample "
            "weight. A classifier needs rows of two classes."
        )


def encoded_target(table, estimator):
    """Class index of each row for a fitted classifier, else the target as float64.

    Raises
    ------
    ValueError
        If a label is not among the classes, or the target is no finite number.
    """
    parameter = f"y{table.suffix}"
    if is_classifier(estimator):
        return encode_target(table.y, np.asarray(estimator.classes_), parameter)
    return _numbers(table.y, parameter)


def _numbers(y, parameter):
    return check_array(y, ensure_2d=False, dtype=np.float64, input_name=parameter)


def with_positive_class(rows, pos_label):
    """Evaluation rows in which ``pos_label`` is class 1, the one that metrics count.

    Parameters
    ----------
    rows : EvaluationRows
        With the classes in the order of the model.
    pos_label : str, int, bool or None
        None is the second of two classes, as it is.

    Raises
    ------
    ValueError
        If it is not one of two classes.
    """
    if pos_label is None:
        return rows
    classes = np.asarray(rows.classes).tolist()
    if len(classes) != 2 or pos_label not in classes:
        raise ValueError(
            f"pos_label={pos_label!r} must be one of two classes, but the classes are "
            f"{classes}. For more classes use GroupMetric(..., pos_label=...)."
        )
    if pos_label == classes[1]:
        return rows
    view = SwappedClasses(rows.loss, rows.response)
    return replace(
        rows, y=1 - rows.y, loss=view, response=view, classes=rows.classes[::-1]
    )


def encode_target(y, classes, parameter):
    """Index of the class of each row.

    Raises
    ------
    ValueError
        If a label is not among ``classes``.
    """
    try:
        codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    except TypeError:  # numbers and strings have no order
        raise ValueError(
            f"{parameter} holds {y.dtype} labels where the estimator was trained with "
            f"the classes {classes.tolist()}. Give labels of the same kind."
        ) from None
    unknown = np.unique(y[classes[codes] != y])
    if unknown.size:
        raise ValueError(
            f"{parameter} has labels that the estimator was not trained with: "
            f"{unknown.tolist()}. The trained classes are {classes.tolist()}."
        )
    return codes
