# SPDX-License-Identifier: BSD-3-Clause
"""Learn then test: the best of several candidates that keep a promise.

Candidates are put in an order before the rows that test are looked at. One after the
other is tested, each at the full level, until the first that fails; every candidate
before it keeps the promise, all of them together with the confidence asked
(fixed-sequence testing; Angelopoulos et al. 2021, arXiv:2110.01052). So the best of
them may be taken, by whatever is measured on the same rows, at no further price.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_softunlearn.confidence._bounds import rows_needed


@dataclass(frozen=True, eq=False)
class Tested:
    """What the tests of candidates say.

    Attributes
    ----------
    bounds : list of MetricBound
        Of each candidate; None for those that the sequence did not reach.
    order : ndarray of int
        Candidates in the order of the tests.
    kept : ndarray of bool, of shape (n_candidates,)
        Which keep the promise.
    limit : float
        What is promised of the functional, which is to be small.
    """

    bounds: list
    order: np.ndarray
    kept: np.ndarray
    limit: float

    @property
    def first(self):
        """Bound of the candidate that was tested first: what the data support."""
        return self.bounds[self.order[0]]

    def needed(self):
        """Rows that would let the first candidate pass, in words."""
        first = self.first
        more = rows_needed(first, self.limit)
        if not more:
            return (
                f"the measured value of the safest candidate, {first.estimate:.3g}, "
                "does not meet it itself, so more rows alone would not do"
            )
        rows = " and ".join(
            f"{n} more {first.counted} of {_group(name)}" for name, n in more.items()
        )
        return f"about {rows}, at the same rates, would do"


def _group(name):
    return name if name == "all groups" else f"group {name!r}"


def run_in_order(bound_of, order, limit):
    """Test candidates one after the other until the first that fails.

    Parameters
    ----------
    bound_of : callable
        From the position of a candidate to its `MetricBound`.
    order : sequence of int
    limit : float
        What the functional of the bound must not exceed.

    Returns
    -------
    Tested
    """
    order = np.asarray(order)
    bounds, kept = [None] * (order.max() + 1), np.zeros(order.max() + 1, dtype=bool)
    for candidate in order:
        bounds[candidate] = bound_of(candidate)
        if not bounds[candidate].upper <= limit:
            break
        kept[candidate] = True
    return Tested(bounds, order, kept, limit)


def safest_first(violation, utility=None):
    """Order of the tests: by what the training rows say of the candidates.

    From the smallest violation upwards. Where there is a utility, candidates that
    another one beats in both come last: they would not be taken, and could only end
    the sequence.

    Parameters
    ----------
    violation, utility : ndarray of shape (n_candidates,)
        On rows that do not test. Less violation, and more utility, is better.

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> safest_first(np.array([0.2, 0.1, 0.15]), np.array([0.9, 0.8, 0.7])).tolist()
    [1, 0, 2]
    """
    violation = np.where(np.isnan(violation), np.inf, violation)
    order = np.argsort(violation, kind="stable")
    if utility is None:
        return order
    best, front, beaten = -np.inf, [], []
    for candidate in order:
        ahead = utility[candidate] > best
        (front if ahead else beaten).append(candidate)
        best = max(best, utility[candidate])
    return np.array(front + beaten)
