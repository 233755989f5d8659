# SPDX-License-Identifier: BSD-3-Clause
"""What every criterion offers, and the rows on which it is measured."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class EvaluationRows:
    """The rows on which a criterion is measured, without their features.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        Encoded target: the index of the class.
    sample_weight : ndarray of shape (n_samples,)
        Weight of each row in every mean.
    loss : object
        Pointwise loss of the model, from ``sklearn_softunlearn._losses``.
    response : object
        How raw predictions become labels and their smooth stand-in, from
        ``sklearn_softunlearn._responses``.
    group_codes : ndarray of shape (n_samples,) or None
        Index of the sensitive group of each row.
    group_names : tuple of str
        Name of each group, in the order of the codes. Empty without groups.
    """

    y: np.ndarray
    sample_weight: np.ndarray
    loss: Any
    response: Any
    group_codes: np.ndarray | None = None
    group_names: tuple = ()


class Criterion(ABC):
    """A list of functionals F_1 .. F_m of raw predictions, all to be kept small.

    The value that a user reads is ``max_j F_j``. A gap between groups is the maximum
    over ordered pairs of a difference of rates, so it is a criterion with one
    functional for each ordered pair; a loss is a criterion with one functional.

    Subclasses write `names`, `value` and `gradient`. They may override `hard_value`
    (the metric computed from predicted labels, of which `value` is the smooth
    surrogate), `check` (to refuse rows on which the criterion is undefined) and
    `gradient_factors` (when many functionals combine few statistics).
    """

    needs_groups = False
    hard_kind = "labels"  # what a report calls `hard_value`

    def check(self, rows):  # noqa: B027 (optional: most criteria are always defined)
        """Raise ValueError if the criterion is undefined on ``rows``."""

    @abstractmethod
    def names(self, rows):
        """Name of each functional, a list of length n_functionals."""

    @abstractmethod
    def value(self, raw_prediction, rows):
        """Smooth value of each functional, of shape (n_functionals,)."""

    @abstractmethod
    def gradient(self, raw_prediction, rows):
        """Derivative of `value`, of shape (n_samples, n_outputs, n_functionals)."""

    def hard_value(self, raw_prediction, rows):
        """Value of each functional on predicted labels, of shape (n_functionals,)."""
        return self.value(raw_prediction, rows)

    def gradient_factors(self, raw_prediction, rows):
        """Derivative as a product of two factors.

        Returns
        -------
        statistics_gradient : ndarray of shape (n_samples, n_outputs, n_statistics)
            Derivative of a few statistics, such as the rate of each group.
        jacobian : ndarray of shape (n_statistics, n_functionals)
            Derivative of the functionals with respect to the statistics.
            ``gradient = statistics_gradient @ jacobian``.

        Notes
        -----
        Influences cost one product with the data for each statistic. G groups have
        G rates but G * (G - 1) gaps, hence the factors.
        """
        gradient = self.gradient(raw_prediction, rows)
        return gradient, np.eye(gradient.shape[2])


def normalized(sample_weight):
    """Weights that sum to 1."""
    return sample_weight / np.sum(sample_weight)
