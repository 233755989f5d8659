# SPDX-License-Identifier: BSD-3-Clause
"""The three stages solved to the end: least loss, and the weights that explain it."""

from copy import copy
from functools import cached_property

import numpy as np
from scipy import linalg

from sklearn_softunlearn.corrector.inputs._parameters import resolve_weighting
from sklearn_softunlearn.corrector.stages._exact_weights import solve_exactly
from sklearn_softunlearn.criteria import CriterionList
from sklearn_softunlearn.influence import (
    MAX_DENSE_PARAMETERS,
    Cholesky,
    check_dense,
    dense_hessian,
)
from sklearn_softunlearn.updates import (
    Inverse,
    Point,
    least_loss,
)
from sklearn_softunlearn.weights import (
    ExactDeletion,
    RowGradients,
    explaining_weights,
)

# Of the metric: by how much a target may be missed.
_MISSED = 1e-4
# Of the trace of H: added where it cannot be factored.
_SINGULAR = 1e-8
# Halvings of a request that is out of reach.
_HALVINGS = 10
# Of the spread of raw predictions: steps of the differences of gradients.
_DIFFERENCE = 1e-4


def exact_options(corrector, state):
    """The `ExactDeletion` that a corrector asks for, None if it asks for another.

    Raises
    ------
    ValueError
        If exact weights are asked for and the model does not have them.
    """
    model, asked = state.model, resolve_weighting(corrector.weighting)
    small = model.parameters.size <= MAX_DENSE_PARAMETERS
    if getattr(state.curvature, "first_order_only", False):
        if corrector.weighting in ("auto", "soft"):
            return None
        raise ValueError(
            f"weighting={corrector.weighting!r} computes weights from the model and "
            "would not look at the influences that curvature= holds. Use "
            "weighting='soft'."
        )
    if corrector.weighting == "auto" and corrector.update == "auto":
        # Of joint leaf values soft weights cost less on held-out rows, and seconds.
        optimum = model.convex and small and not model.retraced
        known = optimum or not model.minimises_objective
        return ExactDeletion() if known else None
    if not isinstance(asked, ExactDeletion):
        return None
    if model.retraced:
        return asked
    if not model.convex:
        raise ValueError(
            f"weighting={corrector.weighting!r} needs a training problem that is "
            "convex in the corrected parameters. That of all layers of a net is not "
            "(use layer='last'). Or use weighting='soft'."
        )
    check_dense(
        model.parameters.size,
        f"weighting={corrector.weighting!r}",
        "Use weighting='soft'.",
    )
    return asked


