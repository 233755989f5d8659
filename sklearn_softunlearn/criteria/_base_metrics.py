# SPDX-License-Identifier: BSD-3-Clause
"""Metrics of one population as smooth functions of a few weighted means.

    metric = combine(mean_1, .., mean_T),    mean_t = sum_i w_i q_t(f_i) / sum_i w_i

where mean t runs over the rows that meet a condition, such as a positive true label.
Names are those of the functions of fairlearn.metrics and sklearn.metrics.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sklearn_softunlearn.criteria._auc import RankMetric
from sklearn_softunlearn.criteria._populations import Weightings
from sklearn_softunlearn.criteria._quantities import (
    AbsoluteError,
    ClassShare,
    HitShare,
    LogLoss,
    Number,
    Quantity,
    RestShare,
    SquaredError,
    TrueClassShare,
    WrongShare,
)


class Term(NamedTuple):
    """A mean: what is averaged, over the rows of which true class.

    ``classes`` is None for all rows, "own" for the rows of the class that the metric
    is about, "other" for the others.
    """

    quantity: Quantity
    classes: str | None = None


@dataclass(frozen=True)
class MeanMetric:
    """A smooth function of a few weighted means.

    Attributes
    ----------
    name : str
    terms : tuple of Term
    combine : callable
        Maps means (n_terms, n_populations), rows, populations and label to the
        metric (n_populations,) and its derivatives (n_terms, n_populations).
    greater_is_better : bool or None
        None where neither is.
    task : {"class", "classes", "number"}
        "class": about one class; of two classes the second, of several each in turn.
        "classes": about all classes. "number": of a regression, or of two classes
        that count as 0 and 1.
    over_classes : bool
        Whether the terms repeat for each class.
    of_scores : bool
        Whether fairlearn computes it from probabilities rather than labels.
    sharpness, gap_sharpness : float
        Factor on the log-odds of the smooth form: of the worst group, and of a gap.
        Probabilities follow a rate well; where right and wrong labels nearly cancel,
        only those near the decision boundary tell.
    """

    name: str
    terms: tuple
    combine: Callable
    greater_is_better: bool | None = None
    task: str = "class"
    over_classes: bool = False
    of_scores: bool = False
    sharpness: float = 1.0
    gap_sharpness: float = 1.0

    @property
    def of_means(self):
        """The metric as a monotone function of means of `row_values`, or None."""
        return _OF_MEANS.get(self.combine)

    @property
    def takes(self):
        """What the hard form counts: "labels", "probabilities" or "numbers"."""
        if self.of_scores:
            return "probabilities"
        return "numbers" if self.task == "number" else "labels"

    def check_target(self, rows):
        """Raise ValueError if the metric is not one of targets of this kind."""
        if self.task == "number" and rows.n_classes > 2:
            raise ValueError(
                f"{self.name} needs numbers, and the target has {rows.n_classes} "
                "classes. Use a metric of classes, such as accuracy_score."
            )
        if self.task != "number" and rows.n_classes == 0:
            raise ValueError(
                f"{self.name} needs classes, and the target is a number. Metrics of "
                "numbers are made of mean_prediction, mean_squared_error, "
                "mean_absolute_error and r2_score: for example "
                "metric='mean_prediction_difference'."
            )

    def conditions(self, rows, label):
        """Mask of the rows that each mean runs over, by what they are called."""
        conditions = [
            self._condition(rows, term, own) for term, own in self._terms(rows, label)
        ]
        return {text: mask for mask, text in conditions}

    def values(self, raw_prediction, rows, groups, label, *, hard=False):
        """Metric of each population, of shape (n_populations,)."""
        averaged = self._averaged(
            self._response(raw_prediction, rows, hard), rows, label
        )
        means = _means(averaged, rows, groups)
        return self.combine(means, rows, groups, label)[0]

    def reweighting(self, raw_prediction, rows, label):
        """Function from weightings to the metric of labels of all rows in each.

        What it takes is of shape (n_samples, n_weightings), the result
        (n_weightings,), NaN where a weighting leaves no row that the metric counts.
        """
        averaged = self._averaged(
            self._response(raw_prediction, rows, True), rows, label
        )

        def values(weight):
            groups = Weightings(weight)
            means = _means(averaged, rows, groups)
            return self.combine(means, rows, groups, label)[0]

        return values

    def row_values(self, raw_prediction, rows, label):
        """What the metric averages, row by row: hits or numbers, and among which rows.

        Returns
        -------
        list of tuple of ndarray of shape (n_samples,), or None
            (value, mask) of each mean that `of_means` makes the metric of; None where
            it is no function of such means alone.
        """
        if self.of_means is None:
            return None
        found = [
            (value, np.ones(len(rows.y)) if mask is None else mask.astype(float))
            for value, mask in self._averaged(
                self._response(raw_prediction, rows, True), rows, label
            )
        ]
        return _AMONG.get(self.combine, _as_they_are)(found, rows.y == label)

    def gradient_factors(self, raw_prediction, rows, groups, label):
        """Derivative of the means, and of the metric with respect to the means.

        Of shapes (n_samples, n_outputs, n_means) and (n_means, n_populations), for
        every mean of every population.
        """
        response = rows.response.smooth(raw_prediction)
        response_jacobian = rows.response.smooth_jacobian(raw_prediction)
        gradients = []
        for term, own in self._terms(rows, label):
            slope = term.quantity.gradient(response, response_jacobian, rows, own)
            weight = self._weight(rows, groups, term, own)
            gradients.append(slope[:, :, None] * weight[:, None, :])
        means = _means(self._averaged(response, rows, label), rows, groups)
        partial = self.combine(means, rows, groups, label)[1]
        jacobian = np.vstack([np.diag(row) for row in partial])
        return np.concatenate(gradients, axis=2), jacobian

    def _response(self, raw_prediction, rows, hard):
        """What is averaged of: probabilities, or labels where these are counted."""
        labels = hard and not self.of_scores
        return (rows.response.hard if labels else rows.response.smooth)(raw_prediction)

    def _averaged(self, response, rows, label):
        """Value of each row, and the mask of the rows that count, for each mean."""
        return [
            (
                term.quantity.value(response, rows, own),
                self._condition(rows, term, own)[0],
            )
            for term, own in self._terms(rows, label)
        ]

    def _terms(self, rows, label):
        labels = range(rows.n_classes) if self.over_classes else (label,)
        return [(term, own) for own in labels for term in self.terms]

    def _weight(self, rows, groups, term, own):
        return groups.weights(rows.sample_weight, self._condition(rows, term, own)[0])

    @staticmethod
    def _condition(rows, term, label):
        """Mask of the rows of a mean, and what they are called."""
        if term.classes is None:
            return None, "rows"
        own = term.classes == "own"
        mask = (rows.y == label) == own
        if rows.n_classes == 2:
            return mask, "positive rows" if own == (label == 1) else "negative rows"
        where = "of" if own else "outside"
        labels = np.asarray(rows.class_labels).tolist()  # 'high', not np.str_('high')
        return mask, f"rows {where} class {labels[label]!r}"


def _means(averaged, rows, groups):
    """Means of shape (n_terms, n_populations)."""
    return np.array([groups.mean(v, rows.sample_weight, mask) for v, mask in averaged])


def _identity(means, rows, groups, label):
    return means[0], np.ones_like(means)


def _average(means, rows, groups, label):
    return np.mean(means, axis=0), np.full_like(means, 1.0 / len(means))


def _root(means, rows, groups, label):
    root = np.sqrt(means[0])
    return root, 0.5 / np.maximum(root, np.finfo(float).tiny)[None]


def _quotient(hits, size, factor=1.0):
    """Ratio factor * hits / size and its derivatives; 0 where nothing is predicted."""
    some = size > 0
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=some)
    value = factor * hits * inverse
    return value, np.array([factor * inverse, -value * inverse])


def _precision(means, rows, groups, label):
    return _quotient(means[0], means[1])


def _f1(means, rows, groups, label):
    # 2 TP / (predicted + actual); the share of actual positives does not move.
    actual = groups.mean(rows.y == label, rows.sample_weight, None)
    return _quotient(means[0], means[1] + actual, factor=2.0)


def _r2(means, rows, groups, label):
    mean = groups.mean(rows.y, rows.sample_weight, None)
    variance = groups.variance(rows.y, rows.sample_weight)
    constant = variance <= (10 * np.finfo(float).eps * mean) ** 2
    if not groups.names:  # weightings of rows, some of which may hold one value
        return 1.0 - means[0] / np.where(constant, np.nan, variance), None
    constant = [groups.names[p] for p in np.flatnonzero(constant)]
    if constant:
        raise ValueError(
            "r2_score is undefined where the target is constant, as in these "
            f"sensitive groups of the evaluation data: {', '.join(constant)}."
        )
    return 1.0 - means[0] / variance, -1.0 / variance[None]


def _as_they_are(terms, own):
    return terms


def _among_predicted(terms, own):
    (hit, _), (predicted, _) = terms
    return [(hit, predicted)]


def _among_predicted_or_own(terms, own):
    (hit, _), (predicted, _) = terms
    return [(hit, np.maximum(predicted, own))]


# For limits of metrics. F1 is 2 J / (1 + J), where J is the share of true positives
# among the rows that are or are predicted to be positive.
_OF_MEANS = {
    _identity: lambda means: means[0],
    _average: lambda means: np.mean(means, axis=0),
    _root: lambda means: np.sqrt(np.maximum(means[0], 0.0)),
    _precision: lambda means: means[0],
    _f1: lambda means: 2.0 * means[0] / (1.0 + means[0]),
}
_AMONG = {_precision: _among_predicted, _f1: _among_predicted_or_own}

_SHARP_GAP: dict[str, Any] = {"gap_sharpness": 4.0}
_SHARP: dict[str, Any] = {"sharpness": 4.0, "gap_sharpness": 4.0}
_RIGHT, _HIT, _SHARE, _REST = TrueClassShare(), HitShare(), ClassShare(), RestShare()
_ON_OWN, _ON_OTHER = (Term(_SHARE, "own"),), (Term(_SHARE, "other"),)
_REST_ON_OWN, _REST_ON_OTHER = (Term(_REST, "own"),), (Term(_REST, "other"),)

BASE_METRICS = {
    metric.name: metric
    for metric in (
        MeanMetric("selection_rate", (Term(_SHARE),), _identity),
        MeanMetric("true_positive_rate", _ON_OWN, _identity, True),
        MeanMetric("false_negative_rate", _REST_ON_OWN, _identity, False),
        MeanMetric("false_positive_rate", _ON_OTHER, _identity, False),
        MeanMetric("true_negative_rate", _REST_ON_OTHER, _identity, True),
        MeanMetric("recall_score", _ON_OWN, _identity, True),
        MeanMetric(
            "precision_score",
            (Term(_HIT), Term(_SHARE)),
            _precision,
            True,
            **_SHARP,
        ),
        MeanMetric("f1_score", (Term(_HIT), Term(_SHARE)), _f1, True),
        MeanMetric(
            "accuracy_score",
            (Term(_RIGHT),),
            _identity,
            True,
            "classes",
            **_SHARP_GAP,
        ),
        MeanMetric(
            "zero_one_loss",
            (Term(WrongShare()),),
            _identity,
            False,
            "classes",
            **_SHARP_GAP,
        ),
        MeanMetric(
            "balanced_accuracy_score",
            (Term(_RIGHT, "own"),),
            _average,
            True,
            "classes",
            over_classes=True,
            **_SHARP,
        ),
        MeanMetric(
            "log_loss",
            (Term(LogLoss()),),
            _identity,
            False,
            "classes",
            of_scores=True,
        ),
        MeanMetric("mean_prediction", (Term(Number()),), _identity, None, "number"),
        MeanMetric(
            "mean_squared_error", (Term(SquaredError()),), _identity, False, "number"
        ),
        MeanMetric(
            "root_mean_squared_error", (Term(SquaredError()),), _root, False, "number"
        ),
        MeanMetric(
            "mean_absolute_error", (Term(AbsoluteError()),), _identity, False, "number"
        ),
        MeanMetric("r2_score", (Term(SquaredError()),), _r2, True, "number"),
        RankMetric("roc_auc_score"),
    )
}


def classes_of(base, rows, pos_label):
    """Positions of the classes that a base metric is about in turn; [None] for all.

    Raises
    ------
    ValueError
        If ``pos_label`` is none of the classes.
    """
    if base.task != "class" or rows.n_classes == 0:
        return [None]
    if pos_label is None:
        return [1] if rows.n_classes == 2 else list(range(rows.n_classes))
    labels = np.asarray(rows.class_labels).tolist()
    if pos_label not in labels:
        raise ValueError(f"pos_label={pos_label!r} is not among the classes {labels}.")
    return [labels.index(pos_label)]
