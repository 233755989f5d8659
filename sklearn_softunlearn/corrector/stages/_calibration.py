# SPDX-License-Identifier: BSD-3-Clause
"""Requests that differ from delta, because of what a correction realises.

The weights meet a request for the smooth surrogate, to first order. Weights that are
too large for the first order can leave the surrogate worse than it was: then the
request is reduced. And what a user counts are labels, which follow the surrogate only
roughly and in steps: on demand, the request is varied until the counted metric is where
it should be.
"""

import numpy as np

# Solves of the weight problem, a dozen with the one for the answer.
MAX_SOLVES = 11

# Share of the metric: closer than this nobody asks, or the steps allow.
_TOLERANCE = 1e-3
_NARROWEST = 1e-4


def surrogate_left(state, parameters):
    """What is left of the smooth metric, as a share, at each column of parameters.

    It is 1 at the fitted parameters and ``1 - delta`` where a request is met.
    """
    raw = state.model.raw_predictions(state.X, parameters)
    criterion = state.metric.criterion
    values = [criterion.value(raw[:, :, j], state.rows) for j in range(raw.shape[2])]
    return [float(np.max(state.remaining(v))) / state.metric_value for v in values]


def shorter_request(request, left):
    """A smaller request, where one has left more of the metric than there was.

    The first order promised ``1 - r`` of the metric at request r. The rest is taken to
    grow with r^2, and the answer is the minimum of the parabola, at most ``r / 2``.
    """
    return 0.5 * request * request / (left - 1.0 + request)


def label_metric(state):
    """Function from parameters to what is left of the metric of predicted labels.

    It returns the largest share, over the functionals, of the distance from parity
    before the correction: 1 at the fitted parameters and 0 at parity. It is negative
    where the largest gap is one that did not exist before: the correction went too
    far.
    """
    criterion, rows = state.metric.criterion, state.rows
    before = criterion.hard_value(state.raw_prediction, rows)
    worst = criterion.worst(before, rows)
    parity = criterion.parity(before, rows)
    span = worst - parity

    def remaining(parameters):
        raw = state.model.raw_prediction(state.X, parameters)
        value = criterion.hard_value(raw, rows)
        share = np.divide(value - parity, span, out=np.zeros_like(span), where=span > 0)
        largest = int(np.argmax(share))
        too_far = share[largest] > 0 and before[largest] < parity[largest]
        return -float(share[largest]) if too_far else float(share[largest])

    return remaining if np.any(span > 0) else None


def search_request(remaining, delta):
    """Request whose realised share of the metric is nearest to ``1 - delta``.

    Parameters
    ----------
    remaining : callable
        Share of the metric that is left, for a request in [0, 1]; negative where the
        correction went too far. Not monotone, and piecewise constant.
    delta : float in (0, 1]

    Returns
    -------
    float
        0 if no request brings the metric nearer to ``1 - delta`` than it is without a
        correction. The metric is never larger than without a correction.
    """
    # Excess over what was asked: too little correction is positive.
    low, high = (0.0, delta), None
    best = (delta, 0.0)
    request = delta
    for _ in range(MAX_SOLVES):
        left = remaining(request)
        # Worse than without a correction: too much of it, not too little.
        left = -left if left > 1.0 else left
        excess = left - (1.0 - delta)
        # A gap the other way round counts as further away than one of its size.
        if abs(left) <= 1.0 and abs(excess) < best[0]:
            best = (abs(excess), request)
        if abs(excess) <= _TOLERANCE or (excess > 0 and request == 1.0):
            break
        low, high = (
            ((request, excess), high) if excess > 0 else (low, (request, excess))
        )
        if high is not None and high[0] - low[0] < _NARROWEST:
            break
        request = _next_request(low, high)
    return best[1]


def _next_request(low, high):
    if high is None:
        # Twice as far as the secant from 0 would go at most, to get a bracket soon.
        return min(1.0, 2.0 * low[0]) if low[0] > 0 else 1.0
    secant = low[0] + (high[0] - low[0]) * low[1] / (low[1] - high[1])
    # Steps make the secant creep along one end: stay off the ends.
    margin = 0.1 * (high[0] - low[0])
    return float(np.clip(secant, low[0] + margin, high[0] - margin))
