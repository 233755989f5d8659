# SPDX-License-Identifier: BSD-3-Clause
"""Influences of models whose own solver stops short of the optimum.

The objective is written out here, as scikit-learn documents it, and minimised by scipy
from the solution of the estimator: for stochastic descent that of the whole model, for
a net that of the last layer on the activations that it was trained to.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit, log_softmax, softmax
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sklearn_softunlearn.influence._curvature import Cholesky
from sklearn_softunlearn.influence._first_order import first_order_shift
from tests.models.cases import NET, Case, fitted, rows, sgd

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Value of each row and slope by the raw predictions f, for targets t of their shape:
# 1 and -1 of a margin, 1 and 0 of a softmax, or numbers.
LOSSES = {
    "log_loss": (
        lambda t, f: np.logaddexp(0, -t * f),
        lambda t, f: -t * expit(-t * f),
    ),
    "modified_huber": (
        lambda t, f: np.where(t * f < -1, -4 * t * f, np.maximum(0, 1 - t * f) ** 2),
        lambda t, f: -t * np.where(t * f < -1, 4, 2 * np.maximum(0, 1 - t * f)),
    ),
    "squared_hinge": (
        lambda t, f: np.maximum(0, 1 - t * f) ** 2,
        lambda t, f: -2 * t * np.maximum(0, 1 - t * f),
    ),
    "squared_error": (lambda t, f: (f - t) ** 2 / 2, lambda t, f: f - t),
    "huber": (
        lambda t, f: np.where(np.abs(f - t) < 0.5, (f - t) ** 2 / 2,
                              0.5 * np.abs(f - t) - 0.125),
        lambda t, f: np.clip(f - t, -0.5, 0.5),
    ),
    "softmax": (
        lambda t, f: -t * log_softmax(f, axis=1),
        lambda t, f: softmax(f, axis=1) - t,
    ),
    "poisson": (lambda t, f: np.exp(f) - t * f, lambda t, f: np.exp(f) - t),
}  # fmt: skip


@dataclass
class Problem:
    """sum_i s_i loss_i + strength |w|^2 / 2, of parameters (w, b) for each output."""

    features: np.ndarray
    targets: np.ndarray
    loss: str
    strength: float

    def raw(self, parameters):
        theta = parameters.reshape(self.targets.shape[1], -1)
        return self.features @ theta[:, :-1].T + theta[:, -1]

    def minimiser(self, weight, start):
        value, slope = LOSSES[self.loss]

        def objective(parameters):
            raw = self.raw(parameters)
            theta = parameters.reshape(raw.shape[1], -1)
            penalised = np.hstack([theta[:, :-1], np.zeros((len(theta), 1))])
            by_raw = weight[:, None] * slope(self.targets, raw)
            gradient = np.column_stack([by_raw.T @ self.features, by_raw.sum(axis=0)])
            gradient += self.strength * penalised
            loss = weight @ value(self.targets, raw).sum(axis=1)
            return loss + self.strength * np.sum(penalised**2) / 2, gradient.ravel()

        found = optimize.minimize(
            objective, start, jac=True, method="BFGS", options={"gtol": 1e-9}
        )
        assert np.abs(objective(found.x)[1]).max() < 1e-5
        return found.x


def targets(y, n_classes, softmax_of_all=False):
    if n_classes == 0:
        return y[:, None]
    if softmax_of_all:
        return np.eye(n_classes)[y]
    of_class = np.arange(n_classes) if n_classes > 2 else np.array([1])
    return np.where(y[:, None] == of_class, 1.0, -1.0)


def stochastic(loss, n_classes, **options):
    kind = SGDClassifier if n_classes else SGDRegressor
    return loss, Case(sgd(kind, loss=loss, **options), n_classes)


def net(loss, n_classes, **options):
    kind = MLPClassifier if n_classes else MLPRegressor
    options = {"alpha": 0.5, "activation": "tanh", "random_state": 0} | NET | options
    estimator = kind(hidden_layer_sizes=(4,), **options)
    return loss, Case(estimator, n_classes, weighted=False)


# Of which an epoch has four, the last one smaller.
BATCHES = {"batch_size": 40, "max_iter": 600, "tol": 0.0, "learning_rate_init": 0.01}
CASES = [
    stochastic("log_loss", 2),
    stochastic("log_loss", 3),
    stochastic("modified_huber", 2),
    stochastic("modified_huber", 3),
    stochastic("squared_hinge", 2),
    stochastic("squared_error", 2),
    stochastic("log_loss", 2, penalty=None),
    stochastic("squared_error", 0),
    stochastic("huber", 0, epsilon=0.5),
    net("log_loss", 2),
    net("softmax", 3),
    net("squared_error", 0),
    net("squared_error", 0, solver="adam", **BATCHES),
    net("log_loss", 2, solver="adam", **BATCHES),
    net("softmax", 3, solver="adam", **BATCHES),
]


def written_out(model, estimator, loss, n_classes):
    """The objective of an estimator, from its parameters as scikit-learn knows them."""
    X, y, _ = rows(n_classes)
    alpha = estimator.alpha if getattr(estimator, "penalty", "l2") else 0.0
    if not hasattr(estimator, "coefs_"):
        return Problem(X, targets(y, n_classes), loss, len(y) * alpha)
    hidden = np.tanh(X @ estimator.coefs_[0] + estimator.intercepts_[0])
    batch = len(y) if estimator.solver == "lbfgs" else estimator.batch_size
    n_batches = int(np.ceil(len(y) / batch))
    return Problem(
        hidden, targets(y, n_classes, loss == "softmax"), loss, n_batches * alpha
    )


@pytest.mark.parametrize(("loss", "case"), CASES, ids=str)
def test_influence_is_the_derivative_of_refits(loss, case):
    model, estimator = fitted(case, weighted=True)
    weight = model.row_weight
    problem = written_out(model, estimator, loss, case.n_classes)
    optimum = problem.minimiser(weight, model.parameters)
    converged = model.at(optimum)

    # The estimator was on its way there, and the model agrees on where that is.
    distance = problem.raw(optimum) - problem.raw(model.parameters)
    assert np.abs(distance).max() < 0.1 * np.ptp(problem.raw(optimum))
    assert np.abs(converged.objective_gradient(weight)).max() < 1e-6 * len(weight)

    solve = Cholesky().factorize(converged, weight)
    share = 1e-2
    for row in np.flatnonzero(weight)[[0, 17, 80]]:
        deleted = np.eye(len(weight))[row]
        shift = first_order_shift(converged, solve, deleted)
        less, more = (
            problem.minimiser(weight * (1 - sign * share * deleted), optimum)
            for sign in (1, -1)
        )
        # Predictions: the parameters of a softmax are known up to a common shift.
        slope = converged.response.smooth_jacobian(problem.raw(optimum))
        change = (problem.raw(less) - problem.raw(more)) / (2 * share)
        predicted = converged.jvp(converged.X, shift[:, None])
        expected = slope @ change[:, :, None]

        np.testing.assert_allclose(
            slope @ predicted, expected, atol=2e-3 * np.abs(expected).max()
        )
