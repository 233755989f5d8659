# SPDX-License-Identifier: BSD-3-Clause
"""Several criteria as one: their functionals side by side."""

import numpy as np
from scipy import linalg

from sklearn_softunlearn.criteria._base import Criterion
from sklearn_softunlearn.criteria._limits import side_by_side


class CriterionList(Criterion):
    """The functionals of several criteria, each measured as it would be alone.

    As metrics, each is to shrink by the fraction ``delta`` of its own value; as
    utilities, none may get worse.

    Parameters
    ----------
    criteria : list of Criterion

    Examples
    --------
    >>> from sklearn_softunlearn.criteria import CriterionList, GroupMetric, MeanLoss
    >>> both = CriterionList([MeanLoss(), GroupMetric("selection_rate_difference")])
    >>> both.needs_groups
    True
    """

    def __init__(self, criteria):
        self.criteria = criteria
        self.needs_groups = any(c.needs_groups for c in criteria)
        # Intersections are the stricter demand on the data.
        self.marginal = all(c.marginal for c in criteria if c.needs_groups)

    @property
    def name(self):
        """The names of all."""
        return ", ".join(criterion.name for criterion in self.criteria)

    def __repr__(self):
        """Constructor call."""
        return f"CriterionList({self.criteria!r})"

    def bind(self, rows):
        """The list of bound criteria."""
        return CriterionList([criterion.bind(rows) for criterion in self.criteria])

    def check(self, rows):
        """Raise ValueError if one of the criteria is undefined on the rows."""
        for criterion in self.criteria:
            criterion.check(rows)

    def names(self, rows):
        """Names of the functionals, after the criterion where they differ from it."""
        return [
            name if name == criterion.name else f"{criterion.name}: {name}"
            for criterion in self.criteria
            for name in criterion.names(rows)
        ]

    def parts(self, rows):
        """The criteria, each with its number of functionals."""
        return [part for criterion in self.criteria for part in criterion.parts(rows)]

    def value(self, raw_prediction, rows):
        """Values of all functionals."""
        return np.concatenate([c.value(raw_prediction, rows) for c in self.criteria])

    def hard_value(self, raw_prediction, rows):
        """Values of all functionals on predicted labels."""
        hard = [c.hard_value(raw_prediction, rows) for c in self.criteria]
        return np.concatenate(hard)

    def gradient(self, raw_prediction, rows):
        """Derivative of `value`, of shape (n_samples, n_outputs, n_functionals)."""
        gradients = [c.gradient(raw_prediction, rows) for c in self.criteria]
        return np.concatenate(gradients, axis=2)

    def gradient_factors(self, raw_prediction, rows):
        """The statistics of all criteria side by side."""
        factors = [c.gradient_factors(raw_prediction, rows) for c in self.criteria]
        gradients, jacobians = zip(*factors, strict=True)
        return np.concatenate(gradients, axis=2), linalg.block_diag(*jacobians)

    def statistics(self, raw_prediction, rows):
        """The statistics of all criteria side by side."""
        return np.concatenate(
            [c.statistics(raw_prediction, rows) for c in self.criteria]
        )

    def statistics_factors(self, raw_prediction, rows):
        """Their derivatives side by side."""
        factors = [c.statistics_factors(raw_prediction, rows) for c in self.criteria]
        gradients, jacobians = zip(*factors, strict=True)
        return np.concatenate(gradients, axis=2), linalg.block_diag(*jacobians)

    def limits(self, targets, rows):
        """The limits of all criteria."""
        pieces = self._pieces(targets, rows)
        pairs = zip(self.criteria, pieces, strict=True)
        return side_by_side([c.limits(piece, rows) for c, piece in pairs])

    def of_functionals(self, multipliers, rows):
        """Those of each criterion on its own."""
        sizes = [
            len(c.limits(np.zeros(len(c.names(rows))), rows).b) for c in self.criteria
        ]
        pieces = np.split(multipliers, np.cumsum(sizes)[:-1])
        pairs = zip(self.criteria, pieces, strict=True)
        return np.concatenate([c.of_functionals(piece, rows) for c, piece in pairs])

    def worst(self, value, rows):
        """Of each criterion on its own."""
        return self._each("worst", value, rows)

    def parity(self, value, rows):
        """Of each criterion on its own."""
        return self._each("parity", value, rows)

    def _each(self, method, value, rows):
        pairs = zip(self.criteria, self._pieces(value, rows), strict=True)
        return np.concatenate(
            [getattr(criterion, method)(piece, rows) for criterion, piece in pairs]
        )

    def _pieces(self, value, rows):
        sizes = [len(criterion.names(rows)) for criterion in self.criteria]
        return np.split(value, np.cumsum(sizes)[:-1])
