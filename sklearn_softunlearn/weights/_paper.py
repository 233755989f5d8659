# SPDX-License-Identifier: BSD-3-Clause
"""Weights from influences in one call: the paper's problem, and any quadratic cost."""

import numpy as np
from numpy.typing import ArrayLike

from sklearn_softunlearn.exceptions import (
    InfeasibleDeltaError,
    InfeasibleDeltaWarning,
    warn,
)
from sklearn_softunlearn.weights import _validation as check
from sklearn_softunlearn.weights._problem import WeightProblem
from sklearn_softunlearn.weights._solution import WeightSolution


def solve_weights(
    metric_influence: ArrayLike,
    utility_influence: ArrayLike | None = None,
    *,
    delta: ArrayLike,
    utility_tol: float = 0.0,
    regularization: float = 1.0,
    min_weight: float = 0.0,
    max_weight: float = 1.0,
    norm_weight: ArrayLike | None = None,
    on_infeasible: str = "warn",
) -> WeightSolution:
    """Smallest deletion weights that improve a metric and keep the utility.

    With a the influence of deleting each row on the metric and u that on the utility
    loss, negative where deletion lowers it, the weights solve::

        min_eps  a.eps + lambda * |eps|^2
        s.t.     a.eps <= -delta,   u.eps <= utility_tol,
                 min_weight <= eps <= max_weight

    Parameters
    ----------
    metric_influence : array-like of shape (n_samples,) or (n_samples, n_metrics)
        Influences on the metric, or on several that must all improve.
    utility_influence : array-like of shape (n_samples,) or (n_samples, n_utilities), \
default=None
        Influences on the functionals to protect.
    delta : float or array-like of shape (n_metrics,)
        Required improvement, >= 0, in the units of the influences.
    utility_tol : float or array-like of shape (n_utilities,), default=0.0
        How much each utility loss may rise, in the units of the influences.
    regularization : float, default=1.0
        lambda in units of the threshold above which the weights no longer depend on
        it: 1.0 gives the smallest weights that reach delta, smaller values trade
        larger weights for more improvement than asked. See `WeightProblem.solve`.
    min_weight, max_weight : float or array-like of shape (n_samples,), default=0 and 1
        Bounds of the weights, possibly infinite.
    norm_weight : array-like of shape (n_samples,), default=None
        Cost of each weight in ``|eps|^2``, such as user sample weights.
    on_infeasible : {"warn", "raise"}, default="warn"
        What to do if no weights reach delta.

    Returns
    -------
    WeightSolution
        Its ``delta_max`` is the largest attainable ``max(delta)``, with all entries of
        delta in the same proportion.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, is empty, or is not finite.
    InfeasibleDeltaError
        If delta is out of reach and ``on_infeasible="raise"``.

    Warns
    -----
    InfeasibleDeltaWarning
        If delta is out of reach; the weights then reach the largest attainable one.

    References
    ----------
    "Beyond Binary Erasure: Soft-Weighted Unlearning for Fairness and Robustness",
    AAAI 2026, doi:10.1609/aaai.v40i29.39681; preprint "Soft Weighted Machine
    Unlearning", arXiv:2505.18783.

    Examples
    --------
    >>> from sklearn_softunlearn.weights import solve_weights
    >>> solution = solve_weights([-3.0, -2.0, 1.0], [1.0, -1.0, 0.0], delta=2.0)
    >>> solution.weights
    array([0.4, 0.4, 0. ])
    >>> solution.delta_max
    5.0
    """
    if on_infeasible not in ("warn", "raise"):
        raise ValueError(
            f"on_infeasible must be 'warn' or 'raise', got {on_infeasible!r}."
        )
    metric = check.columns(metric_influence, "metric_influence")
    requested = check.finite_vector(delta, "delta", metric.shape[1], nonnegative=True)
    utility, tolerance = _protected(utility_influence, utility_tol, len(metric))
    largest = float(np.max(requested))
    limits = ("min_weight", "max_weight")
    check.box(min_weight, max_weight, len(metric), limits)  # by the names given here
    problem = WeightProblem(
        np.column_stack([metric, utility]),
        np.concatenate([np.zeros(metric.shape[1]), tolerance]),
        np.concatenate(
            [
                requested / largest if largest > 0.0 else np.ones_like(requested),
                np.zeros(len(tolerance)),
            ]
        ),
        lower=min_weight,
        upper=max_weight,
        norm_weight=norm_weight,
    )
    solution = problem.solve(largest, regularization=regularization)
    if solution.status == "infeasible":
        _report_infeasible(largest, solution.delta_max, on_infeasible)
    return solution


def solve_weight_qp(
    cost: ArrayLike,
    constraints: ArrayLike,
    bounds: ArrayLike,
    *,
    penalty: float,
    lower: ArrayLike = 0.0,
    upper: ArrayLike = 1.0,
    norm_weight: ArrayLike | None = None,
) -> WeightSolution:
    """Weights of least cost within linear constraints and bounds.

    ::

        min_eps  cost.eps + penalty * sum_i norm_weight_i * eps_i^2
        s.t.     constraints.T @ eps <= bounds,   lower <= eps <= upper

    Parameters
    ----------
    cost : array-like of shape (n_samples,)
    constraints : array-like of shape (n_samples, n_constraints)
    bounds : float or array-like of shape (n_constraints,)
    penalty : float
        >= 0, in the units of the cost. At 0 the smallest solution of the linear
        programme.
    lower, upper : float or array-like of shape (n_samples,), default=0.0 and 1.0
        Possibly infinite.
    norm_weight : array-like of shape (n_samples,), default=None
        1 by default.

    Returns
    -------
    WeightSolution
        Of status "infeasible" if no weights satisfy the constraints: then the weights
        of least violation.

    Examples
    --------
    >>> from sklearn_softunlearn.weights import solve_weight_qp
    >>> solve_weight_qp([-1.0, -1.0], [[1.0], [2.0]], 1.0, penalty=0.5).weights
    array([0.6, 0.2])
    """
    problem = WeightProblem(
        constraints, bounds, 0.0, lower=lower, upper=upper, norm_weight=norm_weight
    )
    return problem.minimise(cost, penalty=penalty)


def _protected(influence, tolerance, n_samples):
    if influence is None:
        return np.empty((n_samples, 0)), np.empty(0)
    influence = check.columns(influence, "utility_influence", n_samples)
    return influence, check.finite_vector(tolerance, "utility_tol", influence.shape[1])


def _report_infeasible(delta, delta_max, on_infeasible):
    if delta_max == -np.inf:
        message = (
            "No weights satisfy the constraints for any delta: utility_tol asks for "
            "more than the weights can do within their bounds. The weights of least "
            "violation are the answer."
        )
    else:
        message = (
            f"delta={delta:.6g} is out of reach: the largest attainable improvement "
            f"is {delta_max:.6g}. (a) Lower delta; (b) raise utility_tol; (c) raise "
            "max_weight."
        )
    if on_infeasible == "raise":
        raise InfeasibleDeltaError(message)
    warn(message, InfeasibleDeltaWarning)
