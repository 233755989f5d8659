# SPDX-License-Identifier: BSD-3-Clause
"""A confidence in `GridSearchCV`, which knows numbers only: counts as scores.

A scorer may return several numbers under names of their own. Beside metric and
utility this one returns how many rows there are of each group, label and predicted
label; their sums over the folds are the table that a bound is computed from. For what
is lost of the accuracy it counts the rows that are right before and after.
"""

from itertools import product

import numpy as np
from sklearn.metrics import get_scorer

from sklearn_softunlearn.confidence import (
    Means,
    PairedAnswers,
    generator,
    loss_bound,
    metric_bound,
    nothing_lost,
    promised,
)
from sklearn_softunlearn.criteria import EvaluationRows, criterion_name
from sklearn_softunlearn.models import predictor, with_predictor
from sklearn_softunlearn.pointwise import AsGivenResponse
from sklearn_softunlearn.scoring import fairness_scorer

_SEPARATOR = " | "
_CELL = "rows of group {0} | label {1} | predicted {2}"
_PAIR = "rows | {0} before | {1} after"
_RIGHT, _WHEN = ("wrong", "right"), (" before", " after")
_PAIRS = [_PAIR.format(*pair) for pair in product(_RIGHT, _RIGHT)]


def is_count(name):
    """Whether a scorer's name is that of a count."""
    return name in _PAIRS or _is_cell(name)


def _is_cell(name):
    # The name of a group may hold a separator, too.
    return name.startswith("rows of group ") and name.count(_SEPARATOR) >= 2


class CountingScorer:
    """Metric, utility and counts of a model, for ``scoring=`` of `GridSearchCV`.

    Parameters
    ----------
    metric : str, callable or GroupMetric
        Of labels.
    utility : str
        Name of a scorer of scikit-learn.
    options : dict
        Further arguments of `fairness_scorer`.
    of_loss : bool
        Whether to count the rows that are right before and after correction.

    Raises
    ------
    ValueError
        If the metric does not count labels.
    """

    def __init__(self, metric, utility, options, of_loss=False):
        self.metric, self.utility, self.options = metric, utility, options
        self.of_loss = of_loss
        if metric is None:
            raise ValueError(
                "The Requirement must name its metric, such as "
                "Requirement(metric='demographic_parity_difference', ...)."
            )
        self._scorer = fairness_scorer(metric, **options)
        criterion = getattr(self._scorer.metric, "criterion", None)
        if criterion is None or criterion.takes != "labels":
            raise ValueError(
                f"metric={self._scorer.name} does not count labels: in GridSearchCV a "
                "confidence needs one that does. SoftUnlearnCorrectorCV takes others."
            )

    def __call__(self, estimator, X, y, **metadata):
        """Scores by name."""
        if metadata.get("sample_weight") is not None:
            raise ValueError(
                "In GridSearchCV a confidence knows no sample_weight; "
                "SoftUnlearnCorrectorCV does."
            )
        scores = {
            criterion_name(self.metric): self._scorer(estimator, X, y, **metadata),
            self.utility: get_scorer(self.utility)(estimator, X, y),
        }
        _, rows, answers = self._scorer.counted_on(estimator, X, y, **metadata)
        predicted = np.argmax(answers(estimator, X), axis=1)
        n = rows.n_classes
        cell = (rows.group_codes * n + rows.y) * n + predicted
        counts = np.bincount(cell, minlength=len(rows.group_names) * n * n)
        cells = product(rows.group_names, rows.class_labels, rows.class_labels)
        named = {_CELL.format(*c): int(k) for c, k in zip(cells, counts, strict=True)}
        if self.of_loss:
            named |= _right_before_and_after(estimator, X, y)
        return _Scores(scores | named)

    def get_metadata_routing(self):
        """Metadata that the metric requests."""
        return self._scorer.get_metadata_routing()

    def _accept_sample_weight(self):
        return False


class _Scores(dict):
    """Scores of one fold: groups that it lacks have no rows there."""

    def __missing__(self, name):
        if is_count(name):
            return 0
        raise KeyError(name)


def _right_before_and_after(estimator, X, y):
    """Number of rows by whether the base model, and the corrected one, are right."""
    corrector = predictor(estimator)
    if not hasattr(corrector, "base_estimator_"):
        raise ValueError(
            "A confidence for utility_loss_at_most compares with the model before "
            f"correction, which a {type(corrector).__name__} does not know: give "
            "GridSearchCV a SoftUnlearnCorrector, or a Pipeline that ends in one."
        )
    models = with_predictor(estimator, corrector.base_estimator_), estimator
    before, after = (np.asarray(model.predict(X)) == np.asarray(y) for model in models)
    counts = np.bincount(2 * before + after, minlength=len(_PAIRS))
    return dict(zip(_PAIRS, counts.tolist(), strict=True))


