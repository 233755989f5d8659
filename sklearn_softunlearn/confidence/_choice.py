# SPDX-License-Identifier: BSD-3-Clause
"""The best of several fitted models that keep a promise, from their predictions."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_softunlearn.confidence._bounds import metric_bound
from sklearn_softunlearn.confidence._given import GivenPredictions
from sklearn_softunlearn.confidence._intervals import (
    check_level,
    check_n_bootstrap,
    check_value_range,
    generator,
    group_metric,
)
from sklearn_softunlearn.confidence._limits import Means
from sklearn_softunlearn.confidence._testing import run_in_order
from sklearn_softunlearn.criteria import GroupValues, usual_score


@dataclass(frozen=True)
class TestedModels:
    """What `learn_then_test` found.

    Attributes
    ----------
    best : str or None
        Name of the best model that keeps the promise; None if none does.
    smallest_bound : float
        The bound of the model that was tested first: the strictest promise that the
        rows support (of a ratio or a worst score, the largest).
    needed : str
        Where none keeps the promise: about how many more rows of which group would do.
    results : DataFrame
        One row for each model, in the order of the tests: "model", "estimate",
        "bound", "kept", "utility". Those that were not reached have no bound.
    """

    __test__ = False  # for pytest: a name that begins with Test

    best: str | None
    smallest_bound: float
    needed: str
    results: pd.DataFrame


def learn_then_test(
    y_true: ArrayLike,
    predictions: Any,
    *,
    sensitive_features: Any,
    metric: str | Callable[..., Any] = "demographic_parity_difference",
    at_most: float | None = None,
    at_least: float | None = None,
    confidence: float = 0.95,
    scores: Any = None,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    value_range: tuple[float, float] | None = None,
    n_bootstrap: int = 2000,
    random_state: int | np.random.RandomState | None = 0,
) -> Any:
    """Best of several models of which a bound on a metric holds on new rows.

    The models, of any library, are tested in the order given, each at the full level,
    until the first that fails. With probability ``confidence`` over the rows given,
    *all* models that passed keep the bound on the population, so that the most
    accurate of them may be taken.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels of rows that neither fitted the models nor chose their order.
    predictions : dict of str to array-like of shape (n_samples,)
        What each model predicts. The order matters: first the model that other rows,
        such as the training rows, show to be safest. A single model gets its bound.
    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Group of each row.
    metric : str or GroupMetric, default="demographic_parity_difference"
        Any metric of `GroupMetric`.
    at_most, at_least : float, default=None
        What is promised, exactly one of the two: of a difference or of the loss of the
        worst group `at_most`, of a ratio or of the score of the worst group `at_least`.
    confidence : float in (0, 1), default=0.95
        One minus the probability that a promise is broken.
    scores : dict of str to array-like, default=None
        Probabilities or decision values, for metrics that need them.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, which are taken for independent draws.
    pos_label : object, default=None
        Class that is counted. None is the last of two in sorted order.
    value_range : tuple of (float, float), default=None
        What the numbers that the metric averages cannot be below or above, in any row
        that may come: of a mean squared error (0, B), where no squared error exceeds
        B. The bound then holds for any distribution within; squared errors, whose
        tails are heavy, have none otherwise.
    n_bootstrap : int, default=2000
        Number of draws for what has no limits in closed form, R^2 and the area under
        the ROC curve.
    random_state : int, RandomState instance or None, default=0
        Determines the draws.

    Returns
    -------
    TestedModels

    Raises
    ------
    ValueError
        If an argument is out of range, or the direction is not that of the metric.

    Notes
    -----
    Shares of rows (selection rate, true positive rate, accuracy, precision, F1, ...)
    have exact limits by Clopper and Pearson in each group, means of numbers those of
    Student's t corrected for skewness, and in a known range those of bets by
    Waudby-Smith and Ramdas [3]_. Limits of two groups are combined by the method
    of variance estimates recovery (Zou and Donner, 2008). A metric that is the worst of
    several, as all pairs of groups or equalized odds, needs no larger limits for their
    number: its bound is the largest of theirs, and that of the pair that is truly the
    worst holds with the full confidence (intersection-union test, Berger 1982).

    References
    ----------
    .. [1] A. N. Angelopoulos, S. Bates, E. J. Candes, M. I. Jordan, L. Lei, "Learn then
       Test: Calibrating Predictive Algorithms to Achieve Risk Control",
       arXiv:2110.01052.
    .. [2] P. S. Thomas et al., "Preventing undesirable behavior of intelligent
       machines", Science 366, 2019.
    .. [3] I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by
       betting", Journal of the Royal Statistical Society B 86, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn import SoftUnlearnCorrector, learn_then_test
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(8000, random_state=0)
    >>> path = SoftUnlearnCorrector().path(
    ...     X[:4000], y[:4000], deltas=[1.0, 0.8, 0.6], sensitive_features=group[:4000]
    ... )
    >>> found = learn_then_test(
    ...     y[4000:],
    ...     {f"delta={c.delta}": c.predict(X[4000:]) for c in path},
    ...     sensitive_features=group[4000:],
    ...     at_most=0.08,
    ... )
    >>> found.best
    'delta=0.8'
    """
    check_level(confidence, "confidence")
    check_n_bootstrap(n_bootstrap)
    check_value_range(value_range)
    criterion = group_metric(metric, pos_label)
    limit = promised(criterion, at_most, at_least)
    given = GivenPredictions(
        y_true, predictions, scores, sensitive_features, sample_weight
    )
    paired = given.paired(criterion.takes, [criterion])
    means = Means(n_bootstrap, generator(random_state), value_range)

    def bound_of(k):
        return metric_bound(criterion, paired.answers[k], paired, confidence, means)

    tested = run_in_order(bound_of, range(len(given.names)), limit)
    utility = _utility(given)
    best = None
    if tested.kept.any():
        best = given.names[int(np.argmax(np.where(tested.kept, utility, -np.inf)))]
    results = pd.DataFrame(
        {
            "model": given.names,
            "estimate": [np.nan if b is None else b.estimate for b in tested.bounds],
            "bound": [np.nan if b is None else b.bound for b in tested.bounds],
            "kept": tested.kept,
            "utility": utility,
        }
    )
    needed = "" if best is not None else tested.needed()
    return TestedModels(best, tested.first.bound, needed, results)


def promised(criterion, at_most, at_least):
    """What the functionals must not exceed, for a promise of the metric.

    Raises
    ------
    ValueError
        If not exactly one is given, or it is the wrong one for the metric.
    """
    given = {"at_most": at_most, "at_least": at_least}
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) != 1:
        raise ValueError(f"Give exactly one of at_most and at_least; got {given}.")
    [(name, value)] = given.items()
    right = "at_most"
    if criterion.more_is_better:
        right = "at_least"
    if not isinstance(value, Real) or isinstance(value, bool) or not value >= 0:
        raise ValueError(f"{name}={value!r} must be a number >= 0.")
    if name != right:
        raise ValueError(f"{criterion.name} can be promised to be {right}, not {name}.")
    return criterion.functional_value(value)


def _utility(given):
    """Accuracy, of a regression R^2, of each model."""
    numbers = given.y.dtype.kind == "f" and len(np.unique(given.y)) > 2
    criterion = GroupValues(f"{usual_score(not numbers)}_score")
    paired = given.paired(criterion.takes, [criterion], labels=True)
    return np.array([criterion.hard_value(a, paired.rows)[-1] for a in paired.answers])
