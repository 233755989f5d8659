# SPDX-License-Identifier: BSD-3-Clause
"""What deleting a training row does to a functional: one formula, one sign.

Delete a fraction eps_i of each training row i and retrain. To first order the
parameters move by::

    dtheta = + H^-1 sum_i eps_i * s_i * grad loss_i(theta)

and a functional F of the raw predictions on evaluation rows by sum_i eps_i * a_i::

    a_i = grad F . H^-1 s_i grad loss_i
        = s_i * < J_i v , dloss_i/df_i >,   v = H^-1 grad F

So a negative influence a_i means: deleting row i lowers F. (Koh & Liang 2017, eq. 2,
with the opposite sign: theirs is the effect of up-weighting.)

Per-sample gradients are never formed. All functionals share one factor of H, one
vector-Jacobian product over the evaluation rows and one Jacobian-vector product over
the training rows.

A model that is no optimum of an objective (trees that are boosted round after round)
brings the derivative of its own training: in the place of H^-1 stands an object with
``pull``, which maps grad F to all a_i, and ``push``, its transpose, which maps weights
to dtheta.
"""

import numpy as np


def row_influence(model, solve, gradients):
    """Influence of deleting each training row on functionals.

    Parameters
    ----------
    model : TrainedModel
    solve : callable, or object with `pull`
        Maps G to H^-1 G.
    gradients : ndarray of shape (n_parameters, n_functionals)
        grad F for each functional.

    Returns
    -------
    ndarray of shape (n_samples, n_functionals)
    """
    if hasattr(solve, "pull"):
        return solve.pull(gradients)
    return influence_along(model, solve(gradients))


def functional_influence(model, solve, X, statistics, combination):
    """Influences on statistics, and how functionals are combined from them.

    Parameters
    ----------
    model : TrainedModel
    solve : callable, or object with `pull`, or with `given`
        The last holds influences on the functionals themselves.
    X : evaluation rows, as the model sees them
    statistics : ndarray of shape (n_eval, n_outputs, n_statistics)
        Derivative of each by the raw predictions.
    combination : ndarray of shape (n_statistics, n_functionals)

    Returns
    -------
    ndarray of shape (n_samples, n_combined)
    ndarray of shape (n_combined, n_functionals)
    """
    if hasattr(solve, "given"):
        return solve.given(statistics @ combination), np.eye(combination.shape[1])
    # One product with the data for all statistics.
    return row_influence(model, solve, model.vjp(X, statistics)), combination


def influence_along(model, directions):
    """a_i = s_i * < J_i v, dloss_i/df_i > for each direction v = H^-1 grad F."""
    weighted = model.row_weight[:, None] * model.loss_gradient()
    products = model.jvp(model.X, directions)
    if products.shape[1] == 1:  # not einsum: ten times slower than this for one output
        return products[:, 0] * weighted
    return np.einsum("ikm,ik->im", products, weighted)


def first_order_shift(model, solve, deletion_weights):
    """Parameter change dtheta = H^-1 sum_i eps_i s_i grad loss_i, (n_parameters,)."""
    return first_order_shifts(model, solve, deletion_weights[:, None])[:, 0]


def first_order_shifts(model, solve, deletion_weights):
    """The same for each column of weights (n_samples, k): (n_parameters, k).

    Many columns cost little more than one: the data are read once.
    """
    if hasattr(solve, "push"):
        return solve.push(deletion_weights)
    weighted = model.row_weight[:, None] * model.loss_gradient()
    return solve(model.vjp(model.X, weighted[:, :, None] * deletion_weights[:, None]))
