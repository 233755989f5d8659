# SPDX-License-Identifier: BSD-3-Clause
"""Labels of any kind as 0 and 1."""

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.multiclass import type_of_target, unique_labels


def is_regression(estimator):
    """Whether it says that it predicts numbers; of unknown kinds, it does not."""
    return hasattr(estimator, "__sklearn_tags__") and is_regressor(estimator)


def known_classes(estimator, *labels):
    """Classes that the estimator can predict, as a list."""
    if hasattr(estimator, "classes_"):
        return np.asarray(estimator.classes_).tolist()
    found = unique_labels(*labels).tolist()
    usual = [pair for pair in ([0, 1], [-1, 1]) if set(found) <= set(pair)]
    return usual[0] if usual else found


def positive_class(classes, pos_label):
    if pos_label is None and len(classes) == 2:
        return classes[1]
    if pos_label in classes:
        return pos_label
    raise ValueError(
        f"pos_label={pos_label!r} must be one of the {len(classes)} classes {classes}."
    )


def indicators(labels, classes, name):
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


def binarize(labels, classes, positive, name):
    """1 for the positive label and 0 for all others."""
    return indicators(labels, classes, name)[:, classes.index(positive)].astype(int)


def positive_scores(response, classes, positive):
    if response.ndim == 2:
        return response[:, classes.index(positive)]
    return response if positive == classes[1] else -response


def check_not_continuous(name, response):
    if type_of_target(response, input_name="predict(X)").startswith("continuous"):
        raise ValueError(
            f"{name} compares class labels, and predict(X) gives continuous values "
            f"such as {response[0]:.3g}. Give an estimator that predicts labels."
        )
