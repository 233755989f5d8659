# SPDX-License-Identifier: BSD-3-Clause
"""The fit of the estimator that is to be corrected."""

import pickle
import warnings
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted, check_memory

from sklearn_softunlearn._sklearn_compat import (
    check_features,
    routing_enabled,
    safe_indexing,
)
from sklearn_softunlearn.calls import code_key, remedy_for_names
from sklearn_softunlearn.corrector.inputs._newton_fit import (
    check_fitted_by_newton,
    fit_by_newton,
)
from sklearn_softunlearn.models import (
    RowBlocks,
    check_keeps_rows,
    copying_clone,
    first_rows,
    fit_parameter_name,
    model_class,
    predictor,
    recorded_fit,
    same_rows,
    transformed,
    unfreeze,
)


def check_estimator(estimator, X):
    """Raise an error if the estimator cannot be fitted and corrected.

    Raises
    ------
    TypeError
        If it, or for a net X, is of no supported class.
    ValueError
        If it is frozen and not fitted, was fitted on other columns than those of X, or
        is a Pipeline that resamples.
    """
    last = predictor(estimator)
    made_from = model_class(last)
    check_keeps_rows(estimator)
    if last is unfreeze(estimator):  # not behind transformers
        made_from.check_rows(X)
    if not isinstance(estimator, FrozenEstimator):
        if isinstance(X, RowBlocks):
            check_fitted_by_newton(estimator)
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


def fit_base(corrector, estimator, training, fit_params, progress):
    """Clone of the estimator, fitted, and what its last step was fitted on.

    A frozen estimator as it is. The second is None where there is no Pipeline, or the
    fitted one makes the same of the rows again and the fit may come from a cache.
    """
    _check_takes_weight(estimator, fit_params)
    params = _routed(corrector, estimator, fit_params)
    unfitted = copying_clone(estimator)
    with (
        remedy_for_values(),
        _refused_broadcast(unfitted),
        _explained(unfitted, training),
        progress.stage(0) as context,
    ):
        if isinstance(unfitted, FrozenEstimator):
            with progress.task(context):
                return unfitted.fit(training.X, training.target, **params), None
        given = (unfitted, training.X, training.target, params, progress, context)
        if corrector.memory is None:
            fitted, seen = _fit(*given)
        else:
            memory = check_memory(corrector.memory)
            cached = memory.cache(_fit_to_keep, ignore=["progress", "context"])
            code = code_key(unfitted, params)
            with remedy_for_names():
                kept = cached(*given, code)
            # Fresh from `fit`, its arrays may have other strides than when it is
            # loaded, and joblib would take it for another estimator.
            fitted, seen = pickle.loads(pickle.dumps(kept))
        _check_fit(fitted, training)
        return fitted, _checked_inputs(seen, training)


def _check_fit(fitted, training):
    if isinstance(training.X, RowBlocks):
        return
    last, first = predictor(fitted), transformed(fitted, safe_indexing(training.X, [0]))
    model_class(last).check_fit(last, first, training.target[:1])


def _fit(unfitted, X, y, params, progress, context):
    """The fitted estimator, and a list with what its last step was given."""
    if isinstance(X, RowBlocks):
        with progress.task(context):
            return fit_by_newton(unfitted, X, y, **params), []
    with (
        context.propagate_callback_context(unfitted),
        progress.task(context),
        recorded_fit(unfitted) as seen,
    ):
        return unfitted.fit(X, y, **params), seen


def _fit_to_keep(unfitted, X, y, params, progress, context, code):
    """The same, without rows that the fitted estimator makes again.

    The ``code`` stands for that of the user's own, which names alone do not tell.
    """
    fitted, seen = _fit(unfitted, X, y, params, progress, context)
    again = [same_rows(inputs, transformed(fitted, X)) for inputs, *_ in seen]
    kept = [
        (None if same else inputs, *rest)
        for same, (inputs, *rest) in zip(again, seen, strict=True)
    ]
    return fitted, kept


def _checked_inputs(seen, training):
    """What the last step was fitted on, if its labels and weights are those known."""
    if not seen:
        return None
    inputs, y, params = seen[-1]
    if np.shape(y) != training.target.shape or not np.all(y == training.target):
        raise ValueError(
            "estimator: the Pipeline trains its last step on other rows or labels than "
            "those that are given, so deletion weights would not be of these. Make it "
            "keep rows and labels as they are."
        )
    weight = params.get("sample_weight")
    weight = np.ones(len(training.y)) if weight is None else weight
    if not np.allclose(weight, training.sample_weight):
        raise ValueError(
            "sample_weight: the last step of the Pipeline is fitted with other weights "
            "than the correction is told of. Give them to the fit of the corrector, "
            "sample_weight=..., and nowhere else; with metadata routing, the last step "
            "must request them: set_fit_request(sample_weight=True)."
        )
    return inputs


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


def _check_takes_weight(estimator, fit_params):
    if isinstance(estimator, FrozenEstimator) or "sample_weight" not in fit_params:
        return
    if not model_class(predictor(estimator)).fits_sample_weight:
        raise ValueError(
            f"sample_weight: the fit of {type(predictor(estimator)).__name__} takes "
            "none. (a) Leave sample_weight out; (b) weight classes in the criterion; "
            "(c) train the net with weights of your own and pass it in a "
            "FrozenEstimator."
        )


@contextmanager
def _explained(estimator, training):
    """Say what to do about an error of a library that speaks of its own matters."""
    try:
        yield
    except RuntimeError as error:
        last = predictor(estimator)
        # Its transformers are fitted: the error came from the last step.
        first = transformed(estimator, safe_indexing(training.X, [0]))
        message = model_class(last).explained(last, error, first, training.target)
        if message is None:
            raise
        raise ValueError(message) from error


@contextmanager
def _refused_broadcast(estimator):
    """Turn torch's warning that a loss was taken of all pairs of rows into an error.

    Of nets alone: filters are those of the process, and fits in threads would leave
    them changed.
    """
    if model_class(predictor(estimator)).fits_sample_weight:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Using a target size")
        try:
            yield
        except UserWarning as warning:
            if "Using a target size" not in str(warning):
                raise
            raise ValueError(
                "The module returns an output of another shape than y, so that the "
                "criterion would compare all pairs of rows. Give y the shape of the "
                "output: y.reshape(-1, 1) for a column, or return output.squeeze(-1) "
                "in the module's forward for a vector."
            ) from warning


def _routed(corrector, estimator, fit_params):
    if routing_enabled():
        return process_routing(corrector, "fit", **fit_params).estimator.fit
    # Without routing a Pipeline wants its last step named.
    weight = fit_params.pop("sample_weight", None)
    if weight is None:
        return fit_params
    return fit_params | {fit_parameter_name(estimator, "sample_weight"): weight}


def _check_columns(fitted, X):
    if isinstance(X, Mapping):  # arrays by name, for a net: no columns
        return
    if getattr(fitted, "n_features_in_", None) == 0:  # CatBoost, read from a file
        return
    try:
        check_features(fitted, first_rows(X), reset=False)
    except ValueError as error:
        raise ValueError(
            "X does not have the columns that the FrozenEstimator was fitted on. Pass "
            f"the rows that it was trained with. {error}"
        ) from error
