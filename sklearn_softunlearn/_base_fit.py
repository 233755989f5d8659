# SPDX-License-Identifier: BSD-3-Clause
"""The fit of the estimator that is to be corrected."""

from contextlib import contextmanager

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_softunlearn._sklearn_compat import routing_enabled
from sklearn_softunlearn.models import (
    fit_parameter_name,
    model_class,
    predictor,
    unfreeze,
)


def check_estimator(estimator, X):
    """Raise an error if the estimator cannot be fitted and corrected.

    Raises
    ------
    TypeError
        If it is of no supported class.
    ValueError
        If it is frozen and not fitted, or was fitted on other columns than those of X.
    """
    model_class(predictor(estimator))
    if not isinstance(estimator, FrozenEstimator):
        return
    fitted = unfreeze(estimator)
    try:
        check_is_fitted(fitted)
    except NotFittedError as error:
        raise ValueError(
            f"estimator is a FrozenEstimator whose {type(fitted).__name__} is not "
            "fitted. Fit it before freezing it, or pass it without FrozenEstimator."
        ) from error
    _check_columns(fitted, X)


def fit_base(corrector, estimator, training, fit_params):
    """Clone of the estimator, fitted; a frozen estimator as it is."""
    params = _routed(corrector, estimator, fit_params)
    with remedy_for_values():
        return clone(estimator).fit(training.X, training.y, **params)


@contextmanager
def remedy_for_values():
    """Add what to do to scikit-learn's message about missing or infinite values."""
    try:
        yield
    except ValueError as error:
        if any(value in str(error) for value in ("NaN", "infinity")):
            error.add_note(
                "Drop these rows or replace the values, for example with an imputer "
                "as a step of a Pipeline."
            )
        raise


def _routed(corrector, estimator, fit_params):
    if routing_enabled():
        return process_routing(corrector, "fit", **fit_params).estimator.fit
    # Without routing a Pipeline wants its last step named.
    weight = fit_params.pop("sample_weight", None)
    if weight is None:
        return fit_params
    return fit_params | {fit_parameter_name(estimator, "sample_weight"): weight}


def _check_columns(fitted, X):
    try:
        validate_data(fitted, X, reset=False, skip_check_array=True)
    except ValueError as error:
        raise ValueError(
            "X does not have the columns that the FrozenEstimator was fitted on. Pass "
            f"the rows that it was trained with. {error}"
        ) from error
