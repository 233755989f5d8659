# SPDX-License-Identifier: BSD-3-Clause
"""Data whose label bias is known, for examples and tests."""

from numbers import Integral, Real

import numpy as np
from scipy.special import expit
from sklearn.utils import Bunch, check_random_state, check_scalar

LABEL_SIGNAL = 2.0  # standard deviation of the log-odds of the true label

DESCRIPTION = """Simulated classification with group-dependent label bias.

Group 0 is the reference. `target` is what a data set would record; `true_target`
is what it would have recorded without bias. The positives of a biased group were
turned into negatives at the rate in `label_bias`, everything else is equal between
groups, except that the proxy features are shifted by group.
"""


def _check_group_weights(group_weights, n_groups):
    """Proportions of the groups, summing to one."""
    if group_weights is None:
        return np.full(n_groups, 1.0 / n_groups)
    weights = np.asarray(group_weights, dtype=np.float64)
    usable = np.isfinite(weights) & (weights > 0)
    if weights.shape != (n_groups,) or not usable.all():
        raise ValueError(
            f"group_weights must be {n_groups} positive numbers, one for each of "
            f"n_groups={n_groups}; got {group_weights!r}."
        )
    return weights / weights.sum()


def _check_label_bias(label_bias, n_groups):
    """Rate of flipped positives of each group; a number spares the reference group."""
    rates = np.asarray(label_bias, dtype=np.float64)
    if rates.ndim == 0:
        rates = np.where(np.arange(n_groups) == 0, 0.0, rates)
    if rates.shape != (n_groups,) or not ((rates >= 0) & (rates <= 1)).all():
        raise ValueError(
            f"label_bias must be a rate in [0, 1], or {n_groups} such rates, one for "
            f"each of n_groups={n_groups}; got {label_bias!r}."
        )
    return rates


def _unit_vectors(n_vectors, n_dimensions, rng):
    vectors = rng.standard_normal((n_vectors, n_dimensions))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _draw_group_centres(n_groups, n_proxies, group_effect, rng):
    """Shift of the proxy features of each group; the reference group stays at 0."""
    centres = group_effect * _unit_vectors(n_groups, n_proxies, rng)
    centres[0] = 0.0
    return centres


def _flip_positives(true_target, rates, rng):
    """Turn positives into negatives, each row at its own rate."""
    kept = rng.uniform(size=true_target.shape) >= rates
    return true_target * kept


def make_biased_classification(
    n_samples=1000,
    n_features=10,
    *,
    n_groups=2,
    label_bias=0.4,
    group_effect=2.0,
    group_weights=None,
    as_bunch=False,
    random_state=None,
):
    """Generate a binary classification problem with group-dependent label bias.

    The first half of the features is informative, the second half consists of
    proxies for the group. With ``z`` standard normal and group ``g`` of a row::

        informative = z[:n_informative]
        proxies     = z[n_informative:] + group_effect * direction[g]
        P(true label = 1) = sigmoid(informative @ coef),  std of the log-odds = 2
        P(label = 1 | true label = 1) = 1 - label_bias[g]
        P(label = 1 | true label = 0) = 0

    So the true label is independent of the group and positive in half of the rows,
    ``P(label = 1 | g) = (1 - label_bias[g]) / 2``, and a model can learn the bias
    only through the proxies.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_features : int, default=10
        Number of features, at least 2: ``n_features - n_features // 2`` informative
        ones, followed by ``n_features // 2`` proxies.
    n_groups : int, default=2
        Number of groups, at least 2. Group 0 is the reference: its features are
        not shifted.
    label_bias : float or array-like of shape (n_groups,), default=0.4
        Rate in [0, 1] at which positives are recorded as negatives. A number holds
        for every group except group 0, whose rate is then 0; an array gives the
        rate of each group.
    group_effect : float, default=2.0
        Length of the shift of the proxies, in standard deviations of a feature, at
        least 0. At 0 the features know nothing of the groups.
    group_weights : array-like of shape (n_groups,), default=None
        Expected proportions of the groups, in any positive scale. None means equal.
    as_bunch : bool, default=False
        Whether to return a :class:`~sklearn.utils.Bunch` instead of a tuple.
    random_state : int, RandomState instance or None, default=None
        Determines the data; pass an int for the same data in every call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Features.
    y : ndarray of shape (n_samples,)
        Recorded labels, 0 or 1.
    sensitive_features : ndarray of shape (n_samples,)
        Group of each row, 0 to ``n_groups - 1``.
    bunch : :class:`~sklearn.utils.Bunch`
        Instead of the above if ``as_bunch`` is True: `data`, `target` and
        `sensitive_features` are X, y and the groups; `true_target` the labels before
        bias; `coef` of shape (n_features,) the linear model of the true label;
        `label_bias` of shape (n_groups,); `feature_names`; `DESCR`.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range, or no number.

    Examples
    --------
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, sensitive_features = make_biased_classification(
    ...     n_samples=20_000, label_bias=0.4, random_state=0
    ... )
    >>> X.shape
    (20000, 10)
    >>> [round(float(y[sensitive_features == g].mean()), 1) for g in (0, 1)]
    [0.5, 0.3]
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_features, "n_features", Integral, min_val=2)
    check_scalar(n_groups, "n_groups", Integral, min_val=2)
    check_scalar(group_effect, "group_effect", Real, min_val=0)
    weights = _check_group_weights(group_weights, n_groups)
    rates = _check_label_bias(label_bias, n_groups)
    rng = check_random_state(random_state)

    n_proxies = n_features // 2
    groups = rng.choice(n_groups, size=n_samples, p=weights)
    X = rng.standard_normal((n_samples, n_features))
    coef = np.zeros(n_features)
    coef[:-n_proxies] = LABEL_SIGNAL * _unit_vectors(1, n_features - n_proxies, rng)[0]
    # drawn before the shift: a true label that saw the groups would be no oracle
    true_target = (rng.uniform(size=n_samples) < expit(X @ coef)).astype(int)
    centres = _draw_group_centres(n_groups, n_proxies, group_effect, rng)
    X[:, -n_proxies:] += centres[groups]
    y = _flip_positives(true_target, rates[groups], rng)

    if not as_bunch:
        return X, y, groups
    return Bunch(
        data=X,
        target=y,
        sensitive_features=groups,
        true_target=true_target,
        coef=coef,
        label_bias=rates,
        feature_names=_feature_names(n_features - n_proxies, n_proxies),
        DESCR=DESCRIPTION,
    )


def _feature_names(n_informative, n_proxies):
    informative = [f"informative_{i}" for i in range(n_informative)]
    return informative + [f"proxy_{i}" for i in range(n_proxies)]
