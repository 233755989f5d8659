# SPDX-License-Identifier: BSD-3-Clause
"""What got worse: what nobody asked for, and what was to improve."""

from sklearn_softunlearn.exceptions import HeldOutWorseWarning, warn

# Metrics that repeat, under another name, one that is measured anyway.
_REPEATED = (
    "selection_rate_",
    "true_positive_rate_",
    "true_negative_rate_",
    "false_negative_rate_",
    "recall_score_",
    "zero_one_loss_",
    "accuracy_score_group_min",
    "log_loss_group_max",
    "mean_absolute_error_group_max",
    "mean_squared_error_group_max",
)


def got_worse(measured):
    """Measurements that were not asked for and changed for the worse.

    First those beyond noise, then the largest change relative to the size before: a
    log loss and a rate have other units.

    Parameters
    ----------
    measured : dict of str to list of dict
        Entries of each part.

    Returns
    -------
    list of dict
        The entries, each with the "part" that it is of.
    """
    worse = [
        entry | {"part": part}
        for part, entries in measured.items()
        for entry in entries
        if entry["worse"]
        and not entry["asked"]
        and not (part == "metrics" and entry["name"].startswith(_REPEATED))
    ]
    return sorted(worse, key=_order)


def warn_of_worse(measured):
    """Warn of a metric that was asked for and got worse by more than noise.

    Parameters
    ----------
    measured : dict
        As for `got_worse`, among other entries.
    """
    for entry in measured["metrics"]:
        if entry["asked"] and entry["worse"] and entry["beyond_noise"]:
            before, after = (entry[when]["value"] for when in ("before", "after"))
            warn(
                f"{entry['name']} got worse on the rows of the audit, "
                f"from {before:.4g} to {after:.4g}: the evaluation rows promised more "
                "than holds. (a) Lower delta; (b) measure on more rows (X_val).",
                HeldOutWorseWarning,
            )


def _order(entry):
    size = max(abs(entry["before"]["value"]), 0.01)
    return not entry["beyond_noise"], -abs(entry["change"]["value"]) / size
