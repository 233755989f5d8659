# SPDX-License-Identifier: BSD-3-Clause
"""The optimum under an l1 penalty, where coefficients reach zero and leave it.

While no coefficient changes its sign the l1 penalty is linear, so that J is smooth
over the coefficients that are not zero, the *active set*. Its minimum is the optimum
over all coefficients if none of them has changed its sign, and if for each zero ::

    |sum_i s_i dloss_i / dtheta_j| <= l1_strength_j

Otherwise the active set changes: a coefficient that reaches zero is held there, and
the zero that violates the condition most is freed, until none does (feature-sign
search). J falls with each change, so that no active set comes back.

References
----------
H. Lee, A. Battle, R. Raina, A. Y. Ng, "Efficient sparse coding algorithms", NIPS 2006.
"""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_softunlearn.exceptions import warn
from sklearn_softunlearn.influence import resolve_curvature
from sklearn_softunlearn.updates._newton import backtrack

_MAX_CHANGES = 1000
_MAX_STEPS = 100
# Of the row weight: smaller differences of J are rounding, which no step is judged by.
_COARSE_TOL = 1e-10
# Below this rate per step of the squared decrement the old factor is too far away.
SHRINKAGE = 1 / 16
# Of a coefficient: what is left of it by rounding where a step ends at zero.
_ROUNDING = 4 * np.finfo(np.float64).eps


def is_optimal(model, row_weight, theta, tolerance):
    """Whether the minimum on the active set of a model is that over all coefficients.

    Parameters
    ----------
    model : TrainedModel
    row_weight : ndarray of shape (n_samples,)
    theta : ndarray of shape (n_parameters,)
        Where the Newton decrement on the active set is within the tolerance.
    tolerance : float
        A zero is left where it is if a step of it alone has a smaller decrement.
    """
    if not np.any(model.l1_strength()):
        return True
    signs = np.sign(model.penalty_slope())
    if np.any(signs * theta < 0):
        return False
    return _with_one_freed(model, signs, row_weight, theta, tolerance) is None


def minimize_l1(model, row_weight, start, tolerance):
    """Parameters at the optimum of J with these row weights, whatever is active there.

    Parameters
    ----------
    model : TrainedModel
    row_weight : ndarray of shape (n_samples,)
    start : ndarray of shape (n_parameters,)
        Its zeros are the first that are held.
    tolerance : float
        Of the squared Newton decrement.

    Returns
    -------
    ndarray of shape (n_parameters,)

    Warns
    -----
    ConvergenceWarning
        If the active set still changes after very many changes.
    """
    theta, signs = start, signs_of(model, start)
    for _ in range(_MAX_CHANGES):
        theta, signs = _minimize_within(model, signs, row_weight, theta, tolerance)
        freed = _with_one_freed(model, signs, row_weight, theta, tolerance)
        if freed is None:
            return theta
        signs = freed
    warn(
        f"Retraining stopped after {_MAX_CHANGES} changes of the active set. Lower the "
        "tol of the estimator, so that retraining starts nearer to its end.",
        ConvergenceWarning,
    )
    return theta


def signs_of(model, theta):
    """1 and -1 for coefficients under an l1 penalty, 0 for its zeros and all others."""
    return np.where(model.l1_strength() > 0, np.sign(theta), 0.0)


def _minimize_within(model, signs, row_weight, theta, tolerance):
    """Newton steps with the zeros held, until the rest has its minimum."""
    curvature = resolve_curvature("auto", theta.size)
    solve, is_old, last = None, False, np.inf
    for _ in range(_MAX_STEPS):
        face = model.with_signs(signs)
        if solve is None:
            solve, is_old = curvature.factorize(face, row_weight, theta), False
        gradient = face.objective_gradient(row_weight, theta)
        step = solve(gradient[:, None])[:, 0]
        decrement = gradient @ step
        if decrement <= tolerance:
            break
        coarse = decrement > _COARSE_TOL * np.sum(row_weight)
        if is_old and not decrement < SHRINKAGE * last:
            solve = None
            continue
        if not coarse and not decrement < last:
            break  # rounding: near its minimum each step lowers it
        before = signs
        theta, signs = _advance(face, signs, row_weight, theta, step, decrement, coarse)
        is_old, last = True, decrement
        if np.any(signs != before):
            solve, last = None, np.inf
    return theta, signs


def _advance(face, signs, row_weight, theta, step, decrement, coarse):
    """The step, or the part of it up to the first zero, which is held from then on."""
    shrinking = step * signs > 0
    length = np.min(theta[shrinking] / step[shrinking], initial=1.0)
    if coarse:
        moved = backtrack(face, row_weight, theta, length * step, length * decrement)
    else:
        moved = theta - length * step
    ended = (signs != 0) & (signs * moved <= _ROUNDING * np.abs(theta))
    return np.where(ended, 0.0, moved), np.where(ended, 0.0, signs)


def _with_one_freed(model, signs, row_weight, theta, tolerance):
    """The signs once the zero that violates optimality most is freed; None if none.

    One at a time: of two equal columns only one can be active.
    """
    strength = model.l1_strength()
    free = model.with_signs(np.ones_like(strength)).at(theta)
    gradient = free.loss_parameter_gradient(row_weight)
    held = (strength > 0) & (signs == 0)
    excess = np.where(held, np.maximum(np.abs(gradient) - strength, 0.0), 0.0)
    if not np.any(excess):
        return None
    diagonal = free.gram_diagonal(free.loss_curvature(row_weight))
    diagonal += free.penalty_curvature()
    decrement = excess**2 / np.maximum(diagonal, np.finfo(np.float64).tiny)
    worst = np.argmax(decrement)
    if not decrement[worst] > tolerance:
        return None
    freed = signs.copy()
    freed[worst] = -np.sign(gradient[worst])
    return freed
