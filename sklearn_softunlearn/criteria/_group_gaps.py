# SPDX-License-Identifier: BSD-3-Clause
"""Gaps between the positive rates of sensitive groups."""

from itertools import permutations

import numpy as np

from sklearn_softunlearn.criteria._base import Criterion


class GroupRateDifference(Criterion):
    """Largest difference between the positive rates of two groups.

    The rate of a group is a weighted mean over its rows, among all of them or among
    those with a given true label. The criterion has one functional for each ordered
    pair of groups and each condition::

        F_(g,h) = rate_g - rate_h
        rate_g = sum_{i in g} w_i r(f_i) / sum_{i in g} w_i

    so that ``max F`` is the largest gap in either direction, as
    ``fairlearn.metrics.demographic_parity_difference(method="between_groups")``. The
    smooth surrogate takes the predicted probability of the positive class for
    ``r(f)``; ``hard_value`` takes the predicted label, which is what fairlearn counts.

    Parameters
    ----------
    conditions : tuple of {None, 0, 1}, default=(None,)
        The rows that a rate is taken over: ``None`` for all rows (selection rate,
        demographic parity), 1 for positives (true positive rate, equal opportunity),
        0 for negatives (false positive rate). Several conditions give the maximum
        over all of them: ``(1, 0)`` is equalized odds.

    Notes
    -----
    All ordered pairs are kept. Improving only the worst pair of several groups
    stalls as soon as another pair takes its place.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn._losses import BinaryLogLoss
    >>> from sklearn_softunlearn._responses import LogisticResponse
    >>> from sklearn_softunlearn.criteria import EvaluationRows, GroupRateDifference
    >>> rows = EvaluationRows(y=np.array([0, 1, 0, 1]), sample_weight=np.ones(4),
    ...                       loss=BinaryLogLoss(), response=LogisticResponse(),
    ...                       group_codes=np.array([0, 0, 1, 1]),
    ...                       group_names=("a", "b"))
    >>> raw = np.array([[2.0], [1.0], [-1.0], [1.0]])
    >>> GroupRateDifference().hard_value(raw, rows)
    array([ 0.5, -0.5])
    """

    needs_groups = True
    hard_kind = "fairlearn"

    def __init__(self, conditions=(None,)):
        self.conditions = conditions

    def __repr__(self):
        """Constructor call."""
        return f"GroupRateDifference(conditions={self.conditions!r})"

    def check(self, rows):
        """Raise ValueError if some rate is a mean over no rows."""
        for condition in self.conditions:
            mass = _group_sums(_kept_weight(rows, condition), rows)
            empty = [rows.group_names[g] for g in np.flatnonzero(mass == 0)]
            if empty:
                raise ValueError(_empty_rate_message(condition, empty))

    def names(self, rows):
        """Names such as 'a - b', with ' | y=1' where the rate is conditional."""
        suffix = {None: "", 0: " | y=0", 1: " | y=1"}
        return [
            f"{rows.group_names[g]} - {rows.group_names[h]}{suffix[condition]}"
            for condition in self.conditions
            for g, h in permutations(range(len(rows.group_names)), 2)
        ]

    def value(self, raw_prediction, rows):
        """Differences of mean predicted probabilities, of shape (n_functionals,)."""
        response = rows.response.smooth(raw_prediction)[:, 1]
        return self._rates(response, rows) @ self._jacobian(rows)

    def hard_value(self, raw_prediction, rows):
        """Differences of the rates of positive predictions."""
        response = rows.response.hard(raw_prediction)[:, 1]
        return self._rates(response, rows) @ self._jacobian(rows)

    def gradient(self, raw_prediction, rows):
        """Derivative of `value`, of shape (n_samples, n_outputs, n_functionals)."""
        rate_gradient, jacobian = self.gradient_factors(raw_prediction, rows)
        return rate_gradient @ jacobian

    def gradient_factors(self, raw_prediction, rows):
        """Derivative of the rates, and of the gaps with respect to the rates."""
        slope = rows.response.smooth_jacobian(raw_prediction)[:, 1]
        n_groups = len(rows.group_names)
        gradient = np.zeros((*slope.shape, len(self.conditions) * n_groups))
        row = np.arange(len(slope))
        for position, condition in enumerate(self.conditions):
            rate = position * n_groups + rows.group_codes
            gradient[row, :, rate] = slope * _rate_weight(rows, condition)[:, None]
        return gradient, self._jacobian(rows)

    def _rates(self, response, rows):
        """Rate of each group under each condition, of shape (n_rates,)."""
        return np.concatenate(
            [
                _group_sums(response * _rate_weight(rows, condition), rows)
                for condition in self.conditions
            ]
        )

    def _jacobian(self, rows):
        pairs = _pair_differences(len(rows.group_names))
        return np.kron(np.eye(len(self.conditions)), pairs)


def _group_sums(values, rows):
    n_groups = len(rows.group_names)
    return np.bincount(rows.group_codes, weights=values, minlength=n_groups)


def _kept_weight(rows, condition):
    """Sample weight of the rows that meet the condition, 0 for the others."""
    if condition is None:
        return rows.sample_weight
    return rows.sample_weight * (rows.y == condition)


def _rate_weight(rows, condition):
    """Weight of each row in the rate of its own group; they sum to 1 in each group."""
    weight = _kept_weight(rows, condition)
    return weight / _group_sums(weight, rows)[rows.group_codes]


def _pair_differences(n_groups):
    """Matrix of shape (n_groups, n_pairs) that maps rates to ordered differences."""
    pairs = np.array(list(permutations(range(n_groups), 2)))
    identity = np.eye(n_groups)
    return identity[:, pairs[:, 0]] - identity[:, pairs[:, 1]]


def _empty_rate_message(condition, groups):
    rows = {None: "no rows", 0: "no negative rows", 1: "no positive rows"}[condition]
    return (
        f"The evaluation data has {rows} (of positive sample weight) in these "
        f"sensitive groups, so their rate is undefined: {', '.join(groups)}. Give "
        "evaluation data (X_val, y_val, sensitive_features_val) that holds them, or "
        "merge small groups in sensitive_features."
    )
