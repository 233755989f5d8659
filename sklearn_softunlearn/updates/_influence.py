# SPDX-License-Identifier: BSD-3-Clause
"""One step along the influence direction."""

from sklearn.base import BaseEstimator


class InfluenceUpdate(BaseEstimator):
    """One step with the curvature of the original objective (Koh & Liang 2017).

    With deletion weights eps and H at the fitted parameters::

        theta' = theta + H^-1 sum_i eps_i * s_i * grad loss_i(theta)

    This is exactly the linearisation that the weights were chosen with. The step
    costs one vector-Jacobian product with the training rows.

    Examples
    --------
    >>> from sklearn_softunlearn import InfluenceUpdate, SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(update=InfluenceUpdate())
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.deletion_weights_.shape
    (1000,)
    """

    def update(self, model, deletion_weights, shift):
        """Corrected parameters, of shape (n_parameters,).

        Parameters
        ----------
        model : TrainedModel
        deletion_weights : ndarray of shape (n_samples,)
        shift : ndarray of shape (n_parameters,)
            First-order parameter change for these weights, the second term above.
        """
        return model.parameters + shift
