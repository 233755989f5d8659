# SPDX-License-Identifier: BSD-3-Clause
"""Signs that a correction went wrong, each explained with its remedy."""

import numpy as np

# Of the metric before: a gap that is this large the other way round has flipped.
_FLIPPED = 0.05
# Of the utility before, beyond utility_tol and what was predicted.
_COLLAPSED = 0.1
_LOST_ACCURACY = 0.02
# Share of a parameter's curvature that the other parameters do not explain.
_ILL_CONDITIONED = 1e-7


def failure_notes(state, done, after, predicted, delta):
    """Explanations of what looks wrong, a tuple of str.

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
    """
    found = (
        _out_of_reach(state, done.solution),
        _reduced(state, done),
        _nothing_found(state, done, delta),
        _ill_conditioned(state),
        _metric_worse(state, after)
        or _flipped(state, after)
        or _at_parity_before(state, done),
        _collapsed(state, after, predicted),
    )
    return tuple(note for note in found if note)


def _out_of_reach(state, solution):
    if solution.status != "infeasible":
        return None
    return (
        f"Infeasible request: at most {solution.delta_max:.4g} of {state.metric.name} "
        "can be removed within utility_tol; this was done. (a) Lower delta to "
        "that; (b) raise utility_tol; (c) raise max_weight if it is below 1."
    )


def _reduced(state, done):
    if not done.reduced:
        return None
    if done.request == 0:
        return (
            f"The update made {state.metric.name} worse, however little was asked, and "
            "the model is unchanged. (a) Train the base model to convergence; (b) "
            "update='influence'."
        )
    return (
        f"Over-correction: what was asked would have left {state.metric.name} worse "
        f"than it was, since the weights were too large for the first order; solved "
        f"for {done.request:.2g} of it instead. (a) Lower delta; (b) lower max_weight; "
        "(c) measure on rows that the model was not fitted to (X_val), where it is not "
        "at its optimum."
    )


def _nothing_found(state, done, delta):
    if done.reduced or done.request > 0 or delta == 0:
        return None
    return (
        f"No request brings {state.metric.name} of the predicted labels nearer to what "
        "was asked, and the model is unchanged. (a) Measure on more rows (X_val): with "
        "few, labels change in large steps; (b) calibrate=None moves the smooth "
        "surrogate alone."
    )


def _ill_conditioned(state):
    share = getattr(state.solve, "unexplained", None)
    if share is None or share > _ILL_CONDITIONED:
        return None
    return (
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


def _metric_worse(state, after):
    before, later = (np.max(values) for values in _hard_change(state, after))
    if later <= before + 1e-12:
        return None
    return (
        f"Over-correction: {state.metric.name} of the predicted labels is further from "
        f"its optimum than before ({before:.4g} before, {later:.4g} after), though the "
        "smooth surrogate improved. (a) calibrate='labels' searches a request that "
        "improves the labels; (b) lower delta; (c) measure on more rows (X_val)."
    )


def _at_parity_before(state, done):
    before = np.max(_hard_change(state, state.raw_prediction)[0])
    if before > 1e-12 or not np.any(done.solution.weights):
        return None
    return (
        f"{state.metric.name} of the predicted labels was at its optimum before: only "
        "the smooth surrogate moved, at the cost that the utility shows. (a) Keep the "
        "model as it was; (b) measure on more rows (X_val)."
    )


def _flipped(state, after):
    before, later = _hard_change(state, after)
    worst = int(np.argmax(before))
    if before[worst] <= 0 or later[worst] >= -_FLIPPED * before[worst]:
        return None
    name = state.names[worst]
    return (
        f"Over-correction: the gap '{name}' has changed its sign, from "
        f"{before[worst]:.4g} to {later[worst]:.4g}. (a) calibrate='labels' stops at "
        "parity; (b) lower delta; (c) update='influence' follows the linearisation "
        "that the weights were chosen with, which retraining overshoots."
    )


def _collapsed(state, after, predicted):
    criterion, rows = state.utility.criterion, state.rows
    part = slice(state.n_metric, None)
    value = state.value[part]
    lost = criterion.value(after, rows) - np.maximum(predicted[part], value)
    relative = lost / np.maximum(np.abs(value), 1e-12)
    worst = int(np.argmax(relative))
    misclassified = _misclassified(state, after)
    if relative[worst] <= _COLLAPSED and misclassified <= _LOST_ACCURACY:
        return None
    errors = (
        f", and the share of misclassified rows changed by {misclassified:+.2%}"
        if np.isfinite(misclassified)
        else ""
    )
    return (
        f"Utility collapse: {_utility_of(state, worst)} is {relative[worst]:.1%} worse "
        f"than predicted{errors}, though the weights keep it to first order. "
        "(a) Lower delta: the error grows with the square of the weights; (b) lower "
        "max_weight; (c) see with leave_one_out and InfluenceDisplay whether "
        "influences foretell retraining here."
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
