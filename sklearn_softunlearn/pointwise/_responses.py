# SPDX-License-Identifier: BSD-3-Clause
"""From raw predictions to what a metric counts, smoothly and as a user sees it.

A metric such as the selection rate counts predicted labels, a step function of the
raw predictions with derivative 0. Its surrogate replaces the label by a smooth
response. Every response offers, for raw predictions of shape (n_samples, n_outputs):

- ``smooth(raw)``: of shape (n_samples, n_columns), one column for each class, whose
  rows sum to 1; for a regression one column, the prediction;
- ``smooth_jacobian(raw)``: its derivative, (n_samples, n_columns, n_outputs);
- ``hard(raw)``: of the shape of ``smooth``; for classes, 1 in the column of the
  predicted class and 0 elsewhere.
"""

import numpy as np
from scipy.special import expit, softmax

# The scale of the responses of margins, for models that predict no probabilities. With
# targets of -1 and +1 the least-squares estimate of P(y=1) is (1 + f) / 2, of slope
# 1/2 at f = 0; the sigmoid of 2 f has the same value and slope there.
MARGIN_SCALE = 2.0


class LogisticResponse:
    """Two classes from one raw prediction: labels by sign, probability by sigmoid.

    The probability of class 1 is ``sigmoid(scale * f)``. For `LogisticRegression`,
    with scale 1, it is the predicted probability. Margin classifiers predict no
    probability; they take ``MARGIN_SCALE``.

    Parameters
    ----------
    scale : float, default=1.0

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.criteria import LogisticResponse
    >>> response = LogisticResponse()
    >>> response.smooth(np.array([[0.0], [2.0]])).round(2)
    array([[0.5 , 0.5 ],
           [0.12, 0.88]])
    >>> response.hard(np.array([[-1.0], [2.0]]))
    array([[1., 0.],
           [0., 1.]])
    """

    def __init__(self, scale=1.0):
        self.scale = scale

    def smooth(self, raw_prediction):
        """Probability of each class, of shape (n_samples, 2)."""
        odds = self.scale * raw_prediction
        return np.hstack([expit(-odds), expit(odds)])

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, 2, 1)."""
        odds = self.scale * raw_prediction
        # expit(-f) rather than 1 - expit(f), which is 0 for f > 37.
        slope = self.scale * expit(odds) * expit(-odds)
        return np.stack([-slope, slope], axis=1)

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, 2)."""
        positive = raw_prediction > 0
        return np.hstack([~positive, positive]).astype(float)


class SoftmaxResponse:
    """k classes from k raw predictions: label of the largest, probability by softmax.

    For multinomial `LogisticRegression`, with scale 1, it is the predicted
    probability; one-vs-rest margins take ``MARGIN_SCALE``.

    Parameters
    ----------
    scale : float, default=1.0

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.criteria import SoftmaxResponse
    >>> SoftmaxResponse().smooth(np.array([[0.0, 1.0, 2.0]])).round(2)
    array([[0.09, 0.24, 0.67]])
    """

    def __init__(self, scale=1.0):
        self.scale = scale

    def smooth(self, raw_prediction):
        """Probability of each class, of shape (n_samples, n_classes)."""
        return softmax(self.scale * raw_prediction, axis=1)

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, n_classes, n_classes)."""
        p = self.smooth(raw_prediction)
        own = p[:, :, None] * np.eye(p.shape[1])
        return self.scale * (own - p[:, :, None] * p[:, None, :])

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, n_classes)."""
        return np.eye(raw_prediction.shape[1])[np.argmax(raw_prediction, axis=1)]


class ProbabilityResponse:
    """k classes from k raw predictions that are their probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import ProbabilityResponse
    >>> ProbabilityResponse().hard(np.array([[0.2, 0.5, 0.3]]))
    array([[0., 1., 0.]])
    """

    # Raw predictions beyond are no probabilities.
    domain = (0.0, 1.0)

    def smooth(self, raw_prediction):
        """The probabilities, of shape (n_samples, n_classes)."""
        return raw_prediction

    def smooth_jacobian(self, raw_prediction):
        """The identity, of shape (n_samples, n_classes, n_classes)."""
        n_samples, n_classes = raw_prediction.shape
        return np.tile(np.eye(n_classes), (n_samples, 1, 1))

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, n_classes)."""
        return np.eye(raw_prediction.shape[1])[np.argmax(raw_prediction, axis=1)]


def margin_response(n_classes):
    """Response of one-vs-rest margins, one output for two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import margin_response
    >>> margin_response(2).hard(np.array([[0.3], [-0.3]]))
    array([[0., 1.],
           [1., 0.]])
    """
    if n_classes == 2:
        return LogisticResponse(MARGIN_SCALE)
    return SoftmaxResponse(MARGIN_SCALE)


class IdentityResponse:
    """A regression whose prediction is the first raw prediction.

    Further raw predictions (the scale of `HuberRegressor`) do not enter.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.criteria import IdentityResponse
    >>> IdentityResponse().smooth(np.array([[1.5, 0.2]]))
    array([[1.5]])
    """

    def smooth(self, raw_prediction):
        """The prediction, of shape (n_samples, 1)."""
        return raw_prediction[:, :1]

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, 1, n_outputs)."""
        jacobian = np.zeros((len(raw_prediction), 1, raw_prediction.shape[1]))
        jacobian[:, :, 0] = 1.0
        return jacobian

    def hard(self, raw_prediction):
        """The prediction, of shape (n_samples, 1)."""
        return self.smooth(raw_prediction)


class AsGivenResponse:
    """Answers of a model in the place of raw predictions: nothing is left to compute.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import AsGivenResponse
    >>> AsGivenResponse().hard(np.array([[0.0, 1.0]]))
    array([[0., 1.]])
    """

    def smooth(self, raw_prediction):
        """What was given."""
        return raw_prediction

    def hard(self, raw_prediction):
        """What was given."""
        return raw_prediction


class ExponentialResponse:
    """A regression with a log link: the prediction is the exponential.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import ExponentialResponse
    >>> ExponentialResponse().smooth(np.array([[0.0], [1.0]])).round(3)
    array([[1.   ],
           [2.718]])
    """

    def smooth(self, raw_prediction):
        """The prediction, of shape (n_samples, 1)."""
        return np.exp(raw_prediction)

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, 1, 1)."""
        return np.exp(raw_prediction)[:, :, None]

    def hard(self, raw_prediction):
        """The prediction, of shape (n_samples, 1)."""
        return self.smooth(raw_prediction)
