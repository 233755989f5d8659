# SPDX-License-Identifier: BSD-3-Clause
"""Requests that differ from delta, because of what a correction realises.

The weights meet a request for the smooth surrogate, to first order. Weights that are
too large for the first order can leave the surrogate worse than it was: then the
request is reduced. And what a user counts are labels, which follow the surrogate only
roughly and in steps: on demand, the request is varied until the counted metric is where
it should be.
"""

import numpy as np

# Solves of the weight problem to follow the steps, and to look everywhere where these
# lead nowhere: two dozen with the one for the answer.
MAX_SOLVES, MAX_SCAN = 11, 11
# Share of what was asked by which steps may miss before a search looks everywhere.
_POOR = 0.1

# Share of the metric: closer than this nobody asks, or the steps allow.
_TOLERANCE = 1e-3
_NARROWEST = 1e-4


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
    tried = {0.0: delta}
    _follow_steps(remaining, delta, tried)
    if min(tried.values()) > _POOR * delta:
        # A staircase that goes up and down has steps that no bracket leads to.
        for request in np.linspace(1.0, 0.0, MAX_SCAN, endpoint=False):
            if request not in tried:
                tried[request] = _missed(remaining(request), delta)
    return float(min(tried, key=tried.get))


def _missed(left, delta):
    """Distance from what was asked; a gap the other way round is further away."""
    return abs(left - (1.0 - delta)) if abs(left) <= 1.0 else np.inf


def _follow_steps(remaining, delta, tried):
    """Secant steps from delta, within a bracket as soon as there is one."""
    # Excess over what was asked: too little correction is positive.
    low, high = (0.0, delta), None
    request = delta
    for _ in range(MAX_SOLVES):
        left = remaining(request)
        # Worse than without a correction: too much of it, not too little.
        left = -left if left > 1.0 else left
        excess = left - (1.0 - delta)
        tried[request] = _missed(left, delta)
        if abs(excess) <= _TOLERANCE or (excess > 0 and request == 1.0):
            break
        low, high = (
            ((request, excess), high) if excess > 0 else (low, (request, excess))
        )
        if high is not None and high[0] - low[0] < _NARROWEST:
            break
        request = _next_request(low, high)


def _next_request(low, high):
    if high is None:
        # Twice as far as the secant from 0 would go at most, to get a bracket soon.
        return min(1.0, 2.0 * low[0]) if low[0] > 0 else 1.0
    secant = low[0] + (high[0] - low[0]) * low[1] / (low[1] - high[1])
    # Steps make the secant creep along one end: stay off the ends.
    margin = 0.1 * (high[0] - low[0])
    return float(np.clip(secant, low[0] + margin, high[0] - margin))
