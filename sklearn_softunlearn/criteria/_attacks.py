# SPDX-License-Identifier: BSD-3-Clause
"""Perturbations of features that raise the loss of a model, by its gradient.

The model comes as functions of features X of shape (n_samples, ...):

- ``loss(X)`` gives the loss of each row, (n_samples,), and its gradient by X, of the
  shape of X;
- ``margin(X)`` gives the difference between the raw predictions of the two classes,
  positive for class 1, and its gradient.
"""

import numpy as np


def one_step(loss, X, *, epsilon, norm, bounds):
    """Move each row by epsilon along the steepest ascent of its loss.

    For the norm "linf" the fast gradient sign method (Goodfellow et al. 2015). Where
    the prediction is linear in X with one output, it is the exact worst case, with
    bounds for "linf" only.
    """
    _, gradient = loss(X)
    return _clipped(X + epsilon * steepest(gradient, norm), X, bounds)


def projected_ascent(loss, X, *, epsilon, norm, bounds, n_steps, step_size):
    """Gradient ascent within the ball (Madry et al. 2018), the worst iterate of each.

    The start is X itself, without a random step, so that the result is reproducible.
    """
    step = 2.5 * epsilon / n_steps if step_size is None else step_size
    current, (value, gradient) = X, loss(X)
    worst, worst_value = X, value
    for _ in range(n_steps):
        moved = current + step * steepest(gradient, norm)
        inside = X + limited(moved - X, epsilon, norm)
        current = _clipped(inside, X, bounds)
        value, gradient = loss(current)
        higher = value > worst_value
        worst = np.where(_as_column(higher, X), current, worst)
        worst_value = np.where(higher, value, worst_value)
    return worst


def boundary_step(margin, X, *, epsilon, norm, bounds, overshoot):
    """Cross the linearised decision boundary by the shortest way, and overshoot.

    One step of DeepFool (Moosavi-Dezfooli et al. 2016): for a margin f with gradient g
    the step is ``-overshoot * f / |g|_dual`` in the direction of steepest ascent.
    """
    value, gradient = margin(X)
    ascent = steepest(gradient, norm)
    slope = np.sum((gradient * ascent).reshape(len(X), -1), axis=1)
    length = np.divide(value, slope, out=np.zeros(len(X)), where=slope > 0)
    step = -overshoot * _as_column(length, X) * ascent
    if epsilon is not None:
        step = limited(step, epsilon, norm)
    return _clipped(X + step, X, bounds)


def steepest(gradient, norm):
    """Direction of unit norm along which a gradient ascends most; 0 where it is 0."""
    if norm == "linf":
        return np.sign(gradient)
    length = _as_column(_length(gradient), gradient)
    return np.divide(gradient, length, out=np.zeros_like(gradient), where=length > 0)


def limited(step, epsilon, norm):
    """The nearest step (for the norm) that is no longer than epsilon."""
    if norm == "linf":
        return np.clip(step, -epsilon, epsilon)
    length = _as_column(_length(step), step)
    return step * (epsilon / np.maximum(length, epsilon))


def _length(rows):
    # In units of the largest entry: squares of small values underflow.
    flat = rows.reshape(len(rows), -1)
    largest = np.max(np.abs(flat), axis=1, initial=0.0)
    normal = largest >= np.finfo(largest.dtype).tiny
    unit = np.divide(1.0, largest, out=np.zeros_like(largest), where=normal)
    return largest * np.linalg.norm(flat * unit[:, None], axis=1)


def _as_column(values, X):
    return np.reshape(values, (len(X), *[1] * (X.ndim - 1)))


def _clipped(moved, X, bounds):
    """Within the bounds; a row that lies outside is not pulled in, nor moved out."""
    if bounds is not None:
        low, high = bounds
        moved = np.clip(moved, np.minimum(low, X), np.maximum(high, X))
    return moved.astype(X.dtype, copy=False)
