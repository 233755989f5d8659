# SPDX-License-Identifier: BSD-3-Clause
"""`HuberRegressor`, whose scale is a parameter of the model."""

import numpy as np
from scipy import linalg

from sklearn_softunlearn.models._fitted import FittedLinearModel
from sklearn_softunlearn.models._row_blocks import (
    summed_over_rows,
    summed_over_training_rows,
)
from sklearn_softunlearn.pointwise import ConcomitantHuber, IdentityResponse


class HuberModel(FittedLinearModel):
    """Fitted `sklearn.linear_model.HuberRegressor`.

    scikit-learn minimises, jointly over w, b and the scale sigma, with
    ``z = (y - f) / sigma``::

        sum_i s_i (sigma + sigma h(z_i)) + alpha |w|^2

    which is J with ``Omega = alpha |w|^2``. The scale is the last parameter of the
    model and a second raw prediction, equal in all rows, because a row that is
    deleted moves it: held fixed, influences are wrong to first order.

    The loss has a curvature that jumps where a residual passes ``epsilon * sigma``:
    influences are exact up to the first deletion at which some row does.
    """

    def __init__(self, estimator, X, y, sample_weight):
        super().__init__(
            estimator,
            X,
            y,
            sample_weight,
            loss=ConcomitantHuber(estimator.epsilon),
            response=IdentityResponse(),
        )
        self.parameters = np.append(self.parameters, estimator.scale_)
        self._l1_slope = np.zeros(self.parameters.size)

    def l2_strength(self):
        """``2 alpha`` for the coefficients, 0 for the intercept and the scale."""
        strength = np.full(self.X.shape[1], 2.0 * self.estimator.alpha)
        return np.append(strength, np.zeros(self.has_intercept + 1))

    def l1_strength(self):
        """No l1 penalty."""
        return np.zeros(self.parameters.size)

    def raw_prediction(self, X, parameters=None):
        """The prediction and the scale, of shape (n_samples, 2)."""
        theta = self.parameters if parameters is None else parameters
        return self.jvp(X, theta[:, None])[:, :, 0]

    def raw_predictions(self, X, parameters):
        """The same for each column, of shape (n_samples, 2, n_columns)."""
        return self.jvp(X, parameters)

    def input_gradient(self, inputs, cotangent):
        """Raw predictions, and factors times coefficients; the scale sees no X."""
        raw = self.raw_prediction(inputs)
        factors = cotangent(raw, slice(0, len(raw)))
        return raw, factors[:, :1] @ self.parameters[None, : inputs.shape[1]]

    def jvp(self, X, directions):
        """J @ directions, of shape (n_samples, 2, n_directions)."""
        prediction = super().jvp(X, directions[:-1])
        scale = np.broadcast_to(directions[-1], prediction.shape)
        return np.concatenate([prediction, scale], axis=1)

    @summed_over_rows
    def vjp(self, X, cotangents):
        """J.T @ cotangents, of shape (n_parameters, n_directions)."""
        prediction = super().vjp(X, cotangents[:, :1])
        return np.vstack([prediction, cotangents[:, 1].sum(axis=0)])

    @summed_over_training_rows
    def gram(self, curvature):
        """Dense sum_i J_i.T @ curvature_i @ J_i over the training rows."""
        gram = linalg.block_diag(
            super().gram(curvature[:, :1, :1]), np.sum(curvature[:, 1, 1])
        )
        # What ties the scale to the coefficients.
        border = super().vjp(self.X, curvature[:, :1, 1:])[:, 0]
        gram[-1, :-1] = gram[:-1, -1] = border
        return gram

    @summed_over_training_rows
    def gram_diagonal(self, curvature):
        """Diagonal of `gram`, of shape (n_parameters,)."""
        prediction = super().gram_diagonal(curvature[:, :1, :1])
        return np.append(prediction, np.sum(curvature[:, 1, 1]))

    def initial_parameters(self, random_state):
        """Coefficients of 0 and the fitted scale, which has to be positive."""
        return np.append(np.zeros(self.parameters.size - 1), self.parameters[-1])

    def with_parameters(self, parameters):
        """Copy of the fitted estimator with other coefficients and scale.

        Raises
        ------
        ValueError
            If the scale is not positive.
        """
        if parameters[-1] <= 0:
            raise ValueError(
                f"The update moves the scale of HuberRegressor to {parameters[-1]:.3g}"
                ", which must be positive: the first order does not hold that far. (a) "
                "Use update='retrain' or NewtonUpdate(max_iter=20); (b) lower "
                "max_weight; (c) measure a loss on other rows than those of the "
                "training, where it is near its minimum (X_val, y_val)."
            )
        corrected = super().with_parameters(parameters[:-1])
        corrected.scale_ = float(parameters[-1])
        return corrected

    @staticmethod
    def _parameters_of(estimator):
        return np.append(
            FittedLinearModel._parameters_of(estimator), float(estimator.scale_)
        )
