# SPDX-License-Identifier: BSD-3-Clause
"""What a correction promised and what it did."""

import numpy as np

from sklearn_softunlearn.corrector.report._intervals import CountedLabels
from sklearn_softunlearn.corrector.report._report import CorrectionReport, ReportLine
from sklearn_softunlearn.corrector.report._signatures import failure_notes
from sklearn_softunlearn.corrector.stages._attacked_rows import fresh_attack_lines
from sklearn_softunlearn.corrector.stages._harm import harms_of
from sklearn_softunlearn.weights import ExactSolution


def correction_report(prepared, done, corrector):
    """Before, predicted and after on the evaluation rows, a `CorrectionReport`.

    Parameters
    ----------
    prepared : Prepared
    done : Attempt
    corrector : SoftUnlearnCorrector
        What the user asked.
    """
    state, sample_weight = prepared.state, prepared.split.training.sample_weight
    solution, result, shift = done.solution, done.result, done.shift
    weights = solution.weights
    if result.deletion_weights is not None:
        weights = result.deletion_weights
    before = state.raw_prediction
    after = state.model.raw_prediction(state.X, result.parameters)
    shifted = before + state.model.jvp(state.X, shift[:, None])[:, :, 0]
    predicted = _predicted(state, done, weights, shifted)
    raw = (before, shifted, after)
    known = np.column_stack([state.value, predicted])
    split = state.n_metric
    lines = [
        *_report_lines(state.metric, state.rows, known[:split], raw),
        *_report_lines(state.utility, state.rows, known[split:], raw),
        *fresh_attack_lines(state, result.parameters, shift),
    ]
    delta, searched = corrector.delta, corrector.calibrate == "labels"
    harms = tuple(harms_of(state, after, corrector.utility_tol or 0.0))
    found = failure_notes(state, done, after, predicted, delta, harms, searched)
    return CorrectionReport(
        lines=tuple(dict.fromkeys(lines)),  # metric and utility may be the same
        n_evaluation=state.rows.n_measured,
        delta=float(delta),
        deleted_mass=float(sample_weight @ np.maximum(weights, 0.0)),
        added_mass=float(sample_weight @ np.maximum(-weights, 0.0)),
        total_mass=float(np.sum(sample_weight)),
        status=solution.status,
        evaluated_on=prepared.split.source,
        request=float(done.request),
        notes=tuple(note for _, note in found),
        kinds=tuple(kind for kind, _ in found),
        counted=_counted(state, before, after),
    )


def _counted(state, before, after):
    """Counts of the labels of metric and utility, for intervals."""
    named = [
        (name, criterion)
        for each in (state.metric, state.utility)
        for name, criterion, _ in _parts(each, state.rows)
    ]
    return CountedLabels.of(named, state.rows, (before, after))


def _predicted(state, done, weights, shifted):
    """Functionals of the metric, then of the utility, as the weights promise them.

    Those of first-order weights are promised of the metric; the utility, whose first
    order is flat where the model is at its optimum, is that of the predicted raw
    predictions. Exact weights promise both of these.
    """
    criteria = state.metric.criterion, state.utility.criterion
    metric, utility = (each.value(shifted, state.rows) for each in criteria)
    if not isinstance(done.solution, ExactSolution):
        split = state.n_metric
        metric = (state.value + state.first_order_change(weights))[:split]
    return np.concatenate([metric, utility])


def _report_lines(named, rows, known, raw):
    """Two lines for each criterion inside, the surrogate and what it stands for.

    ``known`` has the surrogate's functionals before and as predicted.
    """
    start = 0
    for name, criterion, size in _parts(named, rows):
        smooth = [*known[start : start + size].T, criterion.value(raw[2], rows)]
        hard = [criterion.hard_value(f, rows) for f in raw]
        hard_kind = criterion.hard_kind_on(rows)
        for kind, values in (("surrogate", smooth), (hard_kind, hard)):
            shown = (criterion.user_value(value, rows) for value in values)
            yield ReportLine(name, kind, *shown)
        start += size


def _parts(named, rows):
    """(name, criterion, number of functionals) of each criterion inside."""
    parts = named.criterion.parts(rows)
    return [
        (named.name if len(parts) == 1 else criterion.name, criterion, size)
        for criterion, size in parts
    ]
