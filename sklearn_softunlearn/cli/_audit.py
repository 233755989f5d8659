# SPDX-License-Identifier: BSD-3-Clause
"""What fairlearn says of a model on given rows."""

from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equalized_odds_difference,
    selection_rate,
)
from sklearn.metrics import accuracy_score, log_loss

from sklearn_softunlearn import fairness_scorer


def audit(model, table, metric="demographic_parity_difference"):
    """Measure a fitted model on a table.

    Parameters
    ----------
    model : fitted classifier with ``predict`` and ``predict_proba``
    table : Table
    metric : str, default="demographic_parity_difference"
        What was to be improved.

    Returns
    -------
    dict
        accuracy, log_loss (nats), selection_rate (a dict over the groups),
        demographic_parity_difference and equalized_odds_difference; and, if it is a
        group metric, the one that was to be improved.
    """
    # fairlearn takes any label but 1 as not selected, whatever the labels are
    y_true = (table.y == table.positive).astype(int)
    y_pred = (model.predict(table.X) == table.positive).astype(int)
    frame = MetricFrame(
        metrics={"selection_rate": selection_rate, "accuracy": accuracy_score},
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=table.groups,
    )
    groups = {"sensitive_features": table.groups}
    probability = model.predict_proba(table.X)[:, 1]
    measured = {
        "accuracy": float(frame.overall["accuracy"]),
        "log_loss": float(log_loss(y_true, probability, labels=[0, 1])),
        "selection_rate": {
            str(group): float(rate)
            for group, rate in frame.by_group["selection_rate"].items()
        },
        "demographic_parity_difference": float(
            demographic_parity_difference(y_true, y_pred, **groups)
        ),
        "equalized_odds_difference": float(
            equalized_odds_difference(y_true, y_pred, **groups)
        ),
    }
    if metric not in (*measured, "loss", "group_loss"):
        score = fairness_scorer(
            metric, greater_is_better=True, pos_label=table.positive
        )
        measured[metric] = float(score(model, table.X, table.y, **groups))
    return measured


def flatten(measured):
    """One (name, value) for each line of the table that the reader sees."""
    for name, value in measured.items():
        if isinstance(value, dict):
            yield from ((f"{name}: {group}", rate) for group, rate in value.items())
        else:
            yield name, value
