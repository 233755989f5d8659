# SPDX-License-Identifier: BSD-3-Clause
"""The objective that a skorch net was trained on: loss, row weights and penalty."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import logit
from torch import nn

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
    """

    link: Any
    loss: Any
    response: Any
    class_factor: np.ndarray | None = None
    divides_by_weight: bool = False
    scale: float = 1.0


class AutogradLoss:
    """Any criterion that is a sum (or mean) over rows, differentiated by autograd.

    Evaluated in float64, a row at a time (vectorised), through the net's own
    ``get_loss``, which is what skorch trains with.

    Parameters
    ----------
    net : fitted skorch net
    target_dtype : torch.dtype
        Of the targets that the criterion expects.
    """

    def __init__(self, net, target_dtype):
        # First to the CPU: not every device has float64.
        criterion = deepcopy(net.criterion_).cpu().double()
        if hasattr(criterion, "reduction"):
            # The mean over one row would cancel a class weight.
            criterion.reduction = "sum"
        # Not copy(net), which would serialise the net.
        self._net = object.__new__(type(net))
        vars(self._net).update(vars(net) | {"criterion_": criterion, "device": "cpu"})
        self._dtype = target_dtype

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        return self._mapped(self._row_loss, y, raw_prediction)

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, n_outputs)."""
        return self._mapped(torch.func.grad(self._row_loss), y, raw_prediction)

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, n_outputs, n_outputs)."""
        return self._mapped(torch.func.hessian(self._row_loss), y, raw_prediction)

    def _row_loss(self, raw, target):
        # skorch hands the criterion outputs of the shape that the module returned.
        return self._net.get_loss(raw[None], target[None]).sum()

    def _mapped(self, function, y, raw_prediction):
        raw = torch.as_tensor(raw_prediction, dtype=torch.float64, device="cpu")
        target = torch.as_tensor(np.asarray(y), dtype=self._dtype, device="cpu")
        # By force: a Hessian that is zero by rule, as of L1Loss, has no memory.
        return torch.func.vmap(function)(raw, target).numpy(force=True)


class ThresholdResponse(LogisticResponse):
    """Class 1 where its probability is above the threshold of the net."""

    def __init__(self, threshold):
        super().__init__()
        self.threshold = threshold

    def hard(self, raw_prediction):
        """Indicator of the predicted class, of shape (n_samples, 2)."""
        positive = raw_prediction > logit(self.threshold)
        return np.hstack([~positive, positive]).astype(float)


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
    """`NetLoss` of a fitted net, by its class and criterion.

    Raises
    ------
    ValueError
        If the criterion's reduction or weight is not supported.
    """
    criterion = getattr(net.criterion_, "_orig_mod", net.criterion_)
    if getattr(criterion, "reduction", "mean") not in ("mean", "sum"):
        raise ValueError(
            f"criterion__reduction={criterion.reduction!r} is not supported: use "
            "'mean' or 'sum'."
        )
    kind = type(net).__mro__
    if any(c.__name__ == "NeuralNetRegressor" for c in kind):
        return _regression(net, criterion)
    if any(c.__name__ == "NeuralNetBinaryClassifier" for c in kind):
        return _binary(net, criterion)
    return _classification(net, criterion)


def _classification(net, criterion):
    factor = _class_factor(getattr(criterion, "weight", None))
    plain = getattr(criterion, "label_smoothing", 0.0) == 0.0
    if isinstance(criterion, nn.CrossEntropyLoss) and plain:
        return NetLoss(_as_table, SoftmaxLogLoss(), SoftmaxResponse(), factor, True)
    if isinstance(criterion, nn.NLLLoss):
        # skorch takes the logarithm of the module's probabilities in get_loss.
        return NetLoss(_log_table, SoftmaxLogLoss(), SoftmaxResponse(), factor, True)
    loss = AutogradLoss(net, torch.int64)
    return NetLoss(_as_table, loss, SoftmaxResponse())


