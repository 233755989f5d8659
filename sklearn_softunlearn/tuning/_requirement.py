# SPDX-License-Identifier: BSD-3-Clause
"""Choice of a candidate by a requirement in the user's words."""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_softunlearn.confidence import (
    check_level,
    check_value_range,
    run_in_order,
    safest_first,
)
from sklearn_softunlearn.criteria import criterion_name
from sklearn_softunlearn.exceptions import RequirementNotMetWarning, warn
from sklearn_softunlearn.tuning._counts import (
    CountingScorer,
    bounds_of_counts,
    is_count,
    pooled_of_counts,
)

_BOUNDS = ("metric_at_most", "metric_at_least", "utility_loss_at_most")


class Requirement(BaseEstimator):
    """Best candidate among those that meet a requirement, for ``refit=``.

    What is measured is the score of all held-out rows together (``pooled_test_<name>``
    of `SoftUnlearnCorrectorCV`, and in `GridSearchCV` of the ``scoring`` that `scoring`
    returns); in other tables the mean of the folds.

    A callable that takes ``cv_results_`` and returns an index, so that it can be given
    to `SoftUnlearnCorrectorCV` and to `sklearn.model_selection.GridSearchCV`. Exactly
    one of the bounds is given:

    - "the metric at most 0.05, and the best accuracy":
      ``Requirement(metric_at_most=0.05)``;
    - "accuracy loss at most 0.5 points, and the best metric":
      ``Requirement(utility_loss_at_most=0.005)``;
    - "with 95 % confidence the metric is at most 0.05 on new rows, and the best
      accuracy": ``Requirement(metric_at_most=0.05, confidence=0.95)``.

    Parameters
    ----------
    metric_at_most : float, default=None
        Largest value of a metric whose scores are negated because smaller is better,
        as those of `fairness_scorer` for differences; best utility within it.
    metric_at_least : float, default=None
        Smallest value of a metric of which greater is better, such as a ratio.
    utility_loss_at_most : float, default=None
        Largest loss of the utility against the candidate of ``delta=0``, in the
        units of its scorer (0.005 is half a point of accuracy); best metric within.
    confidence : float in (0, 1), default=None
        With which the bound shall hold on new rows, not only on those of the folds.
        Candidates are tested one after the other on rows that were held out (*learn
        then test*, see `learn_then_test`); all that pass before the first that fails
        keep the promise, and the best of them is taken. In `SoftUnlearnCorrectorCV`;
        in `GridSearchCV` with the ``scoring`` that `scoring` returns.
    value_range : tuple of (float, float), default=None
        For a confidence of a metric of numbers: what these cannot be below or above in
        any row that may come. See `learn_then_test`.
    one_standard_error : bool, default=False
        Whether to take, instead of the best of the candidates that meet the
        requirement, the one with the smallest delta whose score is within one
        standard error (over the folds) of the best: the smallest correction that
        cannot be told from the best.
    metric, utility : str, default=None
        Names of the scorers. None takes the first and the second of the two.

    Raises
    ------
    ValueError
        If not exactly one bound is given, or if ``cv_results_`` does not hold what the
        requirement is about.

    Warns
    -----
    RequirementNotMetWarning
        If no candidate meets the requirement. The one that comes nearest is taken;
        with a confidence, the one that other rows say is safest, and the warning has
        the bound that can be promised of it.

    Examples
    --------
    >>> from sklearn_softunlearn import Requirement
    >>> cv_results = {
    ...     "param_delta": [0.0, 0.5, 1.0],
    ...     "mean_test_gap": [-0.2, -0.1, -0.01],
    ...     "mean_test_accuracy": [0.85, 0.848, 0.83],
    ... }
    >>> Requirement(metric_at_most=0.15)(cv_results)
    1
    >>> Requirement(utility_loss_at_most=0.05)(cv_results)
    2
    """

    def __init__(
        self,
        *,
        metric_at_most: float | None = None,
        metric_at_least: float | None = None,
        utility_loss_at_most: float | None = None,
        confidence: float | None = None,
        value_range: tuple[float, float] | None = None,
        one_standard_error: bool = False,
        metric: str | None = None,
        utility: str | None = None,
    ) -> None:
        self.metric_at_most = metric_at_most
        self.metric_at_least = metric_at_least
        self.utility_loss_at_most = utility_loss_at_most
        self.confidence = confidence
        self.value_range = value_range
        self.one_standard_error = one_standard_error
        self.metric = metric
        self.utility = utility

    def __call__(self, cv_results):
        """Index of the chosen candidate.

        Parameters
        ----------
        cv_results : mapping of str to array-like of shape (n_candidates,)

        Returns
        -------
        int
        """
        pooled = pooled_of_counts(self, cv_results)
        if pooled:
            cv_results.update(pooled)
        if self.confidence is not None:
            tests = bounds_of_counts(self, cv_results, _deltas(cv_results))
            return self.choose(cv_results, *tests)
        bound, limit = self.bound()
        metric_key, utility_key = self.names(scorer_names(cv_results))
        delta = _deltas(cv_results)
        metric, utility = (scores_of(cv_results, k) for k in (metric_key, utility_key))
        if bound == "metric_at_most" and np.nanmax(metric) > 0:
            raise ValueError(
                f"metric_at_most is about scores that are negated because less is "
                f"better, and {metric_key!r} has a score of "
                f"{np.nanmax(metric):.3g}. Of a metric of which more is better give "
                "metric_at_least."
            )
        if bound == "utility_loss_at_most":
            slack = utility - (utility[_base(delta, cv_results)] - limit)
            goal, key = metric, metric_key
        else:
            slack = metric + limit if bound == "metric_at_most" else metric - limit
            goal, key = utility, utility_key
        # Scores have rounding errors; a bound met exactly is met.
        meets = slack >= -1e-12
        if not np.any(meets):
            self._warn(bound, limit, np.nanmax(slack))
            return int(np.nanargmax(slack))
        return self._best(np.where(meets, goal, -np.inf), delta, cv_results, key)

    def _best(self, goal, delta, cv_results, key):
        goal = np.where(np.isnan(goal), -np.inf, goal)
        best = np.max(goal)
        if self.one_standard_error:
            best -= _standard_error(cv_results, key, int(np.argmax(goal)))
        # Of equals the one that corrects least.
        among = np.flatnonzero(goal >= best)
        return int(among[np.argmin(delta[among])])

    def check(self, scorers, deltas):
        """Raise ValueError for what can be known to fail before any fold is fitted.

        Parameters
        ----------
        scorers : list of str
            Names of the scorers.
        deltas : ndarray of shape (n_candidates,)
        """
        bound, _ = self.bound()
        self.names(scorers)
        if bound == "utility_loss_at_most":
            _base(deltas)

    def scoring(self, **options):
        """Scoring for `GridSearchCV`, with counts of the rows of all folds together.

        A confidence is computed from them, and the metric of all held-out rows.

        ``GridSearchCV(model, grid, scoring=requirement.scoring(), refit=requirement,
        return_train_score=True)``, where ``metric`` of the requirement names a metric
        of fairlearn that counts labels, and rows have no weights. The scores of the
        training rows give the order of the tests; without them it is from the largest
        delta downwards. A confidence for ``utility_loss_at_most`` is one of the
        accuracy, against the model that each candidate corrects.

        Parameters
        ----------
        **options : dict
            Those of `fairness_scorer`, such as ``sensitive_feature_ids``.

        Returns
        -------
        callable
        """
        of_loss = None not in (self.confidence, self.utility_loss_at_most)
        return CountingScorer(self.metric, self.utility or "accuracy", options, of_loss)

    def choose(self, cv_results: Any, bound_of: Any, training: Any, limit: Any) -> int:
        """Index of the chosen candidate, by tests.

        Parameters
        ----------
        cv_results : dict
            Gets the columns "bound_test_<what is bounded>" and "kept".
        bound_of : callable
            From a candidate to its `MetricBound`.
        training : ndarray of shape (n_candidates, 2) or None
            Scores of metric and utility on rows that do not test. None tests from the
            largest delta downwards.
        limit : float
            What the functional of the bound must not exceed.
        """
        bound, _ = self.bound()
        metric, utility = self.names(scorer_names(cv_results))
        delta = _deltas(cv_results)
        of_loss = bound == "utility_loss_at_most"
        order = np.argsort(delta if of_loss else -delta, kind="stable")
        if training is not None:
            # What is promised first, and what is to be good beside it.
            promise, goal = training.T[::-1] if of_loss else training.T
            order = safest_first(-promise, goal)
        tested = run_in_order(bound_of, order, limit)
        bounds = [np.nan if b is None else b.bound for b in tested.bounds]
        cv_results[f"bound_test_{utility if of_loss else metric}"] = np.array(bounds)
        cv_results["kept"] = tested.kept
        if not tested.kept.any():
            self._warn_of_tests(tested, cv_results)
            return int(order[0])
        key = metric if of_loss else utility
        goal = np.where(tested.kept, scores_of(cv_results, key), -np.inf)
        return self._best(goal, delta, cv_results, key)

    def bound(self):
        """Name and value of the bound that is given.

        Raises
        ------
        ValueError
            If there is none, or more than one, or it is out of range.
        """
        if self.confidence is not None:
            check_level(self.confidence, "confidence")
        check_value_range(self.value_range)
        if self.value_range is not None and self.confidence is None:
            raise ValueError("value_range is for a Requirement with a confidence.")
        if self.value_range is not None and self.utility_loss_at_most is not None:
            raise ValueError("value_range is for a bound of the metric.")
        given = [name for name in _BOUNDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"Requirement takes exactly one of {list(_BOUNDS)}; got {given}."
            )
        limit = getattr(self, given[0])
        if not isinstance(limit, Real) or isinstance(limit, bool) or not limit >= 0:
            raise ValueError(f"{given[0]}={limit!r} must be a number >= 0.")
        return given[0], limit

    def names_of_scores(self):
        """Names of metric and utility that `scoring` gives its scores."""
        return criterion_name(self.metric), self.utility or "accuracy"

    def names(self, known):
        """Names of the scorers of metric and utility, among those known."""
        known = list(known)
        if self.metric is None and self.utility is None and len(known) == 2:
            return known
        if list(self.names_of_scores() if self.metric else ()) == known:
            return known
        for parameter in ("metric", "utility"):
            if getattr(self, parameter) not in known:
                raise ValueError(
                    f"{parameter}={getattr(self, parameter)!r} of the Requirement must "
                    f"name a scorer. cv_results_ has the scorers {list(known)}."
                )
        return self.metric, self.utility

    def _warn_of_tests(self, tested, cv_results):
        bound, limit = self.bound()
        first, candidate = tested.first, cv_results["params"][tested.order[0]]
        at = "at least" if bound == "metric_at_least" else "at most"
        shown = ", ".join(f"{name}={value:.4g}" for name, value in candidate.items())
        warn(
            f"No candidate meets {bound}={limit:g} with confidence "
            f"{self.confidence:g}. Of the safest, {shown}, which was taken, the rows "
            f"measure {first.estimate:.4g} and support the promise {at} "
            f"{first.bound:.4g}; {tested.needed()}. (a) Test on more rows; (b) relax "
            "the requirement or its confidence.",
            RequirementNotMetWarning,
        )

    def _warn(self, bound, limit, slack):
        warn(
            f"No candidate meets {bound}={limit:g}; the nearest misses it by "
            f"{-slack:.3g} and was taken. (a) Relax the requirement; (b) try other "
            "deltas; (c) allow the correction more, for example utility_tol.",
            RequirementNotMetWarning,
        )


