# SPDX-License-Identifier: BSD-3-Clause
"""Intervals of metrics of fitted models, and of the difference between models."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from sklearn_softunlearn.confidence._resampling import (
    PairedAnswers,
    functionals_of_draws,
    interval,
)
from sklearn_softunlearn.criteria import EvaluationRows, GroupMetric, GroupValues
from sklearn_softunlearn.pointwise import AsGivenResponse

DEFAULT_METRICS = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "accuracy_score",
    "demographic_parity_difference",
    "equalized_odds_difference",
)
_EPS = np.finfo(float).eps
COLUMNS = ["metric", "group", "model", "n", "estimate", "low", "high"]


def bootstrap_intervals(
    y_true,
    predictions,
    *,
    sensitive_features,
    metrics=DEFAULT_METRICS,
    scores=None,
    sample_weight=None,
    pos_label=None,
    confidence_level=0.95,
    n_bootstrap=2000,
    random_state=None,
):
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
    given = _Given(y_true, predictions, scores, sensitive_features, sample_weight)
    rng = generator(random_state)
    lines = []
    for takes in ("labels", "probabilities", "scores", "numbers"):
        chosen = [c for c in criteria if c.takes == takes]
        if chosen:
            paired = given.paired(takes, chosen)
            draws = functionals_of_draws(chosen, paired, n_bootstrap, rng)
            for criterion, values in zip(chosen, draws, strict=True):
                lines.extend(
                    _lines(criterion, paired, values, given.names, confidence_level)
                )
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


def generator(random_state):
    """A numpy Generator for what scikit-learn takes as random_state."""
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return np.random.default_rng(seed)


class _Given:
    """What a user gave, encoded."""

    def __init__(self, y_true, predictions, scores, sensitive_features, sample_weight):
        if not predictions:
            raise ValueError("predictions is empty. Give those of at least one model.")
        self.names = list(predictions)
        self.y = column_or_1d(y_true)
        self.predictions = {k: column_or_1d(v) for k, v in predictions.items()}
        self.scores = {k: np.asarray(v) for k, v in (scores or {}).items()}
        groups = _group_table(sensitive_features)
        weight = np.ones(len(self.y)) if sample_weight is None else sample_weight
        self.weight = column_or_1d(weight).astype(float)
        check_consistent_length(
            self.y, groups, self.weight, *self.predictions.values(),
            *self.scores.values(),
        )  # fmt: skip
        codes = groups.groupby(list(groups), sort=True, observed=True).ngroup()
        self.codes = codes.to_numpy()
        first = np.unique(self.codes, return_index=True)[1]
        self.groups = groups.iloc[first].to_numpy(dtype=object)

    def paired(self, takes, criteria):
        """Answers of all models in the form that these criteria count."""
        numeric = self.y.dtype.kind in "fiub"
        regression = takes == "numbers" and not self.scores and numeric
        rows = self._rows(regression)
        for criterion in criteria:
            criterion.check(rows)
        if regression:
            answers = [self.predictions[k].astype(float)[:, None] for k in self.names]
            return PairedAnswers.of_rows(rows, answers)
        if takes == "labels" or (takes == "numbers" and not self.scores):
            answers = [self._indicators(self.predictions[k]) for k in self.names]
            return PairedAnswers.of_labels(rows, answers)
        missing = [name for name in self.names if name not in self.scores]
        if missing:
            raise ValueError(
                f"{criteria[0].name} needs scores, and scores has none of {missing}. "
                "Give predict_proba or decision_function of every model in scores."
            )
        answers = [_columns(self.scores[k], takes) for k in self.names]
        return PairedAnswers.of_rows(rows, answers)

    def _rows(self, regression):
        names = tuple(", ".join(map(str, label)) for label in self.groups)
        if regression:
            y, classes = self.y.astype(float), ()
        else:
            y = np.argmax(self._indicators(self.y), axis=1)
            classes = tuple(self._classes().tolist())
        return EvaluationRows(
            y, self.weight, None, AsGivenResponse(), self.codes, names, self.groups,
            classes=classes,
        )  # fmt: skip

    def _classes(self):
        labels = [np.unique(v) for v in (self.y, *self.predictions.values())]
        classes = np.unique(np.concatenate(labels))
        usual = [pair for pair in ([0, 1], [-1, 1]) if set(classes) <= set(pair)]
        return np.asarray(usual[0]) if usual else classes

    def _indicators(self, labels):
        return (labels[:, None] == self._classes()).astype(float)


def _criterion(metric, pos_label):
    if isinstance(metric, GroupMetric):
        return metric
    try:
        return GroupValues(metric, pos_label)
    except ValueError:
        pass
    try:
        return GroupMetric(metric, pos_label=pos_label)
    except ValueError:
        return GroupMetric(metric)


def _group_table(sensitive_features):
    if isinstance(sensitive_features, dict | pd.Series | pd.DataFrame):
        table = pd.DataFrame(sensitive_features)
    elif hasattr(sensitive_features, "to_pandas"):  # polars
        table = pd.DataFrame(sensitive_features.to_pandas())
    else:
        table = pd.DataFrame(np.asarray(sensitive_features))
    missing = int(table.isna().any(axis=1).sum())
    if missing:
        raise ValueError(
            f"sensitive_features are missing in {missing} of {len(table)} rows. Drop "
            "these rows or give them a group of their own."
        )
    return table.reset_index(drop=True).set_axis(range(table.shape[1]), axis=1)


def _columns(scores, takes):
    """One column for each class, of scores that may be of the positive one alone."""
    scores = scores.astype(float)
    if scores.ndim == 1:
        other = -scores if takes == "scores" else 1.0 - scores
        scores = np.column_stack([other, scores])
    # As scikit-learn's log_loss does, of which one row could be infinite.
    return np.maximum(scores, _EPS) if takes == "probabilities" else scores


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
