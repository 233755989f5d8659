# SPDX-License-Identifier: BSD-3-Clause
"""`Audit`: what was measured, as a table, a dictionary and a page."""

import json
from typing import Any

import pandas as pd

from sklearn_softunlearn.auditing.page import (
    fragment,
    in_short,
    model_card,
    page,
)

SCHEMA = {"name": "sklearn_softunlearn.audit", "version": "1.1"}
PARTS = ("overall", "by_group", "metrics")
_ENDS = ("value", "low", "high")


class Audit:
    """What a model did to groups of people before and after, on held-out rows.

    Made by :func:`audit`. It holds numbers and strings only, so that it can be kept,
    sent and shown where the models and the data are not.

    Parameters
    ----------
    document : dict
        As :meth:`to_dict` returns it.

    Raises
    ------
    ValueError
        If the dictionary is not one of an audit, or of a later schema.

    Examples
    --------
    >>> from sklearn_softunlearn import Audit, SoftUnlearnCorrector, audit
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(2000, random_state=0)
    >>> corrector = SoftUnlearnCorrector().fit(
    ...     X[:1000], y[:1000], sensitive_features=group[:1000])
    >>> done = audit(corrector, X[1000:], y[1000:], sensitive_features=group[1000:])
    >>> Audit(done.to_dict()).to_html() == done.to_html()
    True
    """

    def __init__(self, document: dict[str, Any]) -> None:
        schema = document.get("schema") or {}
        major = str(schema.get("version", "")).partition(".")[0]
        if schema.get("name") != SCHEMA["name"] or major != "1":
            raise ValueError(
                f"document has the schema {schema}, and this version reads "
                f"{SCHEMA['name']} 1. Give what Audit.to_dict returned."
            )
        # A copy, and a check that it is plain data.
        self._document = json.loads(json.dumps(document, allow_nan=False))

    def __repr__(self):
        """Title and number of rows."""
        rows = self._document["rows"]["n"]
        return f"<Audit: {self._document['title']}, {rows} rows>"

    def __str__(self):
        """What happened, in a few sentences."""
        lines = [f"- {line}" for line in in_short(self._document)]
        return "\n".join([self._document["title"], *lines])

    def frame(self) -> pd.DataFrame:
        """Everything that was measured as a pandas DataFrame, one row each.

        Returns
        -------
        pandas DataFrame
            "part" ("overall", "by_group" or "metrics"), "name", "class", "group", "n",
            "better" ("smaller", "greater" or missing), then "before", "after" and
            "change", each with its "_low" and "_high", "beyond_noise" (whether the
            interval of the change leaves 0 out), "worse", "asked".
        """
        return pd.DataFrame(
            [
                _flat(part, measurement)
                for part in PARTS
                for measurement in self._document[part]
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything, as numbers, strings, lists and dictionaries.

        The guide documents the keys. ``schema`` holds name and version: a change of the
        first number means that keys changed their meaning or are gone, one of the
        second that keys were added.

        Returns
        -------
        dict
            `json.dumps` takes it; what is undefined is None.
        """
        return json.loads(json.dumps(self._document))

    def to_html(self, path: Any = None) -> str:
        """The audit as one self-contained HTML page.

        It needs no network and no script, prints, is readable on a phone, and is light
        or dark as the reader's device is.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write, in UTF-8. None writes none.

        Returns
        -------
        str
            The page.
        """
        html = page(self._document)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(html)
        return html

    def to_model_card(self, model):
        """Model card with what was measured, made by skops.

        Its sections on the model are those of skops; the audit is one more, and fills
        the evaluation results. What only people know, such as the intended use, is
        left for them: ``card.add(**{"Model description": "..."})``.

        Parameters
        ----------
        model : fitted estimator
            The model that the card is about: the corrector, or its ``estimator_``.

        Returns
        -------
        skops.card.Card
            ``card.save("README.md")`` writes it.

        Raises
        ------
        ImportError
            If skops is not installed.
        """
        return model_card(self._document, model)

    def _repr_html_(self):
        return fragment(self._document)


def _flat(part, measurement):
    row = {
        "part": part,
        **{key: measurement[key] for key in ("name", "class", "group", "n", "better")},
    }
    for when in ("before", "after", "change"):
        value, *interval = (measurement[when][end] for end in _ENDS)
        names = (f"{when}_low", f"{when}_high")
        row |= {when: value} | dict(zip(names, interval, strict=True))
    return row | {
        key: measurement.get(key, False) for key in ("beyond_noise", "worse", "asked")
    }
