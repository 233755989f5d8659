# SPDX-License-Identifier: BSD-3-Clause
"""First-order steps with one stopping rule and one guard against divergence."""

import numpy as np

from sklearn_softunlearn._curvature import largest_curvature
from sklearn_softunlearn.exceptions import UpdateStoppedWarning, warn
from sklearn_softunlearn.updates._problem import UpdateResult

# Share of the step's own length below which a gradient step counts as converged.
_STATIONARY = 1e-10


def descend(
    problem,
    direction,
    *,
    learning_rate,
    max_iter,
    stop_at_target,
    max_loss_increase,
    start=None,
):
    """Follow ``theta <- theta - (learning_rate / L) * direction(theta, step)``.

    L is the largest eigenvalue of the Hessian of the training objective at the fitted
    parameters, so that a learning rate of 1 is stable for descent on any data and does
    not depend on the number of rows or the scale of the features.

    The steps end when the metric has reached its target (if ``stop_at_target``), at a
    stationary point, after ``max_iter`` steps, or, with a warning and a return to the
    step before, when the retain objective has risen above ``1 + max_loss_increase``
    times its value at the start or is not finite.

    Parameters
    ----------
    problem : UpdateProblem
    direction : callable
        Maps parameters and the number of the step to a direction of descent.
    learning_rate : float
    max_iter : int
    stop_at_target : bool
    max_loss_increase : float
    start : ndarray of shape (n_parameters,), default=None
        Parameters to start from; None for those of the model.

    Returns
    -------
    UpdateResult
        Its history has "metric" and "retain_objective" after each step.
    """
    rate = learning_rate / largest_curvature(problem.model, problem.model.row_weight)
    theta = problem.model.parameters if start is None else start
    ceiling = (1.0 + max_loss_increase) * problem.retain_objective(theta)
    metric, objective, status = [], [], "max_iter"
    for step in range(max_iter):
        candidate = theta - rate * direction(theta, step)
        value = problem.retain_objective(candidate)
        if not value <= ceiling:  # also where it is NaN
            _warn_about_loss(max_loss_increase)
            status = "loss limit"
            break
        moved = np.linalg.norm(candidate - theta)
        theta = candidate
        objective.append(value)
        metric.append(problem.metric(theta))
        if stop_at_target and metric[-1] <= problem.target:
            status = "target reached"
            break
        if moved <= _STATIONARY * (1.0 + np.linalg.norm(theta)):
            status = "converged"
            break
    history = {"metric": np.array(metric), "retain_objective": np.array(objective)}
    return UpdateResult(theta, len(metric), status, history=history)


def _warn_about_loss(max_loss_increase):
    warn(
        "The update was stopped one step early: the next step would raise the loss of "
        f"the retained rows by more than {max_loss_increase:.0%}. (a) Ask for a "
        "smaller delta; (b) lower learning_rate; (c) raise max_loss_increase.",
        UpdateStoppedWarning,
    )
