# SPDX-License-Identifier: BSD-3-Clause
"""Intervals of one metric of many models on the same rows, and of what each changed."""

from typing import Any, NamedTuple

import numpy as np

from sklearn_softunlearn.confidence._resampling import (
    PairedAnswers,
    functionals_of_draws,
    interval,
)

_DRAWS = 1000


class ModelIntervals(NamedTuple):
    """A metric of each model, with the ends of its interval.

    Attributes
    ----------
    estimate, low, high : ndarray of shape (n_models,)
    change, change_low, change_high : ndarray of shape (n_models,)
        Against one of the models, on the same draws.
    """

    estimate: Any
    low: Any
    high: Any
    change: Any
    change_low: Any
    change_high: Any

    def times(self, sign):
        """The same of the negated metric, for ``sign=-1``."""
        if sign > 0:
            return self
        value, low, high, change, change_low, change_high = (0.0 - end for end in self)
        return ModelIntervals(value, high, low, change, change_high, change_low)


def model_intervals(criterion, rows, answers, base, *, level, n_bootstrap, rng):
    """Percentile intervals of a metric of each model.

    Parameters
    ----------
    criterion : GroupMetric
    rows : EvaluationRows
    answers : sequence of ndarray of shape (n_samples, n_columns)
        Of each model, as the criterion counts them; of labels they may be bool.
    base : int
        The model that a change is one against.
    level : float in (0, 1)
    n_bootstrap : int or None
        None draws 1000 times where draws take no longer with more rows.
    rng : numpy Generator

    Returns
    -------
    ModelIntervals or None
        None where nothing is drawn: ``n_bootstrap`` is 0, or None and each row must be.
    """
    if n_bootstrap == 0:
        return None
    labels = rows.n_classes and criterion.takes == "labels"
    if n_bootstrap is None:
        if not labels or PairedAnswers.of_labels(rows, answers[:1]).weight is not None:
            return None
        n_bootstrap = _DRAWS
    if labels:
        # Cells of two models are fewer than those of all at once.
        pairs = (np.array([answers[base], a], dtype=float) for a in answers)
        cells = (PairedAnswers.of_labels(rows, pair) for pair in pairs)
        values = (_values(criterion, each, n_bootstrap, rng) for each in cells)
        ends = [_ends(of[1], of[0], level) for of in values]
    else:
        paired = PairedAnswers.of_rows(rows, answers)
        values = _values(criterion, paired, n_bootstrap, rng)
        ends = [_ends(of, values[base], level) for of in values]
    return ModelIntervals(*np.transpose(ends))


def values_of_models(criterion, rows, answers):
    """The metric of each model, of shape (n_models,); arguments of `model_intervals`.

    Models that share one array of answers are measured once.
    """
    known = {id(of_model): of_model for of_model in answers}
    known = {key: _value(criterion, rows, a) for key, a in known.items()}
    return np.array([known[id(of_model)] for of_model in answers])


def _value(criterion, rows, answers):
    value = criterion.hard_value(np.asarray(answers, dtype=float), rows)
    return criterion.user_value(value, rows)


def _values(criterion, paired, n_bootstrap, rng):
    """The metric of each model: of the rows, then of each draw."""
    rows = paired.rows
    (draws,) = functionals_of_draws([([criterion], paired)], n_bootstrap, rng)[0]
    observed = criterion.reweighted
    weight = rows.sample_weight[:, None]
    return np.array(
        [
            np.append(
                criterion.user_value(observed(answers, rows, weight), rows),
                criterion.user_value(of_model, rows),
            )
            for answers, of_model in zip(paired.answers, draws, strict=True)
        ]
    )


def _ends(values, base, level):
    """Estimate and interval, of a model and of its change."""
    change = values - base
    return (
        values[0],
        *interval(values[1:], level),
        change[0],
        *interval(change[1:], level),
    )
