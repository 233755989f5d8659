# SPDX-License-Identifier: BSD-3-Clause
"""Pointwise losses of raw predictions: value, first and second derivative.

Conventions
-----------
A raw prediction is what a model computes before any link function, always of shape
``(n_samples, n_outputs)``, also when there is one output. Targets are encoded: the
class index 0 .. n_classes - 1, or the number that a regression predicts. Nothing here
is averaged or weighted: whoever sums knows the weights.

Criteria (which measure) and models (which were trained) both need these functions
and must not know each other, so the functions stand above both.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import expit, logsumexp, softmax, xlogy


class BinaryLogLoss:
    """Log loss of a binary target with one raw prediction, the log-odds.

    The loss reads, with target ``y`` in {0, 1} and raw prediction ``f``::

        loss(f)  = log(1 + exp(f)) - y * f
        loss'(f) = sigmoid(f) - y
        loss''(f) = sigmoid(f) * (1 - sigmoid(f))
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


class LogisticMargin:
    """``log(1 + exp(-m))`` of the margin m."""

    def value(self, margin):
        """Loss, elementwise."""
        return np.logaddexp(0.0, -margin)

    def slope(self, margin):
        """First derivative, elementwise."""
        return -expit(-margin)

    def curvature(self, margin):
        """Second derivative, elementwise."""
        return expit(margin) * expit(-margin)


class SquaredHinge:
    """``max(0, 1 - m)^2`` of the margin m. Its curvature jumps at m = 1."""

    def value(self, margin):
        """Loss, elementwise."""
        return np.maximum(0.0, 1.0 - margin) ** 2

    def slope(self, margin):
        """First derivative, elementwise."""
        return -2.0 * np.maximum(0.0, 1.0 - margin)

    def curvature(self, margin):
        """Second derivative, elementwise."""
        return 2.0 * (margin < 1.0)


class ModifiedHuber:
    """``max(0, 1 - m)^2`` for a margin m >= -1, and ``-4 m`` below."""

    def value(self, margin):
        """Loss, elementwise."""
        return np.where(
            margin >= -1.0, np.maximum(0.0, 1.0 - margin) ** 2, -4.0 * margin
        )

    def slope(self, margin):
        """First derivative, elementwise."""
        return -2.0 * np.clip(1.0 - margin, 0.0, 2.0)

    def curvature(self, margin):
        """Second derivative, elementwise."""
        return 2.0 * ((margin < 1.0) & (margin >= -1.0))


class SquaredMargin:
    """``(1 - m)^2 / 2`` of the margin m: least squares on targets of -1 and +1."""

    def value(self, margin):
        """Loss, elementwise."""
        return 0.5 * (1.0 - margin) ** 2

    def slope(self, margin):
        """First derivative, elementwise."""
        return margin - 1.0

    def curvature(self, margin):
        """Second derivative, elementwise."""
        return np.ones_like(margin)


def _indicators(y, raw_prediction):
    """True in the column of the class of each row."""
    return y[:, None] == np.arange(raw_prediction.shape[1])


class RegressionLoss(ABC):
    """Loss of a number with one raw prediction; subclasses see vectors."""

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        return self._value(y, raw_prediction[:, 0])

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, 1)."""
        return self._slope(y, raw_prediction[:, 0])[:, None]

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, 1, 1)."""
        return self._curvature(y, raw_prediction[:, 0])[:, None, None]

    def curvature_slope(self, y, raw_prediction):
        """Derivative of the second derivative, of shape (n_samples, 1, 1)."""
        return self._third(y, raw_prediction[:, 0])[:, None, None]

    @abstractmethod
    def _value(self, y, raw): ...

    @abstractmethod
    def _slope(self, y, raw): ...

    @abstractmethod
    def _curvature(self, y, raw): ...


class HalfSquaredError(RegressionLoss):
    """``(y - f)^2 / 2``."""

    def _value(self, y, raw):
        return 0.5 * (y - raw) ** 2

    def _slope(self, y, raw):
        return raw - y

    def _curvature(self, y, raw):
        return np.ones_like(raw)

    def _third(self, y, raw):
        return np.zeros_like(raw)