class ExactProblem:
    """Training under limits on the metric, for any request.

    Parameters
    ----------
    state : Linearization
    sample_weight : ndarray of shape (n_samples,)
        Of the user, for the training rows.
    utility_tol : float or None
        How much each functional of the utility may rise, relative to its value; None
        for as little as possible, which is what least loss means.
    """

    def __init__(self, state, sample_weight, utility_tol):
        self.state, self.utility_tol = state, utility_tol
        self.model, self.row_weight = state.model, state.model.row_weight
        self.least = self.model.objective(self.row_weight)
        self.cost = np.where(sample_weight > 0.0, sample_weight, 1.0)
        criteria = [state.metric.criterion]
        if utility_tol is not None:
            criteria.append(state.utility.criterion)
        self.criterion = CriterionList(criteria)
        self._measured = (None, None, None)

    @cached_property
    def hessian(self):
        """H at the fitted parameters."""
        return dense_hessian(self.model, self.model.loss_curvature(self.row_weight))

    @cached_property
    def solve(self):
        """Function that maps V to H^-1 V."""
        given = self.model is self.state.model
        if given and isinstance(self.state.curvature, Cholesky):
            return self.state.solve
        return Cholesky().factorize(self.model, self.row_weight)

    def on_face(self, signs, theta):
        """The same problem where coefficients under an l1 penalty have these signs."""
        moved = copy(self)
        for known in ("hessian", "solve"):
            vars(moved).pop(known, None)
        held = (self.model.l1_strength() > 0.0) & (signs == 0.0)
        theta = np.where(held, 0.0, theta)
        moved.model = self.model.with_signs(signs).at(theta)
        moved._measured = (None, None, None)
        return moved

    def lagrangian_gradient(self, model, found):
        """Gradient of the loss and the limited statistics by all of a model's moves."""
        raw = model.raw_prediction(self.state.X)
        inner, outer = self.criterion.statistics_factors(raw, self.state.rows)
        limits = found.limits.A.T @ found.multipliers
        of_metric = model.vjp(self.state.X, inner) @ (outer @ limits)
        return model.loss_parameter_gradient(self.row_weight) + of_metric

    def meet(self, options, delta, bounds):
        """Weights and parameters for a request, see `solve_exactly`."""
        return solve_exactly(self, options, delta, bounds)

    def limits(self, delta):
        """What a request asks of the statistics."""
        targets = [self.state.targets(delta)]
        if self.utility_tol is not None:
            targets.append(self.state.kept_utility(self.utility_tol))
        return self.criterion.limits(np.concatenate(targets), self.state.rows)

    def start(self, limits):
        """The fitted parameters, with levels in the middle of what they tie."""
        objective, statistics = self.measure(self.model.parameters)
        gap = limits.b - limits.A @ statistics
        levels = np.linalg.lstsq(limits.B, gap, rcond=None)[0]
        return Point(self.model.parameters, levels, objective, statistics)

    def measure(self, theta):
        """J and the statistics."""
        model = self.model.at(theta)
        X = self.state.X
        raw = model.fitted_raw_prediction if X is model.X else model.raw_prediction(X)
        self._measured = theta, model, raw
        statistics = self.criterion.statistics(raw, self.state.rows)
        return model.objective(self.row_weight), statistics

    def differentiate(self, theta):
        """Gradient of J and jacobian of the statistics."""
        model, raw = self._at(theta)
        inner, outer = self.criterion.statistics_factors(raw, self.state.rows)
        if self.state.X is not model.X:
            jacobian = model.vjp(self.state.X, inner) @ outer
            return model.objective_gradient(self.row_weight), jacobian
        # One pass for both.
        own = self.row_weight[:, None] * model.loss_gradient()
        both = model.vjp(model.X, np.concatenate([own[:, :, None], inner], axis=2))
        return both[:, 0] + model.penalty_gradient(), both[:, 1:] @ outer

    def factorize(self, theta, combination):
        """What solves with the Hessian of J plus a combination of the statistics.

        Of the latter only as much as leaves the sum positive definite.
        """
        model, raw = self._at(theta)
        of_loss = model.loss_curvature(self.row_weight)
        of_metric = self._curvature(raw, combination)
        for share in (1.0, 0.5, 0.25, 0.0):
            hessian = self._lagrangian_hessian(model, of_loss, share * of_metric)
            try:
                factor = linalg.cho_factor(hessian, lower=True)
            except linalg.LinAlgError:
                continue
            return lambda columns: linalg.cho_solve(factor, columns)
        # Singular even so, by rounding.
        hessian[np.diag_indices_from(hessian)] += _SINGULAR * np.trace(hessian)
        factor = linalg.cho_factor(hessian, lower=True)
        return lambda columns: linalg.cho_solve(factor, columns)

    def _lagrangian_hessian(self, model, of_loss, of_metric):
        if self.state.X is model.X:
            return dense_hessian(model, of_loss + of_metric)
        on_evaluation = copy(model)
        on_evaluation.X = self.state.X
        return dense_hessian(model, of_loss) + on_evaluation.gram(of_metric)

    def _curvature(self, raw, combination):
        """Second derivative of a combination of the statistics, row by row.

        By differences of the gradient with all rows moved alike: exact for means over
        rows, and of functions of means what one row does to itself.
        """

        def gradient(raw):
            inner, outer = self.criterion.statistics_factors(raw, self.state.rows)
            return inner @ (outer @ combination)

        n_outputs = raw.shape[1]
        step = _DIFFERENCE * max(float(np.std(raw)), 1e-8)
        columns = [
            (gradient(raw + step * unit) - gradient(raw - step * unit)) / (2.0 * step)
            for unit in np.eye(n_outputs)
        ]
        curvature = np.stack(columns, axis=2)
        return 0.5 * (curvature + np.swapaxes(curvature, 1, 2))

    def _at(self, theta):
        if self._measured[0] is not theta:
            self.measure(theta)
        return self._measured[1:]

    def parameters(self, delta, *, tol, max_iter):
        """Parameters of least loss for a request, and the largest within reach.

        From the fitted parameters; through smaller requests only where that fails.

        Returns
        -------
        LeastLoss, float
        """
        options = {"size": self.state.metric_value, "tol": tol, "max_iter": max_iter}

        def solve(request, nearby=None):
            limits = self.limits(request)
            if nearby is None:
                start, inverse = self.start(limits), Inverse(self.solve)
            else:
                start, inverse = nearby.point, nearby.inverse
            return least_loss(self, inverse, limits, start, **options)

        found = solve(delta)
        if self._is_met(found):
            return found, delta
        return self._nearest(solve, delta, found)

    def _is_met(self, found):
        # At the edge of what is within reach a search may come near, where it has run
        # off to no good: what it did not settle is not met.
        return found.converged and found.excess <= _MISSED * self.state.metric_value

    def _nearest(self, solve, delta, found):
        """The largest request that is met, followed upwards from smaller ones."""
        best, low, high = found, 0.0, delta
        nearby = None
        for _ in range(_HALVINGS):
            request = 0.5 * (low + high)
            tried = solve(request, nearby)
            if not self._is_met(tried):
                high = request
                continue
            best, low, nearby = tried, request, tried
            if high == delta:
                whole = solve(delta, nearby)
                if self._is_met(whole):
                    return whole, delta
        return best, low

    def explained(self, theta, lower, upper):
        """The smallest weights under which parameters are the optimum of training."""
        model = self.model.at(theta)
        target = model.objective_gradient(self.row_weight)
        rows = RowGradients(model, model.shared_penalty_gradient(), model.kept_sums())
        return explaining_weights(
            rows,
            self.cost,
            target,
            self.solve,
            self.hessian,
            lower=lower,
            upper=upper,
            moved=theta - self.state.model.parameters,
        )
