# SPDX-License-Identifier: BSD-3-Clause
"""Steps along the influence direction."""

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_softunlearn.updates._checks import check_count, check_within
from sklearn_softunlearn.updates._problem import UpdateProblem, UpdateResult


class InfluenceUpdate(BaseEstimator):
    """Step with the curvature of the original objective (Koh & Liang 2017).

    With deletion weights eps and H at the fitted parameters::

        theta' = theta + H^-1 sum_i eps_i * s_i * grad loss_i(theta)

    This is exactly the linearisation that the weights were chosen with. The step
    costs one vector-Jacobian product with the training rows.

    What the metric then is differs from the request in second order. With
    ``max_iter > 1`` the influences, the weights and the step are computed again at the
    new parameters, for what is still missing, until the metric has the value that was
    asked for. Each further step costs as much as the whole correction.

    Parameters
    ----------
    max_iter : int, default=1
        Largest number of steps.
    tol : float, default=1e-3
        Stop when the metric is above its target by no more than this fraction of the
        target's distance from the start.

    Examples
    --------
    >>> from sklearn_softunlearn import InfluenceUpdate, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=InfluenceUpdate(max_iter=5))
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> line = corrector.report_["demographic_parity_difference", "surrogate"]
    >>> round(line.after / line.before, 3)
    0.5
    """

    # Where training minimises no objective, it has a meaning all the same.
    needs_objective = False

    def __init__(self, max_iter=1, tol=1e-3):
        self.max_iter = max_iter
        self.tol = tol

    def update(self, problem: UpdateProblem) -> UpdateResult:
        """Result of the steps, an `UpdateResult`."""
        check_count(self, "max_iter")
        check_within(self, "tol")
        theta = problem.model.parameters + problem.shift
        weights = problem.deletion_weights
        if self.max_iter == 1:
            return UpdateResult(theta)
        metric = [problem.metric(theta)]
        start = problem.metric(problem.model.parameters)
        accepted = problem.target + self.tol * abs(start - problem.target)
        while metric[-1] > accepted and len(metric) < self.max_iter:
            added, shift = problem.relinearize(theta, weights)
            if not np.any(added):
                break
            theta, weights = theta + shift, weights + added
            metric.append(problem.metric(theta))
        status = "target reached" if metric[-1] <= accepted else "max_iter"
        history = {"metric": np.array(metric)}
        return UpdateResult(theta, len(metric), status, weights, history)
