# SPDX-License-Identifier: BSD-3-Clause
"""Whether a score of 0.7 means 7 of 10, by group."""

import numpy as np
from scipy import stats

# Rows that a point of a curve should stand on, and the most points of a curve.
_ROWS_PER_POINT = 30
_MOST_POINTS = 10


def calibration_curves(judged, confidence_level):
    """Predicted and observed means in bins of equal size, by model and group.

    Of two classes: mean score of the positive class, and the share of rows that are
    of it. Of more: mean probability of the predicted class, and how often it is right.
    Of a regression: mean prediction, and mean target.

    Parameters
    ----------
    judged : JudgedRows
    confidence_level : float
        Of the intervals: Wilson's for shares, for means those of the normal
        distribution.

    Returns
    -------
    list of dict
        "model", "group" (None for all rows, where there are no groups) and "points", a
        list of dicts with "n", "predicted", "observed", "low" and "high".
    """
    pairs = _scores_and_outcomes(judged)
    if pairs is None:
        return []
    groups = judged.members() if judged.has_groups else [(None, slice(None))]
    return [
        {
            "model": model,
            "group": group,
            "points": _points(
                score[mask],
                outcome[mask],
                judged.rows.sample_weight[mask],
                confidence_level,
                of_shares=judged.task != "regression",
            ),
        }
        for group, mask in groups
        for model, (score, outcome) in zip(("before", "after"), pairs, strict=True)
    ]


def _scores_and_outcomes(judged):
    """One (score, outcome) for each model; None where there are no probabilities."""
    y = judged.rows.y
    if judged.task == "regression":
        return [(answers[:, 0], y) for answers in judged.answers["numbers"]]
    if "probabilities" not in judged.answers:
        return None
    probabilities = judged.answers["probabilities"]
    if judged.task == "binary":
        return [(p[:, 1], (y == 1).astype(float)) for p in probabilities]
    return [
        (p.max(axis=1), (p.argmax(axis=1) == y).astype(float)) for p in probabilities
    ]


def _points(score, outcome, weight, confidence_level, *, of_shares):
    n_points = int(np.clip(len(score) // _ROWS_PER_POINT, 1, _MOST_POINTS))
    # By rank: scores that are equal in many rows would leave quantile bins empty.
    parts = np.array_split(np.argsort(score, kind="stable"), n_points)
    points = []
    for rows in parts:
        observed = float(np.average(outcome[rows], weights=weight[rows]))
        # Rows of unequal weight tell as much as this number of equal ones (Kish).
        n_effective = np.sum(weight[rows]) ** 2 / np.sum(weight[rows] ** 2)
        interval = _share_interval if of_shares else _mean_interval
        low, high = interval(observed, outcome[rows], n_effective, confidence_level)
        points.append(
            {
                "n": len(rows),
                "predicted": float(np.average(score[rows], weights=weight[rows])),
                "observed": observed,
                "low": float(low),
                "high": float(high),
            }
        )
    return points


def _share_interval(share, outcome, n, confidence_level):
    """Wilson's score interval, also for weighted rows, of which n is no integer."""
    z = stats.norm.ppf(0.5 + confidence_level / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


def _mean_interval(mean, outcome, n, confidence_level):
    z = stats.norm.ppf(0.5 + confidence_level / 2)
    half = z * np.std(outcome) / np.sqrt(n)
    return mean - half, mean + half
