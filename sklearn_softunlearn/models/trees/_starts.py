# SPDX-License-Identifier: BSD-3-Clause
"""Where boosting starts: the best constant, and its derivative by the row weights."""

import numpy as np

from sklearn_softunlearn.pointwise import (
    BinaryLogLoss,
    HalfSquaredError,
    HalfTweedieDeviance,
    SoftmaxLogLoss,
)

# Like the libraries: no class is taken to be rarer than this.
_RAREST = 1e-15


def best_constant(loss):
    """The start of a boosting library that minimises this loss (see `Rounds`)."""
    if isinstance(loss, HalfTweedieDeviance):
        return _log_mean
    return _BY_LOSS[type(loss)]


def fixed(base):
    """A start that training takes as given."""
    base = np.asarray(base, dtype=np.float64)
    return lambda y, weight: (base, np.zeros((len(y), base.size)))


def _mean(y, weight):
    total = np.sum(weight)
    mean = weight @ y / total
    return np.array([mean]), (y - mean)[:, None] / total


def _log_mean(y, weight):
    (mean,), slope = _mean(y, weight)
    return np.array([np.log(mean)]), slope / mean


def _log_odds(y, weight):
    (p,), slope = _mean(y, weight)
    p = np.clip(p, _RAREST, 1.0 - _RAREST)
    return np.array([np.log(p) - np.log1p(-p)]), slope / (p * (1.0 - p))


def _centred_logs(y, weight):
    """Logarithms of the class shares, which sum to 0: a shift means nothing."""
    logs, slope = class_logs(y, weight)
    return logs - logs.mean(), slope - slope.mean(axis=1, keepdims=True)


def class_logs(y, weight):
    """Logarithms of the class shares, and their derivatives."""
    n_classes = int(np.max(y)) + 1
    own = y[:, None] == np.arange(n_classes)
    total = np.sum(weight)
    share = np.maximum(weight @ own / total, _RAREST)
    slope = (own - share) / (total * share)
    return np.log(share), slope


_BY_LOSS = {
    BinaryLogLoss: _log_odds,
    SoftmaxLogLoss: _centred_logs,
    HalfSquaredError: _mean,
}
