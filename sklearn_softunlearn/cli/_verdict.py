# SPDX-License-Identifier: BSD-3-Clause
"""Whether the metric improved on held-out rows, in one sentence."""


def _realised(measurement):
    fraction = measurement.get("realised")
    return "" if fraction is None else f", {fraction:.0%} of the way to parity"


def _beyond(measurement):
    change = measurement["change"]
    if change["low"] is None:
        return ""
    low, high = change["low"], change["high"]
    inside = "leaves 0 out" if measurement["beyond_noise"] else "includes 0"
    return f" The interval of the change, {low:+.4f} to {high:+.4f}, {inside}."


def verdict(document, metric, delta):
    """What became of the metric on the held-out rows.

    Parameters
    ----------
    document : dict
        As `Audit.to_dict` returns it.
    metric : str
        What was asked to improve.
    delta : float
        By which fraction.

    Returns
    -------
    dict
        "outcome": "improved", "within noise" (better, but no more than chance would
        do), "unchanged", "worse" or "not measured"; and "message", a sentence.
    """
    measured = [m for m in document["metrics"] if m["name"] == metric]
    if not measured or None in (measured[0][w]["value"] for w in ("before", "after")):
        message = f"{metric} is not measured on the held-out rows."
        return {"outcome": "not measured", "message": message}
    found = measured[0]
    before, after = (found[when]["value"] for when in ("before", "after"))
    moved = f"from {before:.4f} to {after:.4f}"
    if before == after:
        outcome = "unchanged"
        message = f"On held-out rows {metric} did not change ({before:.4f})."
    elif (after < before) != (found["better"] == "smaller"):
        outcome = "worse"
        message = f"On held-out rows {metric} got WORSE, {moved}." + _beyond(found)
    elif not found["beyond_noise"]:
        outcome = "within noise"
        message = (
            f"On held-out rows {metric} went {moved}, no more than chance would do."
            + _beyond(found)
        )
    else:
        outcome = "improved"
        message = (
            f"On held-out rows {metric} went {moved}{_realised(found)}; {delta:.0%} "
            "was asked." + _beyond(found)
        )
    return {"outcome": outcome, "message": message}
