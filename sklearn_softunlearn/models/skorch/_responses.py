# SPDX-License-Identifier: BSD-3-Clause
"""From the raw predictions of a net to the probabilities that skorch returns."""

import numpy as np
import torch
from scipy.special import logit

from sklearn_softunlearn.pointwise import LogisticResponse, SoftmaxResponse

# Of the sum of a row of probabilities.
_ROUNDING = 1e-4


class ThresholdResponse(LogisticResponse):
    """Class 1 where its probability is above the threshold of the net."""

    def __init__(self, threshold):
        super().__init__()
        self.threshold = threshold

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, 2)."""
        positive = raw_prediction > logit(self.threshold)
        return np.hstack([~positive, positive]).astype(float)


class ProbabilityResponse:
    """Raw predictions that are probabilities already: one for each class.

    Of a single column it is that of class 1.

    Parameters
    ----------
    threshold : float, default=0.5
        Of a single column.
    """

    def __init__(self, threshold=0.5):
        self.threshold = threshold

    def smooth(self, raw_prediction):
        """Probability of each class, of shape (n_samples, n_classes)."""
        if raw_prediction.shape[1] > 1:
            return raw_prediction
        return np.hstack([1.0 - raw_prediction, raw_prediction])

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, n_classes, n_outputs)."""
        n_samples, n_outputs = raw_prediction.shape
        own = np.eye(n_outputs) if n_outputs > 1 else np.array([[-1.0], [1.0]])
        return np.broadcast_to(own, (n_samples, *own.shape)).copy()

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, n_classes)."""
        return hard_labels(self.smooth(raw_prediction), self.threshold)


class NonlinearityResponse:
    """The function that a user gave as ``predict_nonlinearity``, by autograd.

    Parameters
    ----------
    function : callable
        Tensor of module outputs to tensor of probabilities (n_rows, n_classes).
    vector : bool
        Whether the function is given vectors, as by a NeuralNetBinaryClassifier.
    threshold : float
    """

    def __init__(self, function, vector, threshold):
        self.function = function
        self.vector = vector
        self.threshold = threshold

    def smooth(self, raw_prediction):
        """Probability of each class, of shape (n_samples, n_classes)."""
        return self._called(_tensor(raw_prediction)).numpy(force=True)

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, n_classes, n_outputs)."""
        of_row = torch.func.jacrev(lambda row: self._called(row[None])[0])
        return torch.func.vmap(of_row)(_tensor(raw_prediction)).numpy(force=True)

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, n_classes)."""
        return hard_labels(self.smooth(raw_prediction), self.threshold)

    def _called(self, raw):
        return self.function(raw[:, 0] if self.vector else raw)


def _tensor(array):
    # torch warns of arrays that it might write to.
    return torch.as_tensor(np.require(array, requirements="W"), device="cpu")


def hard_labels(probability, threshold=0.5):
    """Indicator of the predicted class, as skorch predicts."""
    if probability.shape[1] == 2 and threshold != 0.5:
        chosen = (probability[:, 1] > threshold).astype(int)
    else:
        chosen = np.argmax(probability, axis=1)
    return np.eye(probability.shape[1])[chosen]


def response_of(net, criterion):
    """How a classifier of skorch makes probabilities of its module's outputs.

    Returns
    -------
    response : object
    is_probability : bool
        Whether the net's own ``predict_proba`` returns it; else it returns what the
        module returns.
    """
    threshold = getattr(net, "threshold", None)  # of a NeuralNetBinaryClassifier
    vector = threshold is not None
    if callable(net.predict_nonlinearity):
        given = net.predict_nonlinearity
        return NonlinearityResponse(given, vector, threshold or 0.5), True
    auto = net.predict_nonlinearity == "auto"
    if isinstance(criterion, torch.nn.BCELoss):
        return ProbabilityResponse(threshold or 0.5), auto
    if vector:
        known = isinstance(criterion, torch.nn.BCEWithLogitsLoss)
        return logistic_response(threshold), auto and known
    return SoftmaxResponse(), auto and isinstance(criterion, torch.nn.CrossEntropyLoss)


def logistic_response(threshold):
    """Response of one logit, for a threshold of the probability."""
    return LogisticResponse() if threshold == 0.5 else ThresholdResponse(threshold)


def are_probabilities(raw_prediction):
    """Whether each row is a distribution over two or more classes."""
    if raw_prediction.shape[1] < 2 or np.any(raw_prediction < 0):
        return False
    return bool(np.all(np.abs(raw_prediction.sum(axis=1) - 1.0) < _ROUNDING))
