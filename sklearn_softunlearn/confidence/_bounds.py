# SPDX-License-Identifier: BSD-3-Clause
"""Bounds of metrics that compare groups, each of which holds with a given confidence.

Each group has limits of its own; groups are different people, so their errors are
independent, and the limit of a difference lies where the distances of the two limits
add up as the sides of a right triangle (MOVER: Zou and Donner 2008, Newcombe 1998)::

    upper(v_g - v_h) = v_g - v_h + sqrt((upper_g - v_g)^2 + (v_h - lower_h)^2)

A metric that is the worst of several, such as the largest gap among five groups or
equalized odds, has the largest of their bounds, each at the *full* level, as its
bound: it is too low only if the bound of the one that is truly the worst is too low
(the intersection-union test, Berger 1982). All pairs hold together, and no price is
paid for their number.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_softunlearn.confidence._limits import limits_of_change, limits_of_groups


@dataclass(frozen=True, eq=False)
class MetricBound:
    """Bound of a metric of one model.

    Attributes
    ----------
    estimate : float
        The metric on the rows.
    bound : float
        What it is at most (of a ratio or a worst score: at least) on the population,
        with the confidence asked.
    value, upper : float
        The same of the functional that gives the bound, which is to be small.
    parts : ndarray of shape (n_populations,)
        Squared distances that the populations add to ``upper - value``.
    n_counted : ndarray of shape (n_populations,)
        Rows of each population that are counted.
    populations : tuple of str
    counted : str
        What the counted rows are, such as "positive rows".
    """

    estimate: float
    bound: float
    value: float
    upper: float
    parts: np.ndarray
    n_counted: np.ndarray
    populations: tuple
    counted: str


def metric_bound(criterion, answers, paired, confidence, means):
    """Bound of a metric of one model.

    Parameters
    ----------
    criterion : GroupMetric
    answers : ndarray of shape (n_cells, n_columns)
    paired : PairedAnswers
    confidence : float in (0, 1)
    means : Means

    Returns
    -------
    MetricBound

    Raises
    ------
    ValueError
        For squared errors without a known range, of which no bound holds, and for a
        range of what has none.
    """
    rows = paired.rows
    groups, aggregation, units = criterion.compared(rows)
    _check_bounded(criterion, units, means.value_range)
    # A mean of metrics has no worst one: each gets its share of the level.
    bases = {base.name for base, _ in units}
    alpha = (1.0 - confidence) / (len(bases) if criterion.agg == "mean" else 1)
    uppers, values, parts, counts, kinds = [], [], [], [], []
    for base, label in units:
        limits = limits_of_groups(base, answers, paired, groups, label, alpha, means)
        upper, part = aggregation.upper_limits(
            limits.value, limits.low, limits.high, groups
        )
        uppers.append(upper)
        parts.append(part)
        values.append(aggregation.functionals(limits.value, groups))
        counts += [limits.n_counted] * len(upper)
        kinds += [" or ".join(base.conditions(rows, label))] * len(upper)
    upper, value = np.concatenate(uppers), np.concatenate(values)
    worst = int(np.argmax(upper))
    return MetricBound(
        estimate=criterion.user_value(value, rows),
        bound=criterion.user_value(upper, rows),
        value=float(value[worst]),
        upper=float(upper[worst]),
        parts=np.concatenate(parts)[worst],
        n_counted=counts[worst],
        populations=groups.names,
        counted=kinds[worst],
    )


def _check_bounded(criterion, units, value_range):
    """Raise ValueError for metrics whose bounds were measured not to hold."""
    for base, _ in units:
        if value_range is not None:
            _check_ranged(criterion, base)
        elif "squared_error" in base.name:
            raise ValueError(
                f"No confidence is given for {criterion.name}: squared errors have "
                "heavy tails, and bounds of their means were seen to fail twice as "
                "often as they promise. (a) Give value_range=(0, B), where no row's "
                "squared error can exceed B; (b) use a metric of mean_prediction; "
                "(c) give no confidence."
            )


def _check_ranged(criterion, base):
    """Raise ValueError unless it averages numbers."""
    if base.of_means is None or base.takes == "labels":
        what = "labels, whose limits are exact" if base.of_means else "no plain means"
        raise ValueError(
            f"value_range is about numbers that are averaged, and {criterion.name} "
            f"counts {what}. Leave value_range=None."
        )


def loss_bound(answers, paired, confidence, means):
    """Bound of the utility lost from a model to another, a `MetricBound`.

    The share of right labels, or R^2.

    Parameters
    ----------
    answers : tuple of two ndarray of shape (n_cells, n_columns)
        Before and after.
    paired, confidence, means
        As in `metric_bound`.
    """
    loss, upper = limits_of_change(answers, paired, 1 - confidence, means)
    everybody = np.array([paired.count.sum()])
    parts = np.array([(upper - loss) ** 2])
    return MetricBound(
        loss, upper, loss, upper, parts, everybody, ("all groups",), "rows"
    )


def nothing_lost(n_samples):
    """The bound of what a model loses against itself."""
    return MetricBound(
        0.0, 0.0, 0.0, 0.0, np.zeros(1), np.array([n_samples]), ("all groups",), "rows"
    )


def rows_needed(bound, limit):
    """About how many more rows of which group would bring a bound to a limit.

    The distances shrink with the square root of the number of rows, the rates stay.

    Parameters
    ----------
    bound : MetricBound
    limit : float
        For the functional, as ``bound.upper``.

    Returns
    -------
    dict of str to int
        By group; empty where no number of rows would do, since the estimate itself is
        not within the limit.
    """
    slack = limit - bound.value
    if slack <= 0:
        return {}
    widest = int(np.argmax(bound.parts))
    rest = bound.parts.sum() - bound.parts[widest]
    factors = np.ones_like(bound.parts)
    if slack**2 > 1.1 * rest:
        factors[widest] = bound.parts[widest] / (slack**2 - rest)
    else:
        factors[bound.parts > 0] = bound.parts.sum() / slack**2
    more = np.ceil(bound.n_counted * (factors - 1.0))
    return {str(bound.populations[p]): int(more[p]) for p in np.flatnonzero(more > 0)}
