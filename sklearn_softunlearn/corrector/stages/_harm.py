# SPDX-License-Identifier: BSD-3-Clause
"""Whether moved parameters did harm, measured on the evaluation rows.

The weights promise an improvement of the smooth metric to first order. What a user
minds is what came of it: the surrogate, the labels, the utility, and whether the model
still tells the classes apart.
"""

import numpy as np

from sklearn_softunlearn.corrector.stages._linearization import OPTIMUM

# Share of what the model is worth, and of the labels' gap.
_TOLERANCE, _LABELS_WORSE = 0.05, 0.1
# Labels that change at random move the rate of a group by its standard error.
_STANDARD_ERRORS = 2.0
# Share of misclassified rows by which a model must be better than a constant, and the
# number of rows that are chance.
_LEAST_WORTH, _FEW_ROWS = 0.05, 5
# Predictions of one class up to this share, where there were five times as many others.
_ONE_CLASS, _FEWER = 0.995, 0.2


def harm_done(state, parameters, utility_tol, *, strict=False):
    """What each column of parameters made worse, a list of (reason, surrogate left).

    Parameters
    ----------
    state : Linearization
    parameters : ndarray of shape (n_parameters, n_columns)
    utility_tol : float
        What may be lost of the utility, relative to its value.
    strict : bool, default=False
        Whether the labels may not get worse by a single row.

    Returns
    -------
    list of (str, float)
        The reason is "" where nothing is wrong, else "surrogate", "labels", "utility"
        or "one class". Of the smooth metric, 1 is left at the fitted parameters.
    """
    raw = state.model.raw_predictions(state.X, parameters)
    columns = (raw[:, :, j] for j in range(raw.shape[2]))
    return [
        (next(harms_of(state, each, utility_tol, strict=strict), ""), left)
        for each, left in ((f, surrogate_left(state, f)) for f in columns)
    ]


def harms_of(state, raw, utility_tol, *, strict=False):
    """The reasons of `harm_done` that apply to raw predictions, worst first."""
    if surrogate_left(state, raw) > 1.0:
        yield "surrogate"
    if labels_worse(state, raw, strict=strict):
        yield "labels"
    if only_one_class(state, raw):
        yield "one class"
    if costs_too_much(state, raw, utility_tol):
        yield "utility"


def surrogate_left(state, raw):
    """What is left of the smooth metric, as a share of what there was."""
    value = state.metric.criterion.value(raw, state.rows)
    return float(np.max(state.remaining(value))) / max(state.metric_value, OPTIMUM)


def labels_left(state, raw):
    """What is left of the metric of predicted labels; None where it was noise before.

    A change that as many labels would make that change at random counts as none.
    """
    before, noise = hard_distance(state, state.raw_prediction), _noise(state, raw)
    if not before > noise:
        return None
    after = hard_distance(state, raw)
    return 1.0 if abs(after - before) <= noise else after / before


def labels_worse(state, raw, *, strict=False):
    """Whether the gap of the labels grew; unless ``strict``, beyond noise."""
    if strict:
        before, after = (hard_distance(state, f) for f in (state.raw_prediction, raw))
        return after > before + 1e-12
    left = labels_left(state, raw)
    return left is not None and left > 1.0 + _LABELS_WORSE


def hard_distance(state, raw):
    """Distance of the metric of labels from what was parity before the correction."""
    criterion, rows = state.metric.criterion, state.rows
    parity = criterion.parity(criterion.hard_value(state.raw_prediction, rows), rows)
    return float(np.max(criterion.hard_value(raw, rows) - parity))


def only_one_class(state, raw):
    """Whether nearly all rows are now predicted to be of one class."""
    if state.rows.n_classes == 0:
        return False
    before, after = (_others(state.rows, each) for each in (state.raw_prediction, raw))
    return after < 1.0 - _ONE_CLASS and after < _FEWER * before


def costs_too_much(state, raw, utility_tol):
    """Whether a larger share of the utility was lost than of the metric was gained."""
    labels = labels_left(state, raw)
    left = max(surrogate_left(state, raw), 0.0 if labels is None else labels)
    return utility_lost(state, raw, utility_tol) > max(1.0 - left, 0.0) + _TOLERANCE


def utility_lost(state, raw, utility_tol):
    """Largest share lost of what the model is worth, beyond what was allowed.

    Worth is how much lower a functional of the utility is than with a constant
    prediction, the mean of all: the loss, and the share of misclassified rows where the
    model is worth five points and more, less a few rows. What is not lower (a gap
    between groups) has none.
    """
    rows, before = state.rows, state.raw_prediction
    constant = np.broadcast_to(_mean(before, rows), raw.shape)
    lost = 0.0
    for criterion, _ in state.utility.criterion.parts(rows):
        measures = [(criterion.value, 1e-12, 0.0)]
        if criterion.hard_kind_on(rows) == "zero-one loss":
            chance = _FEW_ROWS / rows.n_measured
            measures.append((criterion.hard_value, _LEAST_WORTH, chance))
        for measure, least, chance in measures:
            value = measure(before, rows)
            allowed = criterion.worst(value, rows) + utility_tol * np.abs(value)
            worth = measure(constant, rows) - value
            excess = measure(raw, rows) - allowed - chance
            some = worth > least
            share = np.divide(excess, worth, out=np.zeros_like(excess), where=some)
            lost = max(lost, float(np.max(share)))
    return lost


def _mean(raw, rows):
    weight = rows.sample_weight[:, None]
    return np.sum(weight * raw, axis=0) / np.sum(weight)


def _others(rows, raw):
    """Share of rows that are predicted to be of another class than the largest."""
    share = rows.sample_weight @ rows.response.hard(raw) / np.sum(rows.sample_weight)
    return 1.0 - float(np.max(share))


def _noise(state, raw):
    """How far labels that change at random move the rate of a group."""
    rows = state.rows
    if rows.group_codes is None or rows.n_classes == 0:
        return 1e-12
    hard = rows.response.hard
    changed = np.any(hard(raw) != hard(state.raw_prediction), axis=1)
    kept = rows.sample_weight > 0
    size = np.bincount(rows.group_codes[kept])
    flips = np.bincount(rows.group_codes[kept & changed], minlength=len(size))
    present = size > 0
    error = np.sqrt(np.maximum(flips[present], 1)) / size[present]
    return _STANDARD_ERRORS * float(np.max(error))
