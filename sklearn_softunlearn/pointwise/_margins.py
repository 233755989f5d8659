# SPDX-License-Identifier: BSD-3-Clause
"""Losses of a margin, elementwise, of which `OneVsRestLoss` is made."""

import numpy as np
from scipy.special import expit


class LogisticMargin:
    """``log(1 + exp(-m))`` of the margin m.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import LogisticMargin
    >>> LogisticMargin().value(np.array([0.0, 2.0])).round(3)
    array([0.693, 0.127])
    """

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
    """``max(0, 1 - m)^2`` of the margin m. Its curvature jumps at m = 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import SquaredHinge
    >>> SquaredHinge().value(np.array([-1.0, 0.5, 2.0]))
    array([4.  , 0.25, 0.  ])
    """

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
    """``max(0, 1 - m)^2`` for a margin m >= -1, and ``-4 m`` below.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import ModifiedHuber
    >>> ModifiedHuber().value(np.array([-2.0, 0.5, 2.0]))
    array([8.  , 0.25, 0.  ])
    """

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
    """``(1 - m)^2 / 2`` of the margin m: least squares on targets of -1 and +1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import SquaredMargin
    >>> SquaredMargin().value(np.array([0.0, 1.0]))
    array([0.5, 0. ])
    """

    def value(self, margin):
        """Loss, elementwise."""
        return 0.5 * (1.0 - margin) ** 2

    def slope(self, margin):
        """First derivative, elementwise."""
        return margin - 1.0

    def curvature(self, margin):
        """Second derivative, elementwise."""
        return np.ones_like(margin)
