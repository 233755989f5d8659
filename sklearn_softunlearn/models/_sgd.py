# SPDX-License-Identifier: BSD-3-Clause
"""`SGDClassifier` and `SGDRegressor` with differentiable losses."""

from copy import copy

import numpy as np

from sklearn_softunlearn._sklearn_compat import class_weights
from sklearn_softunlearn.models._fitted import FittedLinearModel
from sklearn_softunlearn.pointwise import (
    HalfSquaredError,
    HuberRegressionLoss,
    IdentityResponse,
    LogisticMargin,
    LogisticResponse,
    ModifiedHuber,
    OneVsRestLoss,
    SoftmaxResponse,
    SquaredHinge,
    SquaredMargin,
    margin_response,
)

_MARGIN_LOSSES = {
    "log_loss": LogisticMargin,
    "modified_huber": ModifiedHuber,
    "squared_hinge": SquaredHinge,
    "squared_error": SquaredMargin,
}


class SGDModel(FittedLinearModel):
    """What `SGDClassifier` and `SGDRegressor` share.

    Each step visits one row, also one of sample weight 0, and shrinks the
    coefficients. So scikit-learn minimises, with n the number of rows::

        (1 / n) sum_i s_i loss_i + alpha |w|^2 / 2

    Multiplied by n this is J with ``Omega = n alpha |w|^2 / 2``; the intercept is not
    penalised.

    Stochastic descent stops near the optimum, seldom at it: expect the warning that
    the base model has not converged, whose size says how far off it is.

    Raises
    ------
    ValueError
        For another loss, an l1 penalty, or ``early_stopping=True``, which never
        trains on a part of the rows.
    """

    convergence_advice = (
        "lower tol, raise max_iter and n_iter_no_change, and use average=True or a "
        "decreasing learning rate; (c) use a batch solver for the same loss, such as "
        "LogisticRegression, LinearSVC or Ridge"
    )
    refit_drops_rows = False  # n is part of the objective
    _dropped = 0

    def penalized_as(self, row_weight):
        """The same model with the Omega of a fit without the rows of weight 0."""
        moved = copy(self)
        moved._dropped = int(np.sum((row_weight == 0) & (self.row_weight > 0)))
        return moved

    def l2_strength(self):
        """``n * alpha`` for the coefficients, 0 for the intercepts."""
        alpha = 0.0 if self.estimator.penalty is None else self.estimator.alpha
        n_rows = len(self.row_weight) - self._dropped
        return self.per_parameter(n_rows * alpha, 0.0)


class SGDClassifierModel(SGDModel):
    """Fitted `sklearn.linear_model.SGDClassifier`.

    The losses are log_loss, modified_huber, squared_hinge and squared_error, of the
    margin. More than two classes are each fitted against the rest; a class weight
    then counts in the output of its own class only. See `SGDModel` for the objective.
    """

    def __init__(self, estimator, X, y, sample_weight):
        check_supported(estimator, _MARGIN_LOSSES)
        self._class_weight = class_weights(estimator, y, None)
        n_classes = len(estimator.classes_)
        binary = n_classes == 2
        loss = _MARGIN_LOSSES[estimator.loss]()
        super().__init__(
            estimator,
            X,
            y,
            sample_weight * self._class_weight[y] if binary else sample_weight,
            loss=OneVsRestLoss(loss, None if binary else self._class_weight),
            response=_response(estimator.loss, n_classes),
        )

    def refit_estimator(self, row_weight):
        """Unfitted SGDClassifier with the class weights of the original fit."""
        refitted = super().refit_estimator(row_weight)
        if len(self._class_weight) > 2:
            refitted.set_params(class_weight=dict(enumerate(self._class_weight)))
        return refitted


class SGDRegressorModel(SGDModel):
    """Fitted `sklearn.linear_model.SGDRegressor`.

    The losses are squared_error, ``(y - f)^2 / 2``, and huber, linear beyond epsilon.
    See `SGDModel` for the objective.
    """

    def __init__(self, estimator, X, y, sample_weight):
        check_supported(estimator, ("squared_error", "huber"))
        huber = estimator.loss == "huber"
        super().__init__(
            estimator,
            X,
            y,
            sample_weight,
            loss=HuberRegressionLoss(estimator.epsilon)
            if huber
            else HalfSquaredError(),
            response=IdentityResponse(),
        )


def check_supported(estimator, losses):
    """Raise ValueError unless the objective is differentiable and of all rows."""
    name = type(estimator).__name__
    if estimator.loss not in losses:
        raise ValueError(
            f"{name}(loss={estimator.loss!r}) is not supported: its loss is not "
            f"differentiable. Use one of {sorted(losses)}."
        )
    if estimator.penalty not in ("l2", None):
        raise ValueError(
            f"{name}(penalty={estimator.penalty!r}) is not supported: stochastic "
            "descent finds no exact zeros to hold. Use penalty='l2', or Lasso, "
            "ElasticNet or LogisticRegression with an l1_ratio."
        )
    if estimator.early_stopping:
        raise ValueError(
            f"{name}(early_stopping=True) is not supported: it holds out rows, which "
            "then have no influence, without saying which. Use early_stopping=False."
        )


def _response(loss, n_classes):
    if loss != "log_loss":
        return margin_response(n_classes)
    return LogisticResponse() if n_classes == 2 else SoftmaxResponse()
