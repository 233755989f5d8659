# SPDX-License-Identifier: BSD-3-Clause
"""What a metric averages over rows, as a function of the response of each row.

A quantity looks at one column of the response: the share p of one class, or the
predicted number. On the smooth response it is a surrogate; on the hard response, 0 or
1 for classes, it is what the metric of fairlearn counts.
"""

from abc import ABC, abstractmethod

import numpy as np


class Quantity(ABC):
    """A function of one column of the response, row by row."""

    @abstractmethod
    def column(self, rows, label):
        """Column of the response for each row, of shape (n_samples,) or a number."""

    @abstractmethod
    def of(self, p, rows, label):
        """Value for the entries ``p`` of that column, of shape (n_samples,)."""

    @abstractmethod
    def derivative(self, p, rows, label):
        """Derivative of `of` with respect to ``p``, of shape (n_samples,)."""

    def value(self, response, rows, label):
        """Value for a response of shape (n_samples, n_columns)."""
        return self.of(self._entries(response, rows, label), rows, label)

    def gradient(self, response, response_jacobian, rows, label):
        """Derivative with respect to raw predictions, (n_samples, n_outputs)."""
        p = self._entries(response, rows, label)
        slope = self._entries(response_jacobian, rows, label)
        return self.derivative(p, rows, label)[:, None] * slope

    def _entries(self, array, rows, label):
        return array[np.arange(len(array)), self.column(rows, label)]


class ClassShare(Quantity):
    """p of the class ``label``: whether a row is predicted to be of it."""

    def column(self, rows, label):
        """Column of the class."""
        return label

    def of(self, p, rows, label):
        """The share itself."""
        return p

    def derivative(self, p, rows, label):
        """One everywhere."""
        return np.ones_like(p)


class RestShare(ClassShare):
    """1 - p of the class ``label``: whether a row is predicted to be of another.

    A rate of its own, rather than 1 minus the mean of p: what no row does has the mean
    0, where the difference of two ones is what rounding leaves, and its ratio is noise.
    """

    def of(self, p, rows, label):
        """The share of the rest."""
        return 1.0 - p

    def derivative(self, p, rows, label):
        """Minus one everywhere."""
        return -np.ones_like(p)


class HitShare(ClassShare):
    """p of the class ``label`` on its own rows, 0 elsewhere: true positives."""

    def of(self, p, rows, label):
        """The share where the row is of the class."""
        return p * (rows.y == label)

    def derivative(self, p, rows, label):
        """One where the row is of the class."""
        return (rows.y == label).astype(float)


class TrueClassShare(ClassShare):
    """p of the true class of each row: whether its prediction is right."""

    def column(self, rows, label):
        """Column of the true class."""
        return rows.y


class WrongShare(TrueClassShare):
    """1 - p of the true class of each row: whether its prediction is wrong."""

    of, derivative = RestShare.of, RestShare.derivative


class LogLoss(TrueClassShare):
    """-log p of the true class."""

    _TINY = np.finfo(float).tiny  # of p: raw predictions of -700

    def of(self, p, rows, label):
        """Negative logarithm."""
        return -np.log(np.maximum(p, self._TINY))

    def derivative(self, p, rows, label):
        """Of the negative logarithm."""
        return -1.0 / np.maximum(p, self._TINY)


class LogShare(ClassShare):
    """Logarithm of a share, times a sign.

    Parameters
    ----------
    share : ClassShare
        p of a class, or 1 - p.
    sign : {1, -1}
    """

    def __init__(self, share, sign):
        self._share, self._sign = share, sign

    def of(self, p, rows, label):
        """Logarithm of the share."""
        share = np.maximum(self._share.of(p, rows, label), LogLoss._TINY)
        return self._sign * np.log(share)

    def derivative(self, p, rows, label):
        """Of the logarithm."""
        share = np.maximum(self._share.of(p, rows, label), LogLoss._TINY)
        return self._sign * self._share.derivative(p, rows, label) / share


class Number(ClassShare):
    """The predicted number; of two classes, 0 and 1."""

    def column(self, rows, label):
        """The only column of a regression, the second of two classes."""
        return -1


class SquaredError(Number):
    """Squared difference from the target."""

    def of(self, p, rows, label):
        """Squared residual."""
        return (p - rows.y) ** 2

    def derivative(self, p, rows, label):
        """Twice the residual."""
        return 2.0 * (p - rows.y)


class AbsoluteError(Number):
    """Absolute difference from the target, with derivative 0 where they agree."""

    def of(self, p, rows, label):
        """Absolute residual."""
        return np.abs(p - rows.y)

    def derivative(self, p, rows, label):
        """Sign of the residual."""
        return np.sign(p - rows.y)
