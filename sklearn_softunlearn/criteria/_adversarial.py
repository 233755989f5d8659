# SPDX-License-Identifier: BSD-3-Clause
"""The loss on features that were perturbed to raise it."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.criteria._attacks import (
    boundary_step,
    one_step,
    projected_ascent,
)
from sklearn_softunlearn.criteria._base import Criterion, EvaluationRows, normalized
from sklearn_softunlearn.criteria._loss import error_kind, row_errors

_ATTACKS = ("auto", "fgsm", "pgd", "deepfool")
_NORMS = ("linf", "l2")


def perturbs_features(given):
    """Whether a metric or utility, as the user gives it, makes adversarial examples."""
    parts = given if isinstance(given, list | tuple) else [given]
    return any(isinstance(part, AdversarialLoss) for part in parts)


class AdversarialLoss(Criterion):
    """Mean training loss on adversarial examples, made against the fitted model.

    The criterion has one functional, with examples x_i' near the evaluation rows::

        F = sum_i w_i * loss(f(x_i'), y_i) / sum_i w_i
        x_i' = argmax loss(f(x'), y_i)   s.t.  |x' - x_i| <= epsilon, x' within bounds

    The derivative by the parameters holds the examples fixed. Where they are exact
    maxima, that is the derivative of the worst-case loss (Danskin's theorem);
    otherwise it is that of the loss on these examples.

    A report shows the criterion on the examples made against the original model, as
    the paper measures it, and "anew" on examples made against the corrected one: the
    second is the honest figure. ``hard_value`` is the zero-one loss, one minus the
    robust accuracy (for a regression the mean squared error).

    Parameters
    ----------
    epsilon : float >= 0 or None, default=0.1
        Radius of the perturbation, in units of the features that the predictor sees
        (after the transformers of a Pipeline). 0 leaves the rows as they are. None,
        with "deepfool" only, sets no limit.
    norm : {"linf", "l2"}, default="linf"
        Norm of the perturbation of a row.
    attack : {"auto", "fgsm", "pgd", "deepfool"}, default="auto"
        - "fgsm": one step of full length along the gradient. With one raw output that
          is linear in the features it is the exact worst case, for "l2" if there are
          no bounds.
        - "pgd": projected gradient ascent of ``n_steps``, from the row itself.
        - "deepfool": the shortest step across the linearised decision boundary of two
          classes, times ``overshoot``: what the paper measures.
        - "auto": "fgsm" where it is exact, else "pgd".
    bounds : tuple of (low, high), default=None
        Smallest and largest value of a feature, numbers or arrays of the shape of a
        row.
    n_steps : int, default=10
        Steps of "pgd".
    step_size : float, default=None
        Length of a step of "pgd"; None is ``2.5 * epsilon / n_steps``.
    overshoot : float, default=1.3
        Factor of the step of "deepfool".

    Notes
    -----
    Perturbed features are no longer categories, counts or one-hot columns. Where these
    are not meant to move, attack a model of the numeric columns, or a net behind an
    embedding of its own. A row that lies outside the bounds is not pulled inside.

    References
    ----------
    .. [1] X. Qiao, N. Ding, Y. Cheng, M. Zhang, "Beyond Binary Erasure: Soft-Weighted
       Unlearning for Fairness and Robustness", AAAI 2026, 40(29):24936-24944,
       doi:10.1609/aaai.v40i29.39681. Preprint: "Soft Weighted Machine Unlearning",
       arXiv:2505.18783.
    .. [2] A. Madry et al., "Towards Deep Learning Models Resistant to Adversarial
       Attacks", ICLR 2018.

    Examples
    --------
    >>> from sklearn_softunlearn import AdversarialLoss, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(
    ...     metric=AdversarialLoss(epsilon=0.2), delta=0.02, utility_tol=0.05
    ... ).fit(X, y)
    >>> line = corrector.report_["AdversarialLoss", "surrogate, anew"]
    >>> bool(line.after < line.before)
    True
    """

    def __init__(
        self,
        epsilon: float = 0.1,
        norm: str = "linf",
        attack: str = "auto",
        *,
        bounds: tuple[float, float] | None = None,
        n_steps: int = 10,
        step_size: float | None = None,
        overshoot: float = 1.3,
    ) -> None:
        self.epsilon = epsilon
        self.norm = norm
        self.attack = attack
        self.bounds = bounds
        self.n_steps = n_steps
        self.step_size = step_size
        self.overshoot = overshoot

    def __repr__(self):
        """Constructor call."""
        return (
            f"AdversarialLoss(epsilon={self.epsilon!r}, norm={self.norm!r}, "
            f"attack={self.attack!r})"
        )

    def perturb(self, X, target):
        """Adversarial examples, of the shape and dtype of X.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
        target : object
            The model under attack: ``loss(X)`` and ``margin(X)``, each a pair of
            values and gradients by X, and ``exact(norm, bounded)``, whether one step
            reaches the worst case.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        self._check_parameters()
        if self.epsilon == 0:
            return X
        common = {"epsilon": self.epsilon, "norm": self.norm, "bounds": self.bounds}
        attack = self.attack
        if attack == "auto":
            exact = target.exact(self.norm, self.bounds is not None)
            attack = "fgsm" if exact else "pgd"
        if attack == "fgsm":
            return one_step(target.loss, X, **common)
        if attack == "pgd":
            steps = {"n_steps": self.n_steps, "step_size": self.step_size}
            return projected_ascent(target.loss, X, **common, **steps)
        return boundary_step(target.margin, X, **common, overshoot=self.overshoot)

    def hard_kind_on(self, rows):
        """Name of `hard_value`: zero-one loss or mean squared error."""
        return error_kind(rows)

    def names(self, rows):
        """Name of the one functional."""
        return ["adversarial loss"]

    def value(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Mean loss of the adversarial examples, of shape (1,)."""
        block, weight = self._block(rows)
        loss = rows.loss.value(rows.y[block], raw_prediction[block])
        return np.atleast_1d(weight @ loss)

    def gradient(
        self, raw_prediction: NDArray[np.floating[Any]], rows: EvaluationRows
    ) -> NDArray[np.floating[Any]]:
        """Derivative of `value`, of shape (n_samples, n_outputs, 1)."""
        block, weight = self._block(rows)
        gradient = np.zeros((*raw_prediction.shape, 1))
        slope = rows.loss.gradient(rows.y[block], raw_prediction[block])
        gradient[block, :, 0] = weight[:, None] * slope
        return gradient

    def hard_value(self, raw_prediction, rows):
        """Zero-one loss or mean squared error of the examples, of shape (1,)."""
        block, weight = self._block(rows)
        return np.atleast_1d(weight @ row_errors(raw_prediction, rows)[block])

    def _block(self, rows):
        """Positions of the examples of this criterion, and the weights of their rows.

        The examples follow the evaluation rows with weight 0, so that no other
        criterion counts them.
        """
        for criterion, block in rows.attacked:
            if criterion is self:
                return block, normalized(rows.sample_weight[: block.stop - block.start])
        raise ValueError(
            "AdversarialLoss: the rows have no adversarial examples. It is measured by "
            "SoftUnlearnCorrector, which makes them against its model."
        )

    def _check_parameters(self):
        if self.attack not in _ATTACKS:
            raise ValueError(unknown_choice("attack", self.attack, _ATTACKS))
        if self.norm not in _NORMS:
            raise ValueError(unknown_choice("norm", self.norm, _NORMS))
        unlimited = self.epsilon is None and self.attack == "deepfool"
        if not unlimited and not (isinstance(self.epsilon, Real) and self.epsilon >= 0):
            raise ValueError(
                f"epsilon={self.epsilon!r} must be a number >= 0 (or None with "
                "attack='deepfool')."
            )
        if self.bounds is not None and np.any(
            self.bounds[0] > np.asarray(self.bounds[1])
        ):
            raise ValueError(f"bounds={self.bounds!r}: low must not exceed high.")
        if self.n_steps < 1 or self.overshoot <= 0:
            raise ValueError("n_steps must be >= 1 and overshoot > 0.")
