# SPDX-License-Identifier: BSD-3-Clause
"""From the metric of each group to functionals that are all to be kept small.

=========  =========================================  ====================
transform  functionals, for groups g, h               the user reads
=========  =========================================  ====================
difference ``v_g - v_h`` for all ordered pairs        the largest
ratio      ``1 - v_g / v_h`` for all ordered pairs    1 minus the largest
group_max  ``v_g``                                    the largest
group_min  ``-v_g``                                   minus the largest
=========  =========================================  ====================

With ``method="to_overall"`` the pairs are each group with all rows, in both orders.
All pairs are kept: improving only the worst one stalls as soon as another takes its
place.
"""

from itertools import permutations

import numpy as np

from sklearn_softunlearn.criteria._limits import Limits


class _Pairs:
    of_gaps = True

    def __init__(self, method):
        self.method = method

    @property
    def needs_overall(self):
        """Whether the population of all rows takes part."""
        return self.method == "to_overall"

    def members(self, groups):
        """Positions (g, h) of each functional, of shape (n_functionals, 2)."""
        return np.array([pair for family in self._pairs(groups) for pair in family])

    def families(self, groups):
        """Family of populations of each functional."""
        sizes = [len(pairs) for pairs in self._pairs(groups)]
        return np.repeat(np.arange(len(sizes)), sizes)

    def names(self, groups):
        """Name of each functional."""
        return [
            self.symbol.format(groups.names[g], groups.names[h])
            for g, h in self.members(groups)
        ]

    def parity(self, functionals, groups, sample_weight):
        """Zero: all groups are alike."""
        return 0.0

    def limits(self, targets, groups):
        """Limits on the values of the populations, for targets of the functionals.

        Within a family all targets are the same: of pairs, two limits for each group
        and a free level; against all rows there is no need of a level.
        """
        n, family = len(groups.names), self.families(groups)
        members = groups.families
        A, B, b = [], [], []
        for position, own in enumerate(members):
            target = targets[np.argmax(family == position)]
            upper, lower, level = self._corridor(np.eye(n)[own], target, groups)
            A += [upper, lower]
            B += [_in_column(level, position, len(members))]
            b += self._bounds(target, len(own))
        B = np.vstack(B)
        return Limits(np.vstack(A), B[:, np.any(B != 0, axis=0)], np.concatenate(b))

    def of_functionals(self, multipliers, groups):
        """Pair (g, h) takes its share of the multipliers of g above and h below."""
        found, start = [], 0
        for own in groups.families:
            above, below = np.split(multipliers[start : start + 2 * len(own)], 2)
            start += 2 * len(own)
            if self.needs_overall:
                found.append(np.column_stack([above, below]).ravel())
                continue
            total = max(np.sum(above), np.sum(below), np.finfo(float).tiny)
            pairs = permutations(range(len(own)), 2)
            found.append([above[g] * below[h] / total for g, h in pairs])
        return np.concatenate(found)

    def _pairs(self, groups):
        if not self.needs_overall:
            return [list(permutations(family, 2)) for family in groups.families]
        all_rows = groups.overall
        return [
            [pair for g in family for pair in ((g, all_rows), (all_rows, g))]
            for family in groups.families
        ]


class Differences(_Pairs):
    """Differences within ordered pairs."""

    symbol = "{} - {}"

    def _corridor(self, own, target, groups):
        if self.needs_overall:
            gap = own - np.eye(len(groups.names))[groups.overall]
            return gap, -gap, np.zeros(2 * len(own))
        return own, -own, np.repeat([-1.0, 1.0], len(own))

    def _bounds(self, target, size):
        if self.needs_overall:
            return [np.full(2 * size, target)]
        return [np.repeat([target, 0.0], size)]

    def functionals(self, values, groups):
        """Values of the functionals, of shape (n_functionals,)."""
        first, second = self.members(groups).T
        return values[first] - values[second]

    def jacobian(self, values, groups):
        """Their derivative, of shape (n_populations, n_functionals)."""
        first, second = self.members(groups).T
        identity = np.eye(len(values))
        return identity[:, first] - identity[:, second]

    def upper_limits(self, values, low, high, groups):
        """Upper limits of the functionals from limits of each population.

        See `confidence` for the method. ``values``, ``low`` and ``high`` are of shape
        (n_populations,).

        Returns
        -------
        upper : ndarray of shape (n_functionals,)
        parts : ndarray of shape (n_functionals, n_populations)
            Squares of the distance from estimate to limit that each population adds.
        """
        first, second = self.members(groups).T
        parts = _parts(first, high - values, second, values - low)
        distance = np.sqrt(parts.sum(axis=1))
        return values[first] - values[second] + distance, parts

    def user_value(self, worst):
        """The largest difference."""
        return worst


