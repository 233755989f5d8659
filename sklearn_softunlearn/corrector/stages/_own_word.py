# SPDX-License-Identifier: BSD-3-Clause
"""The model as read, compared once with what the estimator itself says.

A class that predicts, or a net that is trained, in a way of its own would otherwise be
corrected, measured and reported as if it did what its parent does. A sample of rows is
compared, so that the cost does not grow with their number.
"""

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn._sklearn_compat import n_rows, safe_indexing
from sklearn_softunlearn.models import (
    checked_array,
    embed,
    in_memory,
    model_class,
    near_rows,
    predictor,
    same_rows,
    transformed,
    with_predictor,
)

_ROWS = 200
# Of the largest value: what float32 and the order of sums may do.
_TOLERANCE = 1e-3


def check_own_word(estimator, model, training, evaluation, layer):
    """Raise ValueError unless the model is what the fitted estimator says.

    Parameters
    ----------
    estimator : fitted estimator, alone, frozen or a Pipeline
    model : TrainedModel
        As read from its predictor.
    training, evaluation : Table
    layer : as in `SoftUnlearnCorrector`

    Raises
    ------
    ValueError
        If its own `predict`, `decision_function` or `predict_proba` differ from the
        model's on a sample of the evaluation rows, or the loss that its library
        computes on a sample of the training rows differs from the model's.
    """
    check_own_predictions(estimator, model, evaluation, layer)
    positions = _sample(near_rows(training.X, np.flatnonzero(model.row_weight)))
    inputs = in_memory(training.seen_by(estimator, positions))
    losses = model.losses(inputs, positions)
    if losses is None or np.isclose(*losses, rtol=_TOLERANCE, atol=1e-6):
        return
    raise ValueError(
        f"estimator: the training loss of {len(positions)} rows, as its class and "
        f"criterion tell it, is {losses[0]:.6g}, but the net's own get_loss gives "
        f"{losses[1]:.6g}, so influences would be those of another objective. The loss "
        "must be a mean or a sum over rows, of outputs and targets alone."
    )


def check_own_predictions(estimator, model, evaluation, layer):
    """Raise ValueError unless the estimator predicts what the model does."""
    X = evaluation.X
    positions = _sample(near_rows(X, np.arange(n_rows(X))))
    rows = in_memory(safe_indexing(X, positions))
    try:
        _check_predictions(estimator, model, rows, layer)
    except ValueError as error:
        if same_rows(transformed(estimator, rows), transformed(estimator, rows)):
            raise
        raise ValueError(
            "estimator: a step of the Pipeline transforms the same rows to other "
            "numbers each time, so that no prediction can be measured, or changed, on "
            "purpose. Give it a fixed random_state, or let it draw in fit alone."
        ) from error


def _check_predictions(estimator, model, rows, layer):
    last = predictor(estimator)
    options = model_class(last, layer).array_options
    raw = model.raw_prediction(checked_array(embed(estimator, rows, layer), **options))
    _check_labels(estimator, last, model, rows, raw)
    for name, expected in model.answers(raw).items():
        if hasattr(last, name):
            own = np.asarray(getattr(estimator, name)(rows))
            _check(own.shape == expected.shape and _close(own, expected), last, name)


def corrected_estimator(prepared, parameters):
    """The estimator with its corrected predictor, which must predict what it claims."""
    model = prepared.state.model
    estimator = with_predictor(prepared.base, model.with_parameters(parameters))
    moved = model.at(parameters)
    check_own_predictions(estimator, moved, prepared.split.evaluation, prepared.layer)
    return estimator


def _check_labels(estimator, last, model, rows, raw):
    own = np.asarray(estimator.predict(rows))
    hard = model.response.hard(raw)
    if not is_classifier(last):
        _check(
            own.size == hard.size and _close(own.ravel(), hard[:, 0]), last, "predict"
        )
        return
    own = own.ravel()  # CatBoost answers in a column
    _check(len(own) == len(hard), last, "predict")
    classes = np.asarray(last.classes_)
    said = np.searchsorted(classes, own).clip(max=len(classes) - 1)
    differs = (classes[said] != own) | (said != np.argmax(hard, axis=1))
    # A row on the boundary may fall to either side.
    push = np.eye(hard.shape[1])[said]
    push = push[:, 1:] - push[:, :1] if raw.shape[1] == 1 else push
    scale = _TOLERANCE * np.max(np.abs(raw), initial=0.0)
    near = np.argmax(model.response.hard(raw + scale * push), axis=1) == said
    _check(not np.any(differs & ~near), last, "predict", int(np.sum(differs & ~near)))


def _check(agrees, last, method, number=None):
    if agrees:
        return
    name = type(last).__name__
    where = "" if number is None else f" for {number} rows"
    raise ValueError(
        f"estimator: {name}.{method} returns something else than the parameters of its "
        f"parent class say{where}, on a sample of the evaluation rows, so metric, "
        "weights and report would be of another model. Give the plain model, and put "
        "what it adds around the corrected one, for example "
        "FixedThresholdClassifier(FrozenEstimator(corrector), threshold=...); of a "
        "net, give what its outputs become as predict_nonlinearity."
    )


def _close(own, expected):
    scale = np.max(np.abs(expected), initial=0.0)
    return np.allclose(own, expected, rtol=0.0, atol=_TOLERANCE * scale)


def _sample(positions):
    """At most 200 positions, evenly over all."""
    if len(positions) <= _ROWS:
        return positions
    return positions[np.linspace(0, len(positions) - 1, _ROWS).astype(int)]
