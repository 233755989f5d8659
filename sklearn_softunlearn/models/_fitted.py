# SPDX-License-Identifier: BSD-3-Clause
"""Fitted scikit-learn estimators with `coef_` and `intercept_`."""

from copy import copy, deepcopy

import numpy as np
from sklearn.base import clone, is_classifier

from sklearn_softunlearn._sklearn_compat import balanced_counts_sample_weight
from sklearn_softunlearn.models._linear import LinearModel


class MeanLossMixin:
    """Estimators that minimise a mean loss, weighted by S, the sum of all weights.

    Omega has the factor S, kept as ``_mass``. Deletion leaves it as it is; a fit to
    the rows that remain does not.
    """

    def penalized_as(self, row_weight):
        """The same model with the Omega of a fit with these row weights."""
        moved = copy(self)
        moved._mass = float(np.sum(row_weight))
        moved._linearize_l1(np.sign(self._l1_slope))
        return moved

    def shared_penalty_gradient(self):
        """The gradient of Omega over S: the loss is a mean."""
        slope = self.penalty_slope() + self.l2_strength() * self.parameters
        return slope / self._mass

    def with_row_weight(self, row_weight):
        """The same, with an Omega that has grown with the sum of the weights."""
        return super().with_row_weight(row_weight).penalized_as(row_weight)


class FittedLinearModel(LinearModel):
    """Linear predictor that a fitted scikit-learn estimator holds.

    Subclasses state the objective of their estimators: effective row weights, loss,
    `l2_strength` and `l1_strength`, and a `refit_estimator` that keeps Omega.

    **An l1 penalty** is not differentiable at 0. Coefficients that are exactly 0 are
    held there, the others keep their sign, so that the penalty is linear in them:
    influences and updates (other than `Retrain`) are those on the active set. They
    are exact up to the first deletion at which a coefficient enters or leaves.
    `with_signs` gives the model on another active set.

    Parameters
    ----------
    estimator : estimator
        Fitted; neither it nor the arrays are modified.
    X : {ndarray, CSR array} of shape (n_samples, n_features), float64
    y : ndarray of shape (n_samples,)
        Class indices, or the numbers of a regression.
    row_weight : ndarray of shape (n_samples,)
        Sample weight times class weight.
    loss, response : as in `TrainedModel`
    """

    # A refit without the rows of weight 0, so that a class that is gone is noticed.
    refit_drops_rows = True

    def __init__(self, estimator, X, y, row_weight, *, loss, response):
        self.estimator = estimator
        coef = np.atleast_2d(estimator.coef_)
        intercept = np.atleast_1d(estimator.intercept_)
        super().__init__(
            X,
            y,
            row_weight,
            coef=coef,
            intercept=intercept if estimator.fit_intercept else None,
            loss=loss,
            response=response,
        )
        self._linearize_l1(np.sign(self.parameters))

    linear_in_features = True

    def with_signs(self, signs):
        """The same model with its l1 penalty linearised for other signs."""
        moved = copy(self)
        moved._linearize_l1(signs)
        return moved

    def _linearize_l1(self, signs):
        l1 = self.l1_strength()
        if np.any(l1 > 0):
            self.fixed = (l1 > 0) & (signs == 0)
        self._l1_slope = l1 * signs

    def answers(self, raw_prediction):
        """The raw predictions are the decision function of a classifier."""
        if not is_classifier(self.estimator):
            return {}
        single = raw_prediction.shape[1] == 1
        return {"decision_function": raw_prediction[:, 0] if single else raw_prediction}

    def kept_sums(self):
        """For class_weight="balanced": shares of classes, less that of the first."""
        counted = balanced_counts_sample_weight()
        if getattr(self.estimator, "class_weight", None) != "balanced" or not counted:
            return None
        own = np.eye(len(self.estimator.classes_))[self.y] * self.row_weight[:, None]
        shares = own / np.sum(own, axis=0)
        return shares[:, 1:] - shares[:, :1]

    def input_gradient(self, inputs, cotangent):
        """Raw predictions, and factors times coefficients."""
        raw = self.raw_prediction(inputs)
        factors = cotangent(raw, slice(0, len(raw)))
        coef, _ = self.split(self.parameters)
        return raw, factors @ coef

    def l2_strength(self):
        """Factor of theta^2 / 2 in Omega, of shape (n_parameters,)."""
        return np.zeros(self.parameters.size)

    def penalty_curvature(self):
        """The l2 strength; 1 for parameters that are held, which decouples them."""
        if self.fixed is None:
            return self.l2_strength()
        return np.where(self.fixed, 1.0, self.l2_strength())

    def penalty_slope(self):
        """The l1 strength with the sign of each parameter."""
        return self._l1_slope.copy()

    def with_parameters(self, parameters):
        """Copy of the fitted estimator with other coefficients."""
        corrected = deepcopy(self.estimator)
        coef, intercept = self.split(parameters)
        # Shape and dtype of the original: a model of float32 predicts in float32.
        corrected.coef_ = _like(coef, corrected.coef_)
        if self.has_intercept:
            corrected.intercept_ = _like(intercept, corrected.intercept_)
        return corrected

    def refit_estimator(self, row_weight):
        """Unfitted estimator that minimises J when it is given these row weights."""
        refitted = clone(self.estimator)
        if "class_weight" in refitted.get_params(deep=False):
            # The class weights are already part of row_weight. Left in place,
            # "balanced" would be computed anew and change the objective.
            refitted.set_params(class_weight=None)
        return refitted

    def refitted_parameters(self, row_weight):
        """Parameters of a clone refitted with these effective row weights.

        Raises
        ------
        ValueError
            If no row of some class has a positive weight.
        """
        self._check_classes(row_weight)
        refitted = self.refit_estimator(row_weight)
        X, y = self.X, self.y
        if self.refit_drops_rows and not np.all(row_weight > 0):
            kept = row_weight > 0
            X, y, row_weight = X[kept], y[kept], row_weight[kept]
        refitted.fit(X, y, sample_weight=row_weight)
        return type(self)._parameters_of(refitted)

    @staticmethod
    def _parameters_of(estimator):
        columns = [np.atleast_2d(estimator.coef_)]
        if estimator.fit_intercept:
            columns.append(np.atleast_1d(estimator.intercept_)[:, None])
        return np.hstack(columns).astype(np.float64).ravel()

    def _check_classes(self, row_weight):
        if not is_classifier(self.estimator):
            return
        n_classes = len(self.estimator.classes_)
        mass = np.bincount(self.y, weights=row_weight, minlength=n_classes)
        if not np.all(mass > 0):
            gone = np.asarray(self.estimator.classes_)[mass == 0].tolist()
            raise ValueError(
                f"Every row of the classes {gone} would be deleted, so no model of "
                "the same classes can be retrained. Lower delta or max_weight."
            )

    def per_parameter(self, coefficient, intercept):
        """Vector with one value for coefficients and another for intercepts."""
        values = np.full((self.n_outputs, self.parameters.size // self.n_outputs), 0.0)
        values += coefficient
        if self.has_intercept:
            values[:, -1] = intercept
        return values.ravel()


def _like(values, original):
    shaped = np.reshape(values, np.shape(original))
    return shaped.astype(np.asarray(original).dtype)[()]
