# SPDX-License-Identifier: BSD-3-Clause
"""`LinearSVC` with the squared hinge loss."""

from sklearn_softunlearn._sklearn_compat import class_weights
from sklearn_softunlearn.models._fitted import FittedLinearModel
from sklearn_softunlearn.pointwise import OneVsRestLoss, SquaredHinge, margin_response


class LinearSVCModel(FittedLinearModel):
    """Fitted `sklearn.svm.LinearSVC` with the squared hinge loss.

    liblinear minimises, for each output a (one for two classes, else one for each
    class against the rest)::

        C * sum_i s_i max(0, 1 - t_ia f_ia)^2 + (|w_a|^2 + (b_a / c)^2) / 2

    with targets t of -1 and +1 and c = intercept_scaling: the intercept is penalised.
    With ``penalty="l1"`` the second term is ``|w_a|_1 + |b_a / c|``. Divided by C and
    summed over the outputs this is J.

    For two classes s_i is the sample weight times the class weight. For more,
    liblinear applies the weight of class a to the rows of that class in output a
    only, so it is a part of the loss, not of the row weight.

    The squared hinge has a curvature that jumps where a margin passes 1: influences
    are exact up to the first deletion at which some row does.

    Raises
    ------
    ValueError
        With ``loss="hinge"``, which is not differentiable, or
        ``multi_class="crammer_singer"``.
    """

    def __init__(self, estimator, X, y, sample_weight):
        _check_supported(estimator)
        n_classes = len(estimator.classes_)
        self._class_weight = class_weights(estimator, y, sample_weight)
        binary = n_classes == 2
        super().__init__(
            estimator,
            X,
            y,
            sample_weight * self._class_weight[y] if binary else sample_weight,
            loss=OneVsRestLoss(SquaredHinge(), None if binary else self._class_weight),
            response=margin_response(n_classes),
        )

    def l2_strength(self):
        """1 / C; for the intercepts 1 / (C * intercept_scaling^2)."""
        strength = (self.estimator.penalty == "l2") / self.estimator.C
        return self.per_parameter(
            strength, strength / self.estimator.intercept_scaling**2
        )

    def l1_strength(self):
        """With penalty="l1", 1 / C and 1 / (C * intercept_scaling)."""
        strength = (self.estimator.penalty == "l1") / self.estimator.C
        return self.per_parameter(strength, strength / self.estimator.intercept_scaling)

    def refit_estimator(self, row_weight):
        """Unfitted LinearSVC with the class weights of the original fit."""
        refitted = super().refit_estimator(row_weight)
        if len(self._class_weight) > 2:
            refitted.set_params(class_weight=dict(enumerate(self._class_weight)))
        return refitted


def _check_supported(estimator):
    if estimator.loss != "squared_hinge":
        raise ValueError(
            f"LinearSVC(loss={estimator.loss!r}) is not supported: its loss is not "
            "differentiable. Use loss='squared_hinge'."
        )
    if estimator.multi_class != "ovr":
        raise ValueError(
            f"LinearSVC(multi_class={estimator.multi_class!r}) is not supported: its "
            "loss is not differentiable. Use multi_class='ovr'."
        )
