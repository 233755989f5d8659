# SPDX-License-Identifier: BSD-3-Clause
"""Ascent on what is forgotten, descent on what is retained."""

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_softunlearn.updates._checks import (
    check_count,
    check_positive,
    check_within,
)
from sklearn_softunlearn.updates._descent import descend
from sklearn_softunlearn.updates._problem import UpdateProblem, UpdateResult


class _GradientUpdate(BaseEstimator):
    """Parameters that all first-order updates share, and their iteration."""

    def __init__(
        self,
        learning_rate: float = 1.0,
        max_iter: int = 100,
        stop_at_target: bool = True,
        max_loss_increase: float = 0.5,
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.stop_at_target = stop_at_target
        self.max_loss_increase = max_loss_increase

    def update(self, problem: UpdateProblem) -> UpdateResult:
        """Result of the steps, an `UpdateResult`."""
        self._check()
        return descend(
            problem,
            self._direction(problem),
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            stop_at_target=self.stop_at_target,
            max_loss_increase=self.max_loss_increase,
        )

    def _check(self):
        check_positive(self, "learning_rate")
        check_count(self, "max_iter")
        check_within(self, "max_loss_increase")


class GradientAscent(_GradientUpdate):
    """Gradient ascent on the forget loss (GA).

    Each step, with deletion weights eps::

        theta <- theta + (learning_rate / L) * sum_i s_i * eps_i * grad loss_i(theta)

    where L is the largest curvature of the training objective. Soft weights scale the
    ascent on each row. Nothing restrains the steps but the stopping rules: the forget
    loss has no maximum. A step costs one pass over the training rows and one over the
    evaluation rows.

    Parameters
    ----------
    learning_rate : float, default=1.0
        In units of 1 / L, hence without dimension.
    max_iter : int, default=100
        Largest number of steps.
    stop_at_target : bool, default=True
        Stop where the metric reaches the value that was asked for, within the last
        step; if it does not, keep the step with the lowest metric. False keeps the
        last step.
    max_loss_increase : float, default=0.5
        Stop, with a warning, before the objective of the retained rows rises by more
        than this fraction of its value at the start.

    References
    ----------
    .. [1] A. Thudi et al., "Unrolling SGD: Understanding Factors Influencing Machine
       Unlearning", EuroS&P 2022.

    Examples
    --------
    >>> from sklearn_softunlearn import GradientAscent, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=GradientAscent(), delta=0.3)
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.update_result_.status
    'target reached'
    """

    def _direction(self, problem):
        return lambda theta, step: -problem.forget_gradient(theta)


class NegativeGradient(_GradientUpdate):
    """Ascent on the forget loss with descent on the rest (NegGrad+).

    Each step, with deletion weights eps and beta = ``forget_share``::

        theta <- theta - (learning_rate / L) * (
            (1 - beta) * grad [sum_i s_i (1 - eps_i) loss_i + Omega](theta)
            - beta * grad [sum_i s_i eps_i loss_i](theta)
        )

    Soft weights divide each row between the two sums. A step costs two passes over
    the training rows and one over the evaluation rows.

    Parameters
    ----------
    forget_share : float in [0, 1], default=0.5
        beta; 1 is `GradientAscent`, 0 is `FineTune`.
    learning_rate, max_iter, stop_at_target, max_loss_increase
        As in `GradientAscent`.

    References
    ----------
    .. [1] M. Kurmanji, P. Triantafillou, J. Hayes, E. Triantafillou, "Towards
       Unbounded Machine Unlearning", NeurIPS 2023.

    Examples
    --------
    >>> from sklearn_softunlearn import NegativeGradient, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=NegativeGradient(), delta=0.3)
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.update_result_.status
    'target reached'
    """

    def __init__(
        self,
        forget_share: float = 0.5,
        learning_rate: float = 1.0,
        max_iter: int = 100,
        stop_at_target: bool = True,
        max_loss_increase: float = 0.5,
    ) -> None:
        super().__init__(learning_rate, max_iter, stop_at_target, max_loss_increase)
        self.forget_share = forget_share

    def _check(self):
        super()._check()
        check_within(self, "forget_share", most=1)

    def _direction(self, problem):
        beta = self.forget_share

        def direction(theta, step):
            retained = (1.0 - beta) * problem.retain_gradient(theta)
            return retained - beta * problem.forget_gradient(theta)

        return direction


class FineTune(_GradientUpdate):
    """Fine-tuning on the retained weight: FT, or CF-k and EU-k for the last layers.

    Each step descends on the retain objective::

        theta <- theta - (learning_rate / L) * grad [
            sum_i s_i (1 - eps_i) loss_i + Omega](theta)

    Soft weights are the weights of the rows in it. With enough steps this is
    retraining (under an l1 penalty, of the coefficients that are not zero); with few,
    what was learnt from the deleted rows fades ("catastrophic forgetting"). A step
    costs one pass over the training rows and one over the evaluation rows.

    Parameters
    ----------
    last_layers : int or None, default=None
        Tune this many layers, counted from the output, and keep the others (CF-k).
        None tunes all. A layer is a module with parameters of its own; of a net they
        are in the correction with ``layer="all"``. A linear model has one layer.
    reset : bool, default=False
        Start the tuned layers from untrained parameters (EU-k: exact unlearning of
        the last k layers).
    learning_rate, max_iter, stop_at_target, max_loss_increase
        As in `GradientAscent`; with ``reset`` the loss has no limit.
    random_state : int, RandomState instance or None, default=None
        Untrained parameters, with ``reset``.

    References
    ----------
    .. [1] S. Goel et al., "Towards Adversarial Evaluations for Inexact Machine
       Unlearning", arXiv:2201.06640 (CF-k and EU-k).

    Examples
    --------
    >>> from sklearn_softunlearn import FineTune, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=FineTune(max_iter=20))
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.n_iter_ <= 20
    True
    """

    def __init__(
        self,
        last_layers: int | None = None,
        reset: bool = False,
        learning_rate: float = 1.0,
        max_iter: int = 100,
        stop_at_target: bool = True,
        max_loss_increase: float = 0.5,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(learning_rate, max_iter, stop_at_target, max_loss_increase)
        self.last_layers = last_layers
        self.reset = reset
        self.random_state = random_state

    def update(self, problem: UpdateProblem) -> UpdateResult:
        """Result of the steps, an `UpdateResult`."""
        self._check()
        tuned = _tuned_parameters(problem.model, self.last_layers)
        start = problem.model.parameters
        if self.reset:
            untrained = problem.model.initial_parameters(self.random_state)
            start = np.where(tuned, untrained, start)
        return descend(
            problem,
            lambda theta, step: tuned * problem.retain_gradient(theta),
            start=start,
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            # An untrained layer has no gap, and nothing else.
            stop_at_target=self.stop_at_target and not self.reset,
            max_loss_increase=np.inf if self.reset else self.max_loss_increase,
        )


def _tuned_parameters(model, last_layers):
    """Indicator of the parameters of the last layers."""
    layers = model.layers
    if last_layers is not None and not 1 <= last_layers <= len(layers):
        raise ValueError(
            f"last_layers={last_layers} must lie between 1 and the number of layers of "
            f"the model, {len(layers)}, or be None for all."
        )
    tuned = np.zeros(model.parameters.size)
    for layer in layers if last_layers is None else layers[-last_layers:]:
        tuned[layer] = 1.0
    return tuned
