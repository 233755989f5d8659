# SPDX-License-Identifier: BSD-3-Clause
"""Pointwise losses of numbers; the conventions are those of the losses of classes."""

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import xlogy


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
    """``(y - f)^2 / 2``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import HalfSquaredError
    >>> HalfSquaredError().value(np.array([1.0]), np.array([[3.0]]))
    array([2.])
    """

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

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import HuberRegressionLoss
    >>> loss = HuberRegressionLoss(1.0)
    >>> loss.gradient(np.zeros(2), np.array([[0.5], [10.0]]))[:, 0]
    array([0.5, 1. ])
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

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import HalfTweedieDeviance
    >>> loss = HalfTweedieDeviance(power=1, log_link=True)
    >>> loss.gradient(np.array([3.0]), np.array([[np.log(2.0)]])).round(6)
    array([[-1.]])
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

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import ConcomitantHuber
    >>> raw = np.array([[1.0, 2.0]])  # prediction and scale
    >>> ConcomitantHuber(1.35).value(np.array([1.0]), raw)
    array([2.])
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
