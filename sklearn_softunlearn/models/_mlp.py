# SPDX-License-Identifier: BSD-3-Clause
"""`MLPClassifier` and `MLPRegressor`, corrected in their last layer."""

from copy import deepcopy
from inspect import signature

import numpy as np
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import validate_data

from sklearn_softunlearn.models._linear import LinearModel, common_shifts
from sklearn_softunlearn.pointwise import (
    ExponentialResponse,
    HalfSquaredError,
    HalfTweedieDeviance,
    IdentityResponse,
    log_loss_of,
)

_ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
}

# Derivatives of the activations, as functions of their values.
_SLOPES = {
    "identity": np.ones_like,
    "logistic": lambda h: h * (1.0 - h),
    "tanh": lambda h: 1.0 - h**2,
    "relu": lambda h: (h > 0).astype(h.dtype),
}


class MLPModel(LinearModel):
    """Last layer of a fitted `MLPClassifier` or `MLPRegressor`.

    The features are the activations of the last hidden layer (`embed`), which is held
    as trained with all layers before it. scikit-learn minimises, over batches::

        (sum_(i in batch) s_i loss_i + alpha |w|^2 / 2) / sum_(i in batch) s_i

    where the intercepts are not penalised. Summed over the B batches of an epoch this
    is J with ``Omega = B alpha |w|^2 / 2``; B is 1 for ``solver="lbfgs"``. The loss is
    the log loss, for a regressor the half squared error or (with
    ``loss="poisson"``) the half Poisson deviance.

    A refit is one of the last layer.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; neither it nor the arrays are modified.
    X : ndarray of shape (n_samples, n_units)
        Activations of the last hidden layer.
    y : ndarray of shape (n_samples,)
        Class indices, or the numbers of a regression.
    sample_weight : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        With several labels or targets for each row, or with ``early_stopping=True``,
        which never trains on a part of the rows.
    """

    takes_row_blocks = False
    convergence_advice = (
        "lower tol, raise max_iter and n_iter_no_change; (c) use solver='lbfgs'"
    )
    # Since scikit-learn 1.7.
    fits_sample_weight = "sample_weight" in signature(MLPClassifier.fit).parameters

    def __init__(self, estimator, X, y, sample_weight):
        _check_supported(estimator)
        self.estimator = estimator
        loss, response = _loss_and_response(estimator)
        super().__init__(
            X,
            y,
            sample_weight,
            coef=estimator.coefs_[-1].T,
            intercept=estimator.intercepts_[-1],
            loss=loss,
            response=response,
        )
        self._strength = estimator.alpha * _n_batches(estimator, len(y))

    @staticmethod
    def embed(estimator, X):
        """Activations of the last hidden layer, of shape (n_samples, n_units)."""
        X = validate_data(estimator, X, reset=False, accept_sparse=("csr", "csc"))
        return _activations(estimator, X)[-1]

    def answers(self, raw_prediction):
        """Probabilities of a classifier."""
        if not is_classifier(self.estimator):
            return {}
        return {"predict_proba": self.response.smooth(raw_prediction)}

    def rows_of(self, inputs):
        """Activations of rows as the net takes them."""
        return _activations(self.estimator, inputs)[-1]

    def input_gradient(self, inputs, cotangent):
        """Raw predictions, and factors times coefficients and slopes of all layers."""
        hidden = _activations(self.estimator, inputs)
        raw = self.raw_prediction(hidden[-1])
        gradient = cotangent(raw, slice(0, len(raw))) @ self.split(self.parameters)[0]
        slope = _SLOPES[self.estimator.activation]
        layers = zip(self.estimator.coefs_[:-1], hidden[1:], strict=True)
        for coef, value in reversed(list(layers)):
            gradient = (gradient * slope(value)) @ coef.T
        return raw, gradient

    def penalty_curvature(self):
        """``B * alpha`` for the coefficients, 0 for the intercepts."""
        curvature = np.full((self.n_outputs, self.X.shape[1] + 1), self._strength)
        curvature[:, -1] = 0.0
        return curvature.ravel()

    def null_directions(self):
        """The same shift of an unpenalised parameter in all of several classes."""
        if self.n_outputs == 1:
            return super().null_directions()
        penalty = self.penalty_curvature().reshape(self.n_outputs, -1)
        return common_shifts(penalty[0] == 0, self.n_outputs)

    def with_parameters(self, parameters):
        """Copy of the fitted estimator with another last layer."""
        corrected = deepcopy(self.estimator)
        coef, intercept = self.split(parameters)
        dtype = corrected.coefs_[-1].dtype
        corrected.coefs_[-1] = np.ascontiguousarray(coef.T, dtype=dtype)
        corrected.intercepts_[-1] = intercept.astype(dtype)
        return corrected

    def refitted_parameters(self, row_weight):
        """Parameters of a last layer refitted with these row weights.

        Raises
        ------
        ValueError
            If no row of some class has a positive weight.
        """
        kept = row_weight > 0
        if is_classifier(self.estimator):
            missing = np.setdiff1d(self.y, self.y[kept])
            if missing.size:
                gone = np.asarray(self.estimator.classes_)[missing].tolist()
                raise ValueError(
                    f"Every row of the classes {gone} would be deleted. Lower delta or "
                    "max_weight."
                )
        layer = self._last_layer(np.sum(row_weight))
        layer.fit(self.X[kept], self.y[kept], sample_weight=row_weight[kept])
        intercept = np.atleast_1d(layer.intercept_)[:, None]
        return np.hstack([np.atleast_2d(layer.coef_), intercept]).ravel()

    def _last_layer(self, mass):
        """Unfitted linear estimator with the objective of the last layer."""
        if is_classifier(self.estimator):
            C = 1.0 / self._strength if self._strength > 0 else np.inf
            return LogisticRegression(C=C, tol=1e-8, max_iter=10_000)
        if self.estimator.loss == "poisson":
            alpha = self._strength / mass
            return PoissonRegressor(alpha=alpha, tol=1e-8, max_iter=10_000)
        return Ridge(alpha=self._strength)


def _activations(estimator, X):
    """Values of the input and of each hidden layer."""
    values, activate = [X], _ACTIVATIONS[estimator.activation]
    hidden = zip(estimator.coefs_[:-1], estimator.intercepts_[:-1], strict=True)
    for coef, intercept in hidden:
        values.append(activate(values[-1] @ coef + intercept))
    return values


def _loss_and_response(estimator):
    if not is_classifier(estimator):
        if estimator.loss == "poisson":
            return HalfTweedieDeviance(1, log_link=True), ExponentialResponse()
        return HalfSquaredError(), IdentityResponse()
    return log_loss_of(len(estimator.classes_))


def _n_batches(estimator, n_samples):
    if estimator.solver == "lbfgs":
        return 1
    size = 200 if estimator.batch_size == "auto" else estimator.batch_size
    return int(np.ceil(n_samples / min(size, n_samples)))


def _check_supported(estimator):
    name = type(estimator).__name__
    single = estimator.coefs_[-1].shape[1] == 1
    multiclass = is_classifier(estimator) and estimator.out_activation_ == "softmax"
    if not (single or multiclass):
        raise ValueError(
            f"{name} was fitted to several labels or targets for each row. Only one is "
            "supported: correct one model for each."
        )
    if estimator.early_stopping and estimator.solver != "lbfgs":
        raise ValueError(
            f"{name}(early_stopping=True) is not supported: it holds out rows, which "
            "then have no influence, without saying which. Use early_stopping=False."
        )
