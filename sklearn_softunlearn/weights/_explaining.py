# SPDX-License-Identifier: BSD-3-Clause
"""The smallest weights under which given parameters are the optimum of training.

With rows ``g_i = s_i grad loss_i(theta)`` and the target ``g = grad J(theta)``,
training with row i at weight ``s_i (1 - eps_i)`` ends at theta if
``sum_i eps_i g_i = g``:

    min_eps  1/2 sum_i r_i eps_i^2   s.t.   G.T eps = g,   lower <= eps <= upper

The dual has one unknown per parameter, ``eps(y) = clip(-(G y) / r, lower, upper)``, and
each evaluation is a pass over the rows. Where no weights within the bounds reach g the
dual is unbounded, and what is wanted are the weights that come nearest in the norm in
which parameters move, ``|G.T eps - g|`` in H^-1. Proximal steps find either,

    y <- argmax_y  q(y) - mu / 2 |y - y_old|_H^2

each by semismooth Newton: the multipliers of a target within reach converge, those of
one out of reach grow along the direction that proves it.

References
----------
R. T. Rockafellar, Augmented Lagrangians and applications of the proximal point
algorithm in convex programming, Math. Oper. Res. 1 (1976).
"""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy import linalg

_SUFFICIENT = 1e-4
_SHORTEST = 2.0**-30
_ROUNDING = 1e-13
# Of the curvature of the dual: so small that two proximal steps are enough.
_PROXIMAL = 1e-9
# Of a typical entry of H.
_SINGULAR = 1e-10
# Of the diagonal, one after the other, until the matrix can be factored.
_JITTERS = (0.0, 1e-14, 1e-12, 1e-10)
_MAX_PROXIMAL, _MAX_NEWTON = 20, 60
# Of what is left: a proximal step that gains less shows the target is out of reach.
_STALLED = 0.5


@dataclass(frozen=True)
class Explanation:
    """Weights, and what of the target they leave.

    Attributes
    ----------
    weights : ndarray of shape (n_samples,)
    left : float
        ``|G.T eps - g|`` relative to ``|g|``, both in the norm of H^-1: to first order
        the share of the way from the fitted parameters that no weights explain.
    n_iter : int
        Newton steps.
    """

    weights: np.ndarray
    left: float
    n_iter: int


class RowGradients:
    """The rows ``g_i``, known by their products.

    Parameters
    ----------
    model : TrainedModel
        At the parameters to explain.
    shared : ndarray of shape (n_parameters,) or None
        What each unit of row weight carries of the gradient of the penalty, for
        estimators whose penalty grows with the sum of the weights.
    kept : ndarray of shape (n_samples, n_kept) or None
        Sums ``kept.T @ eps`` that are to be zero as well. They are further columns of
        G, brought to the size of the others.
    """

    def __init__(self, model, shared=None, kept=None):
        self.model, self.shared = model, shared
        self._slopes = model.row_weight[:, None] * model.loss_gradient()
        kept = np.zeros((len(self._slopes), 0)) if kept is None else kept
        # A row of weight 2 has the size of two rows.
        root = np.sqrt(np.maximum(model.row_weight, np.finfo(float).tiny))[:, None]
        size = np.linalg.norm(self._slopes / root)
        sizes = np.linalg.norm(kept / root, axis=0)
        self._kept = kept * (size / np.maximum(sizes, 1e-300))

    @property
    def n_kept(self):
        """Number of the sums that are to be zero."""
        return self._kept.shape[1]

    def _split(self, y):
        size = len(y) - self.n_kept
        return y[:size], y[size:]

    def times(self, y):
        """G y, of shape (n_samples,)."""
        y, of_kept = self._split(y)
        products = self.model.jvp(self.model.X, y[:, None])[:, :, 0]
        found = np.sum(products * self._slopes, axis=1) + self._kept @ of_kept
        if self.shared is not None:
            found += self.model.row_weight * (self.shared @ y)
        return found

    def total(self, eps):
        """G.T eps, of shape (n_parameters,)."""
        weighted = (eps[:, None] * self._slopes)[:, :, None]
        found = self.model.vjp(self.model.X, weighted)[:, 0]
        if self.shared is not None:
            found += (self.model.row_weight @ eps) * self.shared
        return np.append(found, eps @ self._kept)

    def gram(self, scale):
        """G.T diag(scale) G, with a row for each parameter and each kept sum."""
        gram = self._gram(scale)
        if not self.n_kept:
            return gram
        weighted = scale[:, None] * self._kept
        cross = np.column_stack([self._split(self.total(w))[0] for w in weighted.T])
        return np.block([[gram, cross], [cross.T, self._kept.T @ weighted]])

    def _gram(self, scale):
        slopes = self._slopes
        outer = slopes[:, :, None] * slopes[:, None, :] * scale[:, None, None]
        gram = self.model.gram(outer)
        if self.shared is None:
            return gram
        weight = self.model.row_weight * scale
        weighted = (weight[:, None] * slopes)[:, :, None]
        cross = np.outer(self.model.vjp(self.model.X, weighted)[:, 0], self.shared)
        own = (weight @ self.model.row_weight) * np.outer(self.shared, self.shared)
        return gram + cross + cross.T + own


