# SPDX-License-Identifier: BSD-3-Clause
"""One-sided limits of a metric of each group, from the rows of the group.

A share of rows gets the exact limits of Clopper and Pearson (1934), which hold for
any number of rows; with sample weights at the effective number of rows (Korn and
Graubard 1998). A mean of numbers gets those of Student's t, corrected for the
skewness of the numbers (Johnson 1978; Hall 1992), or, where their range is known, those
of `_betting`, which hold for any distribution. What is neither, such as R^2 or the area
under the ROC curve, gets quantiles of bootstrap draws, at a level expanded for the
number of rows (Hesterberg 2015).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from sklearn_softunlearn.confidence._betting import limits_by_betting
from sklearn_softunlearn.criteria import GroupValues


@dataclass(frozen=True)
class Means:
    """By what means limits are found.

    Attributes
    ----------
    n_bootstrap : int
        Number of draws, where they are needed.
    rng : numpy Generator
        Of the draws.
    value_range : tuple of (float, float) or None
        What the numbers that are averaged cannot be below or above.
    """

    n_bootstrap: int
    rng: Any
    value_range: tuple | None = None


@dataclass(frozen=True, eq=False)
class Limits:
    """Metric of each population with its limits, arrays of shape (n_populations,).

    Each limit holds on its own with the probability asked; ``n_counted`` is the number
    of rows behind it.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_counted: np.ndarray


def limits_of_change(answers, paired, alpha, means):
    """Upper limit of what all rows lose from one model to another.

    Of labels, the share of rows that are right: those that the second gets wrong, less
    those that it alone gets right. Of numbers, R^2.

    Parameters
    ----------
    answers : tuple of two ndarray of shape (n_cells, n_columns)
    paired : PairedAnswers
    alpha : float
    means : Means

    Returns
    -------
    loss, upper : float
    """
    rows = paired.rows
    everybody = np.ones((len(rows.y), 1))
    if rows.n_classes:
        right = [a[np.arange(len(a)), rows.y] > 0.5 for a in answers]
        either = [right[0] & ~right[1], right[1] & ~right[0]]
        lost, won = (
            _mean_limits(
                each, everybody[:, 0], paired, everybody, "labels", alpha, means
            )
            for each in either
        )
        distance = np.hypot(lost[2] - lost[0], won[0] - won[1])
        loss = float((lost[0] - won[0])[0])
        return loss, loss + float(distance[0])
    r2 = [GroupValues("r2_score").reweighting(a, rows) for a in answers]

    def loss_in(weight):
        before, after = (of(weight)[-1] for of in r2)
        return before - after

    loss = float(loss_in(rows.sample_weight[:, None])[0])
    draws = paired.draws(means.n_bootstrap, means.rng)
    draws = np.concatenate([loss_in(weight) for weight in draws])
    n = np.array([paired.count.sum()])
    upper = np.quantile(draws, 1 - _expanded(alpha, n)[0])
    return loss, float(max(upper, loss))


def limits_of_groups(base, answers, paired, groups, label, alpha, means):
    """Limits of a base metric of each population.

    Parameters
    ----------
    base : MeanMetric or RankMetric
    answers : ndarray of shape (n_cells, n_columns)
    paired : PairedAnswers
        Whose cells the answers are of.
    groups : Populations
    label : int or None
    alpha : float
        Probability with which each limit, low and high, may fail.
    means : Means

    Returns
    -------
    Limits
    """
    if base.of_means is None:
        return _of_draws(base, answers, paired, groups, label, alpha, means)
    rows = paired.rows
    parts = [
        _mean_limits(value, mask, paired, groups.member, base.takes, alpha, means)
        for value, mask in base.row_values(answers, rows, label)
    ]
    mean, low, high, n_counted = (np.array(part) for part in zip(*parts, strict=True))
    if len(parts) > 1:  # the distance of a sum of independent means
        low = mean - np.sqrt(np.sum((mean - low) ** 2, axis=0)) / len(parts)
        high = mean + np.sqrt(np.sum((high - mean) ** 2, axis=0)) / len(parts)
    ends = np.sort([base.of_means(low), base.of_means(high)], axis=0)
    return Limits(base.of_means(mean), *ends, n_counted.sum(axis=0))


