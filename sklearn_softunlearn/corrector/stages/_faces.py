# SPDX-License-Identifier: BSD-3-Clause
"""Exact weights under an l1 penalty, where coefficients reach zero and leave it.

On the face of the parameter space where each coefficient keeps its sign the penalty is
linear, and everything is as without it. What is found on a face is the answer if no
coefficient has changed its sign and none that is held at zero wants to leave it; else
the search goes on from there on the next face (as `updates._active_set` does).
"""

import numpy as np

_MAX_FACES = 50
# Of the strength of the penalty: a gradient that is larger by less is rounding.
_TOLERANCE = 1e-6


def least_loss_over_faces(problem, delta, **options):
    """`ExactProblem.parameters` on the face that holds the answer, and that problem."""
    for _ in range(_MAX_FACES):
        found, reached = problem.parameters(delta, **options)
        signs = _next_signs(problem, found)
        if signs is None:
            break
        problem = problem.on_face(signs, found.point.theta)
    return problem, found, reached


def explained_over_faces(problem, theta, *bounds):
    """`ExactProblem.explained`, so that zeros stay zero in retraining.

    A zero whose gradient with these weights exceeds the penalty is asked to be at its
    edge, that is, explained like a coefficient of that sign.
    """
    for _ in range(_MAX_FACES):
        explanation = problem.explained(theta, *bounds)
        remaining = problem.row_weight * (1.0 - explanation.weights)
        model = problem.model.with_row_weight(remaining)
        gradient = _free(model, theta).loss_parameter_gradient(remaining)
        leaving = _leaving(model, gradient)
        if not np.any(leaving):
            break
        signs = np.sign(model.penalty_slope())
        signs[leaving] = -np.sign(gradient[leaving])
        problem = problem.on_face(signs, theta)
    return explanation


def _next_signs(problem, found):
    """Signs of the next face; None where there is no need of one."""
    model, theta = problem.model, found.point.theta
    if not np.any(model.l1_strength()):
        return None
    signs = np.sign(model.penalty_slope())
    crossed = signs * theta < 0.0
    if np.any(crossed):
        return np.where(crossed, 0.0, signs)
    gradient = problem.lagrangian_gradient(_free(model, theta), found)
    leaving = _leaving(model, gradient)
    if not np.any(leaving):
        return None
    # One at a time: of two equal columns only one can be active.
    worst = np.argmax(np.where(leaving, np.abs(gradient), 0.0))
    signs[worst] = -np.sign(gradient[worst])
    return signs


def _free(model, theta):
    """The model with no coefficient held."""
    return model.with_signs(np.ones(theta.size)).at(theta)


def _leaving(model, gradient):
    """Zeros on which the loss pulls harder than the penalty holds."""
    strength = model.l1_strength()
    held = (strength > 0.0) & (model.penalty_slope() == 0.0)
    return held & (np.abs(gradient) > strength * (1.0 + _TOLERANCE))
