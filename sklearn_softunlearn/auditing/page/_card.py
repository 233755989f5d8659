# SPDX-License-Identifier: BSD-3-Clause
"""The audit as sections of a model card of skops."""

import pandas as pd

from sklearn_softunlearn.auditing.page._format import (
    change,
    count,
    number,
    share,
    span,
)
from sklearn_softunlearn.auditing.page._html import text
from sklearn_softunlearn.auditing.page._words import capital, driver, in_short, title

_RESULTS = "Model description/Evaluation Results"


def model_card(document, model):
    """Card of a model with what its audit found.

    Parameters
    ----------
    document : dict
    model : fitted estimator

    Raises
    ------
    ImportError
        If skops is not installed.
    """
    try:
        from skops.card import Card
    except ImportError as error:
        raise ImportError(
            "A model card needs skops: pip install skops. to_html() and to_dict() do "
            "without it."
        ) from error
    card = Card(model)
    card.add_metrics(
        section=_RESULTS,
        description=f"On {count(document['rows']['n'])} rows that were kept apart.",
        **{
            _safe(_name(m)): _safe(number(m["after"]["value"], m["name"]))
            for m in document["overall"]
        },
    )
    card.add(Audit=_bullets(in_short(document)))
    for heading, rows in _tables(document).items():
        if rows:
            card.add_table(**{f"Audit/{heading}": pd.DataFrame(rows)})
    if document["notes"]:
        card.add(**{"Audit/Notes": _bullets(document["notes"])})
    card.add(**{"Audit/How this was made": _bullets(_made(document))})
    return card


def _tables(document):
    """Rows of each table, by its heading."""
    mass = (document["deletion"] or {}).get("mass") or []
    return {
        "Gaps between groups": [
            {"Metric": _safe(_name(m)), **_moved(m), "Groups": _safe(_drivers(m))}
            for m in document["metrics"]
        ],
        "Group by group": [
            {"Quantity": _safe(_name(m)), "Group": _safe(m["group"])}
            | _moved(m)
            | {"Rows": m["n"]}
            for m in document["by_group"]
        ],
        "What got worse": [
            {
                "Figure": _safe(_name(m)),
                "Group": _safe(m["group"] or "all"),
                **_moved(m),
            }
            for m in document["got_worse"]
        ],
        "Whose rows were deleted": [
            {
                "Group": _safe(m["group"]),
                "Label": _safe(m["label"]),
                "Rows": count(m["total"]),
                "Share deleted": share(m["share"]),
            }
            for m in mass
        ],
    }


def _moved(measurement):
    name = measurement["name"]
    moved = measurement["change"]
    return {
        "Before": number(measurement["before"]["value"], name),
        "After": number(measurement["after"]["value"], name),
        "Change": change(moved["value"], name),
        "Interval": span(moved, name, change),
    }


def _name(measurement):
    words = capital(title(measurement["name"]))
    return f"{words}, class {measurement['class']}" if measurement["class"] else words


def _drivers(measurement):
    """The groups after, which are those that are left to look at."""
    return driver(measurement["drivers"].get("after", ""))


def _made(document):
    made = document["provenance"]
    versions = ", ".join(f"{name} {v}" for name, v in made["versions"].items())
    data = made["data"]["held_out"]
    return [
        f"Made {made['created']} with {versions}.",
        f"Held-out rows: {count(data['rows'])}, SHA-256 {data['sha256']}.",
    ]


def _bullets(sentences):
    return "\n".join(f"- {_safe(sentence)}" for sentence in sentences)


def _safe(words):
    """Text for Markdown, which knows HTML, and whose tables end at a bar."""
    return text(words).replace("|", "&#124;").replace("\n", " ")
