# SPDX-License-Identifier: BSD-3-Clause
"""Signs that a correction went wrong, each explained with its remedy.

Each sign is a function that looks at arrays and returns ``(kind, note)`` or None. A
kind that stands in `ALARMS` becomes a Python warning of that class, too.
"""

import numpy as np

from sklearn_softunlearn.corrector.report._binding import unmet_note, what_binds
from sklearn_softunlearn.exceptions import (
    CorrectionWarning,
    GapReversedWarning,
    LabelsWorseWarning,
    OneClassWarning,
    OverCorrectionWarning,
    UtilityCollapseWarning,
    warn,
)

ALARMS = {
    "over-correction": OverCorrectionWarning,
    "labels worse": LabelsWorseWarning,
    "labels missed": CorrectionWarning,
    "no probabilities": CorrectionWarning,
    "gap reversed": GapReversedWarning,
    "one class": OneClassWarning,
    "utility collapse": UtilityCollapseWarning,
}

# Of the metric before: a gap that is this large the other way round has flipped.
_FLIPPED = 0.05
# Likewise, beyond what was to remain: more than labels do by chance.
_REVERSED = 1 / 3
# Of the utility before, beyond utility_tol and what was predicted.
_COLLAPSED = 0.1
# Share of the rows, and their number, below which misclassified rows are chance.
_LOST_ACCURACY, _FEW_ROWS = 0.02, 5
# Of the metric: labels move in steps, and a searched request may miss by these.
_MISSED = 0.25
# Of a probability.
_ROUNDING = 1e-12
# Share of a parameter's curvature that the other parameters do not explain.
_ILL_CONDITIONED = 1e-7


def failure_notes(state, done, after, predicted, delta, harms=(), searched=False):
    """Explanations of what looks wrong, a tuple of (kind, note).

    Parameters
    ----------
    state : Linearization
    done : Attempt
    after : ndarray of shape (n_eval, n_outputs)
        Raw predictions after the correction.
    predicted : ndarray of shape (n_functionals,)
        Functionals that the influences predict.
    delta : float
        What was asked for; the request of ``done`` may be another.
    harms : collection of str
        What the correction made worse: "labels", "one class" or "utility".
    searched : bool
        Whether the request was searched for the labels.
    """
    found = (
        _out_of_reach(state, done.solution, delta),
        _reduced(state, done),
        _no_probabilities(state, after),
        _nothing_found(state, done, delta),
        _ill_conditioned(state),
        _metric_worse(state, after, "labels" in harms)
        or _flipped(state, done, after)
        or _at_parity_before(state, done)
        or (_missed(state, done, after, delta) if searched else None),
        _one_class(state, after) if "one class" in harms else None,
        _collapsed(state, after, predicted, "utility" in harms),
    )
    return tuple(each for each in found if each)


def warn_of(reports):
    """One Python warning for each kind of alarm in the reports of a path of deltas."""
    for kind, category in ALARMS.items():
        found = [(r.delta, dict(zip(r.kinds, r.notes, strict=True))) for r in reports]
        found = [(delta, notes[kind]) for delta, notes in found if kind in notes]
        if found:
            others = ", ".join(f"{delta:.4g}" for delta, _ in found[1:])
            more = f" Likewise for delta {others}." if others else ""
            warn(found[0][1] + more, category)


def _out_of_reach(state, solution, delta):
    unmet = unmet_note(state, solution, delta)
    if unmet is not None:
        return "infeasible", unmet
    if solution.status != "infeasible":
        return None
    return "infeasible", (
        f"Infeasible request: at most {solution.delta_max:.4g} of {state.metric.name} "
        "can be removed; this was done. " + what_binds(solution.problem)
    )


_HARMED = {
    "surrogate": "would have left {} worse than it was, since the weights were too "
    "large for the first order",
    "labels": "would have left {} of the predicted labels worse than it was",
    "one class": "would have predicted one class for nearly all rows, at which {} says "
    "nothing",
    "utility": "would have lost a larger share of the utility than of {} it removed",
}


def _reduced(state, done):
    if not done.reduced:
        return None
    if done.request == 0:
        return "harm only", (
            f"The update made {state.metric.name} or the utility worse, however little "
            "was asked, and the model is unchanged. (a) Train the base model to "
            "convergence; (b) update='influence'."
        )
    return "over-correction", (
        f"Over-correction: what was asked {_HARMED[done.reduced]}; solved for "
        f"{done.request:.2g} of it instead. (a) Lower delta; (b) lower max_weight; "
        "(c) measure on rows that the model was not fitted to (X_val), where it is not "
        "at its optimum."
    ).replace("{}", state.metric.name)


def _no_probabilities(state, after):
    low, high = getattr(state.rows.response, "domain", (-np.inf, np.inf))
    beyond = float(max(low - np.min(after), np.max(after) - high))
    if beyond <= _ROUNDING:
        return None
    rows = int(np.sum(np.any((after < low) | (after > high), axis=1)))
    return "no probabilities", (
        f"Predicted probabilities of {rows} of the rows are below 0 or above 1, by up "
        f"to {beyond:.2g}: corrected leaves hold no shares of classes any more. (a) "
        "trees='refit', whose leaves hold means; (b) lower delta; (c) rank and label "
        "by these numbers, but do not take them for probabilities."
    )


def _nothing_found(state, done, delta):
    if done.reduced or done.request > 0 or delta == 0:
        return None
    return "nothing found", (
        f"No request brings {state.metric.name} of the predicted labels nearer to what "
        "was asked, and the model is unchanged. (a) Measure on more rows (X_val): with "
        "few, labels change in large steps; (b) calibrate=None moves the smooth "
        "surrogate alone."
    )