def scorer_names(cv_results):
    """Names of the scorers in ``cv_results_``, without the counts of cells."""
    prefix = "mean_test_"
    known = [k.removeprefix(prefix) for k in cv_results if k.startswith(prefix)]
    return [name for name in known if not is_count(name)]


def scores_of(cv_results, key):
    """Scores of a scorer, one of each candidate; at least one must be a number.

    Those of all held-out rows together where ``cv_results_`` has them: a gap in a fold
    has the noise of few rows, and a mean of absolute values does not take it out. Else
    the means of the folds.
    """
    pooled = cv_results.get(f"pooled_test_{key}")
    scores = cv_results[f"mean_test_{key}"] if pooled is None else pooled
    scores = np.asarray(scores, dtype=float)
    if np.all(np.isnan(scores)):
        raise ValueError(
            f"The score of {key!r} is NaN for every candidate: in some fold it "
            "could not be computed, for example since a small group has no rows there "
            "that the metric counts. (a) Use fewer folds, or folds stratified by group "
            "and label; (b) merge small groups."
        )
    return scores


def _deltas(cv_results):
    names = [name for name in cv_results if name in ("param_delta",)]
    names += [name for name in cv_results if name.endswith("__delta")]
    if len(names) != 1:
        raise ValueError(
            "A Requirement needs exactly one column of cv_results_ named param_delta "
            f"or ending in __delta; found {names}."
        )
    return np.asarray(cv_results[names[0]], dtype=float)


def _base(delta, cv_results=()):
    if not np.any(delta == 0):
        raise ValueError(
            "utility_loss_at_most compares with the model before correction: put 0 "
            f"among the deltas, which are {delta.tolist()}."
        )
    if "param_threshold" in cv_results:
        return int(np.argmin(np.abs(delta) + np.abs(cv_results["param_threshold"])))
    return int(np.argmin(np.abs(delta)))


def _standard_error(cv_results, key, index):
    folds = [
        name
        for name in cv_results
        if name.startswith("split") and name.endswith(f"_test_{key}")
    ]
    if len(folds) < 2:
        raise ValueError("one_standard_error needs the scores of at least two folds.")
    scores = [float(np.asarray(cv_results[name])[index]) for name in folds]
    return np.std(scores, ddof=1) / np.sqrt(len(scores))
