# SPDX-License-Identifier: BSD-3-Clause
"""What every update is given, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sklearn_softunlearn.models import TrainedModel


@dataclass(frozen=True)
class UpdateProblem:
    """A fitted model, the rows to forget, and the metric that this should improve.

    With deletion weights eps, every training row i has the *forget weight*
    ``s_i * eps_i`` and the *retain weight* ``s_i * (1 - eps_i)``. Hard deletion is the
    special case of weights 0 and 1.

    Attributes
    ----------
    model : TrainedModel
    deletion_weights : ndarray of shape (n_samples,)
    shift : ndarray of shape (n_parameters,)
        First-order parameter change for these weights.
    metric : callable
        Maps parameters to the smooth metric on the evaluation rows.
    metric_gradient : callable
        Maps parameters to the gradient of the metric's largest functional.
    target : float
        Value of the metric that was asked for.
    relinearize : callable
        Maps parameters and the deletion weights used so far to the deletion weights
        that still have to be added, and their first-order shift from there.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn import SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> from sklearn_softunlearn.updates import UpdateResult
    >>> class HalfStep:
    ...     def update(self, problem):
    ...         theta = problem.model.parameters
    ...         return UpdateResult(theta + 0.5 * problem.shift)
    ...
    >>> X, y, group = make_biased_classification(500, random_state=0)
    >>> corrector = SoftUnlearnCorrector(
    ...     update=HalfStep(), weighting="soft", utility_tol=0.1
    ... )
    >>> corrector.fit(X, y, sensitive_features=group).update_result_.status
    'done'
    """

    model: TrainedModel
    deletion_weights: np.ndarray
    shift: np.ndarray
    metric: Callable
    metric_gradient: Callable
    target: float
    relinearize: Callable

    @property
    def forget_weight(self):
        """s_i * eps_i."""
        return self.model.row_weight * self.deletion_weights

    @property
    def retain_weight(self):
        """s_i * (1 - eps_i)."""
        return self.model.row_weight * (1.0 - self.deletion_weights)

    def forget_gradient(self, parameters):
        """Gradient of the forget loss, sum_i s_i eps_i grad loss_i."""
        return self.model.loss_parameter_gradient(self.forget_weight, parameters)

    def retain_gradient(self, parameters):
        """Gradient of the retain objective, sum_i s_i (1 - eps_i) loss_i + Omega."""
        return self.model.objective_gradient(self.retain_weight, parameters)

    def retain_objective(self, parameters):
        """Retain objective, a float."""
        return self.model.objective(self.retain_weight, parameters)


@dataclass(frozen=True)
class UpdateResult:
    """Corrected parameters and how they were reached.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,)
    n_iter : int
        Number of steps.
    status : str
        Why the update stopped.
    deletion_weights : ndarray of shape (n_samples,) or None
        The weights in total, where the update added to those it was given.
    history : dict of str to ndarray
        What was recorded in each step.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.updates import UpdateResult
    >>> result = UpdateResult(np.zeros(3), n_iter=2, status="target reached")
    >>> result.n_iter, result.status
    (2, 'target reached')
    """

    parameters: np.ndarray
    n_iter: int = 1
    status: str = "done"
    deletion_weights: np.ndarray | None = None
    history: dict = field(default_factory=dict)
