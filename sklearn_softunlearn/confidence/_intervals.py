# SPDX-License-Identifier: BSD-3-Clause
"""Intervals of metrics of fitted models, and of the difference between models."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from sklearn_softunlearn.arguments import did_you_mean
from sklearn_softunlearn.confidence._given import GivenPredictions
from sklearn_softunlearn.confidence._resampling import (
    functionals_of_draws,
    interval,
)
from sklearn_softunlearn.criteria import GroupMetric, GroupValues, metric_names

DEFAULT_METRICS = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "accuracy_score",
    "demographic_parity_difference",
    "equalized_odds_difference",
)
COLUMNS = ["metric", "group", "model", "n", "estimate", "low", "high"]


def bootstrap_intervals(
    y_true: ArrayLike,
    predictions: Any,
    *,
    sensitive_features: Any,
    metrics: Any = DEFAULT_METRICS,
    scores: Any = None,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    confidence_level: float = 0.95,
    n_bootstrap: int = 2000,
    random_state: int | np.random.RandomState | None = None,
) -> pd.DataFrame:
    """Intervals of metrics of one or more models, and of their differences.

    The rows are resampled with replacement within each group, and every model is
    measured on the same draws: the interval of a difference is a paired one, which is
    much shorter than two intervals side by side suggest.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, or the numbers of a regression.
    predictions : dict of str to array-like of shape (n_samples,)
        What each model predicts, by a name for the model. Differences are those
        between the first and each of the others.
    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each row; of several columns, the combination of values.
    metrics : sequence of str or GroupMetric
        Metrics that compare groups, by name or as a `GroupMetric`, give one number.
        Names of a base metric, such as "selection_rate" or "accuracy_score", give one
        for each group and one for all rows (group "overall"). All base metrics of
        `GroupMetric` are known.
    scores : dict of str to array-like of shape (n_samples,) or \
            (n_samples, n_classes), default=None
        Probabilities or decision values of each classifier, under the same names, for
        metrics that need them (log_loss, roc_auc_score; "mean_prediction" is then the
        mean score). One column belongs to the positive class.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights in every mean. Rows are drawn with equal probability.
    pos_label : object, default=None
        Class that is counted. None is the last of two in sorted order; of more than
        two each class in turn.
    confidence_level : float in (0, 1), default=0.95
        Of each interval on its own.
    n_bootstrap : int, default=2000
        Number of draws.
    random_state : int, RandomState instance or None, default=None
        Determines the draws.

    Returns
    -------
    DataFrame
        One row for each metric, group and model with the columns "metric", "group"
        ("" for a metric that compares groups), "model" (a name, or "after - before"
        for names before and after), "n" (rows that are counted), "estimate", "low",
        "high".

    Raises
    ------
    ValueError
        If lengths differ, a metric is not known, or it needs scores that are missing.

    Notes
    -----
    Percentile intervals, as `fairlearn.metrics.MetricFrame` gives with ``n_boot`` and
    ``ci_quantiles``, but drawn within groups, so that n of every group is as it is,
    and computed for all draws at once. A draw in which a metric is undefined, such as
    the true positive rate of a group without positives, is left out.

    The largest gap among groups is never negative, and where the true one is 0 its
    estimate and its interval lie above 0. For a statement that must hold use
    ``Requirement(..., confidence=0.95)``.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn import SoftUnlearnCorrector, bootstrap_intervals
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(4000, random_state=0)
    >>> corrector = SoftUnlearnCorrector(delta=0.8)
    >>> corrector = corrector.fit(X[:2000], y[:2000], sensitive_features=group[:2000])
    >>> found = bootstrap_intervals(
    ...     y[2000:],
    ...     {
    ...         "before": corrector.base_estimator_.predict(X[2000:]),
    ...         "after": corrector.predict(X[2000:]),
    ...     },
    ...     sensitive_features=group[2000:],
    ...     metrics=["demographic_parity_difference"],
    ...     random_state=0,
    ... )
    >>> found["model"].tolist()
    ['before', 'after', 'after - before']
    >>> bool(found["high"].iloc[2] < 0)
    True
    """
    check_level(confidence_level, "confidence_level")
    check_n_bootstrap(n_bootstrap)
    criteria = [_criterion(metric, pos_label) for metric in metrics]
    given = GivenPredictions(
        y_true, predictions, scores, sensitive_features, sample_weight
    )
    rng = generator(random_state)
    measured = []
    for takes in ("labels", "probabilities", "scores", "numbers"):
        chosen = [c for c in criteria if c.takes == takes]
        if chosen:
            measured.append((chosen, given.paired(takes, chosen)))
    lines = lines_of(measured, given.names, confidence_level, n_bootstrap, rng)
    order = {criterion.name: k for k, criterion in enumerate(criteria)}
    table = pd.DataFrame(lines, columns=COLUMNS)
    return table.sort_values(
        "metric", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )


def check_level(level, name):
    """Raise ValueError unless it is a number in (0, 1)."""
    if not isinstance(level, Real) or isinstance(level, bool) or not 0 < level < 1:
        raise ValueError(f"{name}={level!r} must be a number between 0 and 1.")


def check_n_bootstrap(n_bootstrap):
    """Raise ValueError unless it is a positive integer."""
    if not isinstance(n_bootstrap, Integral) or n_bootstrap < 1:
        raise ValueError(f"n_bootstrap={n_bootstrap!r} must be a positive integer.")


def check_value_range(value_range):
    """Raise ValueError unless it is None or two finite numbers in their order."""
    if value_range is None:
        return
    numbers = np.asarray(value_range)
    if numbers.shape != (2,) or numbers.dtype.kind not in "iuf":
        raise ValueError(f"value_range={value_range!r} must be two numbers, or None.")
    if not np.all(np.isfinite(numbers)) or numbers[0] >= numbers[1]:
        raise ValueError(
            f"value_range={value_range!r} must be finite, the smaller number first."
        )


def generator(random_state):
    """A numpy Generator for what scikit-learn takes as random_state."""
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return np.random.default_rng(seed)


def _criterion(metric, pos_label):
    if isinstance(metric, GroupMetric):
        return metric
    try:
        return GroupValues(metric, pos_label)
    except ValueError:
        pass
    try:
        return group_metric(metric, pos_label)
    except ValueError as error:
        known = [*GroupValues.NAMES, *metric_names()]
        hint = did_you_mean(metric, known)
        if metric in known or not hint:
            raise
        raise ValueError(f"metrics: {metric!r} is not known.{hint}") from error


def group_metric(metric, pos_label):
    """Metric that compares groups; the positive class counts where it is about one."""
    if isinstance(metric, GroupMetric):
        return metric
    try:
        return GroupMetric(metric, pos_label=pos_label)
    except ValueError:
        return GroupMetric(metric)


def lines_of(measured, models, confidence_level, n_bootstrap, rng):
    """Rows of an interval table, in the order of those measured.

    Parameters
    ----------
    measured : list of (criteria, PairedAnswers)
    models : sequence of str
        Names of the models that answered.
    confidence_level, n_bootstrap, rng
        As in `bootstrap_intervals`.

    Returns
    -------
    list of tuple
    """
    draws = functionals_of_draws(measured, n_bootstrap, rng)
    return [
        line
        for (criteria, paired), of in zip(measured, draws, strict=True)
        for criterion, values in zip(criteria, of, strict=True)
        for line in _lines(criterion, paired, values, models, confidence_level)
    ]


def _lines(criterion, paired, draws, models, level):
    """Rows of the result for one criterion."""
    rows = paired.rows
    if isinstance(criterion, GroupValues):
        groups = criterion.names(rows)
        counted = criterion.n_counted(rows, paired.count)
        observed = np.array([criterion.hard_value(a, rows) for a in paired.answers])
    else:
        groups, counted = [""], [int(paired.count.sum())]
        draws = np.array([criterion.user_value(d, rows) for d in draws])[:, None]
        observed = np.array(
            [
                [criterion.user_value(criterion.hard_value(a, rows), rows)]
                for a in paired.answers
            ]
        )
    names = [*models, *(f"{name} - {models[0]}" for name in models[1:])]
    draws = np.concatenate([draws, draws[1:] - draws[:1]])
    observed = np.concatenate([observed, observed[1:] - observed[:1]])
    low, high = interval(draws, level)
    for g, group in enumerate(groups):
        for m, model in enumerate(names):
            yield (
                criterion.name, group, model, counted[g],
                observed[m, g], low[m, g], high[m, g],
            )  # fmt: skip
