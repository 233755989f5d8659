# SPDX-License-Identifier: BSD-3-Clause
"""What the audit says, as the few lines that a terminal shows."""

from sklearn_softunlearn import audit

N_BOOTSTRAP = 2000  # draws of the intervals
# Line of the terminal, and how the audit calls it.
_SHOWN = (
    ("accuracy", "accuracy_score"),
    ("log_loss", "log_loss"),
    ("selection_rate", "selection_rate"),
    ("demographic_parity_difference", "demographic_parity_difference"),
    ("equalized_odds_difference", "equalized_odds_difference"),
)
_BY_GROUP = ("selection_rate",)


def audit_parts(pipeline, parts, *, path, metric, seed=0):
    """Audit of a corrected pipeline on the held-out part.

    Parameters
    ----------
    pipeline : Pipeline that ends in a fitted SoftUnlearnCorrector
    parts : sequence of Table
        Training, evaluation and held-out rows, as they were read.
    path : list of SoftUnlearnCorrector
        Candidates of the trade-off curve; an empty one leaves it out.
    metric : str
        What was to be improved.
    seed : int, default=0
        Of the draws of the intervals.

    Returns
    -------
    Audit
    """
    train, _, held_out = parts
    return audit(
        pipeline,
        held_out.X,
        held_out.y,
        sensitive_features=held_out.groups,
        X_train=train.X,
        y_train=train.y,
        sensitive_features_train=train.groups,
        path=path,
        metric=metric,
        n_bootstrap=N_BOOTSTRAP,
        random_state=seed,
        title=f"Audit: {held_out.name} by {held_out.groups_name}",
    )


def shown_lines(document, metric):
    """(line, measurement) of what the terminal shows, and of the metric asked for.

    Parameters
    ----------
    document : dict
        As `Audit.to_dict` returns it.
    metric : str
    """
    everything = [m for p in ("overall", "metrics") for m in document[p]]
    single = {m["name"]: m for m in everything}
    names = dict(_SHOWN)
    if metric in single and metric not in names:
        names[metric] = metric
    for line, name in names.items():
        if name in _BY_GROUP:
            for each in document["by_group"]:
                if each["name"] == name:
                    yield f"{line}: {each['group']}", each
        else:
            yield line, single[name]


def values(document, metric, when):
    """Numbers before or after, those of groups as a dict of their own."""
    found = {}
    for line, measurement in shown_lines(document, metric):
        name, _, group = line.partition(": ")
        value = measurement[when]["value"]
        if group:
            found.setdefault(name, {})[group] = value
        else:
            found[name] = value
    return found
