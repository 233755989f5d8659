# SPDX-License-Identifier: BSD-3-Clause
"""Pointwise losses of raw predictions: value, first and second derivative.

Conventions
-----------
A raw prediction is what a model computes before any link function, always of shape
``(n_samples, n_outputs)``, also when there is one output. Targets are encoded: the
class index 0 .. n_classes - 1. Nothing here is averaged or weighted: whoever sums
knows the weights.

Criteria (which measure) and models (which were trained) both need these functions
and must not know each other, so the functions stand above both.
"""

import numpy as np
from scipy.special import expit


class BinaryLogLoss:
    """Log loss of a binary target with one raw prediction, the log-odds.

    The loss reads, with target ``y`` in {0, 1} and raw prediction ``f``::

        loss(f)  = log(1 + exp(f)) - y * f
        loss'(f) = sigmoid(f) - y
        loss''(f) = sigmoid(f) * (1 - sigmoid(f))
    """

    n_outputs = 1

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        raw = raw_prediction[:, 0]
        # Not log(1 + exp(raw)): it overflows for raw > 709.
        return np.logaddexp(0.0, raw) - y * raw

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, n_outputs)."""
        return expit(raw_prediction) - y[:, None]

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, n_outputs, n_outputs)."""
        # expit(-f) rather than 1 - expit(f), which is 0 for f > 37.
        return (expit(raw_prediction) * expit(-raw_prediction))[:, :, None]
