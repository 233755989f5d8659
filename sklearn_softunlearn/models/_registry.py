# SPDX-License-Identifier: BSD-3-Clause
"""From a fitted estimator to the trained model that represents it."""

from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

from sklearn_softunlearn.models._logistic import LogisticModel

_MODELS = {LogisticRegression: LogisticModel}
# Subclasses of a supported class with another objective.
_UNSUPPORTED_SUBCLASSES = (LogisticRegressionCV,)


def model_class(estimator):
    """Class that represents estimators like this one, fitted or not.

    Raises
    ------
    TypeError
        If the estimator is of no supported class.
    """
    for supported, model in _MODELS.items():
        if isinstance(estimator, supported) and not isinstance(
            estimator, _UNSUPPORTED_SUBCLASSES
        ):
            return model
    names = ", ".join(supported.__name__ for supported in _MODELS)
    raise TypeError(
        f"estimator: {type(estimator).__name__} is not supported. Supported are "
        f"{names}, alone, inside a FrozenEstimator, or as the last step of a Pipeline."
    )
