# SPDX-License-Identifier: BSD-3-Clause
"""Before, predicted and after, side by side."""

import textwrap
from copy import copy
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from sklearn_softunlearn.confidence import check_level, check_n_bootstrap
from sklearn_softunlearn.corrector.report._intervals import (
    INTERVAL_COLUMNS,
    interval_lines,
    noise_notes,
    sizes_line,
)

# Of the intervals that a printed report shows.
_LEVEL, _DRAWS = 0.95, 1000
_HEADER = ("", "", "before", "predicted", "after")


@dataclass(frozen=True)
class ReportLine:
    """One quantity before the correction, as predicted, and as realised.

    Attributes
    ----------
    name : str
        Metric or utility, as the user named it.
    kind : str
        "surrogate" for the smooth function that the weights were chosen with; else
        what is computed from predicted labels.
    before, predicted, after : float

    Examples
    --------
    >>> from sklearn_softunlearn import ReportLine
    >>> line = ReportLine("loss", "surrogate", before=0.5, predicted=0.5, after=0.52)
    >>> round(line.after - line.predicted, 2)
    0.02
    """

    name: str
    kind: str
    before: float
    predicted: float
    after: float


@dataclass(frozen=True)
class CorrectionReport:
    """What a correction promised and what it did, on the evaluation rows.

    The evaluation rows chose the weights. For a fair judgement measure the corrected
    model on rows that neither the base model nor the correction has seen.

    Attributes
    ----------
    lines : tuple of ReportLine
        Metric and utility; each as the smooth surrogate and from predicted labels.
        "predicted" is what the weights promise. Of first-order weights: of the metric's
        surrogate, the sum of the influences, and of all else the value at the raw
        predictions that the first-order shift predicts. Of exact weights: the value
        at the parameters that were asked for.
    n_evaluation : int
        Number of evaluation rows.
    delta : float
        Requested fraction of the metric.
    deleted_mass : float
        Sum of the positive deletion weights, each times the sample weight of its row.
    added_mass : float
        The same of the negative ones, by which rows count more.
    total_mass : float
        Sum of the sample weights of the training rows: their number, by default.
    status : str
        Status of the weight problem.
    evaluated_on : str
        Where the evaluation rows come from.
    request : float or None
        What the weights were solved for; differs from ``delta`` if calibrated.
    notes : tuple of str
        What looks wrong, if anything, with the remedy: an infeasible request, an
        ill-conditioned curvature, over-correction, a collapse of the utility. Those
        that are certain are Python warnings too, of a `CorrectionWarning` class.
    kinds : tuple of str
        What each note is about, such as "infeasible", "over-correction", "labels
        worse", "gap reversed", "one class" or "utility collapse".
    counted : CountedLabels or None
        Labels before and after, counted, for `intervals`.

    Examples
    --------
    >>> from sklearn_softunlearn import SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(1000, random_state=0)
    >>> corrector = SoftUnlearnCorrector(delta=0.5, weighting="soft", utility_tol=0.0)
    >>> report = corrector.fit(X, y, sensitive_features=group).report_
    >>> line = report["demographic_parity_difference", "surrogate"]
    >>> bool(line.after < line.before), report.n_evaluation
    (True, 1000)
    >>> report.frame().columns.tolist()
    ['name', 'kind', 'before', 'predicted', 'after']
    """

    lines: tuple
    n_evaluation: int
    delta: float
    deleted_mass: float
    total_mass: float
    status: str
    evaluated_on: str = "evaluation rows"
    request: float | None = None
    notes: tuple = ()
    kinds: tuple = ()
    added_mass: float = 0.0
    counted: Any = field(default=None, compare=False, repr=False)

    def __getitem__(self, key):
        """The line of a (name, kind) pair."""
        for line in self.lines:
            if (line.name, line.kind) == key:
                return line
        known = [(line.name, line.kind) for line in self.lines]
        raise KeyError(f"{key!r} is not in the report, which has {known}.")

    def frame(self):
        """The lines as a pandas DataFrame, one row each."""
        import pandas as pd

        return pd.DataFrame([asdict(line) for line in self.lines])

    def intervals(self, *, confidence_level=0.95, n_bootstrap=2000, random_state=0):
        """Intervals of the lines of labels: before, after, and of the change.

        The evaluation rows are drawn again within each group, and both models are
        measured on the same draws. Computed now, by counts of labels, and not by the
        fit. The rows chose the weights, so on other rows the correction does less.

        Parameters
        ----------
        confidence_level : float in (0, 1), default=0.95
            Of each interval on its own.
        n_bootstrap : int, default=2000
            Number of draws.
        random_state : int, RandomState instance or None, default=0
            Determines the draws.

        Returns
        -------
        DataFrame
            Columns "name" and "kind" of the line, "model" ("before", "after" or "after
            - before"), "n", "estimate", "low" and "high". Empty for a regression, and
            without a row for what has no fast form.
        """
        check_level(confidence_level, "confidence_level")
        check_n_bootstrap(n_bootstrap)
        if self.counted is None:
            import pandas as pd

            return pd.DataFrame(columns=INTERVAL_COLUMNS)
        return self.counted.intervals(confidence_level, n_bootstrap, random_state)

    @property
    def group_sizes(self):
        """Number of evaluation rows of each group, a dict; empty without groups."""
        return {} if self.counted is None else self.counted.group_sizes()

    def __str__(self):
        """Aligned table with a title and a closing line."""
        cells = [_HEADER, *map(_cells, self.lines)]
        width = [max(len(row[j]) for row in cells) for j in range(len(_HEADER))]
        table = "\n".join(_aligned(row, width) for row in cells)
        lines, notes = self._trust()
        notes = [f"Note: {note}" for note in (*self.notes, *notes)]
        below = "\n".join(map(_wrapped, [self._footer(), *lines, *notes]))
        return f"{self._title()}\n{table}\n{below}"

    def _repr_html_(self):
        head = "".join(f"<th>{cell}</th>" for cell in _HEADER)
        body = "".join(_html_row(_cells(line)) for line in self.lines)
        lines, notes = self._trust()
        return (
            f"<table><caption>{escape(self._title())}</caption><thead><tr>{head}</tr>"
            f"</thead><tbody>{body}</tbody></table><p>{escape(self._footer())}</p>"
            + "".join(f"<p>{escape(line)}</p>" for line in lines)
            + "".join(f"<p>Note: {escape(note)}</p>" for note in (*self.notes, *notes))
        )

    def _trust(self):
        """Sentences on how far the lines can be trusted, and notes on noise."""
        if self.counted is None:
            return [], []
        sizes = self.group_sizes
        lines = [sizes_line(sizes)] if sizes else []
        if not self.counted.by_cells:
            return [*lines, "intervals of the labels: report_.intervals()"], []
        table = self.intervals(confidence_level=_LEVEL, n_bootstrap=_DRAWS)
        return [*lines, *interval_lines(table, _LEVEL)], list(noise_notes(table))

    def _title(self):
        return f"Correction, measured on {self.n_evaluation} {self.evaluated_on}"

    def _footer(self):
        share = self.deleted_mass / self.total_mass
        added = self.added_mass / self.total_mass
        added = f"; added {added:.2%}" if added > 0.0 else ""
        solved = (
            ""
            if self.request in (None, self.delta)
            else (f", solved for {self.request:.4g}")
        )
        return (
            f"requested delta {self.delta:g}{solved} ({self.status}); deleted mass "
            f"{self.deleted_mass:.4g} of {self.total_mass:g} (sum of the training "
            f"rows' weights), {share:.2%}{added}"
        )