def explaining_weights(
    rows, cost, target, solve, hessian, *, lower, upper, moved, tol=1e-9
):
    """Solve for the weights.

    Parameters
    ----------
    rows : RowGradients
    cost : ndarray of shape (n_samples,)
        r_i > 0: what a weight costs in the norm.
    target : ndarray of shape (n_parameters,)
        grad J.
    solve : callable
        Maps V to H^-1 V.
    hessian : ndarray of shape (n_parameters, n_parameters)
        H.
    lower, upper : float or ndarray of shape (n_samples,)
    moved : ndarray of shape (n_parameters,)
        From the fitted parameters: minus this is the direction of the dual unknowns
        where row gradients vary as H says they do, as those of a likelihood.
    tol : float, default=1e-9
        Of what is left.

    Returns
    -------
    Explanation
    """
    typical = float(np.trace(hessian)) / len(hessian)
    norm = partial(_norm, solve=solve, typical=typical, n_kept=rows.n_kept)
    target = np.append(target, np.zeros(rows.n_kept))
    hessian = linalg.block_diag(hessian, typical * np.eye(rows.n_kept))
    # Collinear columns leave it singular; what moves no row moves no weight.
    hessian[np.diag_indices_from(hessian)] += _SINGULAR * typical
    dual = _Dual(rows, cost, target, lower, upper)
    size = norm(target)
    if size == 0.0:
        return Explanation(np.clip(np.zeros(len(cost)), lower, upper), 0.0, 0)
    at = dual.at(dual.along(np.append(-moved, np.zeros(rows.n_kept))))
    left, total = np.inf, 0
    for _ in range(_MAX_PROXIMAL):
        # The unknowns of a target out of reach grow without bound; steps that overflow
        # are halved.
        with np.errstate(over="ignore", invalid="ignore"):
            at, steps = _proximal_step(dual, at, hessian, tol)
        before, left = left, norm(at.gradient) / size
        total += steps
        if left <= tol or left > _STALLED * before:
            break
    return Explanation(dual.weights(at.unclipped), left, total)


def _norm(vector, *, solve, typical, n_kept):
    """In H^-1, continued by a typical entry of H to the kept sums."""
    split = len(vector) - n_kept
    own, kept = vector[:split], vector[split:]
    square = own @ solve(own[:, None])[:, 0] + kept @ kept / typical
    return float(np.sqrt(max(square, 0.0)))


