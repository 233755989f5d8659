# SPDX-License-Identifier: BSD-3-Clause
"""Labels of any kind as 0 and 1."""

import numpy as np
from sklearn.utils.multiclass import type_of_target, unique_labels


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


def binarize(labels, classes, positive, name):
    """1 for the positive label and 0 for all others."""
    unknown = set(labels.tolist()) - set(classes)
    if unknown:
        raise ValueError(
            f"{name} holds labels that are no class of the estimator: "
            f"{sorted(map(repr, unknown))[:5]}. Its classes are {classes}."
        )
    return (labels == positive).astype(int)


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
