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
from scipy.special import expit


class LogisticResponse:
    """Two classes from one raw prediction: labels by sign, probability by sigmoid.

    For `LogisticRegression` the smooth response is the predicted probability.
    """

    def smooth(self, raw_prediction):
        """Probability of each class, of shape (n_samples, 2)."""
        return np.hstack([expit(-raw_prediction), expit(raw_prediction)])

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, 2, 1)."""
        # expit(-f) rather than 1 - expit(f), which is 0 for f > 37.
        slope = expit(raw_prediction) * expit(-raw_prediction)
        return np.stack([-slope, slope], axis=1)

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, 2)."""
        positive = raw_prediction > 0
        return np.hstack([~positive, positive]).astype(float)
