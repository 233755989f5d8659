# SPDX-License-Identifier: BSD-3-Clause
"""Retraining with row weights, which skorch's own `fit` does not take."""

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from sklearn_softunlearn.exceptions import warn

_MAX_STEPS = 200
_RELATIVE_GRADIENT = 1e-7


def minimize_objective(model, row_weight):
    """Minimise J with these row weights from the fitted parameters.

    Trust-region Newton steps on the whole data with the Gauss-Newton matrix:
    deterministic, in contrast to the optimizer that the net was trained with.

    Warns
    -----
    ConvergenceWarning
        If the gradient is not small after 200 steps.
    """
    total = max(float(np.sum(row_weight)), np.finfo(float).tiny)
    curved = _Curvature(model, row_weight)
    scale = np.abs(model.loss_gradient() * row_weight[:, None]).sum() / total
    result = minimize(
        lambda theta: model.objective(row_weight, theta) / total,
        model.parameters,
        jac=lambda theta: model.objective_gradient(row_weight, theta) / total,
        hessp=lambda theta, step: curved.product(theta, step) / total,
        method="trust-ncg",
        options={"maxiter": _MAX_STEPS, "gtol": _RELATIVE_GRADIENT * scale},
    )
    if not result.success and np.linalg.norm(result.jac) > 1e-4 * scale:
        warn(
            f"Retraining stopped after {result.nit} steps with a gradient of norm "
            f"{np.linalg.norm(result.jac):.3g} (mean loss): {result.message}",
            ConvergenceWarning,
        )
    return result.x


class _Curvature:
    """Gauss-Newton products, with the curvature of the loss kept between calls."""

    def __init__(self, model, row_weight):
        self._model = model
        self._row_weight = row_weight
        self._at = None

    def product(self, theta, step):
        if self._at is None or not np.array_equal(theta, self._at):
            self._at = theta.copy()
            self._moved = self._model.at(self._at)
            self._loss = self._moved.loss_curvature(self._row_weight)
        raw = self._moved.jvp(self._moved.X, step[:, None])
        back = self._moved.vjp(self._moved.X, self._loss @ raw)[:, 0]
        return back + self._model.penalty_curvature() * step
