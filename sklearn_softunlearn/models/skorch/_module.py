# SPDX-License-Identifier: BSD-3-Clause
"""Any parameters of a skorch net, through forward- and reverse-mode products."""

import fnmatch
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter

import numpy as np
import torch
from sklearn.base import is_classifier
from skorch.utils import to_numpy
from torch.func import functional_call, jacrev, jvp, vjp, vmap

from sklearn_softunlearn.models._base import TrainedModel
from sklearn_softunlearn.models.skorch._net import (
    content_of,
    differentiable,
    evaluation_module,
    features_gradient,
    first_output,
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
    with_probabilities,
)
from sklearn_softunlearn.models.skorch._refit import minimize_objective
from sklearn_softunlearn.models.skorch._rows import (
    alone,
    arguments,
    batches,
    first_rows,
    n_rows_of,
    pieces,
)

# Elements of a block of per-row Jacobians, and of a block of directions.
_BLOCK_ELEMENTS = 2**23
# Elements of all per-row Jacobians up to which the diagonal of H is exact; beyond,
# batches times probes of its estimate, for a relative variance of 2 / 400.
_EXACT = 2**30
_PROBED_BLOCKS = 400


class ModuleModel(TrainedModel):
    """All or some parameters of a fitted skorch net.

    H is the Gauss-Newton matrix. The objective is not convex and training has not
    reached a stationary point, so influences describe the corrected net to first
    order, not a net trained anew.

    Everything is computed in evaluation mode: dropout is off, batch normalisation
    uses its running statistics, which are held. The net computes in its own dtype;
    sums over batches are in float64. Memory does not grow with the number of rows.

    Parameters
    ----------
    net : fitted skorch net
        Neither it nor the arrays are modified.
    X : ndarray of shape (n_samples, ...)
        Rows as the net takes them.
    y : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,)
    layer : "all", "lora" or list of str
        Names or patterns of parameters; "all" for those with ``requires_grad``,
        "lora" for the factors that peft adds.
    """

    convergence_advice = "train longer"
    # A net is not expected to be at a stationary point.
    converged_share = np.inf
    curvature_beyond_dense = "diagonal"
    convex = False
    # Of the mean of the diagonal of H: flat directions are the rule in nets.
    relative_damping = 0.1

    def __init__(self, net, X, y, sample_weight, layer="all"):
        self.net = net
        self.X = X
        self.y = y
        terms = net_loss(net)
        self._link = terms.link
        named = dict(plain_module(net).named_parameters())
        self.names = _parameter_names(named, layer)
        self._shapes = [named[name].shape for name in self.names]
        self.parameters = _flat(to_numpy(named[name]) for name in self.names)
        self._module = evaluation_module(net)
        self._tensor = named[self.names[0]].detach()
        first = self.raw_prediction(first_rows(X))
        self.n_outputs = first.shape[1]
        if is_classifier(net):
            check_classes(net, self.n_outputs)
            terms = with_probabilities(terms, first)
        self._terms, self.row_factor, self.row_weight, strength = effective_rows(
            net, terms, X, y, sample_weight, lambda: self.fitted_raw_prediction
        )
        self.loss, self.response = self._terms.loss, self._terms.response
        decay = weight_decay(net)
        self._penalty = strength * _flat(
            np.full(tuple(named[name].shape), decay[name]) for name in self.names
        )

    def raw_prediction(self, X, parameters=None):
        """f_theta(X), of shape (n_samples, n_outputs)."""
        theta = self._theta(self.parameters if parameters is None else parameters)
        with torch.no_grad(), differentiable(), hint_at_dtype(self.net, X):
            return np.concatenate(
                [_array(self._function(theta, rows)) for rows in batches(self.net, X)]
            )

    def cache_key(self):
        """The net, and which of its parameters are corrected."""
        own = self.X, self.y, self.row_weight, self.parameters, self._penalty
        return content_of(self.net), self.names, own

    def answers(self, raw_prediction):
        """What the net's own ``predict_proba`` must return, if it does so."""
        return net_answers(self.net, self._terms, raw_prediction)

    def losses(self, inputs, positions):
        """The loss of training rows, as read and as the net computes it."""
        return losses_of_rows(self, self._terms, inputs, positions)

    def input_gradient(self, inputs, cotangent):
        """Raw predictions, and a combination of their derivatives by the rows."""
        theta = self._theta(self.parameters)
        return features_gradient(
            self.net, inputs, lambda rows: self._function(theta, rows), cotangent
        )

    @property
    def product_precision(self):
        """Relative precision of the products in the dtype of the net."""
        return float(np.sqrt(torch.finfo(self._tensor.dtype).eps))

    def jvp(self, X, directions):
        """J @ directions, one forward-mode pass for each direction."""
        theta, tangents = self._theta(self.parameters), self._theta(directions.T)
        with torch.no_grad(), differentiable():
            return np.concatenate(
                [
                    self._batch_jvp(theta, rows, tangents)
                    for rows in batches(self.net, X)
                ]
            )

    def _batch_jvp(self, theta, rows, tangents):
        products = directional(
            lambda t: self._function(t, rows), theta, tangents, self._chunk()
        )
        return np.moveaxis(_array(products), 0, 2)

    def vjp(self, X, cotangents):
        """J.T @ cotangents, one reverse-mode pass for each direction."""
        theta, start = self._theta(self.parameters), 0
        total = self._zeros(cotangents.shape[2])
        for rows in batches(self.net, X):
            block = cotangents[start : start + n_rows_of(rows)]
            start += len(block)
            total += self._batch_vjp(theta, rows, block).to(total)
        return _array(total).T

    def _batch_vjp(self, theta, rows, cotangents):
        with differentiable():
            _, pullback = vjp(lambda t: self._function(t, rows), theta)
            columns = self._theta(np.moveaxis(cotangents, 2, 0))
            return vmap(lambda c: pullback(c)[0], chunk_size=self._chunk())(columns)

    def _zeros(self, *shape):
        """Sums over batches, by rows: on the device, if it has float64."""
        device = "cpu" if self._tensor.device.type == "mps" else self._tensor.device
        size = (*shape, self.parameters.size)
        return torch.zeros(size, dtype=torch.float64, device=device)

    def gram(self, curvature):
        """Dense sum_i J_i.T @ curvature_i @ J_i over the training rows."""
        gram = np.zeros((self.parameters.size, self.parameters.size))
        for jacobian, own in self._jacobian_blocks(curvature):
            left = jacobian.reshape(-1, self.parameters.size)
            gram += left.T @ (own @ jacobian).reshape(left.shape)
        return gram

    def gram_diagonal(self, curvature):
        """Diagonal of `gram`, of shape (n_parameters,).

        Where per-row Jacobians have more than 2**30 elements, and for more than 400
        rows of named inputs, it is estimated, with a
        standard error of 7 %, by the squares of sums over batches with random signs.
        """
        size = curvature.shape[0] * curvature.shape[1] * self.parameters.size
        # Modules of named inputs look at masks, so that rows would go one by one.
        singly = isinstance(self.X, Mapping) and len(curvature) > _PROBED_BLOCKS
        if size > _EXACT or singly:
            return self._sketched_diagonal(curvature)
        diagonal = np.zeros(self.parameters.size)
        for jacobian, own in self._jacobian_blocks(curvature):
            diagonal += np.sum(jacobian * (own @ jacobian), axis=(0, 1))
        return diagonal

    def _sketched_diagonal(self, curvature):
        """E (sum_i +-u_i)^2 = sum_i u_i^2, with u_i = J_i.T times a root of C_i."""
        theta, start = self._theta(self.parameters), 0
        values, vectors = np.linalg.eigh(curvature)
        root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        rng = np.random.default_rng(0)  # deterministic
        total = self._zeros()
        n_probes = -(-_PROBED_BLOCKS // sum(1 for _ in batches(self.net, self.X)))
        for rows in batches(self.net, self.X):
            own = root[start : start + n_rows_of(rows)]
            start += len(own)
            signs = rng.choice([-1.0, 1.0], size=(*own.shape[:2], n_probes))
            sums = self._batch_vjp(theta, rows, own @ signs).to(total)
            total += torch.sum(sums**2, dim=0)
        return _array(total) / n_probes

    def _jacobian_blocks(self, curvature):
        """Jacobians (n_rows, n_outputs, n_parameters) with their rows of curvature."""
        theta, start = self._theta(self.parameters), 0
        size = _BLOCK_ELEMENTS // (curvature.shape[1] * self.parameters.size)

        def of_row(row):
            return jacrev(lambda t: self._function(t, alone(row))[0])(theta)

        for rows in batches(self.net, self.X):
            for piece in pieces(rows, max(1, size)):
                own = curvature[start : start + n_rows_of(piece)]
                start += len(own)
                with differentiable():
                    yield _array(each_row(of_row, piece)), own

    def penalty_curvature(self):
        """Weight decay in the units of J."""
        return self._penalty

    @property
    def layers(self):
        """Slices of the parameter vector, one for each module with own parameters."""
        owners = (name.rpartition(".")[0] for name in self.names)
        parts = zip(owners, self._parts(), strict=True)
        layers = [list(own) for _, own in groupby(parts, key=itemgetter(0))]
        return [slice(own[0][1].start, own[-1][1].stop) for own in layers]

    def _parts(self):
        """Slices of the parameter vector, one for each named parameter."""
        ends = np.cumsum([shape.numel() for shape in self._shapes])
        return [
            slice(end - shape.numel(), end)
            for end, shape in zip(ends.tolist(), self._shapes, strict=True)
        ]

    def initial_parameters(self, random_state):
        """Parameters of an untrained net, of shape (n_parameters,)."""
        return _flat(reinitialized(self.net, self.names, random_state).values())

    def with_parameters(self, parameters):
        """Deep copy of the net with other parameters."""
        return with_values(self.net, self._split(parameters))

    def refitted_parameters(self, row_weight):
        """Parameters trained on with these row weights, from the fitted ones."""
        return minimize_objective(self, row_weight)

    def _split(self, flat):
        return {
            name: flat[part].reshape(tuple(shape))
            for name, part, shape in zip(
                self.names, self._parts(), self._shapes, strict=True
            )
        }

    def _function(self, theta, rows):
        """Raw predictions of some rows at a flat parameter tensor."""
        output = functional_call(self._module, self._split(theta), *arguments(rows))
        return self._link(first_output(output))

    def _theta(self, array):
        return torch.as_tensor(
            np.ascontiguousarray(array),
            dtype=self._tensor.dtype,
            device=self._tensor.device,
        )

    def _chunk(self):
        return max(1, _BLOCK_ELEMENTS // self.parameters.size)


def directional(function, theta, tangents, chunk_size):
    """Derivatives of a function along tangents, (n_tangents, *shape of its value).

    In forward mode; where an operation of the module has none (a fused attention,
    weight_norm), as the derivative of the reverse mode, which is linear: twice the
    cost.
    """

    def forward(tangent):
        return jvp(function, (theta,), (tangent,))[1]

    try:
        return vmap(forward, chunk_size=chunk_size)(tangents)
    except (NotImplementedError, RuntimeError) as error:
        if "forward AD" not in str(error):
            raise
    value, pullback = vjp(function, theta)
    with torch.enable_grad():
        _, twice = vjp(lambda c: pullback(c)[0], torch.zeros_like(value))
    return vmap(lambda tangent: twice(tangent)[0], chunk_size=chunk_size)(tangents)


def each_row(function, rows):
    """A function of each row of a batch, stacked: vectorised where it can be.

    Modules that look at values, as transformers do at masks, cannot.
    """
    try:
        return vmap(function)(rows)
    except RuntimeError as error:
        if "vmap" not in str(error):
            raise
    single = [
        {name: value[0] for name, value in row.items()}
        if isinstance(row, dict)
        else row[0]
        for row in pieces(rows, 1)
    ]
    return torch.stack([function(row) for row in single])


def _parameter_names(named, layer):
    if isinstance(layer, str) and layer == "all":
        return [name for name, p in named.items() if p.requires_grad]
    patterns = ["*lora_*"] if isinstance(layer, str) else list(layer)
    found = {each: fnmatch.filter(named, each) for each in patterns}
    unknown = [each for each, names in found.items() if not names]
    if unknown or not patterns:
        raise ValueError(
            f"layer={layer!r}: {unknown or 'an empty list'} names no parameter of the "
            f"module. It has {list(named)}."
        )
    return list(dict.fromkeys(name for names in found.values() for name in names))


def _flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays]).astype(np.float64)


def _array(tensor):
    return tensor.detach().cpu().double().numpy()
