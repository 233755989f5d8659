# SPDX-License-Identifier: BSD-3-Clause
"""Pointwise losses of classes, of raw predictions: value, first and second derivative.

Conventions
-----------
A raw prediction is what a model computes before any link function, always of shape
``(n_samples, n_outputs)``, also when there is one output. Targets are encoded: the
class index 0 .. n_classes - 1, or the number that a regression predicts. Nothing here
is averaged or weighted: whoever sums knows the weights.

Criteria (which measure) and models (which were trained) both need these functions
and must not know each other, so the functions stand above both.
"""

import numpy as np
from scipy.special import expit, logsumexp, softmax


class BinaryLogLoss:
    """Log loss of a binary target with one raw prediction, the log-odds.

    The loss reads, with target ``y`` in {0, 1} and raw prediction ``f``::

        loss(f)  = log(1 + exp(f)) - y * f
        loss'(f) = sigmoid(f) - y
        loss''(f) = sigmoid(f) * (1 - sigmoid(f))

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import BinaryLogLoss
    >>> raw = np.array([[2.0], [-1.0]])
    >>> BinaryLogLoss().value(np.array([1, 1]), raw).round(3)
    array([0.127, 1.313])
    """

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

    def curvature_slope(self, y, raw_prediction):
        """Derivative of the second derivative, of shape (n_samples, 1, 1)."""
        p, q = expit(raw_prediction), expit(-raw_prediction)
        return (p * q * (q - p))[:, :, None]


class SoftmaxLogLoss:
    """Log loss of k classes with k raw predictions, the log-odds up to a shift.

    With target ``y`` in {0 .. k-1} and p = softmax(f)::

        loss(f)       = logsumexp(f) - f_y
        dloss/df_a    = p_a - [a = y]
        d2loss/dadb   = p_a [a = b] - p_a p_b

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import SoftmaxLogLoss
    >>> raw = np.array([[2.0, 0.0, -1.0]])
    >>> SoftmaxLogLoss().value(np.array([0]), raw).round(3)
    array([0.17])
    >>> SoftmaxLogLoss().gradient(np.array([0]), raw).round(3)
    array([[-0.156,  0.114,  0.042]])
    """

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        own = np.take_along_axis(raw_prediction, y[:, None], axis=1)[:, 0]
        return logsumexp(raw_prediction, axis=1) - own

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, n_outputs)."""
        return softmax(raw_prediction, axis=1) - _indicators(y, raw_prediction)

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, n_outputs, n_outputs)."""
        p = softmax(raw_prediction, axis=1)
        return p[:, :, None] * np.eye(p.shape[1]) - p[:, :, None] * p[:, None, :]

    def curvature_slope(self, y, raw_prediction):
        """Derivative of the diagonal of `hessian`, of the shape of `hessian`."""
        p = softmax(raw_prediction, axis=1)
        return (1.0 - 2.0 * p)[:, :, None] * self.hessian(y, raw_prediction)


class HalfBrierLoss:
    """Half the squared distance of probabilities from the indicator of the class.

    With k raw predictions f, the probabilities of the k classes, and target ``y``::

        loss(f) = sum_a (f_a - [a = y])^2 / 2

    The shares of the classes among rows minimise its sum over these rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import HalfBrierLoss
    >>> p = np.array([[0.7, 0.2, 0.1]])
    >>> HalfBrierLoss().value(np.array([0]), p).round(3)
    array([0.07])
    """

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        return 0.5 * np.sum(self.gradient(y, raw_prediction) ** 2, axis=1)

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, n_outputs)."""
        return raw_prediction - _indicators(y, raw_prediction)

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, n_outputs, n_outputs)."""
        n_samples, n_outputs = raw_prediction.shape
        return np.tile(np.eye(n_outputs), (n_samples, 1, 1))


class OneVsRestLoss:
    """Sum over the raw predictions of a loss of the margin, one for each class.

    With ``t = +1`` for the output of the row's own class and -1 for the others (two
    classes have one output, that of class 1)::

        loss(f) = sum_a c_a * margin_loss(t_a * f_a)

    Parameters
    ----------
    margin_loss : object
        With `value`, `slope` and `curvature`, functions of the margin.
    positive_weight : ndarray of shape (n_outputs,), default=None
        ``c_a`` for the output of the row's own class; it is 1 for the others, which
        is how liblinear and SGD weight more than two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import OneVsRestLoss, SquaredHinge
    >>> raw = np.array([[2.0, 0.0, -1.0]])
    >>> OneVsRestLoss(SquaredHinge()).value(np.array([0]), raw)
    array([1.])
    """

    def __init__(self, margin_loss, positive_weight=None):
        self.margin_loss = margin_loss
        self.positive_weight = positive_weight

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        sign, weight = self._signs_and_weights(y, raw_prediction)
        return np.sum(weight * self.margin_loss.value(sign * raw_prediction), axis=1)

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, n_outputs)."""
        sign, weight = self._signs_and_weights(y, raw_prediction)
        return weight * sign * self.margin_loss.slope(sign * raw_prediction)

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, n_outputs, n_outputs)."""
        sign, weight = self._signs_and_weights(y, raw_prediction)
        curvature = weight * self.margin_loss.curvature(sign * raw_prediction)
        return curvature[:, :, None] * np.eye(sign.shape[1])

    def _signs_and_weights(self, y, raw_prediction):
        if raw_prediction.shape[1] == 1:
            return 2.0 * y[:, None] - 1.0, 1.0
        own = _indicators(y, raw_prediction)
        if self.positive_weight is None:
            return 2.0 * own - 1.0, 1.0
        return 2.0 * own - 1.0, np.where(own, self.positive_weight, 1.0)


def _indicators(y, raw_prediction):
    """True in the column of the class of each row."""
    return y[:, None] == np.arange(raw_prediction.shape[1])
