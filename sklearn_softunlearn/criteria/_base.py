# SPDX-License-Identifier: BSD-3-Clause
"""What every criterion offers, and the rows on which it is measured."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_softunlearn.criteria._limits import each_at_most


@dataclass(frozen=True)
class EvaluationRows:
    """The rows on which a criterion is measured.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        Encoded target: the index of the class, or the number to predict.
    sample_weight : ndarray of shape (n_samples,)
        Weight of each row in every mean.
    loss : object
        Pointwise loss of the model: ``value(y, raw)`` of shape (n_samples,) and
        ``gradient(y, raw)`` of shape (n_samples, n_outputs).
    response : object
        How raw predictions become predicted labels or numbers: ``smooth(raw)`` and
        ``hard(raw)`` of shape (n_samples, n_columns), one column for each class or
        one for a regression, and ``smooth_jacobian(raw)``, the derivative of
        ``smooth``, of shape (n_samples, n_columns, n_outputs).
    group_codes : ndarray of shape (n_samples,) or None
        Index of the sensitive group of each row.
    group_names : tuple of str
        Name of each group, in the order of the codes. Empty without groups.
    group_labels : ndarray of shape (n_groups, n_columns) or None
        Value of each group in each sensitive column; None for one column.
    group_columns : tuple of str
        Name of each sensitive column, where it has one.
    classes : tuple or None
        Class labels as the user knows them, () for a regression. None reads their
        number from ``y``: floating numbers are a regression.
    X : {ndarray, sparse array} of shape (n_samples, n_features) or None
        Features as the model sees them, after the transformers of a Pipeline.
    inputs : ndarray or None
        Features that an attack perturbs: for a net, those of its first layer.
    attacked : tuple of (AdversarialLoss, slice)
        Where the adversarial examples of a criterion are, behind the evaluation rows;
        their sample weights are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn import EvaluationRows
    >>> from sklearn_softunlearn.pointwise import BinaryLogLoss
    >>> from sklearn_softunlearn.pointwise import LogisticResponse
    >>> rows = EvaluationRows(np.array([0, 1, 1]), np.ones(3), BinaryLogLoss(),
    ...                       LogisticResponse(), classes=("no", "yes"))
    >>> rows.n_classes
    2
    """

    y: np.ndarray
    sample_weight: np.ndarray
    loss: Any
    response: Any
    group_codes: np.ndarray | None = None
    group_names: tuple = ()
    group_labels: np.ndarray | None = None
    group_columns: tuple = ()
    classes: tuple | None = None
    X: Any = None
    inputs: Any = None
    attacked: tuple = ()

    @property
    def n_measured(self):
        """Number of evaluation rows, without the adversarial examples."""
        return self.attacked[0][1].start if self.attacked else len(self.y)

    @property
    def n_classes(self):
        """Number of classes, 0 for a regression."""
        if self.classes is not None:
            return len(self.classes)
        if np.issubdtype(self.y.dtype, np.floating):
            return 0
        return max(2, int(np.max(self.y)) + 1)

    @property
    def class_labels(self):
        """Label of each class: its index where ``classes`` is None."""
        return tuple(range(self.n_classes)) if self.classes is None else self.classes

    def take(self, indices):
        """The rows at these positions, for what is counted of raw predictions."""
        groups = self.group_codes
        return replace(
            self,
            y=self.y[indices],
            sample_weight=self.sample_weight[indices],
            group_codes=None if groups is None else groups[indices],
            classes=self.class_labels,  # which fewer rows might not show
            X=None,
            inputs=None,
            attacked=(),
        )


class Criterion(ABC):
    """Functionals F_1 to F_m of raw predictions, all to be kept small.

    The corrector lowers ``max_j F_j``. A gap between groups is the maximum over
    ordered pairs of a difference of rates, so it is a criterion with one functional
    for each ordered pair; a loss is a criterion with one functional. A quantity that
    should be large enters with a minus sign.

    **Subclasses must write** `value` and `gradient`. **They may override**

    - `names`, if there are several functionals;
    - `hard_value`, the functionals computed from predicted labels, of which `value`
      is the smooth surrogate;
    - `user_value`, the number that a report shows for given functionals, by default
      the largest;
    - `worst` and `parity`, between which `delta` moves: delta = 0 keeps functional j
      below ``worst_j``, by default the largest functional, and delta = 1 asks for
      ``parity_j``, by default 0;
    - `check`, to refuse rows on which the criterion is undefined;
    - `bind`, to compute once what depends on the rows alone;
    - `gradient_factors`, when many functionals combine few statistics;
    - `reweighted`, without which a report has no intervals of the criterion.

    The attributes `needs_groups` (default False: ``rows.group_codes`` may be None)
    and `hard_kind` (what a report calls `hard_value`; default None: "labels", of a
    regression "predictions") belong to the class.

    Examples
    --------
    A model whose scores should vary less: the value is the weighted variance of the
    raw predictions, the gradient its derivative by the raw prediction of each row.

    >>> import numpy as np
    >>> from sklearn_softunlearn import Criterion, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> class ScoreVariance(Criterion):
    ...     def value(self, raw_prediction, rows):
    ...         weight, deviation = self._deviation(raw_prediction, rows)
    ...         return np.atleast_1d(np.sum(weight * deviation**2))
    ...
    ...     def gradient(self, raw_prediction, rows):
    ...         weight, deviation = self._deviation(raw_prediction, rows)
    ...         return (2 * weight * deviation)[:, :, None]
    ...
    ...     def _deviation(self, raw_prediction, rows):
    ...         weight = (rows.sample_weight / rows.sample_weight.sum())[:, None]
    ...         return weight, raw_prediction - np.sum(weight * raw_prediction, axis=0)
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(metric=ScoreVariance(), delta=0.1,
    ...                                  utility_tol=0.1).fit(X, y)
    >>> line = corrector.report_["ScoreVariance", "surrogate"]
    >>> bool(line.after < line.before)
    True

    Individual fairness is built in: `NeighborInconsistency`.
    """

    needs_groups = False
    marginal = False  # whether groups of several sensitive columns are not intersected
    hard_kind: str | None = None  # what a report calls `hard_value`

    @property
    def name(self):
        """What a report calls the criterion."""
        return type(self).__name__

    def hard_kind_on(self, rows):
        """What a report calls the `hard_value` of these rows."""
        if self.hard_kind is not None:
            return self.hard_kind
        return "labels" if rows.n_classes else "predictions"

    def bind(self, rows):
        """The criterion to use for these rows; may hold what depends on them alone."""
        return self

    def check(self, rows):  # noqa: B027 (optional: most criteria are always defined)
        """Raise ValueError if the criterion is undefined on ``rows``."""

    def names(self, rows):
        """Name of each functional, a list of length n_functionals."""
        return [self.name]

    @abstractmethod
    def value(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Smooth value of each functional, of shape (n_functionals,)."""

    @abstractmethod
    def gradient(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Derivative of `value`, of shape (n_samples, n_outputs, n_functionals)."""

    def hard_value(self, raw_prediction, rows):
        """Value of each functional on predicted labels, of shape (n_functionals,)."""
        return self.value(raw_prediction, rows)

    def reweighted(self, raw_prediction, rows, weight):
        """Functionals of `hard_value` under several weightings of the rows.

        Parameters
        ----------
        raw_prediction : ndarray of shape (n_samples, n_outputs)
        rows : EvaluationRows
            Whose own sample weights do not enter.
        weight : ndarray of shape (n_samples, n_weightings)

        Returns
        -------
        ndarray of shape (n_functionals, n_weightings), or None
            None where it has no fast form, and so no interval; NaN where a weighting
            leaves no row that is counted.
        """
        return None

    def reweighting(self, raw_prediction, rows):
        """Function from weightings to `reweighted`, for one set after the other."""
        return partial(self.reweighted, raw_prediction, rows)

    def user_value(self, functionals, rows):
        """The number that a user reads, for values of the functionals.

        For those of several weightings, in columns, a number for each.
        """
        return as_number(np.max(functionals, axis=0))

    def worst(self, value, rows):
        """What each functional is measured against, of shape (n_functionals,)."""
        return np.full(len(value), np.max(value))

    def parity(self, value, rows):
        """What delta = 1 asks of each functional, of shape (n_functionals,)."""
        return np.zeros(len(value))

    def parts(self, rows):
        """The criteria inside, each with its number of functionals: itself."""
        return [(self, len(self.names(rows)))]

    def statistics(self, raw_prediction, rows):
        """What `limits` speaks of, of shape (n_statistics,): the functionals."""
        return self.value(raw_prediction, rows)

    def statistics_factors(self, raw_prediction, rows):
        """Derivative of `statistics` as a product, like `gradient_factors`."""
        return self.gradient_factors(raw_prediction, rows)

    def limits(self, targets, rows):
        """That functional j is at most ``targets_j``, as `Limits` on the statistics."""
        return each_at_most(targets)

    def of_functionals(self, multipliers, rows):
        """Multipliers of the functionals, for those of the limits."""
        return multipliers

    def gradient_factors(self, raw_prediction, rows):
        """Derivative as a product of two factors.

        Returns
        -------
        statistics_gradient : ndarray of shape (n_samples, n_outputs, n_statistics)
            Derivative of a few statistics, such as the rate of each group.
        jacobian : ndarray of shape (n_statistics, n_functionals)
            Derivative of the functionals with respect to the statistics.
            ``gradient = statistics_gradient @ jacobian``.

        Notes
        -----
        Influences cost one product with the data for each statistic. G groups have
        G rates but G * (G - 1) gaps, hence the factors.
        """
        gradient = self.gradient(raw_prediction, rows)
        return gradient, np.eye(gradient.shape[2])


def as_number(value):
    """A float for an array without dimensions, else the array."""
    return float(value) if np.ndim(value) == 0 else value


def normalized(sample_weight):
    """Weights that sum to 1."""
    return sample_weight / np.sum(sample_weight)
