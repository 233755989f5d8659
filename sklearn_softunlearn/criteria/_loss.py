# SPDX-License-Identifier: BSD-3-Clause
"""The loss of the model, as a metric to improve or a utility to protect."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_softunlearn.criteria._base import Criterion, EvaluationRows, normalized
from sklearn_softunlearn.criteria._populations import Weightings, populations


class MeanLoss(Criterion):
    """Weighted mean of the model's own training loss over the evaluation rows.

    The criterion has one functional::

        F = sum_i w_i * loss(f_i, y_i) / sum_i w_i

    For `LogisticRegression` this is the log loss (cross-entropy, in nats). The
    penalty of the model is not part of it. ``hard_value`` is the zero-one loss, one
    minus the accuracy; for a regression, it is the mean squared error.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.pointwise import BinaryLogLoss
    >>> from sklearn_softunlearn.criteria import EvaluationRows, MeanLoss
    >>> from sklearn_softunlearn.pointwise import LogisticResponse
    >>> y, weight = np.array([0, 1]), np.ones(2)
    >>> rows = EvaluationRows(y, weight, BinaryLogLoss(), LogisticResponse())
    >>> MeanLoss().value(np.array([[0.0], [0.0]]), rows).round(4)
    array([0.6931])
    """

    name = "loss"

    def hard_kind_on(self, rows):
        """Name of `row_errors`."""
        return error_kind(rows)

    def value(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Mean loss, of shape (1,)."""
        loss = rows.loss.value(rows.y, raw_prediction)
        return np.atleast_1d(normalized(rows.sample_weight) @ loss)

    def gradient(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Derivative of the mean loss, of shape (n_samples, n_outputs, 1)."""
        gradient = rows.loss.gradient(rows.y, raw_prediction)
        return (normalized(rows.sample_weight)[:, None] * gradient)[:, :, None]

    def hard_value(self, raw_prediction, rows):
        """Zero-one loss or mean squared error, of shape (1,)."""
        return np.atleast_1d(
            normalized(rows.sample_weight) @ row_errors(raw_prediction, rows)
        )

    def reweighted(self, raw_prediction, rows, weight):
        """`hard_value` in several weightings, of shape (1, n_weightings)."""
        errors = row_errors(raw_prediction, rows)
        return Weightings(weight).mean(errors, None, None)[None]


class GroupLoss(Criterion):
    """Mean training loss of each sensitive group, each to be kept small on its own.

    The criterion has one functional for each group::

        F_g = sum_{i in g} w_i * loss(f_i, y_i) / sum_{i in g} w_i

    As ``utility`` it keeps the loss of every group from rising (to first order):
    ``utility=["loss", "group_loss"]``. To lower the loss of the worst group, give the
    metric "log_loss_group_max".

    Parameters
    ----------
    marginal : bool, default=False
        Whether each of several sensitive columns makes its own groups, instead of the
        combinations of values that occur.

    Examples
    --------
    >>> from sklearn_softunlearn import GroupLoss, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(delta=0.2, utility=["loss", GroupLoss()])
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.functional_names_[-3:]
    ['loss', 'group_loss: 0', 'group_loss: 1']
    """

    needs_groups = True
    name = "group_loss"

    def __init__(self, marginal: bool = False) -> None:
        self.marginal = marginal

    def __repr__(self):
        """Constructor call."""
        return f"GroupLoss(marginal={self.marginal!r})"

    def check(self, rows):
        """Raise ValueError if a group has no rows."""
        self._groups(rows).check(rows.sample_weight, None, "rows")

    def hard_kind_on(self, rows):
        """Name of `row_errors`."""
        return error_kind(rows)

    def names(self, rows):
        """Names of the groups."""
        return list(self._groups(rows).names)

    def value(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Mean loss of each group, of shape (n_groups,)."""
        return rows.loss.value(rows.y, raw_prediction) @ self._weights(rows)

    def gradient(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Derivative of `value`, of shape (n_samples, n_outputs, n_groups)."""
        gradient = rows.loss.gradient(rows.y, raw_prediction)
        return gradient[:, :, None] * self._weights(rows)[:, None, :]

    def hard_value(self, raw_prediction, rows):
        """Zero-one loss or mean squared error of each group, of shape (n_groups,)."""
        return row_errors(raw_prediction, rows) @ self._weights(rows)

    def reweighted(self, raw_prediction, rows, weight):
        """`hard_value` in several weightings, of shape (n_groups, n_weightings)."""
        errors = row_errors(raw_prediction, rows)
        members = self._groups(rows).positions
        return np.array(
            [Weightings(weight[m]).mean(errors[m], None, None) for m in members]
        )

    def worst(self, value, rows):
        """Each group is measured against itself."""
        return value

    def _groups(self, rows):
        return populations(rows, marginal=self.marginal)

    def _weights(self, rows):
        return self._groups(rows).weights(rows.sample_weight, None)


def error_kind(rows):
    """What the mean of `row_errors` is called."""
    return "zero-one loss" if rows.n_classes else "mean squared error"


def row_errors(raw_prediction, rows):
    """Whether each label is wrong; for a regression, the squared error."""
    hard = rows.response.hard(raw_prediction)
    if rows.n_classes == 0:
        return (rows.y - hard[:, 0]) ** 2
    return 1.0 - hard[np.arange(len(hard)), rows.y]
