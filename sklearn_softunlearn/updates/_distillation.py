# SPDX-License-Identifier: BSD-3-Clause
"""Teacher and student: stay close to the fitted model, except on forgotten rows.

Distance between a student's raw prediction f and a teacher's t is the Bregman
divergence of the training loss::

    D(f, t) = loss(f) - loss(t) - loss'(t) * (f - t),   dD/df = loss'(f) - loss'(t)

For the log loss it is the Kullback-Leibler divergence KL(p_t || p_f) of the predicted
distributions, for the squared error half the squared distance, and the label drops out
of it. So the same updates serve every loss.
"""

import numpy as np

from sklearn_softunlearn.updates._checks import check_count, check_within
from sklearn_softunlearn.updates._gradient import _GradientUpdate


class SCRUB(_GradientUpdate):
    """Teacher-student unlearning: obey the teacher on retained rows, else disobey.

    The student starts at the teacher, the fitted model. With deletion weights eps, a
    step of the first kind ascends, for ``max_steps`` steps in turn with the second
    kind::

        theta <- theta + (learning_rate / L) * grad sum_i s_i eps_i D(f_i, t_i)

    and a step of the second kind descends on::

        sum_i s_i (1 - eps_i) (alpha * D(f_i, t_i) + gamma * loss_i) + gamma * Omega

    Where deletion moves the refit a little only, the second kind ends about
    ``gamma / (alpha + gamma)`` of the way from the teacher to it, which is 2/3 of the
    request by default. A step costs one pass over the training rows and one over the
    evaluation rows.

    Parameters
    ----------
    alpha : float, default=0.5
        Weight of the distance to the teacher on retained rows.
    gamma : float, default=1.0
        Weight of the loss on retained rows.
    max_steps : int, default=50
        Number of ascent steps, each followed by a descent step; then descent only.
    learning_rate, max_iter, stop_at_target, max_loss_increase
        As in `GradientAscent`.

    References
    ----------
    .. [1] M. Kurmanji, P. Triantafillou, J. Hayes, E. Triantafillou, "Towards
       Unbounded Machine Unlearning", NeurIPS 2023, eq. 2 and algorithm 1.

    Examples
    --------
    >>> from sklearn_softunlearn import SCRUB, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=SCRUB(max_iter=50), delta=0.3)
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.n_iter_ <= 50
    True
    """

    def __init__(
        self,
        alpha: float = 0.5,
        gamma: float = 1.0,
        max_steps: int = 50,
        learning_rate: float = 1.0,
        max_iter: int = 100,
        stop_at_target: bool = True,
        max_loss_increase: float = 0.5,
    ) -> None:
        super().__init__(learning_rate, max_iter, stop_at_target, max_loss_increase)
        self.alpha = alpha
        self.gamma = gamma
        self.max_steps = max_steps

    def _check(self):
        super()._check()
        check_within(self, "alpha", "gamma")
        check_count(self, "max_steps", least=0)
        if self.alpha + self.gamma == 0:
            raise ValueError("alpha and gamma must not both be 0.")

    def _direction(self, problem):
        teacher = problem.model.loss_gradient()

        def direction(theta, step):
            # Descent first: at the teacher itself the ascent has no direction.
            if step % 2 == 1 and step < 2 * self.max_steps:
                return -_divergence_gradient(
                    problem, theta, problem.forget_weight, teacher
                )
            obey = _divergence_gradient(problem, theta, problem.retain_weight, teacher)
            learn = problem.retain_gradient(theta)
            return (self.alpha * obey + self.gamma * learn) / (self.alpha + self.gamma)

        return direction


class BadTeacher(_GradientUpdate):
    """Two teachers: the fitted model on retained rows, an untrained one on the others.

    Descends on, with t the raw predictions of the fitted model and b those of the
    untrained one::

        sum_i s_i [(1 - eps_i) * D(f_i, t_i) + eps_i * D(f_i, b_i)]

    Soft weights divide each row between the teachers. For a linear model the untrained
    teacher predicts 0: every class with equal probability. A step costs one pass over
    the training rows and one over the evaluation rows.

    Parameters
    ----------
    learning_rate, max_iter, stop_at_target, max_loss_increase
        As in `GradientAscent`.
    random_state : int, RandomState instance or None, default=None
        Parameters of the untrained teacher.

    References
    ----------
    .. [1] V. S. Chundawat, A. K. Tarun, M. Mandal, M. Kankanhalli, "Can Bad Teaching
       Induce Forgetting?", AAAI 2023, eq. 2.

    Examples
    --------
    >>> from sklearn_softunlearn import BadTeacher, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=BadTeacher(max_iter=50), delta=0.3)
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.n_iter_ <= 50
    True
    """

    def __init__(
        self,
        learning_rate: float = 1.0,
        max_iter: int = 100,
        stop_at_target: bool = True,
        max_loss_increase: float = 0.5,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(learning_rate, max_iter, stop_at_target, max_loss_increase)
        self.random_state = random_state

    def _direction(self, problem):
        model = problem.model
        untrained = model.initial_parameters(self.random_state)
        eps = problem.deletion_weights[:, None]
        teacher = (1.0 - eps) * model.loss_gradient() + eps * model.loss_gradient(
            untrained
        )
        weight = model.row_weight
        return lambda theta, step: _divergence_gradient(problem, theta, weight, teacher)


def _divergence_gradient(problem, theta, weight, teacher):
    """Gradient of sum_i weight_i D(f_i, t_i), given the loss gradient at t."""
    student = problem.model.at(theta)
    cotangent = weight[:, None] * (student.loss_gradient() - teacher)
    return student.vjp(student.X, cotangent[:, :, None])[:, 0]
