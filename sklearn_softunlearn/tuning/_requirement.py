# SPDX-License-Identifier: BSD-3-Clause
"""Choice of a candidate by a requirement in the user's words."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_softunlearn.exceptions import RequirementNotMetWarning, warn

_BOUNDS = ("metric_at_most", "metric_at_least", "utility_loss_at_most")


class Requirement(BaseEstimator):
    """Best candidate among those that meet a requirement, for ``refit=``.

    A callable that takes ``cv_results_`` and returns an index, so that it can be given
    to `SoftUnlearnCorrectorCV` and to `sklearn.model_selection.GridSearchCV`. Exactly
    one of the bounds is given:

    - "the metric at most 0.05, and the best accuracy":
      ``Requirement(metric_at_most=0.05)``;
    - "accuracy loss at most 0.5 points, and the best metric":
      ``Requirement(utility_loss_at_most=0.005)``.

    Parameters
    ----------
    metric_at_most : float, default=None
        Largest mean of a metric whose scores are negated because smaller is better,
        as those of `fairness_scorer` for differences; best utility within it.
    metric_at_least : float, default=None
        Smallest mean of a metric of which greater is better, such as a ratio.
    utility_loss_at_most : float, default=None
        Largest loss of the mean utility against the candidate of ``delta=0``, in the
        units of its scorer (0.005 is half a point of accuracy); best metric within.
    one_standard_error : bool, default=False
        Whether to take, instead of the best of the candidates that meet the
        requirement, the one with the smallest delta whose mean is within one
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
        If no candidate meets the requirement. The one that comes nearest is taken.

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
        metric_at_most=None,
        metric_at_least=None,
        utility_loss_at_most=None,
        one_standard_error=False,
        metric=None,
        utility=None,
    ):
        self.metric_at_most = metric_at_most
        self.metric_at_least = metric_at_least
        self.utility_loss_at_most = utility_loss_at_most
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
        bound, limit = self._bound()
        metric_key, utility_key = self._scorers(cv_results)
        delta = _deltas(cv_results)
        metric, utility = (_mean(cv_results, k) for k in (metric_key, utility_key))
        if bound == "metric_at_most" and np.nanmax(metric) > 0:
            raise ValueError(
                f"metric_at_most is about scores that are negated because less is "
                f"better, and {metric_key!r} has a mean score of "
                f"{np.nanmax(metric):.3g}. Of a metric of which more is better give "
                "metric_at_least."
            )
        if bound == "utility_loss_at_most":
            slack = utility - (utility[_base(delta)] - limit)
            goal, key = metric, metric_key
        else:
            slack = metric + limit if bound == "metric_at_most" else metric - limit
            goal, key = utility, utility_key
        # Means over folds have rounding errors; a bound met exactly is met.
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

    def _bound(self):
        given = [name for name in _BOUNDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"Requirement takes exactly one of {list(_BOUNDS)}; got {given}."
            )
        limit = getattr(self, given[0])
        if not isinstance(limit, Real) or isinstance(limit, bool) or not limit >= 0:
            raise ValueError(f"{given[0]}={limit!r} must be a number >= 0.")
        return given[0], limit

    def _scorers(self, cv_results):
        prefix = "mean_test_"
        known = [k.removeprefix(prefix) for k in cv_results if k.startswith(prefix)]
        if self.metric is None and self.utility is None and len(known) == 2:
            return known
        for parameter in ("metric", "utility"):
            if getattr(self, parameter) not in known:
                raise ValueError(
                    f"{parameter}={getattr(self, parameter)!r} of the Requirement must "
                    f"name a scorer. cv_results_ has the scorers {known}."
                )
        return self.metric, self.utility

    def _warn(self, bound, limit, slack):
        warn(
            f"No candidate meets {bound}={limit:g}; the nearest misses it by "
            f"{-slack:.3g} and was taken. (a) Relax the requirement; (b) try other "
            "deltas; (c) allow the correction more, for example utility_tol.",
            RequirementNotMetWarning,
        )


def _mean(cv_results, key):
    """Mean scores of a scorer, of which at least one must be a number."""
    mean = np.asarray(cv_results[f"mean_test_{key}"], dtype=float)
    if np.all(np.isnan(mean)):
        raise ValueError(
            f"The mean score of {key!r} is NaN for every candidate: in some fold it "
            "could not be computed, for example since a small group has no rows there "
            "that the metric counts. (a) Use fewer folds, or folds stratified by group "
            "and label; (b) merge small groups."
        )
    return mean


def _deltas(cv_results):
    names = [name for name in cv_results if name in ("param_delta",)]
    names += [name for name in cv_results if name.endswith("__delta")]
    if len(names) != 1:
        raise ValueError(
            "A Requirement needs exactly one column of cv_results_ named param_delta "
            f"or ending in __delta; found {names}."
        )
    return np.asarray(cv_results[names[0]], dtype=float)


def _base(delta):
    if not np.any(delta == 0):
        raise ValueError(
            "utility_loss_at_most compares with the model before correction: put 0 "
            f"among the deltas, which are {delta.tolist()}."
        )
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
