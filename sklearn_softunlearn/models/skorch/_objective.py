# SPDX-License-Identifier: BSD-3-Clause
"""The objective that a skorch net was trained on: loss, row weights and penalty."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.base import is_classifier
from torch import nn

from sklearn_softunlearn.models.skorch._autograd import AutogradLoss
from sklearn_softunlearn.models.skorch._net import own_loss, plain_module
from sklearn_softunlearn.models.skorch._responses import (
    ProbabilityResponse,
    are_probabilities,
    logistic_response,
    response_of,
)
from sklearn_softunlearn.models.skorch._trained_rows import epoch_visits
from sklearn_softunlearn.pointwise import (
    BinaryLogLoss,
    HalfSquaredError,
    IdentityResponse,
    LogisticResponse,
    SoftmaxLogLoss,
    SoftmaxResponse,
)


@dataclass(frozen=True)
class NetLoss:
    """How the output of a module becomes raw predictions, and what they cost.

    Attributes
    ----------
    link : callable
        Tensor of module outputs to tensor of raw predictions (n_rows, n_outputs).
    loss, response : as in `TrainedModel`
    class_factor : ndarray of shape (n_classes,) or None
        Weight that the criterion gives to the rows of each class.
    divides_by_weight : bool
        Whether the criterion's mean divides by the sum of these weights, not by the
        number of rows.
    scale : float
        The criterion is ``scale * loss``.
    is_sum : bool
        Whether it is the sum over a batch, not the mean.
    gives_probability : bool
        Whether the net's own ``predict_proba`` is ``response.smooth``.
    """

    link: Any
    loss: Any
    response: Any
    class_factor: np.ndarray | None = None
    divides_by_weight: bool = False
    scale: float = 1.0
    is_sum: bool = False
    gives_probability: bool = True


def check_classes(net, n_outputs):
    """Raise ValueError unless class k is column k of the output, as skorch predicts.

    Raises
    ------
    ValueError
        If the labels are not 0 .. n_classes - 1, one for each output.
    """
    classes = np.asarray(net.classes_).tolist()
    n_classes = max(2, n_outputs)
    if classes != list(range(n_classes)):
        raise ValueError(
            f"The net has {n_outputs} outputs and was fitted to the labels {classes}. "
            "skorch predicts the index of the largest output, so the labels must be "
            f"0 .. {n_classes - 1}: encode y, for example with LabelEncoder, and give "
            "the module one output for each class."
        )


def net_loss(net):
    """`NetLoss` of a fitted net.

    In closed form for the criteria of torch, told by their exact type, where the net
    does not compute its loss in a way of its own; by autograd of the net's
    ``get_loss`` for all others.

    Raises
    ------
    ValueError
        If the criterion's reduction or weight is not supported, or there is none.
    """
    if getattr(net, "criterion_", None) is None:
        raise ValueError(
            f"The {type(net).__name__} has no criterion_, as after "
            "trim_for_prediction(), so what it was trained on is not known. Freeze the "
            "net as it was before it was trimmed."
        )
    criterion = getattr(net.criterion_, "_orig_mod", net.criterion_)
    reduction = getattr(criterion, "reduction", "mean")
    if reduction not in ("mean", "sum") and not _has_own_loss(net):
        raise ValueError(
            f"criterion__reduction={criterion.reduction!r} is not supported: use "
            "'mean' or 'sum'."
        )
    if _is_a(net, "NeuralNetRegressor"):
        terms = _regression(net, criterion)
    elif _is_a(net, "NeuralNetBinaryClassifier"):
        terms = _binary(net, criterion)
    else:
        terms = _classification(net, criterion)
    return replace(terms, is_sum=reduction == "sum")


def _is_a(net, name):
    return any(kind.__name__ == name for kind in type(net).__mro__)


def _has_own_loss(net):
    """Whether a class outside skorch says what the loss is."""
    own = next(kind for kind in type(net).__mro__ if "get_loss" in vars(kind))
    instance = "get_loss" in vars(net)
    return instance or own.__module__.partition(".")[0] != "skorch"


def _known(net, criterion, kind):
    return type(criterion) is kind and not _has_own_loss(net)


def _classification(net, criterion):
    response, is_probability = response_of(net, criterion)
    softmax = isinstance(response, SoftmaxResponse)
    if softmax and _known(net, criterion, nn.CrossEntropyLoss):
        if criterion.label_smoothing == 0.0 and criterion.ignore_index < 0:
            factor = _class_factor(criterion.weight)
            return NetLoss(
                _as_table, SoftmaxLogLoss(), response, factor, True,
                gives_probability=is_probability,
            )  # fmt: skip
    if softmax and _known(net, criterion, nn.NLLLoss) and criterion.ignore_index < 0:
        # skorch takes the logarithm of the module's probabilities in get_loss.
        factor = _class_factor(criterion.weight)
        return NetLoss(_log_table, SoftmaxLogLoss(), response, factor, True)
    loss = AutogradLoss(net, torch.int64)
    return NetLoss(_as_table, loss, response, gives_probability=is_probability)


def _binary(net, criterion):
    response, is_probability = response_of(net, criterion)
    logistic = isinstance(response, LogisticResponse)
    if not callable(net.predict_nonlinearity) and _known(net, criterion, nn.BCELoss):
        factor = _binary_factor(criterion)
        return NetLoss(
            _logit_column, BinaryLogLoss(), logistic_response(net.threshold), factor,
            gives_probability=is_probability,
        )  # fmt: skip
    if logistic and _known(net, criterion, nn.BCEWithLogitsLoss):
        factor = _binary_factor(criterion)
        if criterion.pos_weight is not None:
            factor[1] *= float(criterion.pos_weight)
        return NetLoss(
            _as_column, BinaryLogLoss(), response, factor,
            gives_probability=is_probability,
        )  # fmt: skip
    loss = AutogradLoss(net, torch.float64, column=True)
    return NetLoss(_as_column, loss, response, gives_probability=is_probability)


def _binary_factor(criterion):
    weight = criterion.weight
    if weight is not None and weight.numel() > 1:
        raise ValueError(
            "criterion__weight of a binary criterion weights positions in a batch, "
            "not rows. Use pos_weight, or leave it None."
        )
    return np.ones(2) if weight is None else np.full(2, float(weight))


def _regression(net, criterion):
    if _known(net, criterion, nn.MSELoss):
        return NetLoss(_as_column, HalfSquaredError(), IdentityResponse(), scale=2.0)
    loss = AutogradLoss(net, torch.float64, column=True)
    return NetLoss(_as_column, loss, IdentityResponse())


def _class_factor(weight):
    return None if weight is None else weight.detach().cpu().numpy().astype(float)


def _as_table(output):
    if output.dim() != 2:
        raise ValueError(
            f"The module returns an output of shape {tuple(output.shape)} for a batch. "
            "Only one row of scores for each row, (n_rows, n_classes), is supported."
        )
    return output


def _log_table(output):
    return torch.log(_as_table(output) + torch.finfo(output.dtype).eps)


def _as_column(output):
    if output.dim() > 1 and output[0].numel() != 1:
        raise ValueError(
            f"The module returns an output of shape {tuple(output.shape)} for a batch. "
            "Only one number for each row, (n_rows,) or (n_rows, 1), is supported."
        )
    return output.reshape(-1, 1)


def _logit_column(output):
    tiny = torch.finfo(output.dtype).eps
    probability = _as_column(output).clamp(tiny, 1.0 - tiny)
    return torch.log(probability) - torch.log1p(-probability)


def effective_rows(net, terms, X, y, sample_weight, raw_prediction):
    """Terms of the loss, weights of each row, and what multiplies weight_decay.

    skorch minimises, with criterion l, by steps on batches::

        mean_i l_i + weight_decay / 2 * |theta|^2

    (reduction "sum": the sum over a batch in place of the mean). Times the number of
    rows that an epoch visits (or of batches), and divided by the scale of the
    criterion, this is J of `TrainedModel`. ``raw_prediction`` is a function that
    returns those of all rows, called where only autograd knows the loss.

    Returns
    -------
    terms : NetLoss
        Those given, with what only the rows tell of a loss known to autograd alone.
    factor : ndarray of shape (n_samples,)
        What the criterion multiplies the loss of each row by.
    row_weight : ndarray of shape (n_samples,)
    strength : float
    """
    visits = epoch_visits(net, X, y)
    factor = np.ones(len(y))
    if isinstance(terms.loss, AutogradLoss):
        factor, is_sum = terms.loss.row_factors(y, raw_prediction())
        terms = replace(terms, is_sum=is_sum, divides_by_weight=True)
    elif terms.class_factor is not None:
        factor = terms.class_factor[np.asarray(y, dtype=int)]
    row_weight = sample_weight * factor * visits
    if terms.is_sum:
        strength = _n_batches(net, visits.sum())
    elif terms.divides_by_weight:
        strength = row_weight.sum()
    else:
        strength = float(sample_weight @ visits)
    return terms, factor, row_weight, strength / terms.scale


def with_probabilities(terms, raw_prediction):
    """The terms of a module whose outputs are probabilities, where they are.

    skorch returns outputs as they are for a criterion that it does not know. The
    first rows tell what they are.
    """
    unknown = (
        isinstance(terms.response, SoftmaxResponse) and not terms.gives_probability
    )
    if unknown and are_probabilities(raw_prediction):
        return replace(terms, response=ProbabilityResponse(), gives_probability=True)
    return terms


def net_answers(net, terms, raw_prediction):
    """What methods of the net must return, a dict of arrays by name of the method."""
    if not (terms.gives_probability and is_classifier(net)):
        return {}
    return {"predict_proba": terms.response.smooth(raw_prediction)}


def losses_of_rows(model, terms, inputs, positions):
    """The loss of a batch of training rows as read, and as the net computes it.

    Parameters
    ----------
    model : TrainedModel
    terms : NetLoss
    inputs : rows as the net takes them
    positions : ndarray of int
        Of these rows among the training rows.

    Returns
    -------
    tuple of float
    """
    own, n_rows = own_loss(model.net, inputs, model.y[positions])
    positions = positions[:n_rows]
    factor = model.row_factor[positions]
    raw = model.fitted_raw_prediction[positions]
    loss = terms.scale * factor * terms.loss.value(model.y[positions], raw)
    claimed = np.sum(loss)
    if not terms.is_sum:
        claimed /= np.sum(factor) if terms.divides_by_weight else len(loss)
    return float(claimed), own


def _n_batches(net, n_rows):
    size = net.get_params_for("iterator_train").get("batch_size", net.batch_size)
    return 1.0 if size == -1 else n_rows / size


def weight_decay(net):
    """Weight decay of each named parameter, a dict.

    Read from an optimizer built anew, which knows its defaults and parameter groups,
    and whose parameters are those of the module also after unpickling.
    """
    named = list(plain_module(net).named_parameters())
    args, kwargs = net.get_params_for_optimizer("optimizer", named)
    optimizer = net.optimizer(*args, **kwargs)
    decay = {
        id(parameter): group.get("weight_decay", 0.0)
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    return {name: float(decay.get(id(p), 0.0)) for name, p in named}
