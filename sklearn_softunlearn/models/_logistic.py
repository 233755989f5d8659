# SPDX-License-Identifier: BSD-3-Clause
"""`LogisticRegression` and `LogisticRegressionCV`, of two classes or more."""

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

from sklearn_softunlearn._sklearn_compat import class_weights
from sklearn_softunlearn.models._fitted import FittedLinearModel
from sklearn_softunlearn.models._linear import common_shifts
from sklearn_softunlearn.pointwise import log_loss_of


class LogisticModel(FittedLinearModel):
    """Fitted `sklearn.linear_model.LogisticRegression` or `LogisticRegressionCV`.

    scikit-learn minimises, over coefficients w and intercept b::

        C * sum_i s_i * loss_i(w, b) + (1 - r) |w|^2 / 2 + r |w|_1

    where s_i is the sample weight times the class weight, r the l1_ratio and loss the
    log loss, of a sigmoid for two classes and of a softmax for more. Divided by C this
    is the objective J of `TrainedModel` with
    ``Omega = (1 - r) |w|^2 / (2 C) + r |w|_1 / C``. Exceptions:

    - no penalty (``C=inf`` or ``penalty=None``): ``Omega = 0``;
    - ``solver="liblinear"`` also penalises the intercept, on the scale
      ``intercept / intercept_scaling``;
    - `LogisticRegressionCV` has the C and the l1_ratio that it chose. They are held:
      a refit is that of a `LogisticRegression` with this C.

    With more than two classes the same shift of all intercepts changes nothing, so H
    is singular along it; without a penalty the same holds for each feature
    (`null_directions`).

    Parameters
    ----------
    estimator : LogisticRegression or LogisticRegressionCV
        Fitted; neither it nor the arrays are modified.
    X : {ndarray, CSR array} of shape (n_samples, n_features), float64
    y : ndarray of shape (n_samples,)
        Class indices.
    sample_weight : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the estimator fits several binary problems (one against the rest), a
        redundant output for two classes, or, with CV, was not refitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(500, random_state=0)
    >>> fitted = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y)
    >>> from sklearn_softunlearn.models import LogisticModel
    >>> model = LogisticModel(fitted, X, y, np.ones(500))
    >>> bool(model.objective(model.row_weight, model.parameters) > 0)
    True
    """

    convergence_advice = "raise max_iter or lower tol; (c) use solver='newton-cholesky'"

    def __init__(self, estimator, X, y, sample_weight):
        _check_supported(estimator)
        self._C, self._l1_ratio = _penalty(estimator)
        if self._l1_ratio > 0:  # newton-cholesky takes no l1 penalty
            self.convergence_advice = FittedLinearModel.convergence_advice
        loss, response = log_loss_of(len(estimator.classes_))
        row_weight = sample_weight * class_weights(estimator, y, sample_weight)[y]
        super().__init__(
            estimator,
            X,
            y,
            row_weight,
            loss=loss,
            response=response,
        )

    def answers(self, raw_prediction):
        """Decision function and probabilities."""
        probability = self.response.smooth(raw_prediction)
        return super().answers(raw_prediction) | {"predict_proba": probability}

    def l2_strength(self):
        """(1 - l1_ratio) / C for coefficients; for the intercept with liblinear."""
        strength = (1.0 - self._l1_ratio) / self._C
        return self.per_parameter(strength, strength * self._intercept_scale() ** 2)

    def l1_strength(self):
        """l1_ratio / C for coefficients; for the intercept only with liblinear."""
        strength = self._l1_ratio / self._C
        return self.per_parameter(strength, strength * self._intercept_scale())

    def null_directions(self):
        """The same shift of a coefficient in all classes, where nothing penalises it.

        Of shape (n_parameters, n_directions), sparse.
        """
        if self.n_outputs == 1:
            return super().null_directions()
        shape = (self.n_outputs, -1)
        loose = np.all(self.l2_strength().reshape(shape) == 0, axis=0)
        if self.fixed is not None:
            # Up or down together, active coefficients gain in |w| what they lose.
            loose &= ~np.any(self.fixed.reshape(shape), axis=0)
        return common_shifts(loose, self.n_outputs)

    def refit_estimator(self, row_weight):
        """Unfitted LogisticRegression with the same C."""
        if not isinstance(self.estimator, LogisticRegressionCV):
            return super().refit_estimator(row_weight)
        return _with_chosen_penalty(self.estimator, self._C, self._l1_ratio)

    def _intercept_scale(self):
        if self.estimator.solver != "liblinear":
            return 0.0
        return 1.0 / self.estimator.intercept_scaling


def _penalty(estimator):
    """C and l1_ratio, under the names of every supported scikit-learn version."""
    penalty = getattr(estimator, "penalty", "deprecated")
    if penalty is None:
        return np.inf, 0.0
    chosen = isinstance(estimator, LogisticRegressionCV)
    C = float(np.ravel(estimator.C_ if chosen else estimator.C)[0])
    ratio = np.ravel(estimator.l1_ratio_ if chosen else estimator.l1_ratio)[0]
    known = {"l2": 0.0, "l1": 1.0}
    return C, float(known.get(penalty, ratio or 0.0))


def _with_chosen_penalty(estimator, C, l1_ratio):
    own = LogisticRegression().get_params()
    shared = {k: v for k, v in estimator.get_params(deep=False).items() if k in own}
    shared |= {"C": C, "class_weight": None}
    if shared.get("penalty", "deprecated") in ("deprecated", "elasticnet"):
        shared["l1_ratio"] = l1_ratio
    return LogisticRegression(**shared)


def _check_supported(estimator):
    multi_class = getattr(estimator, "multi_class", "deprecated")
    binary = len(estimator.classes_) == 2
    if binary and multi_class == "multinomial":
        raise ValueError(
            "LogisticRegression(multi_class='multinomial') with two classes fits a "
            "redundant second output. Leave multi_class at its default."
        )
    if not binary and (multi_class == "ovr" or estimator.solver == "liblinear"):
        raise ValueError(
            f"This LogisticRegression fits each of its {len(estimator.classes_)} "
            "classes against the rest. Only the multinomial objective is supported: "
            "use another solver than liblinear, and leave multi_class at its default."
        )
    if isinstance(estimator, LogisticRegressionCV) and not estimator.refit:
        raise ValueError(
            "LogisticRegressionCV(refit=False) averages the coefficients of the folds, "
            "which minimise no objective. Use refit=True."
        )
