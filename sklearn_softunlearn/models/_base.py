# SPDX-License-Identifier: BSD-3-Clause
"""What a fitted model offers to the influence, weight and update stages."""

from abc import ABC, abstractmethod
from copy import copy
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

    Notes
    -----
    - ``parameters`` is a flat float64 vector of shape (n_parameters,).
    - Raw predictions have shape (n_samples, n_outputs).
    - Directions in parameter space are the columns of an array of shape
      (n_parameters, n_directions).

    Attributes
    ----------
    X, y : training rows; y holds class indices, or the numbers of a regression.
    row_weight : ndarray of shape (n_samples,)
        Effective weight s_i of each row in J.
    parameters : ndarray of shape (n_parameters,)
    loss : pointwise loss from ``sklearn_softunlearn.pointwise``
    response : from ``sklearn_softunlearn.pointwise._responses``

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(500, random_state=0)
    >>> fitted = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y)
    >>> from sklearn_softunlearn.models import LogisticModel
    >>> model = LogisticModel(fitted, X, y, np.ones(500))
    >>> slope = model.objective_gradient(model.row_weight, model.parameters)
    >>> bool(np.max(np.abs(slope)) < 1e-6)  # it is at its optimum
    True
    """

    # How `embed` may return rows: options of scikit-learn's check_array.
    array_options = {"accept_sparse": "csr", "dtype": np.float64}
    # Whether the estimator's own fit takes sample_weight.
    fits_sample_weight = True
    # Share of the objective that a Newton step may gain in a converged model. At
    # scikit-learn's default tolerances it is below 1e-6.
    converged_share = 1e-5
    # Whether X may be a `RowBlocks`.
    takes_row_blocks = False
    # Whether J is convex in the parameters that are corrected.
    convex = True
    # Whether raw predictions are linear in the features of `input_gradient`.
    linear_in_features = False
    # What curvature="auto" is where a dense H would be too large.
    curvature_beyond_dense = "conjugate_gradient"
    # Relative precision of jvp and vjp beyond rounding in float64.
    product_precision = 0.0
    # Damping of H where the user gives none, as a share of its mean diagonal.
    relative_damping = 0.0
    # How to solve with the Hessian, where this is not for the user to choose: an object
    # with `factorize`. Of a model that is no optimum of J, what it returns has `pull`
    # and `push` in the place of H^-1 (see `influence`).
    curvature = None
    # Whether training minimises J, so that Newton steps and gradients of J mean much.
    minimises_objective = True
    # Whether `trained` maps row weights to the parameters that training ends at, and to
    # an object with `pull`, their derivative. Exact weights are then found with it.
    retraced = False
    # What makes the solver of the estimator reach the optimum, for a warning.
    convergence_advice = "raise max_iter or lower tol"

    @classmethod
    def untrained_on(cls, estimator, X, y):
        """The model of a fitted estimator on rows that it was not trained on."""
        return cls(estimator, X, y, np.ones(len(y)))

    @staticmethod  # noqa: B027 (optional: most models take any X)
    def check_rows(X):
        """Raise TypeError if X is of no kind that the estimator is corrected on."""

    @staticmethod
    def indexable(X, y):
        """X in a form whose rows can be taken, and y, where X may bring its own."""
        return X, y

    @staticmethod
    def keeps_target_column(estimator):
        """Whether the estimator's own fit tells y of shape (n, 1) from a vector."""
        return False

    @staticmethod  # noqa: B027 (optional: most estimators check it themselves)
    def check_fit(estimator, X, y):
        """Raise ValueError if some rows show that the fit to y went wrong."""

    @staticmethod
    def explained(estimator, error, X, y):
        """What to do about a RuntimeError that a fit ended in; None where unknown."""
        return None

    @staticmethod
    def embed(estimator, X):
        """What the corrected layer of a fitted estimator sees of X: X, if linear."""
        return X

    def cache_key(self):
        """What a cache on disk takes for the model: equal for equal models."""
        return self

    def answers(self, raw_prediction):
        """What methods of the estimator must return where raw predictions are these.

        Beside ``predict``, which is always compared: a dict of arrays, by name of the
        method. One sample is compared once, see `sklearn_softunlearn.corrector`.
        """
        return {}

    def losses(self, inputs, positions):
        """The loss of some training rows, as read, and as the library computes it.

        Two floats, compared once; None where the library has no public loss.
        ``inputs`` are the rows as the estimator takes them, ``positions`` theirs.
        """
        return None

    def rows_of(self, inputs):
        """What `raw_prediction` takes, from features that an attack perturbed."""
        return inputs

    def input_gradient(self, inputs, cotangent):
        """Raw predictions, and a combination of their derivatives by the features.

        Parameters
        ----------
        inputs : ndarray of shape (n_samples, ...)
        cotangent : callable
            Maps raw predictions of some rows, and the slice of these rows, to their
            factors: both (n_rows, n_outputs).

        Returns
        -------
        raw_prediction : ndarray of shape (n_samples, n_outputs)
        gradient : ndarray of the shape of ``inputs``

        Raises
        ------
        ValueError
            If the model does not offer the derivative.
        """
        raise ValueError(
            f"AdversarialLoss is not supported for {type(self).__name__}, which has no "
            "input_gradient: use a linear model, an MLP or a skorch net."
        )

    @abstractmethod
    def raw_prediction(self, X, parameters=None):
        """f_theta(X), of shape (n_samples, n_outputs)."""

    def raw_predictions(self, X, parameters):
        """f_theta(X) for each column theta: (n_samples, n_outputs, n_columns)."""
        return np.stack([self.raw_prediction(X, t) for t in parameters.T], axis=2)

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

        Every supported Omega is quadratic with a diagonal Hessian, once signs and
        zeros of an l1 penalty are held.
        """

    def penalty_slope(self):
        """Linear part of Omega, of shape (n_parameters,): 0 without an l1 penalty."""
        return np.zeros(self.parameters.size)

    def shared_penalty_gradient(self):
        """What a unit of row weight carries of the gradient of Omega; None for none.

        Where the loss is a mean over rows, the estimator's own fit lets Omega grow with
        the sum of its sample weights: then it is grad Omega divided by that sum.
        """
        return None

    def kept_sums(self):
        """Sums of deletion weights that must be 0 for Omega and s to stay; None: none.

        Of shape (n_samples, n_sums). Where class weights are computed from the sample
        weights, the estimator's own fit leaves them alone only if the same share of
        each class is deleted.
        """
        return None

    def with_row_weight(self, row_weight):
        """The model that the estimator's own fit has with these effective weights."""
        moved = copy(self)
        moved.row_weight = row_weight
        return moved

    def l1_strength(self):
        """Factor of ``|theta|`` in Omega, of shape (n_parameters,)."""
        return np.zeros(self.parameters.size)

    def penalty_gradient(self):
        """Gradient of Omega at the parameters, of shape (n_parameters,)."""
        return self.penalty_slope() + self.penalty_curvature() * self.parameters

    def penalized_as(self, row_weight):
        """The same model with the Omega that a fit with these row weights has.

        Where the estimator minimises a *mean* loss plus a penalty, Omega grows with
        the sum of the weights: a fit to fewer rows is penalised less, in the units
        of J. For all others Omega is what it is.
        """
        return self

    def with_signs(self, signs):
        """The same model with its l1 penalty linearised for other signs.

        Every operation then refers to the face of the parameter space on which each
        parameter under the penalty has this sign, or is held at 0 where it is 0.
        Without an l1 penalty there is one face: the model itself.
        """
        return self

    def null_directions(self):
        """Directions that change neither a prediction's meaning nor J.

        Orthonormal columns, (n_parameters, n_directions), dense or sparse: J and the
        response are constant along them, so H is singular there, although every
        influence is well defined. Most models have none.
        """
        return np.empty((self.parameters.size, 0))

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

    @property
    def layers(self):
        """Slices of the parameter vector, from the input to the output."""
        return [slice(0, self.parameters.size)]

    def initial_parameters(self, random_state):
        """Parameters of an untrained model, of shape (n_parameters,)."""
        return np.zeros_like(self.parameters)

    def at(self, parameters):
        """The same model at other parameters; every operation then refers to these."""
        if parameters is None or parameters is self.parameters:
            return self
        moved = copy(self)
        moved.__dict__.pop("fitted_raw_prediction", None)
        moved.parameters = parameters
        return moved

    @cached_property
    def fitted_raw_prediction(self):
        """f_theta of the training rows at the parameters of this model."""
        return self.raw_prediction(self.X)

    def loss_gradient(self, parameters=None):
        """dloss_i/df_i of the training rows, unweighted: (n_samples, n_outputs)."""
        return self.loss.gradient(self.y, self.at(parameters).fitted_raw_prediction)

    def loss_curvature(self, row_weight, parameters=None):
        """s_i * d2loss_i/df_i2, of shape (n_samples, n_outputs, n_outputs)."""
        raw_prediction = self.at(parameters).fitted_raw_prediction
        return row_weight[:, None, None] * self.loss.hessian(self.y, raw_prediction)

    def loss_parameter_gradient(self, row_weight, parameters=None):
        """sum_i row_weight_i * grad loss_i(theta), of shape (n_parameters,)."""
        model = self.at(parameters)
        cotangent = row_weight[:, None] * model.loss_gradient()
        return model.vjp(self.X, cotangent[:, :, None])[:, 0]

    def objective(self, row_weight, parameters=None):
        """J with these row weights, a float."""
        model = self.at(parameters)
        loss = self.loss.value(self.y, model.fitted_raw_prediction)
        penalty = 0.5 * np.dot(self.penalty_curvature(), model.parameters**2)
        penalty += np.dot(self.penalty_slope(), model.parameters)
        return float(row_weight @ loss + penalty)

    def objective_gradient(self, row_weight, parameters=None):
        """Gradient of J with these row weights, of shape (n_parameters,)."""
        model = self.at(parameters)
        return model.loss_parameter_gradient(row_weight) + model.penalty_gradient()
