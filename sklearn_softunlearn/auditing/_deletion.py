# SPDX-License-Identifier: BSD-3-Clause
"""Whose rows a correction deletes."""

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn.corrector import make_table
from sklearn_softunlearn.display import DeletionWeightsDisplay

_BINS = 4  # of the target of a regression


def deletion_of(corrector, training, n_largest):
    """How much was deleted, of whom, and the rows with the largest weights.

    Parameters
    ----------
    corrector : SoftUnlearnCorrector, SoftUnlearnCorrectorCV or None
    training : ValidationData or None
        The rows that the corrector was fitted on; None leaves out whose they are.
    n_largest : int
        Number of single rows to show.

    Returns
    -------
    dict or None
        "mass" has one entry for each group and label; "largest" one for each row, with
        the index that the user gave it. Both are None without training rows.
    """
    if corrector is None:
        return None
    weights, report = np.asarray(corrector.deletion_weights_), corrector.report_
    found = {
        "deleted_mass": report.deleted_mass,
        "added_mass": report.added_mass,
        "total_mass": report.total_mass,
        "share": report.deleted_mass / report.total_mass,
        "n_rows": len(weights),
        "n_touched": int(np.sum(weights > 0)),
        "largest_weight": float(np.max(weights)),
        "mass": None,
        "largest": None,
    }
    if training is None:
        return found
    display = _display(weights, training, is_classifier(corrector))
    mass = display.mass().astype({"group": str, "label": str})
    return found | {
        "mass": mass.to_dict(orient="records"),
        "largest": _largest(display, training, n_largest),
    }


def _display(weights, training, classes):
    given = training.sensitive_features, training.sample_weight
    table = make_table(training.X, training.y, *given, None, "_train")
    group = None
    if table.sensitive_features is not None:
        groups = table.groups()
        group = np.array(groups.names, dtype=object)[groups.codes]
    return DeletionWeightsDisplay(
        weights,
        table.y,
        group=group,
        sample_weight=table.sample_weight,
        X=training.X,
        n_bins=None if classes else _BINS,
    )


def _largest(display, training, n_largest):
    table = display.frame(n_largest)
    own = ["row", "deletion_weight", "group", "label"]
    features = table.drop(columns=own).to_dict(orient="records")
    index = _index_of(training)
    return [
        {
            "index": row["row"] if index is None else index[row["row"]],
            **row,
            "features": {str(k): v for k, v in described.items()},
        }
        for row, described in zip(
            table[own].to_dict(orient="records"), features, strict=True
        )
    ]


def _index_of(training):
    """Index that the user knows the rows by, None where they have positions only."""
    for given in (training.X, training.y):
        if hasattr(given, "iloc"):
            return given.index
    return None