class HuberRegressionLoss(RegressionLoss):
    """``f^2 / 2`` of the residual f up to epsilon, linear beyond (as in SGD).

    Parameters
    ----------
    epsilon : float
        Residual at which the loss becomes linear, in the units of y.
    """

    def __init__(self, epsilon):
        self.epsilon = epsilon

    def _value(self, y, raw):
        size = np.abs(raw - y)
        linear = self.epsilon * size - 0.5 * self.epsilon**2
        return np.where(size <= self.epsilon, 0.5 * size**2, linear)

    def _slope(self, y, raw):
        return np.clip(raw - y, -self.epsilon, self.epsilon)

    def _curvature(self, y, raw):
        return 1.0 * (np.abs(raw - y) <= self.epsilon)


class HalfTweedieDeviance(RegressionLoss):
    """Half the Tweedie deviance of a power p, with a log or identity link.

    With mean ``mu = exp(f)`` or ``mu = f``, up to terms of y alone that make it 0 at
    ``mu = y``::

        p = 0:  (y - mu)^2 / 2                 p = 1:  y log(y / mu) - y + mu
        p = 2:  log(mu / y) + y / mu - 1
        else:   y^(2-p) / ((1-p) (2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p)

    whose derivative is ``(mu - y) mu^-p`` with respect to mu for every p.

    Parameters
    ----------
    power : float
        0 is the normal, 1 the Poisson, 2 the gamma distribution.
    log_link : bool
        Whether the mean is ``exp(f)`` rather than ``f``.
    """

    def __init__(self, power, log_link):
        self.power = power
        self.log_link = log_link

    def _value(self, y, raw):
        p, mean = self.power, self._mean(raw)
        if p == 0:
            return 0.5 * (y - mean) ** 2
        if p == 1:
            return xlogy(y, y / mean) - y + mean
        if p == 2:
            return np.log(mean / y) + y / mean - 1.0
        constant = np.maximum(y, 0.0) ** (2 - p) / ((1 - p) * (2 - p))
        return constant - y * mean ** (1 - p) / (1 - p) + mean ** (2 - p) / (2 - p)

    def _slope(self, y, raw):
        mean = self._mean(raw)
        exponent = (1.0 if self.log_link else 0.0) - self.power
        return (mean - y) * mean**exponent

    def _curvature(self, y, raw):
        # d/dmu of (mu - y) mu^e, times dmu/df.
        mean = self._mean(raw)
        exponent = (1.0 if self.log_link else 0.0) - self.power
        rise = mean**exponent + exponent * (mean - y) * mean ** (exponent - 1.0)
        return rise * mean if self.log_link else rise

    def _third(self, y, raw):
        if not self.log_link:
            raise NotImplementedError("Boosting has a logarithmic link.")
        # The slope is exp((2 - p) f) - y exp((1 - p) f).
        p = self.power
        return (2 - p) ** 2 * np.exp((2 - p) * raw) - y * (1 - p) ** 2 * np.exp(
            (1 - p) * raw
        )

    def _mean(self, raw):
        return np.exp(raw) if self.log_link else raw


class ConcomitantHuber:
    """Huber loss whose scale sigma is fitted together with the prediction.

    Two raw predictions, the prediction f and the scale sigma (the same in all rows),
    which is positive: where it is not, the loss is the largest number, so that no
    line search ends there. With ``z = (y - f) / sigma``::

        loss = sigma + sigma * h(z),   h(z) = z^2                   if |z| < epsilon
                                              2 epsilon |z| - epsilon^2    otherwise

    Parameters
    ----------
    epsilon : float
        Residual, in units of sigma, at which the loss becomes linear.
    """

    def __init__(self, epsilon):
        self.epsilon = epsilon

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        z, sigma = self._residual(y, raw_prediction)
        size = np.abs(z)
        linear = 2 * self.epsilon * size - self.epsilon**2
        loss = sigma + sigma * np.where(size < self.epsilon, z**2, linear)
        # Not infinity, which is no number times a weight of 0.
        return np.where(sigma > 0, loss, np.finfo(float).max / (1.0 + len(loss)) ** 2)

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, 2)."""
        z, _ = self._residual(y, raw_prediction)
        clipped = np.clip(z, -self.epsilon, self.epsilon)
        return np.column_stack([-2 * clipped, 1 - clipped**2])

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, 2, 2)."""
        z, sigma = self._residual(y, raw_prediction)
        inner = 2.0 * (np.abs(z) < self.epsilon) / sigma
        rows = [[inner, inner * z], [inner * z, inner * z**2]]
        return np.moveaxis(np.array(rows), 2, 0)

    def _residual(self, y, raw_prediction):
        sigma = raw_prediction[:, 1]
        divisor = np.where(sigma == 0, 1.0, sigma)
        return (y - raw_prediction[:, 0]) / divisor, sigma
