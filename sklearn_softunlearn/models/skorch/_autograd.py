# SPDX-License-Identifier: BSD-3-Clause
"""Any loss of a skorch net that is a mean or a sum over rows, by autograd."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

# Relative difference of two gradients of one row.
_TOLERANCE = 1e-3
# Of a share of one: no row of a mean has a million times the weight of another.
_ALL = 1.0 - 1e-6


class AutogradLoss:
    """What the net's own ``get_loss`` takes of each row, and its derivatives.

    Evaluated in float64 where the criterion allows it, a row at a time (vectorised
    where it allows that), and with ``training=True``, as skorch does when it trains.

    Parameters
    ----------
    net : fitted skorch net
    target_dtype : torch.dtype
        Of the targets that the criterion expects.
    column : bool, default=False
        Whether raw predictions are columns and the criterion takes vectors.
    """

    def __init__(self, net, target_dtype, column=False):
        self._given = net
        self._target = target_dtype
        self._column = column
        # Double first, on the CPU: not every device has float64.
        self._net, self._raw = _in_float64(net), torch.float64
        self._vectorized = True

    def value(self, y, raw_prediction):
        """Loss of each row, of shape (n_samples,)."""
        return self._mapped(self._row_loss, y, raw_prediction)

    def gradient(self, y, raw_prediction):
        """First derivative, of shape (n_samples, n_outputs)."""
        return self._mapped(torch.func.grad(self._row_loss), y, raw_prediction)

    def hessian(self, y, raw_prediction):
        """Second derivative, of shape (n_samples, n_outputs, n_outputs)."""
        return self._mapped(torch.func.hessian(self._row_loss), y, raw_prediction)

    def row_factors(self, y, raw_prediction):
        """Weight of each row in the mean over a batch, and whether it is a sum.

        A mean that divides by the sum of weights hides them from a row alone. In a
        batch of two rows the gradient of one is ``w_i / (w_i + w_j)`` times its own.

        Returns
        -------
        factor : ndarray of shape (n_samples,)
            Relative to the first row.
        is_sum : bool

        Raises
        ------
        ValueError
            If the loss of a batch is no mean or sum over its rows, or depends on more
            than outputs and targets.
        """
        y = np.asarray(y)
        self._settle(y[:2], raw_prediction[:2])
        alone = self.gradient(y, raw_prediction)
        reference = self._tensors(y[:1], raw_prediction[:1])

        def beside(raw, target):
            def loss(own):
                rows = torch.stack([own, reference[0][0]])
                return self._loss(rows, torch.stack([target, reference[1][0]]))

            return torch.func.grad(loss)(raw)

        paired = self._mapped(beside, y, raw_prediction)
        if not (np.all(np.isfinite(alone)) and np.all(np.isfinite(paired))):
            raise ValueError(self._refusal("has no finite derivative"))
        size = np.sum(alone**2, axis=1)
        moving = size > 1e-20 * max(np.max(size, initial=0.0), 1e-300)
        share = np.full(len(y), 0.5)
        share[moving] = np.sum(alone * paired, axis=1)[moving] / size[moving]
        rest = np.linalg.norm(paired - share[:, None] * alone, axis=1)
        scale = np.where(moving, np.sqrt(size), np.max(rest, initial=0.0))
        if np.any(rest > _TOLERANCE * scale):
            raise ValueError(self._refusal("is no mean or sum over rows"))
        if np.all(share[moving] > _ALL):
            return np.ones(len(y)), True
        if np.any((share < -_TOLERANCE) | (share > _ALL)):
            raise ValueError(self._refusal("is no mean or sum over rows"))
        share = np.maximum(share, 0.0)
        return share / (1.0 - share), False

    def _settle(self, y, raw_prediction):
        """Find a dtype, and whether it can be vectorised; refuse what reads more."""
        try:
            self._row_by_row(torch.func.grad(self._row_loss), y, raw_prediction)
        except Exception:
            # Tensors of its own, of the dtype that the net trains with.
            self._net, self._raw = self._given, _dtype(self._given)
        try:
            self._row_by_row(torch.func.grad(self._row_loss), y, raw_prediction)
        except Exception as error:
            message = self._refusal(
                "cannot be computed from outputs and targets alone, rows apart"
            )
            raise ValueError(f"{message} {type(error).__name__}: {error}") from error
        self._check_no_penalty(y, raw_prediction)

    def _check_no_penalty(self, y, raw_prediction):
        given = [p for p in self._given.module_.parameters() if p.requires_grad]
        loss = self._loss(*self._tensors(y, raw_prediction))
        if not given or not loss.requires_grad:
            return
        found = torch.autograd.grad(loss, given, allow_unused=True)
        if any(each is not None for each in found):
            raise ValueError(
                self._refusal("depends on the parameters of the module")
                + " Penalise them by optimizer__weight_decay."
            )

    def _refusal(self, what):
        name = type(self._given).__name__
        return (
            f"The loss of the net, {name}.get_loss with the criterion "
            f"{_name(self._given.criterion_)}, {what}, so that rows have no influence "
            "of their own."
        )

    def _row_loss(self, raw, target):
        # skorch hands the criterion outputs of the shape that the module returned.
        return self._loss(raw[None], target[None])

    def _loss(self, raw, target):
        output = raw[:, 0] if self._column else raw
        return self._net.get_loss(output, target, X=None, training=True).sum()

    def _mapped(self, function, y, raw_prediction):
        if self._vectorized:
            try:
                return self._by_vmap(function, y, raw_prediction)
            except RuntimeError:
                # Branches on values, or writes in place.
                self._vectorized = False
        return self._row_by_row(function, y, raw_prediction)

    def _by_vmap(self, function, y, raw_prediction):
        raw, target = self._tensors(y, raw_prediction)
        # By force: a Hessian that is zero by rule, as of L1Loss, has no memory.
        return torch.func.vmap(function)(raw, target).double().numpy(force=True)

    def _row_by_row(self, function, y, raw_prediction):
        rows = zip(*self._tensors(y, raw_prediction), strict=True)
        found = [function(raw, target).detach() for raw, target in rows]
        return torch.stack(found).double().numpy(force=True)

    def _tensors(self, y, raw_prediction):
        device = "cpu" if self._raw is torch.float64 else self._given.device
        dtype = self._raw if self._target.is_floating_point else self._target
        # torch warns of arrays that it might write to.
        raw, target = (np.require(a, requirements="W") for a in (raw_prediction, y))
        return (
            torch.as_tensor(raw, dtype=self._raw, device=device),
            torch.as_tensor(target, dtype=dtype, device=device),
        )


def _in_float64(net):
    """The net with a criterion in float64 on the CPU; it shares all else."""
    criterion = net.criterion_
    if isinstance(criterion, nn.Module):
        criterion = deepcopy(criterion).cpu().double()
    # Not copy(net), which would serialise the net.
    view = object.__new__(type(net))
    vars(view).update(vars(net) | {"criterion_": criterion, "device": "cpu"})
    return view


def _dtype(net):
    return next(
        (p.dtype for p in net.module_.parameters() if p.is_floating_point()),
        torch.float32,
    )


def _name(criterion):
    return getattr(criterion, "__name__", type(criterion).__name__)