def _wrapped(text):
    """A sentence in lines that a terminal and a page show whole."""
    return textwrap.fill(
        text, 88, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


class ReportHTMLMixin:
    """Shows `report_` below the HTML diagram of a fitted estimator."""

    def _get_fitted_attr_html(self, doc_link=""):
        # A table of all that a fit has learnt would compute what is computed on demand.
        shown = copy(self)
        shown._only_what_is_known = True
        return super(ReportHTMLMixin, shown)._get_fitted_attr_html(doc_link)

    def _check_may_compute(self, name):
        """Raise AttributeError where only what is known is to be shown."""
        if getattr(self, "_only_what_is_known", False):
            raise AttributeError(f"{name} is computed when it is asked for")

    def _repr_html_inner(self):
        return self._with_report(super()._repr_html_inner())

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._with_report(bundle["text/html"])
        return bundle

    def _with_report(self, html):
        report = getattr(self, "report_", None)
        return html if report is None else html + report._repr_html_()


def _cells(line):
    values = (line.before, line.predicted, line.after)
    return (line.name, line.kind, *(f"{value:.4f}" for value in values))


def _aligned(row, width):
    left = [cell.ljust(w) for cell, w in zip(row[:2], width[:2], strict=True)]
    right = [cell.rjust(w) for cell, w in zip(row[2:], width[2:], strict=True)]
    return "  ".join(left + right).rstrip()


def _html_row(cells):
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