class _Dual:
    """The dual function ``q`` and its derivatives."""

    def __init__(self, rows, cost, target, lower, upper):
        self.rows, self.cost, self.target = rows, cost, target
        self.lower, self.upper = lower, upper
        self._free = np.zeros(len(cost), dtype=bool)
        self._gram = np.zeros((len(target), len(target)))

    def along(self, direction):
        """The multiple of a direction that is best without bounds."""
        weights = self.unclipped(direction)
        size = float(self.cost @ weights**2)
        return direction * (-(direction @ self.target) / size if size > 0.0 else 0.0)

    def unclipped(self, y):
        return -self.rows.times(y) / self.cost

    def weights(self, unclipped):
        return np.clip(unclipped, self.lower, self.upper)

    def value(self, place):
        eps, unclipped = self.weights(place.unclipped), place.unclipped
        return float(
            np.sum(self.cost * eps * (0.5 * eps - unclipped)) - place.y @ self.target
        )

    def gradient(self, unclipped):
        return self.rows.total(self.weights(unclipped)) - self.target

    def at(self, y):
        return _Place(self, y, self.unclipped(y))

    def curvature(self, unclipped):
        """Minus the Hessian: the gram matrix of the rows between their bounds.

        Only rows that have changed sides are counted anew.
        """
        free = (unclipped >= self.lower) & (unclipped <= self.upper)
        entered, left = free & ~self._free, self._free & ~free
        if np.any(entered):
            self._gram = self._gram + self.rows.gram(entered / self.cost)
        if np.any(left):
            self._gram = self._gram - self.rows.gram(left / self.cost)
        self._free = free
        return self._gram


@dataclass(frozen=True)
class _Place:
    """Dual unknowns, weights before they are clipped, and the gradient there."""

    dual: _Dual
    y: np.ndarray
    unclipped: np.ndarray

    def moved(self, step, change):
        """A step further, where ``change`` is what it does to the weights.

        Not anew from all of y, which is huge where the target is out of reach: its
        rounding would be that of the weights.
        """
        return _Place(self.dual, self.y + step, self.unclipped + change)

    @cached_property
    def gradient(self):
        return self.dual.gradient(self.unclipped)


def _proximal_step(dual, centre, hessian, tol):
    """Maximum of the proximal dual, a `_Place`, and the Newton steps to it."""
    at, curvature = centre, dual.curvature(centre.unclipped)
    # Where no row is free, as if row gradients varied as H says.
    mu = _PROXIMAL * (np.trace(curvature) / np.trace(hessian) or 1.0)
    enough = tol * np.max(np.abs(dual.target))

    def value(place):
        away = place.y - centre.y
        return dual.value(place) - 0.5 * mu * float(away @ hessian @ away)

    for step in range(_MAX_NEWTON):
        gradient = at.gradient - mu * (hessian @ (at.y - centre.y))
        if np.max(np.abs(gradient)) <= enough:
            break
        if step:
            curvature = dual.curvature(at.unclipped)
        direction = _solved(curvature + mu * hessian, gradient)
        new = _line_search(dual, at, direction, gradient, value)
        if new is None:
            break
        at = new
    return at, step


def _solved(matrix, vector):
    """Of a positive definite matrix; by its diagonal if rounding made it none."""
    size = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    scaled = matrix / np.outer(size, size)
    for jitter in _JITTERS:
        scaled[np.diag_indices_from(scaled)] += jitter
        try:
            factor = linalg.cho_factor(scaled, lower=True)
        except linalg.LinAlgError:
            continue
        return linalg.cho_solve(factor, vector / size) / size
    return vector / size**2


def _line_search(dual, at, direction, gradient, value):
    """The step, halved until the proximal dual rises enough; None if it never does."""
    change = dual.unclipped(direction)
    here, promised = value(at), _SUFFICIENT * float(gradient @ direction)
    least = here - _ROUNDING * abs(here)
    length = 1.0
    while length > _SHORTEST:
        new = at.moved(length * direction, length * change)
        if value(new) >= least + length * promised:
            return new
        length *= 0.5
    return None