def share_limits(hits, n, alpha):
    """Exact one-sided limits of a share: Clopper-Pearson, for any real counts.

    Parameters
    ----------
    hits, n : ndarray
    alpha : float

    Returns
    -------
    low, high : ndarray

    Examples
    --------
    >>> low, high = share_limits(np.array([0.0]), np.array([59.0]), 0.05)
    >>> float(low[0]), float(high[0].round(3))
    (0.0, 0.05)
    """
    misses = n - hits
    none, all_ = hits <= 0, misses <= 0
    beta = stats.beta.ppf
    low = beta(alpha, np.where(none, 1, hits), np.where(none, 1, misses + 1))
    high = beta(1 - alpha, np.where(all_, 1, hits + 1), np.where(all_, 1, misses))
    return np.where(none, 0.0, low), np.where(all_, 1.0, high)


def _mean_limits(value, mask, paired, member, takes, alpha, means):
    """(mean, low, high, number of rows) of the masked rows of each population."""
    counted = member * mask[:, None]
    n_counted = paired.count @ counted
    total = paired.rows.sample_weight @ counted
    squared = paired.squared_weight @ counted
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (paired.rows.sample_weight * value) @ counted / total
    deviation = value[:, None] - mean
    spread = np.sum(paired.squared_weight[:, None] * counted * deviation**2, axis=0)
    if takes == "labels":
        mean = np.where(n_counted > 0, mean, 0.5)  # nothing known: limits 0 and 1
        n = _effective(total, squared, spread, mean * (1 - mean))
        low, high = share_limits(mean * n, n, alpha)
        return mean, low, high, n_counted
    if means.value_range is not None:
        limits = _in_range(value, counted, paired, alpha, means.value_range)
        return mean, *limits, n_counted
    weight = paired.rows.sample_weight[:, None] * counted
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.sum(weight * deviation**2, axis=0) / total
        third = np.sum(weight * deviation**3, axis=0) / total
        n = _effective(total, squared, spread, variance)
        skewness = np.where(variance > 0, third / variance**1.5, 0.0)
        error = np.sqrt(variance / np.maximum(n - 1, 0))
    t = stats.t.ppf(1 - alpha, np.maximum(n - 1, 1e-3))
    lean = skewness * (1 + 2 * t**2) / (6 * np.sqrt(n))
    return (
        mean, mean - error * np.maximum(t - lean, 0.0),
        mean + error * np.maximum(t + lean, 0.0), n_counted,
    )  # fmt: skip


def _in_range(value, counted, paired, alpha, value_range):
    """(low, high) of each population, by bets on its rows."""
    some = counted.any(axis=1)
    weight = paired.rows.sample_weight[some] / paired.count[some]
    if paired.weight is not None or not np.allclose(weight, weight[:1]):
        raise ValueError(
            "value_range knows no sample_weight: limits of weighted means in a known "
            "range are not implemented. Leave one of the two out."
        )
    least, most = value_range
    outside = int(np.sum((value[some] < least) | (value[some] > most)))
    if outside:
        raise ValueError(
            f"value_range={value_range} is not true of {outside} rows, whose numbers "
            f"go from {value[some].min():.4g} to {value[some].max():.4g}. Give a range "
            "that is known to hold for all rows, those to come included; do not take "
            "it from these rows."
        )
    limits = [
        limits_by_betting(np.repeat(value[m], paired.count[m]), value_range, alpha)
        for m in (counted > 0).T
    ]
    return np.transpose(limits)


def _effective(total, squared, spread, variance):
    """Effective number of rows: as many of weight 1 would tell as much.

    The smaller of two: from the weights alone (Kish), and from the variance of the
    weighted mean, which is larger where weights go with what is averaged.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        kish = np.where(total > 0, total**2 / squared, 0.0)
        by_spread = np.where(spread > 0, variance * total**2 / spread, np.inf)
    return np.minimum(kish, by_spread)


def _of_draws(base, answers, paired, groups, label, alpha, means):
    of_groups = [
        (m, base.reweighting(answers[m], paired.rows.take(m), label))
        for m in groups.positions
    ]

    def values(weight):
        return np.array([of_group(weight[m]) for m, of_group in of_groups])

    draws = [values(weight) for weight in paired.draws(means.n_bootstrap, means.rng)]
    draws = np.concatenate(draws, axis=1)
    observed = values(paired.rows.sample_weight[:, None])[:, 0]
    n = paired.count @ groups.member
    tails = _expanded(alpha, n)
    low = [np.nanquantile(d, a) for d, a in zip(draws, tails, strict=True)]
    high = [np.nanquantile(d, 1 - a) for d, a in zip(draws, tails, strict=True)]
    return Limits(observed, np.minimum(low, observed), np.maximum(high, observed), n)


def _expanded(alpha, n):
    """Level for percentiles, which are too narrow by the factor of t and n - 1."""
    degrees = np.maximum(n - 1, 1)
    return stats.norm.cdf(stats.t.ppf(alpha, degrees) * np.sqrt(n / degrees))
