# SPDX-License-Identifier: BSD-3-Clause
"""Criteria to look at, rather than to correct: several as one, and none."""

import numpy as np

from sklearn_softunlearn.criteria import Criterion, CriterionList


class JoinedCriteria(CriterionList):
    """The functionals of several criteria, named after them."""

    def __init__(self, criteria, titles):
        super().__init__(criteria)
        self.titles = titles

    def bind(self, rows):
        """The same with bound criteria."""
        return JoinedCriteria([c.bind(rows) for c in self.criteria], self.titles)

    def names(self, rows):
        """Names of the functionals, after the criterion if they differ from it."""
        return [
            name if name == title else f"{title}: {name}"
            for criterion, title in zip(self.criteria, self.titles, strict=True)
            for name in criterion.names(rows)
        ]

    def largest(self, value, rows):
        """Position of the largest functional of each criterion."""
        sizes = [len(criterion.names(rows)) for criterion in self.criteria]
        starts = np.cumsum([0, *sizes[:-1]])
        pieces = np.split(value, starts[1:])
        return starts + np.array([np.argmax(piece) for piece in pieces], dtype=int)


class NoCriterion(Criterion):
    """No functional at all, for a utility that nobody asked about."""

    def names(self, rows):
        """No names."""
        return []

    def value(self, raw_prediction, rows):
        """No values."""
        return np.empty(0)

    def gradient(self, raw_prediction, rows):
        """No derivatives, of shape (n_samples, n_outputs, 0)."""
        return np.empty((*raw_prediction.shape, 0))

    def worst(self, value, rows):
        """No values."""
        return np.empty(0)