def bounds_of_counts(requirement, cv_results, delta):
    """What the tests want to know, from ``cv_results_``.

    Parameters
    ----------
    requirement : Requirement
    cv_results : dict
    delta : ndarray of shape (n_candidates,)

    Returns
    -------
    bound_of : callable
    training : ndarray of shape (n_candidates, 2) or None
    limit : float
    """
    if requirement.bound()[0] == "utility_loss_at_most":
        bound_of = _bounds_of_loss(requirement, cv_results, delta)
        limit = requirement.utility_loss_at_most
    else:
        bound_of, limit = _bounds_of_metric(requirement, cv_results)
    columns = [f"mean_train_{name}" for name in requirement.names_of_scores()]
    known = all(column in cv_results for column in columns)
    training = np.transpose([cv_results[c] for c in columns]) if known else None
    return bound_of, training, limit


def _bounds_of_metric(requirement, cv_results):
    """Function from a candidate to the bound of the metric, and what it shall be."""
    names = _counted_names(cv_results, _is_cell)
    criterion = fairness_scorer(requirement.metric or "").metric.criterion
    limit = promised(criterion, requirement.metric_at_most, requirement.metric_at_least)
    counted = _counted(cv_results, names)

    def bound_of(k):
        paired = counted(k)
        means = Means(1, generator(0), requirement.value_range)
        answers_of_k = paired.answers[0]
        return metric_bound(
            criterion, answers_of_k, paired, requirement.confidence, means
        )

    return bound_of, limit


def _bounds_of_loss(requirement, cv_results, delta):
    """Function from a candidate to the bound of the accuracy that it loses."""
    if (requirement.utility or "accuracy") != "accuracy":
        raise ValueError(
            "In GridSearchCV a confidence for utility_loss_at_most is one of the "
            f"accuracy; the utility is {requirement.utility!r}."
        )
    names = _counted_names(cv_results, _PAIRS.__contains__)
    right = [np.array([_RIGHT[1] + w in name for name in names]) for w in _WHEN]
    rows = EvaluationRows(
        np.ones(len(names), int), np.ones(len(names)), None, AsGivenResponse(),
        classes=_RIGHT,
    )  # fmt: skip
    answers = [np.eye(2)[each.astype(int)] for each in right]
    totals = np.array([_total(cv_results, name) for name in names])

    def bound_of(k):
        if delta[k] == 0:
            return nothing_lost(int(totals[:, k].sum()))
        paired = PairedAnswers.of_counts(rows, answers, totals[:, k])
        means = Means(1, generator(0))
        return loss_bound(paired.answers, paired, requirement.confidence, means)

    return bound_of


def _counted_names(cv_results, chosen):
    """Names of counts of a kind.

    Raises
    ------
    ValueError
        If there are none.
    """
    names = list(filter(chosen, _count_names(cv_results)))
    if not names:
        raise ValueError(
            "A Requirement with a confidence needs counts, which cv_results_ lacks. "
            "Give GridSearchCV(scoring=requirement.scoring(), refit=requirement, "
            "return_train_score=True), or use SoftUnlearnCorrectorCV. If scoring "
            "failed, the warnings say why, and error_score='raise' stops there."
        )
    return names


def pooled_of_counts(requirement, cv_results):
    """Score of all held-out rows together, as a column; nothing without counts."""
    names = list(filter(_is_cell, _count_names(cv_results)))
    if not names or requirement.metric is None:
        return {}
    scorer = fairness_scorer(requirement.metric)
    criterion, counted = scorer.metric.criterion, _counted(cv_results, names)
    paired = map(counted, range(len(cv_results["params"])))
    value = [
        criterion.user_value(criterion.hard_value(p.answers[0], p.rows), p.rows)
        for p in paired
    ]
    sign = 1 if scorer.greater_is_better else -1
    name, _ = requirement.names_of_scores()
    return {f"pooled_test_{name}": sign * np.array(value)}


def _count_names(cv_results):
    names = [n.removeprefix("mean_test_") for n in cv_results if "mean_test_" in n]
    return [name for name in names if is_count(name)]


def _counted(cv_results, names):
    """Function from a candidate to the counted answers of all folds."""
    totals = np.array([_total(cv_results, name) for name in names])
    rows, answers = _cells(names)
    return lambda k: PairedAnswers.of_counts(rows, [answers], totals[:, k])


def _total(cv_results, name):
    """Sum of a count over the folds, for each candidate."""
    ending = f"_test_{name}"
    folds = [
        np.asarray(values)
        for column, values in cv_results.items()
        if column.startswith("split") and column.endswith(ending)
    ]
    return np.sum(folds, axis=0).astype(int)


def _cells(names):
    """Rows of the cells, and what was predicted for them."""
    parts = np.array([_parts(name) for name in names], dtype=object)
    groups, codes = np.unique(parts[:, 0].astype(str), return_inverse=True)
    classes = list(dict.fromkeys(parts[:, 1]))
    y = np.array([classes.index(label) for label in parts[:, 1]])
    predicted = np.array([classes.index(label) for label in parts[:, 2]])
    rows = EvaluationRows(
        y, np.ones(len(y)), None, AsGivenResponse(), codes, tuple(groups),
        classes=tuple(classes),
    )  # fmt: skip
    return rows, np.eye(len(classes))[predicted]


def _parts(name):
    group, label, predicted = name.removeprefix("rows of group ").rsplit(_SEPARATOR, 2)
    return group, label.removeprefix("label "), predicted.removeprefix("predicted ")
