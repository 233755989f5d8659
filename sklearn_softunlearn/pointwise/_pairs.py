# SPDX-License-Identifier: BSD-3-Clause
"""A loss and a response of the same raw predictions, together."""

from sklearn_softunlearn.pointwise._losses import BinaryLogLoss, SoftmaxLogLoss
from sklearn_softunlearn.pointwise._responses import (
    LogisticResponse,
    SoftmaxResponse,
)


def log_loss_of(n_classes):
    """Log loss and probability of log-odds.

    Two classes have one raw prediction, more have one each.

    Parameters
    ----------
    n_classes : int
        At least 2.

    Returns
    -------
    loss : BinaryLogLoss or SoftmaxLogLoss
    response : LogisticResponse or SoftmaxResponse

    Examples
    --------
    >>> from sklearn_softunlearn.pointwise import log_loss_of
    >>> loss, response = log_loss_of(3)
    >>> type(loss).__name__, type(response).__name__
    ('SoftmaxLogLoss', 'SoftmaxResponse')
    """
    if n_classes == 2:
        return BinaryLogLoss(), LogisticResponse()
    return SoftmaxLogLoss(), SoftmaxResponse()


class SwappedClasses:
    """A loss and a response of two classes, seen with the classes exchanged.

    Class 1 of the view is class 0 of the model, and conversely. Criteria count class
    1 as the positive one; the model's own order is that of `classes_`.

    Parameters
    ----------
    loss, response : object
        Those of a model with two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import BinaryLogLoss, LogisticResponse
    >>> from sklearn_softunlearn.pointwise import SwappedClasses
    >>> view = SwappedClasses(BinaryLogLoss(), LogisticResponse())
    >>> view.smooth(np.array([[2.0]])).round(3)  # class 1 comes first
    array([[0.881, 0.119]])
    """

    def __init__(self, loss, response):
        self._loss = loss
        self._response = response

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        return self._loss.value(1 - y, raw_prediction)

    def gradient(self, y, raw_prediction):
        """First derivative of the loss, of shape (n_samples, n_outputs)."""
        return self._loss.gradient(1 - y, raw_prediction)

    def hessian(self, y, raw_prediction):
        """Second derivative of the loss, (n_samples, n_outputs, n_outputs)."""
        return self._loss.hessian(1 - y, raw_prediction)

    def smooth(self, raw_prediction):
        """Probability of each class, of shape (n_samples, 2)."""
        return self._response.smooth(raw_prediction)[:, ::-1]

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, 2, n_outputs)."""
        return self._response.smooth_jacobian(raw_prediction)[:, ::-1]

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, 2)."""
        return self._response.hard(raw_prediction)[:, ::-1]