def _ill_conditioned(state):
    share = getattr(state.solve, "unexplained", None)
    if share is None or share > _ILL_CONDITIONED:
        return None
    return "curvature", (
        f"Ill-conditioned curvature: the other parameters explain all but {share:.1g} "
        "of the curvature of one, so influences have large errors in its direction. "
        "(a) Drop collinear columns, such as one level of each one-hot encoded "
        "feature; (b) use a stronger penalty; (c) curvature=Cholesky(damping=...)."
    )


def _hard_change(state, after):
    """Distances from parity of the functionals of labels, before and after."""
    criterion, rows = state.metric.criterion, state.rows
    before = criterion.hard_value(state.raw_prediction, rows)
    parity = criterion.parity(before, rows)
    return before - parity, criterion.hard_value(after, rows) - parity


def _metric_worse(state, after, certain):
    before, later = (np.max(values) for values in _hard_change(state, after))
    if later <= before + 1e-12:
        return None
    return "labels worse" if certain else "labels", (
        f"Over-correction: {state.metric.name} of the predicted labels is further from "
        f"its optimum than before ({before:.4g} before, {later:.4g} after), though the "
        "smooth surrogate improved. (a) calibrate='labels' searches a request that "
        "improves the labels; (b) lower delta; (c) measure on more rows (X_val)."
    )


def _at_parity_before(state, done):
    before = np.max(_hard_change(state, state.raw_prediction)[0])
    if before > 1e-12 or not np.any(done.solution.weights):
        return None
    return "parity before", (
        f"{state.metric.name} of the predicted labels was at its optimum before: only "
        "the smooth surrogate moved, at the cost that the utility shows. (a) Keep the "
        "model as it was; (b) measure on more rows (X_val)."
    )


def _flipped(state, done, after):
    before, later = _hard_change(state, after)
    worst = int(np.argmax(before))
    if before[worst] <= 0 or later[worst] >= -_FLIPPED * before[worst]:
        return None
    name, asked = state.names[worst], 1.0 - done.request + _REVERSED
    beyond = -later[worst] > asked * before[worst]
    return "gap reversed" if beyond else "sign", (
        f"Over-correction: the gap '{name}' has changed its sign, from "
        f"{before[worst]:.4g} to {later[worst]:.4g}. (a) calibrate='labels' stops at "
        "parity; (b) lower delta; (c) update='influence' follows the linearisation "
        "that the weights were chosen with, which retraining overshoots."
    )


def _missed(state, done, after, delta):
    """Of a searched request: labels that are nowhere near what was asked."""
    before, later = (np.max(values) for values in _hard_change(state, after))
    missed = later - (1.0 - delta) * before
    if done.request == 0 or missed <= _MISSED * delta * before:
        return None
    return "labels missed", (
        f"{state.metric.name} of the predicted labels was to fall to "
        f"{(1 - delta) * before:.4g}, and no request that was tried brings it below "
        f"{later:.4g} without harm. (a) Raise utility_tol; (b) measure on more rows "
        "(X_val); (c) lower delta."
    )


def _one_class(state, after):
    rows = state.rows
    share = rows.sample_weight @ rows.response.hard(after) / np.sum(rows.sample_weight)
    return "one class", (
        f"One class is predicted for {np.max(share):.1%} of the rows: a metric that "
        "compares predicted labels is near its optimum there whatever the model says. "
        "(a) Lower delta; (b) lower max_weight; (c) lower utility_tol."
    )


def _collapsed(state, after, predicted, certain):
    criterion, rows = state.utility.criterion, state.rows
    part = slice(state.n_metric, None)
    value = state.value[part]
    lost = criterion.value(after, rows) - np.maximum(predicted[part], value)
    relative = lost / np.maximum(np.abs(value), 1e-12)
    worst = int(np.argmax(relative)) if len(relative) else 0
    errors = _misclassified(state, after)
    is_worse = errors > max(_LOST_ACCURACY, _FEW_ROWS / rows.n_measured)
    if not (certain or is_worse or np.any(relative > _COLLAPSED)):
        return None
    said = []
    if relative[worst] > _COLLAPSED or not is_worse:
        name = _utility_of(state, worst)
        said.append(f"{name} is {relative[worst]:.1%} worse than predicted")
    if errors > 0:
        said.append(f"{errors:.2%} more of the rows are misclassified")
    return "utility collapse" if certain else "utility", (
        f"Utility collapse: {' and '.join(said)}, though the weights keep the utility "
        "to first order. (a) Lower delta: the error grows with the square of the "
        "weights; (b) lower max_weight; (c) see with leave_one_out and "
        "InfluenceDisplay whether influences foretell retraining here."
    )


def _misclassified(state, after):
    """Largest growth of a share of misclassified rows, -inf where none is counted."""
    rows, before = state.rows, state.raw_prediction
    growth = [
        np.max(criterion.hard_value(after, rows) - criterion.hard_value(before, rows))
        for criterion, _ in state.utility.criterion.parts(rows)
        if criterion.hard_kind_on(rows) == "zero-one loss"
    ]
    return max(growth, default=-np.inf)


def _utility_of(state, position):
    """Name of the utility that a functional belongs to; of one, as the user has it."""
    criteria, sizes = zip(*state.utility.criterion.parts(state.rows), strict=True)
    if len(criteria) == 1:
        return state.utility.name
    return criteria[np.searchsorted(np.cumsum(sizes), position, side="right")].name
