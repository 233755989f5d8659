# SPDX-License-Identifier: BSD-3-Clause
"""What a fitted model offers to the influence, weight and update stages."""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np


class TrainedModel(ABC):
    """A fitted model together with the rows it was trained on.

    The parameters minimise, over training rows i with effective weight s_i (the
    user's sample weight times the class weight)::

        J(theta) = sum_i s_i * loss(f_theta(x_i), y_i) + Omega(theta)

    Every estimator normalises its objective in its own way; a subclass states the
    Omega that brings it to this form, because every influence is wrong by a factor
    otherwise.

    Conventions
    -----------
    - ``parameters`` is a flat float64 vector of shape (n_parameters,).
    - Raw predictions have shape (n_samples, n_outputs).
    - Directions in parameter space are the columns of an array of shape
      (n_parameters, n_directions).

    Attributes
    ----------
    X, y : training rows; y holds class indices.
    row_weight : ndarray of shape (n_samples,)
        Effective weight s_i of each row in J.
    parameters : ndarray of shape (n_parameters,)
    loss : pointwise loss from ``sklearn_softunlearn._losses``
    response : from ``sklearn_softunlearn._responses``
    """

    @abstractmethod
    def raw_prediction(self, X, parameters=None):
        """f_theta(X), of shape (n_samples, n_outputs)."""

    @abstractmethod
    def jvp(self, X, directions):
        """J @ directions, of shape (n_samples, n_outputs, n_directions)."""

    @abstractmethod
    def vjp(self, X, cotangents):
        """J.T @ cotangents, of shape (n_parameters, n_directions).

        ``cotangents`` has shape (n_samples, n_outputs, n_directions).
        """

    @abstractmethod
    def penalty_curvature(self):
        """Diagonal of the Hessian of Omega, of shape (n_parameters,).

        Every supported Omega is quadratic with a diagonal Hessian.
        """

    @abstractmethod
    def gram(self, curvature):
        """Dense sum_i J_i.T @ curvature_i @ J_i over the training rows.

        ``curvature`` has shape (n_samples, n_outputs, n_outputs).
        """

    @abstractmethod
    def gram_diagonal(self, curvature):
        """Diagonal of `gram`, of shape (n_parameters,)."""

    @abstractmethod
    def with_parameters(self, parameters):
        """Copy of the fitted estimator with other parameters."""

    @abstractmethod
    def refitted_parameters(self, row_weight):
        """Parameters of a clone of the estimator refitted with these weights."""

    @cached_property
    def fitted_raw_prediction(self):
        """f_theta of the training rows at the fitted parameters."""
        return self.raw_prediction(self.X)

    def loss_gradient(self, parameters=None):
        """dloss_i/df_i of the training rows, unweighted: (n_samples, n_outputs)."""
        return self.loss.gradient(self.y, self._training_prediction(parameters))

    def loss_curvature(self, row_weight, parameters=None):
        """s_i * d2loss_i/df_i2, of shape (n_samples, n_outputs, n_outputs)."""
        hessian = self.loss.hessian(self.y, self._training_prediction(parameters))
        return row_weight[:, None, None] * hessian

    def loss_parameter_gradient(self, row_weight, parameters=None):
        """sum_i row_weight_i * grad loss_i(theta), of shape (n_parameters,)."""
        cotangent = row_weight[:, None] * self.loss_gradient(parameters)
        return self.vjp(self.X, cotangent[:, :, None])[:, 0]

    def objective(self, row_weight, parameters=None):
        """J with these row weights, a float."""
        theta = self.parameters if parameters is None else parameters
        loss = self.loss.value(self.y, self._training_prediction(parameters))
        penalty = 0.5 * np.dot(self.penalty_curvature(), theta**2)
        return float(row_weight @ loss + penalty)

    def objective_gradient(self, row_weight, parameters=None):
        """Gradient of J with these row weights, of shape (n_parameters,)."""
        theta = self.parameters if parameters is None else parameters
        penalty_gradient = self.penalty_curvature() * theta
        return self.loss_parameter_gradient(row_weight, parameters) + penalty_gradient

    def _training_prediction(self, parameters):
        if parameters is None:
            return self.fitted_raw_prediction
        return self.raw_prediction(self.X, parameters)
