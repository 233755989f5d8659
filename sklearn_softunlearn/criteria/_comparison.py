# SPDX-License-Identifier: BSD-3-Clause
"""Base metrics of populations of rows, and the functionals that compare them."""

from typing import Any, NamedTuple

import numpy as np
from scipy import linalg


class Comparison(NamedTuple):
    """What a `GroupMetric` compares on some rows.

    The functionals are those of the aggregation for each unit, one after the other.

    Attributes
    ----------
    groups : Populations
    aggregation : Differences, Ratios, Largest or Smallest
    units : list of (base metric, class)
    """

    groups: Any
    aggregation: Any
    units: list

    def functionals(self, raw_prediction, rows, *, hard):
        """Values of the functionals, smooth or of labels."""
        values = self._values(raw_prediction, rows, hard)
        return self._joined(self.aggregation.functionals, values)

    def reweighting(self, raw_prediction, rows):
        """Function from weightings to functionals of labels, a column for each."""
        units = [
            reweighting_groups(base, raw_prediction, rows, label, self.groups)
            for base, label in self.units
        ]
        compare = self.aggregation.functionals
        return lambda weight: self._joined(compare, [of(weight) for of in units])

    def statistics(self, raw_prediction, rows):
        """Smooth base metric of each population, unit after unit."""
        return np.concatenate(self._values(raw_prediction, rows))

    def statistics_factors(self, raw_prediction, rows):
        """Derivative of the means of the groups, and of `statistics` by these."""
        gradients, inner = self._factors(raw_prediction, rows)
        return np.concatenate(gradients, axis=2), linalg.block_diag(*inner)

    def gradient_factors(self, raw_prediction, rows):
        """Derivative of the means of the groups, and of the functionals by these."""
        gradients, inner = self._factors(raw_prediction, rows)
        values = self._values(raw_prediction, rows)
        jacobians = [
            part @ self.aggregation.jacobian(value, self.groups)
            for part, value in zip(inner, values, strict=True)
        ]
        return np.concatenate(gradients, axis=2), linalg.block_diag(*jacobians)

    def of_functionals(self, multipliers):
        """Multipliers of the functionals, for those of `limits`."""
        return self._joined(self.aggregation.of_functionals, self.split(multipliers))

    def split(self, values):
        """The pieces of each unit."""
        return np.split(values, len(self.units))

    def parts(self):
        """Number of the base metric and the family of groups of each functional."""
        family = self.aggregation.families(self.groups)
        bases = list(dict.fromkeys(base for base, _ in self.units))
        size = family.max() + 1
        numbers = [bases.index(base) * size + family for base, _ in self.units]
        return np.concatenate(numbers)

    def _joined(self, function, pieces):
        return np.concatenate([function(piece, self.groups) for piece in pieces])

    def _values(self, raw_prediction, rows, hard=False):
        return [
            base.values(raw_prediction, rows, self.groups, label, hard=hard)
            for base, label in self.units
        ]

    def _factors(self, raw_prediction, rows):
        """Factors of the derivatives of the base metrics: all first, all second."""
        factors = [
            base.gradient_factors(raw_prediction, rows, self.groups, label)
            for base, label in self.units
        ]
        return zip(*factors, strict=True)


def reweighting_groups(base, raw_prediction, rows, label, groups):
    """Function from weightings to a base metric of labels, for each population.

    Of shape (n_populations, n_weightings). What does not depend on the weights, such as
    the order of scores, is done once.
    """
    of_groups = [
        (m, base.reweighting(raw_prediction[m], rows.take(m), label))
        for m in groups.positions
    ]
    return lambda weight: np.array([of(weight[m]) for m, of in of_groups])
