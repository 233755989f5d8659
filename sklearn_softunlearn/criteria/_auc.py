# SPDX-License-Identifier: BSD-3-Clause
"""Area under the ROC curve of each population, smoothly and in n log n steps.

The area is the share of pairs of a positive and a negative row whose scores are in
the right order, a step function of the difference t of their scores. Its surrogate
replaces the step by a ramp::

    ramp(t) = clip(1/2 + t / (2 h), 0, 1)

A ramp rather than a sigmoid, because its sum over all pairs follows from sorted
scores and cumulative sums, without a loop over pairs.
"""

from dataclasses import dataclass

import numpy as np

# The ramp has the slope of the sigmoid at 0: the scores are log-odds.
_HALF_WIDTH = 2.0


@dataclass(frozen=True)
class RankMetric:
    """Area under the ROC curve of the log-odds of two classes."""

    name: str
    greater_is_better = True
    task = "classes"
    takes = "scores"
    sharpness = gap_sharpness = 1.0
    of_means = None  # a mean over pairs of rows

    def check_target(self, rows):
        """Raise ValueError unless the target has two classes."""
        if rows.n_classes != 2:
            raise ValueError(
                f"{self.name} needs a target of two classes, and it has "
                f"{rows.n_classes or 'numbers'}. Of more classes compare labels, for "
                "example with recall_score, whose worst class counts, or "
                "balanced_accuracy_score."
            )

    def conditions(self, rows, label):
        """Mask of the rows of each class, by what they are called."""
        return {"positive rows": rows.y == 1, "negative rows": rows.y == 0}

    def values(self, raw_prediction, rows, groups, label, *, hard=False):
        """Area of each population, of shape (n_populations,)."""
        half_width = 0.0 if hard else _HALF_WIDTH
        score = raw_prediction @ _direction(raw_prediction, rows.response)
        return np.array(
            [
                _area(score[member], *part, half_width)
                for member, part in self._parts(rows, groups)
            ]
        )

    def reweighting(self, raw_prediction, rows, label):
        """Function from weightings to areas; see `MeanMetric.reweighting`.

        Sorted once, and the sums of each weighting run along consecutive numbers.
        """
        score = raw_prediction @ _direction(raw_prediction, rows.response)
        positive, negative = np.flatnonzero(rows.y == 1), np.flatnonzero(rows.y == 0)
        # Sums run over the smaller class: the pairs are the same.
        fewer = len(positive) < len(negative)
        few, many = (positive, negative) if fewer else (negative, positive)
        few = few[np.argsort(score[few])]
        below = np.searchsorted(score[few], score[many], side="left")
        up_to = np.searchsorted(score[few], score[many], side="right")
        ties = not np.array_equal(below, up_to)

        def areas(weight):
            weight = np.ascontiguousarray(weight.T)
            mass = np.zeros((len(weight), len(few) + 1), dtype=weight.dtype)
            np.cumsum(np.take(weight, few, axis=1), axis=1, out=mass[:, 1:])
            own = np.take(weight, many, axis=1)
            credit = np.einsum("ij,ij->i", own, np.take(mass, below, axis=1))
            if ties:
                tied = np.einsum("ij,ij->i", own, np.take(mass, up_to, axis=1))
                credit = 0.5 * (credit + tied)
            with np.errstate(invalid="ignore"):
                share = credit / (np.sum(own, axis=1) * mass[:, -1])
            return 1.0 - share if fewer else share

        return areas

    def gradient_factors(self, raw_prediction, rows, groups, label):
        """Derivative of the areas, and the identity."""
        n_populations = groups.member.shape[1]
        direction = _direction(raw_prediction, rows.response)
        score = raw_prediction @ direction
        by_score = np.zeros((len(score), n_populations))
        for p, (member, part) in enumerate(self._parts(rows, groups)):
            by_score[member, p] = _area_gradient(score[member], *part, _HALF_WIDTH)
        return direction[:, None] * by_score[:, None, :], np.eye(n_populations)

    @staticmethod
    def _parts(rows, groups):
        for member in groups.member.T:
            yield member, (rows.y[member] == 1, rows.sample_weight[member])


def _direction(raw_prediction, response):
    """Sign with which each raw prediction enters the log-odds of class 1."""
    one = np.eye(raw_prediction.shape[1])
    rises = response.smooth(one)[:, 1] > response.smooth(-one)[:, 1]
    return np.where(rises, 1.0, -1.0)


def _area(score, positive, weight, half_width):
    """Weighted share of pairs in the right order, those within the ramp in part."""
    below, score_within, within = _sums_below(
        score[~positive], weight[~positive], score[positive], half_width
    )
    credit = below + 0.5 * within
    if half_width:
        credit += (score[positive] * within - score_within) / (2 * half_width)
    pairs = weight[positive].sum() * weight[~positive].sum()
    return weight[positive] @ credit / pairs


def _area_gradient(score, positive, weight, half_width):
    gradient = np.empty_like(score)
    for side, sign in ((positive, 1.0), (~positive, -1.0)):
        within = _sums_below(score[~side], weight[~side], score[side], half_width)[2]
        gradient[side] = sign * weight[side] * within / (2 * half_width)
    return gradient / (weight[positive].sum() * weight[~positive].sum())


def _sums_below(score, weight, at, half_width):
    """For each value ``at``: the weight of scores below the ramp, and on the ramp.

    Returns
    -------
    below, weighted_score_within, within : ndarray of shape (len(at),)
    """
    order = np.argsort(score)
    score, weight = score[order], weight[order]
    mass = np.concatenate([[0.0], np.cumsum(weight)])
    moment = np.concatenate([[0.0], np.cumsum(weight * score)])
    first = np.searchsorted(score, at - half_width, side="left")
    last = np.searchsorted(score, at + half_width, side="right")
    return mass[first], moment[last] - moment[first], mass[last] - mass[first]
