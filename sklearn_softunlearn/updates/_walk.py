# SPDX-License-Identifier: BSD-3-Clause
"""Where steps end: one stopping rule and one guard for every iterated update."""

import numpy as np
from scipy import optimize

from sklearn_softunlearn.exceptions import UpdateStoppedWarning, warn
from sklearn_softunlearn.updates._problem import UpdateResult

# Share of the step's own length below which a step counts as none.
_STATIONARY = 1e-10

# Precision of the share of the last step that is taken.
_SHARE_TOLERANCE = 1e-4


class Walk:
    """Parameters that are moved step by step, while the steps do no harm.

    With ``stop_at_target``:

    - The step that takes the metric below its target is shortened so that it ends
      there: what is not asked for costs utility as well.
    - Where the target is not reached, the result is the step with the lowest metric.
      If no step lowered it, that is the start, and a warning says so.

    A step that raises the retain objective by more than ``max_loss_increase`` of its
    value at the start, or makes it not finite, is not taken.

    Parameters
    ----------
    problem : UpdateProblem
    start : ndarray of shape (n_parameters,)
    stop_at_target : bool
    max_loss_increase : float

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        Where the steps are now.
    status : str or None
        Why they ended; None while they did not.
    """

    def __init__(self, problem, start, *, stop_at_target, max_loss_increase):
        self.theta = self._start = self._best = start
        self.status = None
        self._problem = problem
        self._stop_at_target = stop_at_target
        self._max_loss_increase = max_loss_increase
        self._ceiling = _raised(problem.retain_objective(start), max_loss_increase)
        self._current = self._lowest = problem.metric(start)
        self._metric, self._objective = [], []

    def step_to(self, candidate):
        """Take a step, shortened where the target is on the way, or end before it.

        Returns
        -------
        bool
            Whether the step was taken.
        """
        # Steps that overflow are not taken.
        with np.errstate(over="ignore", invalid="ignore"):
            candidate, metric, status = self._up_to_target(candidate)
            objective = self._problem.retain_objective(candidate)
        if not (np.isfinite(objective) and objective <= self._ceiling):
            self.status = "loss limit"
            return False
        if status is None and np.linalg.norm(candidate - self.theta) <= _STATIONARY * (
            1.0 + np.linalg.norm(candidate)
        ):
            status = "converged"
        self.theta, self.status, self._current = candidate, status, metric
        self._metric.append(metric)
        self._objective.append(objective)
        if metric < self._lowest:
            self._lowest, self._best = metric, candidate
        return True

    def result(self, **history):
        """What was reached, an `UpdateResult`.

        ``history`` is added to "metric" and "retain_objective" after each step.
        """
        history = {name: np.array(values) for name, values in history.items()}
        history["metric"] = np.array(self._metric)
        history["retain_objective"] = np.array(self._objective)
        status, theta = self.status or "max_iter", self.theta
        if self._stop_at_target and status != "target reached":
            theta = self._best
            if theta is self._start and self._metric:
                status = "no improvement"
        _warn_about(status, self._max_loss_increase)
        return UpdateResult(theta, len(self._metric), status, history=history)

    def _up_to_target(self, candidate):
        """The step or its part up to the target, the metric there, and the status."""
        metric = self._problem.metric(candidate)
        if not self._stop_at_target:
            return candidate, metric, None
        reached = self._reached(candidate, metric)
        if reached is None:
            return candidate, metric, None
        nearest = _where_reached(self._problem, self.theta, reached)
        return nearest, self._problem.metric(nearest), "target reached"

    def _reached(self, candidate, metric):
        """A point of the step at which the target is met, or None."""
        if metric <= self._problem.target:
            return candidate
        if not (self._current > 0.0 and metric > 0.0):  # also where it is NaN
            return None
        # A gap that changes its sign within a step is 0 on the way, and large again at
        # the end: about here, if it is linear.
        share = self._current / (self._current + metric)
        between = self.theta + share * (candidate - self.theta)
        return (
            between if self._problem.metric(between) <= self._problem.target else None
        )


def _raised(objective, fraction):
    """The objective raised by a fraction of its size, which may be infinite."""
    return np.inf if np.isinf(fraction) else objective + fraction * abs(objective)


def _where_reached(problem, start, end):
    """Where on the way from start to end the metric falls to its target."""

    def excess(share):
        return problem.metric(start + share * (end - start)) - problem.target

    if excess(0.0) <= 0.0:
        return end
    share = optimize.brentq(excess, 0.0, 1.0, xtol=_SHARE_TOLERANCE)
    # On to the side of the root on which the target is met.
    return start + min(1.0, share + 2 * _SHARE_TOLERANCE) * (end - start)


def _warn_about(status, max_loss_increase):
    if status == "loss limit":
        warn(
            "The update was stopped one step early: the next step would raise the loss "
            f"of the retained rows by more than {max_loss_increase:.0%}. (a) Ask for a "
            "smaller delta; (b) lower the learning rate or radius; (c) raise "
            "max_loss_increase.",
            UpdateStoppedWarning,
        )
    if status == "no improvement":
        warn(
            "No step of the update lowered the metric, so the parameters are those of "
            "the base model. (a) Use another update, such as 'influence'; (b) lower "
            "the learning rate or radius.",
            UpdateStoppedWarning,
        )
