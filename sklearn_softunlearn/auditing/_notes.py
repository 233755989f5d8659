# SPDX-License-Identifier: BSD-3-Clause
"""What the reader of an audit should mind."""

import numpy as np

SMALL_GROUP = 30  # the standard error of a rate of one half is then 0.09


def notes_of(subject, judged, *, on_training_rows):
    """Notes of the correction's own report, and of the audit, a list of str."""
    report = getattr(subject.corrector, "report_", None)
    found = [str(note) for note in getattr(report, "notes", ())]
    if on_training_rows:
        found.append(
            "These are the rows that the model was fitted to, on which every model "
            "looks better than it is. Measure on rows that were kept apart."
        )
    found += _of_groups(judged)
    if judged.task != "regression" and "probabilities" not in judged.answers:
        found.append(
            "One of the models gives no probabilities (predict_proba), so mean score, "
            "log loss and calibration are left out."
        )
    return found


def _of_groups(judged):
    if not judged.has_groups:
        yield (
            "No sensitive features were given: groups are not compared. Give "
            "sensitive_features=..., one value for each row."
        )
        return
    kinds = {"rows": np.ones(judged.n, bool)}
    if judged.task == "binary":
        positive = judged.rows.y == 1
        kinds |= {"positive rows": positive, "negative rows": ~positive}
    for kind, counted in kinds.items():
        counts = {name: int(np.sum(mask & counted)) for name, mask in judged.members()}
        few = [f"{name} ({n})" for name, n in counts.items() if n < SMALL_GROUP]
        if few:
            yield (
                f"Fewer than {SMALL_GROUP} {kind} in {', '.join(few)}: what is "
                "measured on them is mostly chance. Give more rows, or merge small "
                "groups."
            )
            return  # a group without rows has no positive ones either
