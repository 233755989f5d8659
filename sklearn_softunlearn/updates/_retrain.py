# SPDX-License-Identifier: BSD-3-Clause
"""Plain refit with sample weights."""

from sklearn.base import BaseEstimator

from sklearn_softunlearn.updates._problem import UpdateResult


class Retrain(BaseEstimator):
    """Refit a clone of the predictor with sample weights s_i * (1 - eps_i).

    The refit uses the estimator's own solver and tolerance, from a cold start. Class
    weights are held at their values in the original fit, and the transformers of a
    Pipeline are not refitted, so that the objective is the one that the influences
    linearise. Under an l1 penalty coefficients may enter and leave the model, which no
    other update allows.

    Examples
    --------
    >>> from sklearn_softunlearn import Retrain, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=Retrain())
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.deletion_weights_.shape
    (1000,)
    """

    # Where training minimises no objective, it has a meaning all the same.
    needs_objective = False

    def update(self, problem):
        """Result of the refit, an `UpdateResult`."""
        return UpdateResult(problem.model.refitted_parameters(problem.retain_weight))
