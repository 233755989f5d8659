# SPDX-License-Identifier: BSD-3-Clause
"""The loss of the model, as a metric to improve or a utility to protect."""

import numpy as np

from sklearn_softunlearn.criteria._base import Criterion, normalized


class MeanLoss(Criterion):
    """Weighted mean of the model's own training loss over the evaluation rows.

    The criterion has one functional::

        F = sum_i w_i * loss(f_i, y_i) / sum_i w_i

    For `LogisticRegression` this is the log loss (cross-entropy, in nats). The
    penalty of the model is not part of it. ``hard_value`` is the zero-one loss, one
    minus the accuracy.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn._losses import BinaryLogLoss
    >>> from sklearn_softunlearn.criteria import EvaluationRows, MeanLoss
    >>> from sklearn_softunlearn._responses import LogisticResponse
    >>> y, weight = np.array([0, 1]), np.ones(2)
    >>> rows = EvaluationRows(y, weight, BinaryLogLoss(), LogisticResponse())
    >>> MeanLoss().value(np.array([[0.0], [0.0]]), rows).round(4)
    array([0.6931])
    """

    hard_kind = "zero-one loss"

    def names(self, rows):
        """Name of the one functional."""
        return ["loss"]

    def value(self, raw_prediction, rows):
        """Mean loss, of shape (1,)."""
        loss = rows.loss.value(rows.y, raw_prediction)
        return np.atleast_1d(normalized(rows.sample_weight) @ loss)

    def gradient(self, raw_prediction, rows):
        """Derivative of the mean loss, of shape (n_samples, n_outputs, 1)."""
        gradient = rows.loss.gradient(rows.y, raw_prediction)
        return (normalized(rows.sample_weight)[:, None] * gradient)[:, :, None]

    def hard_value(self, raw_prediction, rows):
        """Zero-one loss, of shape (1,)."""
        hard = rows.response.hard(raw_prediction)
        wrong = 1.0 - hard[np.arange(len(hard)), rows.y]
        return np.atleast_1d(normalized(rows.sample_weight) @ wrong)
