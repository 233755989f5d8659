# SPDX-License-Identifier: BSD-3-Clause
"""Every metric that compares sensitive groups: a base metric and a transform."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_softunlearn.criteria._base import Criterion, EvaluationRows, as_number
from sklearn_softunlearn.criteria._base_metrics import classes_of
from sklearn_softunlearn.criteria._comparison import Comparison
from sklearn_softunlearn.criteria._limits import side_by_side
from sklearn_softunlearn.criteria._names import (
    build_aggregation,
    check_options,
    parse_metric,
)
from sklearn_softunlearn.criteria._populations import populations
from sklearn_softunlearn.criteria._rate_by_loss import check_surrogate, smooth_forms
from sklearn_softunlearn.criteria._sharpened import Sharpened, check_sharpness


class GroupMetric(Criterion):
    """A metric of fairlearn that compares sensitive groups.

    It is made of a base metric ``v_g`` of each group, such as its selection rate, and
    a transform:

    - *difference*: ``max (v_g - v_h)`` over pairs of groups, 0 at parity;
    - *ratio*: ``min v_g / v_h``, 1 at parity;
    - *group_max* of a loss and *group_min* of a score: the worst group.

    ``value`` is a smooth surrogate: the predicted probability stands in for the
    predicted label. ``hard_value`` is what fairlearn computes. See Notes for what
    ``delta`` means for each.

    Parameters
    ----------
    metric : str or callable, default="demographic_parity_difference"
        ``demographic_parity_``, ``equal_opportunity_`` or ``equalized_odds_`` followed
        by ``difference`` or ``ratio``; or a base metric followed by ``_difference``,
        ``_ratio``, ``_group_min`` or ``_group_max``; or the fairlearn.metrics function
        of this name, or made with `fairlearn.metrics.make_derived_metric`; or a
        functools.partial of it with ``method``, ``agg`` or ``pos_label``. Base metrics
        of classes are selection_rate, true_positive_rate, false_positive_rate,
        true_negative_rate, false_negative_rate, accuracy_score, zero_one_loss,
        balanced_accuracy_score, precision_score, recall_score, f1_score,
        roc_auc_score, log_loss; of numbers mean_prediction, mean_squared_error,
        root_mean_squared_error, mean_absolute_error, r2_score.
    method : {"between_groups", "to_overall"}, default="between_groups"
        Whether a difference or ratio compares groups with each other or each group
        with all rows.
    agg : {"worst_case", "mean"}, default="worst_case"
        Of equalized odds, whether the metric is the worse of the true and the false
        positive rate, or their mean.
    marginal : bool, default=False
        With several sensitive columns: False compares all combinations of values that
        occur, as fairlearn does; True compares the values of each column on its own
        and takes the worst column.
    pos_label : str, int, bool or None, default=None
        The class that a rate is about. None is the second of two classes; of more
        than two, each in turn, and the metric is that of the worst class.
    sharpness : float > 0 or None, default=None
        Factor on the log-odds before they become the probability that stands in for a
        label. Larger values follow labels more closely and are less linear. None is 4
        for balanced accuracy, precision and gaps of accuracy or zero-one loss, which
        hinge on the rows near the decision boundary, and 1 for all others. For
        classes.
    surrogate : {"probability", "log_loss"}, default="probability"
        What stands in for a label. "log_loss", for differences of rates among the rows
        of one true class, counts the log loss of these rows instead of the probability
        of an error: of "equal_opportunity_difference", the difference of the log losses
        on positive rows, which is the surrogate of the paper.

    Raises
    ------
    ValueError
        If the metric is not known, has no smooth counterpart, or an option does not
        apply to it.

    Notes
    -----
    ``delta`` is a fraction of the way to parity. A difference shrinks to
    ``(1 - delta)`` of its size; of a ratio r, the distance 1 - r does. For the
    worst group, parity is the mean over groups (weighted by their size): delta = 0.5
    moves it half way there. With ``agg="mean"`` both gaps shrink by delta.

    Every ordered pair of groups is a functional of its own. Improving only the worst
    pair of several groups stalls as soon as another pair takes its place.

    A group with fewer than 30 rows of the kind that the metric counts raises
    `SmallGroupWarning`; one with none is an error. Numbers are averaged over two
    classes as 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn import GroupMetric, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> metric = GroupMetric("equalized_odds_difference", agg="mean")
    >>> corrector = SoftUnlearnCorrector(metric=metric, delta=0.3)
    >>> report = corrector.fit(X, y, sensitive_features=group).report_
    >>> line = report["equalized_odds_difference(agg='mean')", "fairlearn"]
    >>> bool(line.after < line.before)
    True
    """

    needs_groups = True
    hard_kind = "fairlearn"

    def __init__(
        self,
        metric: str | Callable[..., Any] = "demographic_parity_difference",
        *,
        method: str | None = None,
        agg: str | None = None,
        marginal: bool = False,
        pos_label: Any = None,
        sharpness: float | None = None,
        surrogate: str = "probability",
    ) -> None:
        spec = parse_metric(metric)
        given = {"method": method, "agg": agg, "pos_label": pos_label}
        given = {name: value for name, value in given.items() if value is not None}
        options = {"method": "between_groups", "agg": "worst_case", "pos_label": None}
        options |= spec.options | given
        check_options(spec, options["agg"], options["pos_label"])
        self.metric = spec.name
        self.method = options["method"]
        self.agg = options["agg"]
        self.marginal = marginal
        self.pos_label = options["pos_label"]
        self.sharpness = check_sharpness(sharpness)
        self.surrogate = check_surrogate(surrogate, spec)
        self._bound = (None, None)
        self._aggregation = build_aggregation(spec, self.method)
        self._bases = smooth_forms(spec.bases, surrogate)

    @property
    def name(self):
        """Name of the metric, with the options that differ from the default."""
        options = self._changed_options()
        return f"{self.metric}({options})" if options else self.metric

    def __repr__(self):
        """Constructor call."""
        inside = [repr(self.metric), self._changed_options()]
        return f"GroupMetric({', '.join(filter(None, inside))})"

    def bind(self, rows):
        """Copy that holds the groups of these rows."""
        bound = copy(self)
        bound._bound = rows.group_codes, self._groups(rows)
        return bound

    def check(self, rows):
        """Raise ValueError if the metric is undefined on the rows.

        Warns of groups with fewer than 30 rows (`SmallGroupWarning`).
        """
        for text, mask in self._conditions(rows).items():
            self._groups(rows).check(rows.sample_weight, mask, text)
        if rows.n_classes == 0 and self.sharpness not in (None, 1.0):
            raise ValueError(
                f"sharpness={self.sharpness!r} applies to classes, and the target is a "
                "number: leave it out."
            )

    def check_target(self, rows):
        """Raise ValueError if the metric is not one of targets of this kind."""
        self._conditions(rows)

    def without_rows(self, rows):
        """Names of the groups that hold no rows of a kind that the metric counts.

        Returns
        -------
        dict of str to list of str
            By kind, such as "positive rows"; empty if the metric is defined.

        Raises
        ------
        ValueError
            If the metric is not one of targets of this kind.
        """
        groups, conditions = self._groups(rows), self._conditions(rows)
        empty = {k: groups.empty(rows.sample_weight, m) for k, m in conditions.items()}
        return {kind: names for kind, names in empty.items() if names}

    @property
    def takes(self):
        """What it counts: "labels", "probabilities", "scores" or "numbers"."""
        return self._bases[0].takes

    def names(self, rows):
        """Names such as 'a - b', with what is compared where there are several."""
        units = self._units(rows)
        suffixes = [self._suffix(rows, base, label) for base, label in units]
        suffixes = suffixes if len(units) > 1 else [""]
        names = self._aggregation.names(self._groups(rows))
        return [name + suffix for suffix in suffixes for name in names]

    def value(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Smooth value of each functional, of shape (n_functionals,)."""
        rows = self._sharpened(rows)
        return self.compared(rows).functionals(raw_prediction, rows, hard=False)

    def hard_value(self, raw_prediction, rows):
        """Each functional of what fairlearn computes."""
        return self.compared(rows).functionals(raw_prediction, rows, hard=True)

    def reweighted(self, raw_prediction, rows, weight):
        """Functionals of `hard_value` in several weightings, a column for each."""
        return self.reweighting(raw_prediction, rows)(weight)

    def reweighting(self, raw_prediction, rows):
        """Function from weightings to `reweighted`, for one set after the other."""
        return self.compared(rows).reweighting(raw_prediction, rows)

    @property
    def more_is_better(self):
        """Whether the metric is a ratio or a worst score, that is to be large."""
        return self.functional_value(1.0) < self.functional_value(0.0)

    def functional_value(self, value):
        """The largest functional where the metric has this value."""
        return self._aggregation.user_value(value)  # its own inverse: v, -v or 1 - v

    def compared(self, rows):
        """What is compared, a `Comparison`: populations, aggregation and units."""
        return Comparison(self._groups(rows), self._aggregation, self._units(rows))

    def gradient(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Derivative of `value`, of shape (n_samples, n_outputs, n_functionals)."""
        statistics_gradient, jacobian = self.gradient_factors(raw_prediction, rows)
        return statistics_gradient @ jacobian

    def gradient_factors(self, raw_prediction, rows):
        """Derivative of the means of the groups, and of the functionals by these."""
        rows = self._sharpened(rows)
        return self.compared(rows).gradient_factors(raw_prediction, rows)

    def statistics(self, raw_prediction, rows):
        """Smooth base metric of each population, unit after unit."""
        rows = self._sharpened(rows)
        return self.compared(rows).statistics(raw_prediction, rows)

    def statistics_factors(self, raw_prediction, rows):
        """Derivative of the means of the groups, and of the base metrics by these."""
        rows = self._sharpened(rows)
        return self.compared(rows).statistics_factors(raw_prediction, rows)

    def limits(self, targets, rows):
        """Limits on the base metrics: all groups in a corridor, or each by itself."""
        compared = self.compared(rows)
        groups, pieces = compared.groups, compared.split(targets)
        return side_by_side([self._aggregation.limits(t, groups) for t in pieces])

    def of_functionals(self, multipliers, rows):
        """Multipliers of the pairs, for those of both sides of the corridor."""
        return self.compared(rows).of_functionals(multipliers)

    def user_value(self, functionals, rows):
        """The metric as fairlearn reports it, for values of the functionals."""
        worst = self._combined(functionals, rows)
        return as_number(self._aggregation.user_value(worst))

    def worst(self, value, rows):
        """The largest functional; with ``agg="mean"``, of each gap on its own."""
        if self.agg == "worst_case":
            return super().worst(value, rows)
        part = self.compared(rows).parts()
        return _largest(value, part)[part]

    def parity(self, value, rows):
        """0 for differences and ratios; for the worst group, the mean of all."""
        groups = self._groups(rows)
        level = self._aggregation.parity(value, groups, rows.sample_weight)
        return np.full(len(value), level)

    def _sharpened(self, rows):
        sharpness = self.sharpness
        if sharpness is None:
            of_gaps = self._aggregation.of_gaps
            sharpness = max(
                base.gap_sharpness if of_gaps else base.sharpness
                for base in self._bases
            )
        if sharpness == 1.0 or rows.n_classes == 0:
            return rows
        return replace(rows, response=Sharpened(rows.response, sharpness))

    def _groups(self, rows):
        codes, groups = self._bound
        if codes is not None and codes is rows.group_codes:
            return groups
        return populations(
            rows, marginal=self.marginal, overall=self._aggregation.needs_overall
        )

    def _conditions(self, rows):
        """Rows that are counted, by what they are called, if the target is right."""
        found = {}
        for base, label in self._units(rows):
            base.check_target(rows)
            found |= base.conditions(rows, label)
        return found

    def _units(self, rows):
        """Every base metric of every class that it is about."""
        return [
            (base, label)
            for base in self._bases
            for label in classes_of(base, rows, self.pos_label)
        ]

    def _combined(self, functionals, rows):
        """Largest functional; with ``agg="mean"``, the mean over base metrics."""
        if self.agg == "worst_case":
            return np.max(functionals, axis=0)
        largest = _largest(functionals, self.compared(rows).parts())
        of_bases = largest.reshape(len(self._bases), -1, *functionals.shape[1:])
        return np.max(np.mean(of_bases, axis=0), axis=0)

    def _suffix(self, rows, base, label):
        several = label is not None and rows.n_classes > 2
        return f" | {base.name}" + (f" {rows.class_labels[label]}" if several else "")

    def _changed_options(self):
        defaults = {"method": "between_groups", "agg": "worst_case", "marginal": False}
        defaults |= {"pos_label": None, "sharpness": None, "surrogate": "probability"}
        return ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name, default in defaults.items()
            if getattr(self, name) != default
        )


def _largest(functionals, part):
    """Largest functional of each part."""
    largest = np.full((part.max() + 1, *functionals.shape[1:]), -np.inf)
    np.maximum.at(largest, part, functionals)
    return largest