class Ratios(_Pairs):
    """One minus the ratios of ordered pairs.

    Two groups at 0 are alike: their ratio is 1. (fairlearn gives NaN if all are.)
    Negative values, such as mean predictions may be, have no ratio: NaN.
    """

    symbol = "1 - {} / {}"

    def _corridor(self, own, target, groups):
        ratio = 1.0 - target
        if self.needs_overall:
            overall = np.eye(len(groups.names))[groups.overall]
            # 1 - v_g / v <= t, and 1 - v / v_g <= t.
            return ratio * overall - own, ratio * own - overall, np.zeros(2 * len(own))
        # The level is the largest value: v_h <= c, and v_g >= (1 - t) c.
        return -own, own, np.repeat([ratio, -1.0], len(own))

    def _bounds(self, target, size):
        return [np.zeros(2 * size)]

    def functionals(self, values, groups):
        """Values of the functionals, of shape (n_functionals,)."""
        first, second = (values[part] for part in self.members(groups).T)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(first == second, 1.0, first / second)
        return 1.0 - np.where(np.minimum(first, second) < 0, np.nan, ratios)

    def jacobian(self, values, groups):
        """Their derivative, of shape (n_populations, n_functionals)."""
        if np.any(values <= 0):
            raise ValueError(
                "A ratio between groups needs positive values, and the smallest is "
                f"{values.min():.3g}. Use the difference instead."
            )
        first, second = self.members(groups).T
        identity = np.eye(len(values))
        v_first, v_second = values[first], values[second]
        return (
            identity[:, second] * v_first / v_second**2 - identity[:, first] / v_second
        )

    def upper_limits(self, values, low, high, groups):
        """Upper limits of the functionals, as those of `Differences`."""
        first, second = self.members(groups).T
        lowest = _lower_ratio(values[first], low[first], values[second], high[second])
        upper = np.where(first == second, 0.0, 1.0 - lowest)
        distance = upper - self.functionals(values, groups)
        some = values[second] > 0
        scale = np.divide(
            values[first], values[second], np.zeros_like(upper), where=some
        )
        parts = _parts(first, values - low, second, high - values, scale)
        total = np.maximum(parts.sum(axis=1), np.finfo(float).tiny)
        return upper, parts * (distance**2 / total)[:, None]

    def user_value(self, worst):
        """The smallest ratio."""
        return 1.0 - worst


class Largest:
    """The metric of each group, to be lowered where it is largest."""

    needs_overall = of_gaps = False
    sign = 1.0

    def families(self, groups):
        """Family of populations of each functional."""
        sizes = [len(family) for family in groups.families]
        return np.repeat(np.arange(len(sizes)), sizes)

    def names(self, groups):
        """Names of the groups."""
        return list(groups.names)

    def functionals(self, values, groups):
        """Values of the functionals, of shape (n_functionals,)."""
        return self.sign * values

    def limits(self, targets, groups):
        """Every group within its own target."""
        size = len(targets)
        return Limits(self.sign * np.eye(size), np.zeros((size, 0)), targets)

    def of_functionals(self, multipliers, groups):
        """The same: a limit is a functional."""
        return multipliers

    def jacobian(self, values, groups):
        """Their derivative, of shape (n_populations, n_functionals)."""
        return self.sign * np.eye(len(values))

    def upper_limits(self, values, low, high, groups):
        """Upper limits of the functionals, as those of `Differences`."""
        limit = high if self.sign > 0 else -low
        return limit, np.diag((limit - self.sign * values) ** 2)

    def user_value(self, worst):
        """The metric of the worst group."""
        return self.sign * worst

    def parity(self, functionals, groups, sample_weight):
        """The mean over groups, by their weight: all groups are alike at this level."""
        share = groups.share(sample_weight)
        repeated = np.tile(share, len(functionals) // len(share))
        return repeated @ functionals / np.sum(repeated)


class Smallest(Largest):
    """The metric of each group, to be raised where it is smallest."""

    sign = -1.0


def _in_column(values, position, n_columns):
    """A column of zeros but for one."""
    table = np.zeros((len(values), n_columns))
    table[:, position] = values
    return table


def _parts(first, of_first, second, of_second, scale=1.0):
    """Squared distances of the two populations of each pair, in their columns."""
    rows = np.arange(len(first))
    parts = np.zeros((len(first), len(of_first)))
    parts[rows, first] = of_first[first] ** 2
    parts[rows, second] += (scale * of_second[second]) ** 2
    return parts


def _lower_ratio(value, low, other, high):
    """Lower limit of value / other (Donner & Zou 2012, their MOVER-R).

    The root r of ``value - r other = sqrt((value - low)^2 + r^2 (high - other)^2)``.
    """
    constant = low * (2.0 * value - low)
    linear = value * other
    square = other**2 - (high - other) ** 2
    root = np.sqrt(np.maximum(linear**2 - square * constant, 0.0))
    # The form that neither cancels nor divides by a square that may be 0.
    below = linear + root
    return np.divide(constant, below, out=np.zeros_like(below), where=below > 0)
