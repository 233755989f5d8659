# SPDX-License-Identifier: BSD-3-Clause
"""Everything that is wanted, before and after, with intervals."""

import numpy as np

from sklearn_softunlearn.auditing._measurement import Measurement
from sklearn_softunlearn.auditing._wanted import wanted
from sklearn_softunlearn.confidence import (
    PairedAnswers,
    functionals_of_draws,
    generator,
    interval,
)


def measurements(judged, asked, *, confidence_level, n_bootstrap, random_state):
    """What is measured of all rows, of each group, and between groups.

    Rows are drawn with replacement within each group, and both models are measured on
    the same draws: the interval of a change is a paired one.

    Parameters
    ----------
    judged : JudgedRows
    asked : sequence of GroupMetric
    confidence_level : float
        Of each interval on its own.
    n_bootstrap : int
        Number of draws; 0 gives no intervals.
    random_state : int or RandomState

    Returns
    -------
    dict of str to list of Measurement
        "overall", "by_group" and "metrics".
    """
    rng = generator(random_state)
    everything = wanted(judged, asked)
    found = {}
    kinds = list(dict.fromkeys(each.answers for each in everything))
    chosen = [[e for e in everything if e.answers == kind] for kind in kinds]
    paired = [_paired(judged, kind) for kind in kinds]
    with np.errstate(all="ignore"):
        draws = _draws(chosen, paired, n_bootstrap, rng)
        for of_kind, answers, drawn in zip(chosen, paired, draws, strict=True):
            for each, values in zip(of_kind, drawn, strict=True):
                measured = _metric if each.compares else _values
                found[each.name] = measured(each, answers, values, confidence_level)
    in_order = [m for each in everything for m in found[each.name]]
    compared = {each.name for each in everything if each.compares}
    single = [m for m in in_order if m.name not in compared]
    return {
        "overall": [m for m in single if m.group is None],
        "by_group": [m for m in single if m.group is not None and judged.has_groups],
        "metrics": [m for m in in_order if m.name in compared],
    }


def _paired(judged, kind):
    make = PairedAnswers.of_labels if kind == "labels" else PairedAnswers.of_rows
    return make(judged.rows, judged.answers[kind])


def _draws(chosen, paired, n_bootstrap, rng):
    """Functionals in the draws; without draws None for each."""
    if n_bootstrap == 0:
        return [[None] * len(of_kind) for of_kind in chosen]
    criteria = [[each.criterion for each in of_kind] for of_kind in chosen]
    measured = list(zip(criteria, paired, strict=True))
    return functionals_of_draws(measured, n_bootstrap, rng)


def _metric(each, paired, draws, level):
    """One number for all groups, and the functional that it comes from."""
    metric, rows = each.criterion, paired.rows
    observed = [_observed(metric, answers, rows) for answers in paired.answers]
    values = [float(metric.user_value(f, rows)) for f in observed]
    if draws is not None:
        draws = np.array([metric.user_value(d, rows) for d in draws])
    names = metric.names(rows)
    drivers = tuple(
        names[int(np.nanargmax(f))] if np.isfinite(f).any() else "" for f in observed
    )
    yield Measurement(
        each.name,
        *values,
        each.better,
        n=int(paired.count.sum()),
        drivers=drivers,
        **_intervals(draws, level),
    )


def _values(each, paired, draws, level):
    """One number for each class, if there are several, and population."""
    criterion, rows = each.criterion, paired.rows
    before, after = (_observed(criterion, a, rows) for a in paired.answers)
    counted = criterion.n_counted(rows, paired.count)
    populations = criterion.populations(rows).names
    for k in range(len(before)):
        of_class, group = divmod(k, len(populations))
        name = populations[group]
        several = len(before) > len(populations)
        yield Measurement(
            each.name,
            float(before[k]),
            float(after[k]),
            each.better,
            group=None if group == len(populations) - 1 else name,
            of_class=str(rows.class_labels[of_class]) if several else None,
            n=int(counted[k]),
            **_intervals(None if draws is None else draws[:, k], level),
        )


def _observed(criterion, answers, rows):
    """Functionals on the rows as they are; NaN where a group has none of a kind."""
    return criterion.reweighted(answers, rows, rows.sample_weight[:, None])[:, 0]


def _intervals(draws, level):
    """Intervals of before, after and the change, from draws of shape (2, n_draws)."""
    if draws is None:
        return {}
    parts = (draws[0], draws[1], draws[1] - draws[0])
    names = ("before_interval", "after_interval", "change_interval")
    return {
        name: tuple(float(end) for end in interval(part, level))
        for name, part in zip(names, parts, strict=True)
    }
