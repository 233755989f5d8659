# SPDX-License-Identifier: BSD-3-Clause
"""The last linear layer of a skorch net, on fixed features."""

from copy import copy
from functools import cached_property

import numpy as np
import torch
from sklearn.base import is_classifier
from skorch.utils import to_numpy
from torch import nn

from sklearn_softunlearn.models._linear import LinearModel, common_shifts
from sklearn_softunlearn.models.skorch._collinear import (
    collinear_combinations,
    directions_of_outputs,
)
from sklearn_softunlearn.models.skorch._net import (
    called,
    content_of,
    evaluation_module,
    features_gradient,
    hint_at_dtype,
    plain_module,
    reinitialized,
    with_values,
)
from sklearn_softunlearn.models.skorch._objective import (
    check_classes,
    effective_rows,
    losses_of_rows,
    net_answers,
    net_loss,
    weight_decay,
)
from sklearn_softunlearn.models.skorch._refit import minimize_objective
from sklearn_softunlearn.models.skorch._rows import batches
from sklearn_softunlearn.pointwise import SoftmaxLogLoss


class LastLayerModel(LinearModel):
    """Last linear layer of a fitted skorch net; all other layers are held.

    On the features that enter the layer this is a linear model with a convex training
    objective. The features are computed once, in evaluation mode: dropout is off and
    batch normalisation uses its running statistics.

    A feature that is 0 for every training row and not penalised (a dead unit) is held
    at its coefficients: no row moves them.

    Training by batches, stopped early and with dropout, ends near the optimum of the
    layer but not at it. What the correction does to metric and utility is right to
    first order all the same; that deletion equals retraining needs the optimum.

    Parameters
    ----------
    net : fitted skorch net
        Neither it nor the arrays are modified.
    X : ndarray of shape (n_samples, n_features), float64
        What enters the last linear layer, from `embed`.
    y : ndarray of shape (n_samples,)
        Class indices, or the numbers of a regression.
    sample_weight : ndarray of shape (n_samples,)
    """

    convergence_advice = (
        "train longer, or with a decaying learning rate and weight_decay > 0"
    )
    # Nets are stopped early on purpose, and trained with noise that evaluation mode
    # does not have. Only a layer that has hardly been trained is worth a warning.
    converged_share = 0.5

    def __init__(self, net, X, y, sample_weight):
        self.net = net
        self._name, layer = last_linear(net)
        terms = net_loss(net)
        if is_classifier(net):
            check_classes(net, layer.out_features)
        super().__init__(
            X,
            y,
            sample_weight,
            coef=to_numpy(layer.weight),
            intercept=None if layer.bias is None else to_numpy(layer.bias),
            loss=terms.loss,
            response=terms.response,
        )
        self._terms, self.row_factor, self.row_weight, strength = effective_rows(
            net, terms, X, y, sample_weight, lambda: self.fitted_raw_prediction
        )
        self.loss = self._terms.loss
        self._precision = torch.finfo(layer.weight.dtype).eps
        decay = weight_decay(net)
        self._penalty = strength * self._joined(
            np.full(to_numpy(p).shape, decay[name], dtype=float)
            for name, p in self._named(layer)
        )
        dead = np.append(~np.any(X, axis=0), np.zeros(int(self.has_intercept), bool))
        held = np.tile(dead, self.n_outputs) & (self._penalty == 0)
        self.fixed = held if np.any(held) else None

    @staticmethod
    def embed(net, X):
        """Features of all rows, of shape (n_samples, n_features), float64.

        Raises
        ------
        ValueError
            If the predictions are not those of the last linear layer.
        """
        module, link = evaluation_module(net), net_loss(net).link
        layer = dict(module.named_modules())[last_linear(net)[0]]
        # Filled, not concatenated: they may take half of the memory.
        features, start, seen = np.empty((len(X), layer.in_features)), 0, []
        layer.register_forward_hook(lambda _, given, out: seen.append((given[0], out)))
        with torch.no_grad(), hint_at_dtype(net, X):
            for rows in batches(net, X):
                raw = link(called(module, rows))
                block = _features(net, seen, raw).cpu().double().numpy()
                seen.clear()
                features[start : start + len(block)] = block
                start += len(block)
        return features

    def cache_key(self):
        """The layer as a linear model, and the net that it belongs to."""
        own = self.X, self.y, self.row_weight, self.parameters, self._penalty
        return content_of(self.net), own

    def answers(self, raw_prediction):
        """What the net's own ``predict_proba`` must return, if it does so."""
        return net_answers(self.net, self._terms, raw_prediction)

    def losses(self, inputs, positions):
        """The loss of training rows, as read and as the net computes it."""
        return losses_of_rows(self, self._terms, inputs, positions)

    def rows_of(self, inputs):
        """Features of rows as the net takes them."""
        return self.embed(self.net, inputs)

    def input_gradient(self, inputs, cotangent):
        """Raw predictions, and a combination of their derivatives by the rows."""
        module = evaluation_module(self.with_parameters(self.parameters))
        link = net_loss(self.net).link
        return features_gradient(
            self.net, inputs, lambda rows: link(called(module, rows)), cotangent
        )

    def penalty_curvature(self):
        """Weight decay in the units of J; 1 for held parameters."""
        if self.fixed is None:
            return self._penalty
        return np.where(self.fixed, 1.0, self._penalty)

    def penalized_as(self, row_weight):
        """The same layer with the weight decay of a fit with these row weights."""
        if self._terms.is_sum:
            return self
        moved = copy(self)
        moved._penalty = self._penalty * (np.sum(row_weight) / np.sum(self.row_weight))
        return moved

    def null_directions(self):
        """With softmax, the same shift of a coefficient in all classes.

        And combinations of unpenalised features that are 0 but for the rounding of the
        net's own numbers: weights as large as its inverse would fit that noise.
        """
        loose, collinear = self._loose
        shared = isinstance(self.loss, SoftmaxLogLoss)
        if collinear.shape[1] == 0 and not shared:
            return super().null_directions()
        if collinear.shape[1] == 0:
            return common_shifts(loose, self.n_outputs)
        return directions_of_outputs(loose, collinear, self.n_outputs, shared=shared)

    @cached_property
    def _loose(self):
        """Features without penalty in any output, and what is 0 of them."""
        shape = (self.n_outputs, -1)
        loose = np.all(self.penalty_curvature().reshape(shape) == 0, axis=0)
        return loose, collinear_combinations(
            self.X, loose, self.has_intercept, self._precision
        )

    def with_parameters(self, parameters):
        """Deep copy of the net with another last layer."""
        coef, intercept = self.split(parameters)
        values = {"weight": coef, "bias": intercept}
        _, layer = last_linear(self.net)
        return with_values(
            self.net,
            {name: values[name.rpartition(".")[2]] for name, _ in self._named(layer)},
        )

    def refitted_parameters(self, row_weight):
        """Parameters at the optimum of the last layer with these row weights."""
        return minimize_objective(self, row_weight)

    def initial_parameters(self, random_state):
        """Parameters of an untrained layer, of shape (n_parameters,)."""
        names = [name for name, _ in self._named(last_linear(self.net)[1])]
        return self._joined(reinitialized(self.net, names, random_state).values())

    def _named(self, layer):
        prefix = f"{self._name}." if self._name else ""
        return [(prefix + name, p) for name, p in layer.named_parameters()]

    def _joined(self, arrays):
        """Weight and bias as one vector, in the order of `parameters`."""
        tables = [np.reshape(a, (self.n_outputs, -1)) for a in arrays]
        return np.hstack(tables).astype(np.float64).ravel()