def _binary(net, criterion):
    response = LogisticResponse()
    if net.threshold != 0.5:
        response = ThresholdResponse(net.threshold)
    weight = getattr(criterion, "weight", None)
    if weight is not None and weight.numel() > 1:
        raise ValueError(
            "criterion__weight of a binary criterion weights positions in a batch, "
            "not rows. Use pos_weight, or leave it None."
        )
    factor = np.ones(2) if weight is None else np.full(2, float(weight))
    if isinstance(criterion, nn.BCEWithLogitsLoss):
        if criterion.pos_weight is not None:
            factor[1] *= float(criterion.pos_weight)
        return NetLoss(_as_column, BinaryLogLoss(), response, factor)
    if isinstance(criterion, nn.BCELoss):
        return NetLoss(_logit_column, BinaryLogLoss(), response, factor)
    loss = _ColumnLoss(AutogradLoss(net, torch.float64))
    return NetLoss(_as_column, loss, response)


def _regression(net, criterion):
    if isinstance(criterion, nn.MSELoss):
        return NetLoss(_as_column, HalfSquaredError(), IdentityResponse(), scale=2.0)
    loss = _ColumnLoss(AutogradLoss(net, torch.float64))
    return NetLoss(_as_column, loss, IdentityResponse())


class _ColumnLoss:
    """A criterion of vectors, given raw predictions of shape (n_samples, 1)."""

    def __init__(self, loss):
        self._loss = loss

    def value(self, y, raw_prediction):
        return self._loss.value(y, raw_prediction[:, 0])

    def gradient(self, y, raw_prediction):
        return self._loss.gradient(y, raw_prediction[:, 0])[:, None]

    def hessian(self, y, raw_prediction):
        return self._loss.hessian(y, raw_prediction[:, 0])[:, None, None]


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


def trained_rows(net, X, y):
    """Which rows the net was trained on: those that ``train_split`` did not hold out.

    Returns
    -------
    ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If the split cannot be repeated.
    """
    first, second = (_split_positions(net, X, y) for _ in range(2))
    if not np.array_equal(first, second):
        raise ValueError(
            "train_split holds out other rows each time, so the rows that the net was "
            "trained on are not known. Give it a random_state, for example "
            "ValidSplit(0.2, random_state=0), or use train_split=None."
        )
    trained = np.zeros(len(y), dtype=bool)
    trained[first] = True
    return trained


def _split_positions(net, X, y):
    dataset, _ = net.get_split_datasets(X, y)
    positions = np.arange(len(y))
    while isinstance(dataset, torch.utils.data.Subset):
        positions = positions[np.asarray(dataset.indices)]
        dataset = dataset.dataset
    if len(dataset) != len(y):
        raise ValueError(
            f"train_split returns a training set of {len(dataset)} rows that is no "
            "torch.utils.data.Subset of the rows passed to fit, so the rows that the "
            "net was trained on are not known. Use ValidSplit or train_split=None."
        )
    return positions


def effective_rows(net, loss, X, y, sample_weight):
    """Effective weight s_i of each row, and the number that multiplies weight_decay.

    skorch minimises, with criterion l, by steps on batches::

        mean_i l_i + weight_decay / 2 * |theta|^2

    (reduction "sum": the sum over a batch in place of the mean). Times the number of
    trained rows (or of batches), and divided by the scale of the criterion, this is J
    of `TrainedModel`.
    """
    factor = np.ones(len(y))
    if loss.class_factor is not None:
        factor = loss.class_factor[np.asarray(y, dtype=int)]
    trained = trained_rows(net, X, y)
    row_weight = sample_weight * factor * trained
    if getattr(net.criterion_, "reduction", "mean") == "sum":
        strength = _n_batches(net, int(trained.sum()))
    elif loss.divides_by_weight:
        strength = row_weight.sum()
    else:
        strength = float(sample_weight @ trained)
    return row_weight, strength / loss.scale


def _n_batches(net, n_rows):
    size = net.get_params_for("iterator_train").get("batch_size", net.batch_size)
    return 1.0 if size == -1 else n_rows / size


def weight_decay(net):
    """Weight decay of each named parameter, a dict.

    Read from an optimizer built anew, which knows its defaults and parameter groups,
    and whose parameters are those of the module also after unpickling.
    """
    named = list(net.module_.named_parameters())
    args, kwargs = net.get_params_for_optimizer("optimizer", named)
    optimizer = net.optimizer(*args, **kwargs)
    decay = {
        id(parameter): group.get("weight_decay", 0.0)
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    return {name: float(decay.get(id(p), 0.0)) for name, p in named}
