# SPDX-License-Identifier: BSD-3-Clause
"""A response whose smooth form is nearer to the labels."""

from numbers import Real


class Sharpened:
    """The response of ``sharpness`` times the raw predictions."""

    def __init__(self, response, sharpness):
        self._response = response
        self._sharpness = sharpness

    def smooth(self, raw_prediction):
        """Probability of each class, of shape (n_samples, n_classes)."""
        return self._response.smooth(self._sharpness * raw_prediction)

    def smooth_jacobian(self, raw_prediction):
        """Derivative of `smooth`, of shape (n_samples, n_classes, n_outputs)."""
        scaled = self._sharpness * raw_prediction
        return self._sharpness * self._response.smooth_jacobian(scaled)

    def hard(self, raw_prediction):
        """Indicator of the predicted class, as without sharpening."""
        return self._response.hard(raw_prediction)


def check_sharpness(sharpness):
    """The sharpness, if it is None or a positive number; else ValueError."""
    if sharpness is None:
        return None
    number = isinstance(sharpness, Real) and not isinstance(sharpness, bool)
    if not number or not 0 < sharpness < float("inf"):
        raise ValueError(f"sharpness={sharpness!r} must be a number > 0 and finite.")
    return sharpness
