# SPDX-License-Identifier: BSD-3-Clause
"""Hardness-aware steps: one objective as asked, at the least cost of the other.

Notation: q is the direction that improves the forget objective (improvement <q, d>),
g the gradient of the retain objective (cost <g, d>).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_softunlearn.influence import largest_curvature
from sklearn_softunlearn.updates._checks import (
    check_count,
    check_positive,
    check_within,
)
from sklearn_softunlearn.updates._problem import UpdateProblem, UpdateResult
from sklearn_softunlearn.updates._walk import Walk


@dataclass(frozen=True)
class ConstrainedStep:
    """Solution of the problem of one step.

    Attributes
    ----------
    direction : ndarray of shape (n_parameters,)
    branch : {"direct", "rectified", "infeasible"}
    """

    direction: np.ndarray
    branch: str


def constrained_step(cost, improvement, required, radius):
    """Cheapest step that brings a required improvement, in closed form.

    Solves::

        min_d <cost, d>   s.t.   <improvement, d> >= required,   |d| <= radius

    - *direct*: steepest descent, ``-radius * cost / |cost|``, improves enough;
    - *rectified*: it does not, and the requirement holds with equality. The step is
      ``required / |improvement|`` along the improvement and the rest of the radius
      along the part of ``-cost`` that is orthogonal to it;
    - *infeasible*: even ``radius * improvement / |improvement|`` falls short, which
      is then returned. (The implementation that the authors of HAMU released returns
      ``required * improvement / |improvement|^2`` here, which is longer than the
      radius; its other branches agree with these.)

    Parameters
    ----------
    cost, improvement : ndarray of shape (n_parameters,)
    required : float
    radius : float > 0

    Returns
    -------
    ConstrainedStep

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.updates import constrained_step
    >>> step = constrained_step(np.array([1.0, 0.0]), np.array([1.0, 1.0]), 0.5, 1.0)
    >>> step.branch, step.direction.round(3)
    ('rectified', array([-0.411,  0.911]))
    """
    length = np.linalg.norm(improvement)
    if required > radius * length:
        unit = improvement / length if length > 0 else improvement
        return ConstrainedStep(radius * unit, "infeasible")
    size = np.linalg.norm(cost)
    direct = -radius * cost / size if size > 0 else np.zeros_like(cost)
    if improvement @ direct >= required:
        return ConstrainedStep(direct, "direct")
    unit = improvement / length
    along = required / length
    across = -(cost - (cost @ unit) * unit)
    width = np.linalg.norm(across)
    # Parallel gradients leave nothing across, up to rounding.
    if width > 1e-14 * size:
        rest = np.sqrt(max(radius**2 - along**2, 0.0)) * across / width
    else:
        rest = np.zeros_like(cost)
    return ConstrainedStep(along * unit + rest, "rectified")


def hardness(cost, improvement):
    """Angle between the improvement and the descent of the cost, in [0, pi].

    Below pi / 2 one step can improve both objectives; at pi every improvement of the
    one is paid in full by the other. 0 where a gradient vanishes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.updates import hardness
    >>> hardness(np.array([0.0, 2.0]), np.array([3.0, 0.0])) == np.pi / 2
    True
    """
    lengths = np.linalg.norm(cost) * np.linalg.norm(improvement)
    if lengths == 0.0:
        return 0.0
    return float(np.arccos(np.clip(-(cost @ improvement) / lengths, -1.0, 1.0)))


class HAMU(BaseEstimator):
    """Hardness-aware multi-objective unlearning.

    Each step solves, in closed form (`constrained_step`), with g the gradient of the
    retain objective and q the direction that improves the forget objective::

        variant "Q":   min_d  <g, d>   s.t.  <q, d> >= B,   |d| <= R
        variant "U":   max_d  <q, d>   s.t. -<g, d> >= B,   |d| <= R

    "Q" guarantees the quality of forgetting and spends as little retain utility as
    possible; "U" guarantees the utility and forgets as much as possible. The forget
    objective is the loss weighted with s_i eps_i, to be raised, or the metric itself,
    to be lowered; soft weights are the weights of the rows in both objectives. A step
    costs two passes over the training rows.

    Parameters
    ----------
    variant : {"Q", "U"}, default="Q"
        What is guaranteed, see above.
    objective : {"metric", "loss"}, default="metric"
        Forget objective: the metric on the evaluation rows, or the weighted loss.
    required : float in [0, 1], default=0.5
        B, as a fraction of what a step of length R can improve at most.
    radius : float, default=0.02
        R, relative to the length of the fitted parameters. Not used with
        ``learning_rate``.
    per_layer : bool, default=False
        Solve the problem for each layer on its own instead of for all parameters.
    stop_when_unavoidable : bool or "angle", default=False
        True stops before the first step that raises the retain objective to first
        order: from there on every improvement is paid for. "angle" is the criterion of
        the released implementation, ``B > R |q| sin(g, q)`` (for "U" with g and q
        exchanged). The two are the same where the gradients conflict; where they
        agree, "angle" may stop at a step that costs nothing.
    max_iter : int, default=100
        Largest number of steps.
    max_loss_increase : float, default=0.5
        Stop, with a warning, before the objective of the retained rows rises by more
        than this fraction of its value at the start.
    learning_rate : float, default=None
        If given, R is that of a gradient step, as in the released implementation:
        ``learning_rate / L`` times the length of the gradient of the objective that is
        not guaranteed (g for "Q", q for "U"), L being the largest curvature of the
        training objective.

    Notes
    -----
    The steps end at the value of the metric that was asked for; the last one is
    shortened to end there. Where it is not reached, the step with the lowest metric is
    kept. ``update_result_.history`` has, for each step, "hardness" (see `hardness`),
    "retain_cost" (<g, d>), "branch" (of the last layer), "metric" and
    "retain_objective".

    References
    ----------
    .. [1] Chen et al., "How Hard Can It Be? Hardness-Aware Multi-Objective
       Unlearning", ICML 2026. The problem of a step is theirs, and its solution equals
       that of their implementation; the units of radius and requirement are ours.

    Examples
    --------
    >>> from sklearn_softunlearn import HAMU, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=HAMU(), delta=0.5)
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.update_result_.status
    'target reached'
    """

    def __init__(
        self,
        variant: str = "Q",
        objective: str = "metric",
        required: float = 0.5,
        radius: float = 0.02,
        per_layer: bool = False,
        stop_when_unavoidable: bool | str = False,
        max_iter: int = 100,
        max_loss_increase: float = 0.5,
        learning_rate: float | None = None,
    ) -> None:
        self.variant = variant
        self.objective = objective
        self.required = required
        self.radius = radius
        self.per_layer = per_layer
        self.stop_when_unavoidable = stop_when_unavoidable
        self.max_iter = max_iter
        self.max_loss_increase = max_loss_increase
        self.learning_rate = learning_rate

    def update(self, problem: UpdateProblem) -> UpdateResult:
        """Result of the steps, an `UpdateResult`."""
        self._check()
        walk = Walk(
            problem,
            problem.model.parameters,
            stop_at_target=True,
            max_loss_increase=self.max_loss_increase,
        )
        radius = self._radius_rule(problem.model)
        history: dict[str, list[Any]] = {
            "hardness": [],
            "retain_cost": [],
            "branch": [],
        }
        while walk.status is None and len(history["branch"]) < self.max_iter:
            self._take_step(problem, walk, radius, history)
        return walk.result(**history)

    def _take_step(self, problem, walk, radius, history):
        theta = walk.theta
        cost = problem.retain_gradient(theta)
        improvement = self._improvement(problem, theta)
        if not np.any(improvement):
            walk.status = "stationary"
            return
        length = radius(cost, improvement)
        step, branch = self._step(problem.model, cost, improvement, length)
        if self._unavoidable(cost, improvement, step):
            walk.status = "retain cost unavoidable"
        elif walk.step_to(theta + step):
            history["hardness"].append(hardness(cost, improvement))
            history["retain_cost"].append(cost @ (walk.theta - theta))
            history["branch"].append(branch)

    def _radius_rule(self, model):
        """R as a function of the two gradients."""
        if self.learning_rate is None:
            fixed = self.radius * np.linalg.norm(model.parameters)
            return lambda cost, improvement: fixed
        rate = self.learning_rate / largest_curvature(model, model.row_weight)
        cost_is_free = self.variant == "Q"
        return lambda cost, improvement: (
            rate * np.linalg.norm(cost if cost_is_free else improvement)
        )

    def _unavoidable(self, cost, improvement, step):
        if self.stop_when_unavoidable == "angle":
            # B is the fraction `required` of R times the length of a gradient.
            return self.required > np.sin(hardness(cost, improvement))
        return self.stop_when_unavoidable and cost @ step > 0.0

    def _check(self):
        if self.variant not in ("Q", "U"):
            raise ValueError(f"variant={self.variant!r} must be 'Q' or 'U'.")
        if self.objective not in ("loss", "metric"):
            raise ValueError(
                f"objective={self.objective!r} must be 'loss' or 'metric'."
            )
        if self.stop_when_unavoidable not in (False, True, "angle"):
            raise ValueError(
                f"stop_when_unavoidable={self.stop_when_unavoidable!r} must be a bool "
                "or 'angle'."
            )
        if self.learning_rate is not None:
            check_positive(self, "learning_rate")
        check_within(self, "required", most=1)
        check_positive(self, "radius")
        check_count(self, "max_iter")
        check_within(self, "max_loss_increase")

    def _improvement(self, problem, theta):
        if self.objective == "loss":
            return problem.forget_gradient(theta)
        return -problem.metric_gradient(theta)

    def _step(self, model, cost, improvement, radius):
        layers = model.layers if self.per_layer else [slice(None)]
        step, branch = np.zeros_like(cost), "direct"
        share = radius / np.sqrt(len(layers))  # so that |d| <= R over all layers
        for layer in layers:
            solved = self._solve(cost[layer], improvement[layer], share)
            step[layer], branch = solved.direction, solved.branch
        return step, branch

    def _solve(self, cost, improvement, radius):
        if self.variant == "Q":
            required = self.required * radius * np.linalg.norm(improvement)
            return constrained_step(cost, improvement, required, radius)
        required = self.required * radius * np.linalg.norm(cost)
        return constrained_step(-improvement, -cost, required, radius)
