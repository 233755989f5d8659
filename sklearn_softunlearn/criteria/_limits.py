# SPDX-License-Identifier: BSD-3-Clause
"""What a request asks, as linear limits on a few statistics.

A gap between G groups is the largest of G (G - 1) differences, yet it is at most t
exactly if all groups fit between a *level* c and ``c + t``: 2 G limits on G statistics,
with one number that is free. In this form the cost of a correction is linear in the
number of groups.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg


@dataclass(frozen=True)
class Limits:
    """``A @ statistics + B @ levels <= b`` for some levels.

    Attributes
    ----------
    A : ndarray of shape (n_limits, n_statistics)
    B : ndarray of shape (n_limits, n_levels)
    b : ndarray of shape (n_limits,)

    Examples
    --------
    Three groups whose rates may differ by 0.1:

    >>> import numpy as np
    >>> from sklearn_softunlearn.criteria import Limits
    >>> rates = np.eye(3)
    >>> A, B = np.vstack([rates, -rates]), np.repeat([[-1.0], [1.0]], 3, axis=0)
    >>> limits = Limits(A, B, np.repeat([0.1, 0.0], 3))
    >>> excess = limits.excess(np.array([0.3, 0.4, 0.5]), np.array([0.3]))
    >>> round(float(excess.max()), 2)
    0.1
    """

    A: np.ndarray
    B: np.ndarray
    b: np.ndarray

    def excess(self, statistics, levels):
        """By how much each limit is exceeded; negative where it is kept."""
        return self.A @ statistics + self.B @ levels - self.b


def each_at_most(bounds):
    """Every statistic within its own bound."""
    return Limits(np.eye(len(bounds)), np.zeros((len(bounds), 0)), bounds)


def side_by_side(parts):
    """The limits of several sets of statistics."""
    return Limits(
        linalg.block_diag(*[part.A for part in parts]),
        linalg.block_diag(*[part.B for part in parts]),
        np.concatenate([part.b for part in parts]),
    )
