# SPDX-License-Identifier: BSD-3-Clause
"""First-order steps of a length that needs no tuning."""

from sklearn_softunlearn.influence import largest_curvature
from sklearn_softunlearn.updates._walk import Walk


def descend(problem, direction, *, learning_rate, max_iter, start=None, **limits):
    """Follow ``theta <- theta - (learning_rate / L) * direction(theta, step)``.

    L is the largest eigenvalue of the Hessian of the training objective at the fitted
    parameters, so that a learning rate of 1 is stable for descent on any data and does
    not depend on the number of rows or the scale of the features.

    The steps end as those of a `Walk` do, at a stationary point, or after
    ``max_iter`` steps.

    Parameters
    ----------
    problem : UpdateProblem
    direction : callable
        Maps parameters and the number of the step to a direction of descent.
    learning_rate : float
    max_iter : int
    start : ndarray of shape (n_parameters,), default=None
        Parameters to start from; None for those of the model.
    **limits
        stop_at_target and max_loss_increase, as in `Walk`.

    Returns
    -------
    UpdateResult
        Its history has "metric" and "retain_objective" after each step.
    """
    rate = learning_rate / largest_curvature(problem.model, problem.model.row_weight)
    walk = Walk(problem, problem.model.parameters if start is None else start, **limits)
    for step in range(max_iter):
        walk.step_to(walk.theta - rate * direction(walk.theta, step))
        if walk.status is not None:
            break
    return walk.result()