def last_linear(net):
    """Name and module of the last `torch.nn.Linear`, in order of registration.

    Raises
    ------
    ValueError
        If there is none, or its weight is made from other parameters.
    """
    found = [
        (name, part)
        for name, part in plain_module(net).named_modules()
        if isinstance(part, nn.Linear)
    ]
    if not found:
        raise ValueError(
            f"layer='last': the module {type(net.module_).__name__} has no "
            "torch.nn.Linear. Give layer='all' or a list of parameter names."
        )
    name, layer = found[-1]
    others = {name for name, _ in layer.named_parameters()} - {"weight", "bias"}
    if others:
        raise ValueError(
            f"layer='last': the weight of the last linear layer, {name!r}, is made "
            f"from {sorted(others)}, as by a parametrization or by pruning. Remove "
            "it, which keeps the weight (torch.nn.utils.parametrize."
            "remove_parametrizations, torch.nn.utils.prune.remove), or give "
            "layer='all' or a list of parameter names."
        )
    every = plain_module(net).named_parameters(remove_duplicate=False)
    tied = [other for other, p in every if p is layer.weight]
    if len(tied) > 1:
        raise ValueError(
            f"layer='last': the weight of the last linear layer, {name!r}, is tied: it "
            f"is {' and '.join(tied)}, so that no layer below is fixed. Give "
            "layer='all' or a list of parameter names."
        )
    return name, layer


def _features(net, seen, raw):
    """What entered the layer, if the prediction is that of the layer's output.

    A layer that works on every position of a row, as the head of GPT-like classifiers,
    predicts at one of them: the one whose output is the module's.

    Raises
    ------
    ValueError
        If it is not.
    """
    if len(seen) == 1:
        features, output = seen[0]
        if output.dim() == 3 and output[:, 0].shape == raw.shape:
            same = torch.all(output == raw[:, None], dim=2)
            if bool(same.any(dim=1).all()):
                # The last: padding before it looks the same to a causal model.
                position = same.shape[1] - 1 - same.flip(1).int().argmax(dim=1)
                rows = torch.arange(len(raw), device=raw.device)
                return features[rows, position]
        elif output.dim() == 2 and output.shape == raw.shape:
            smooth = net_loss(net).response.smooth
            of_layer, of_module = (
                smooth(part.cpu().double().numpy()) for part in (output, raw)
            )
            if np.allclose(of_layer, of_module, rtol=1e-3, atol=1e-4):
                return features
    raise ValueError(
        "layer='last': the predictions of the net are not those of its last linear "
        f"layer, {last_linear(net)[0]!r}: (a) the layer is not the last to be called, "
        "or is called several times; (b) something other than the criterion's own "
        "softmax or sigmoid follows it; (c) it works on more than one position of a "
        "row. Give layer='all' or a list of parameter names."
    )
