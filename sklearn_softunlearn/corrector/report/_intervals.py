# SPDX-License-Identifier: BSD-3-Clause
"""How far the lines of labels can be trusted: intervals, from counts, when asked.

A report keeps how many rows of each group, true label and predicted label there are,
a few dozen numbers. Drawing from these takes milliseconds, so it waits until somebody
looks: no fit pays for it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_softunlearn.confidence import PairedAnswers, generator, lines_of
from sklearn_softunlearn.criteria import Criterion

INTERVAL_COLUMNS = ["name", "kind", "model", "n", "estimate", "low", "high"]
_MODELS = ("before", "after")
_SHOWN_GROUPS = 8


@dataclass(frozen=True, eq=False)
class CountedLabels:
    """Labels before and after a correction, counted, and what measures them.

    Attributes
    ----------
    criteria : tuple of (str, str, Criterion)
        Name and kind of a line of the report, and the criterion behind it.
    paired : PairedAnswers
    """

    criteria: tuple
    paired: PairedAnswers

    @classmethod
    def of(cls, named, rows, raw):
        """Counts for the label lines of criteria; None where there is none.

        Parameters
        ----------
        named : sequence of (str, Criterion)
        rows : EvaluationRows
        raw : tuple of two ndarray of shape (n_samples, n_outputs)
            Raw predictions before and after.
        """
        found = [
            (name, criterion.hard_kind_on(rows), criterion)
            for name, criterion in named
            if rows.n_classes and getattr(criterion, "takes", "labels") == "labels"
        ]
        if not found:
            return None
        measured = slice(0, rows.n_measured)
        hard = [rows.response.hard(f[measured]) for f in raw]
        paired = PairedAnswers.of_labels(rows.take(measured), hard)
        counted = [
            (name, kind, criterion.bind(paired.rows))
            for name, kind, criterion in dict.fromkeys(found)
            if _countable(criterion, paired)
        ]
        return cls(tuple(counted), paired) if counted else None

    @property
    def by_cells(self):
        """Whether draws take no longer with more rows."""
        return len(self.paired.count) < self.paired.count.sum() and (
            self.paired.weight is None
        )

    def group_sizes(self):
        """Number of rows of each group, a dict; empty without groups."""
        rows = self.paired.rows
        if rows.group_codes is None:
            return {}
        size = np.bincount(
            rows.group_codes, self.paired.count, minlength=len(rows.group_names)
        )
        return dict(zip(rows.group_names, size.astype(int).tolist(), strict=True))

    def intervals(self, confidence_level, n_bootstrap, random_state):
        """Table of the intervals; see `CorrectionReport.intervals`."""
        lines = lines_of(
            [([criterion for _, _, criterion in self.criteria], self.paired)],
            _MODELS, confidence_level, n_bootstrap, generator(random_state),
        )  # fmt: skip
        kinds = np.repeat(
            np.arange(len(self.criteria)), len(lines) // len(self.criteria)
        )
        table = [
            (*self.criteria[k][:2], *line[2:])
            for k, line in zip(kinds, lines, strict=True)
        ]
        return pd.DataFrame(table, columns=INTERVAL_COLUMNS)


def _countable(criterion, paired):
    """Whether the criterion has a form for many weightings at once."""
    if type(criterion).reweighted is Criterion.reweighted:
        return False  # not bound: it may need the features, which cells have none of
    weight = paired.rows.sample_weight[:, None]
    bound = criterion.bind(paired.rows)
    return bound.reweighted(paired.answers[0], paired.rows, weight) is not None


def interval_lines(table, level):
    """Sentences of the intervals, one for each line of the report."""
    for (name, kind), part in table.groupby(["name", "kind"], sort=False):
        ends = [f"{low:.4f} to {high:.4f}" for low, high in _ends(part)]
        yield (
            f"{level:.0%} intervals of {name} ({kind}): before {ends[0]}, after "
            f"{ends[1]}, change {ends[2]}"
        )


def noise_notes(table):
    """Notes on changes that other rows of the same kind might not show."""
    for (name, kind), part in table.groupby(["name", "kind"], sort=False):
        low, high = _ends(part)[-1]
        if low <= 0.0 <= high and not low == high == 0.0:
            yield (
                f"the change of {name} ({kind}) is within noise: these rows do not "
                f"show that it changed (interval {low:.4f} to {high:.4f})."
            )


def sizes_line(sizes):
    """Number of rows by group, in words."""
    if len(sizes) <= _SHOWN_GROUPS:
        return "rows by group: " + ", ".join(f"{k} {n}" for k, n in sizes.items())
    few, many = min(sizes.values()), max(sizes.values())
    return f"{len(sizes)} groups of {few} to {many} rows"


def _ends(part):
    return part[["low", "high"]].to_numpy()
