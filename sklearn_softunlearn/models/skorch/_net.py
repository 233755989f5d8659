# SPDX-License-Identifier: BSD-3-Clause
"""Batches of rows through a net, and copies of a net with other parameters."""

from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from types import FunctionType, MethodType

import numpy as np
import torch
from sklearn.utils import check_random_state
from skorch.utils import to_numpy
from torch.nn.attention import SDPBackend, sdpa_kernel

from sklearn_softunlearn.calls import code_key
from sklearn_softunlearn.models.skorch._rows import arguments, batches

_FUNCTIONS = (FunctionType, MethodType, partial)


def check_output_shape(net, X, y):
    """Raise ValueError unless the module's outputs have the shape of the targets.

    torch warns of it in its own criteria, and not in those of others.
    """
    with hint_at_dtype(net, X):
        output = first_output(net.forward(X))
    if output.shape != np.shape(y):
        raise ValueError(
            f"The module returns an output of shape {tuple(output.shape)} for targets "
            f"of shape {np.shape(y)}, so that the criterion compared all pairs of "
            "rows of a batch. Give y the shape of the output: y.reshape(-1, 1), or "
            "return output.squeeze(-1) in the module's forward."
        )


def own_loss(net, X, y):
    """What the net's own ``get_loss`` makes of a first batch of rows, while training.

    In evaluation mode, so that it can be compared.

    Returns
    -------
    loss : float
    n_rows : int
        Number of rows of the batch.
    """
    view = object.__new__(type(net))  # not copy(net), which would serialise the net
    vars(view).update(vars(net) | {"module_": evaluation_module(net)})
    rows = next(batches(net, X))
    with torch.no_grad():
        output = view.infer(rows)
        first = first_output(output)
        target = torch.as_tensor(np.array(y[: len(first)]), device=first.device)
        if target.is_floating_point() or first.dim() == 1:
            target = target.to(first.dtype).reshape(first.shape)
        loss = view.get_loss(output, target, X=rows, training=True)
    return float(loss.sum()), len(first)


def evaluation_module(net):
    """Copy of the module in evaluation mode, without gradients."""
    return copied(plain_module(net)).eval().requires_grad_(False)


def plain_module(net):
    """The module, without what torch.compile wrapped around it."""
    return getattr(net.module_, "_orig_mod", net.module_)


def copied(module):
    """Deep copy of a module, with derived tensors by value.

    A pruned weight is a result of the last forward pass, which torch does not copy.
    """
    return deepcopy(module, _derived(module))


def _derived(module):
    derived = [
        value
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and value.grad_fn is not None
    ]
    return {id(value): value.detach().clone() for value in derived}


def check_finite(net):
    """Raise ValueError if the net diverged.

    Raises
    ------
    ValueError
        If a parameter is NaN or infinite.
    """
    parts = net.module_.named_parameters()
    wrong = [name for name, p in parts if not bool(torch.isfinite(p).all())]
    if wrong:
        raise ValueError(
            f"The net diverged: {', '.join(wrong[:3])} holds NaN or infinity. Lower "
            "the learning rate lr, clip gradients, or look for NaN in X."
        )


def first_output(output):
    """What skorch predicts from: the first of several outputs, or the logits."""
    if hasattr(output, "logits"):  # of transformers
        return output.logits
    return output[0] if isinstance(output, tuple) else output


def called(module, rows):
    """Output of a module for a batch."""
    given, named = arguments(rows)
    return first_output(module(*given, **named))


def differentiable():
    """Context in which attention has derivatives of every kind.

    torch's fused kernels of scaled_dot_product_attention have none in forward mode.
    """
    return sdpa_kernel(SDPBackend.MATH)


@contextmanager
def hint_at_dtype(net, X):
    """Turn torch's message about dtypes into what to cast."""
    try:
        yield
    except RuntimeError as error:
        message = explained(net, error, X)
        if message is None:
            raise
        raise ValueError(message) from error


def explained(net, error, X, y=None):
    """What to do about an error of torch that speaks of dtypes, else None.

    Parameters
    ----------
    net : skorch net
        Whose module was initialised.
    error : RuntimeError
    X, y : arrays
        As the net was given them; y only while it was fitted.
    """
    text = str(error)
    if not any(word in text for word in ("dtype", "same type", "scalar type", "cast")):
        return None
    own = _float_dtype(net.module_)
    given = getattr(X, "dtype", None)
    if y is not None and (given == own or "target" in text):
        fitting = np.int64 if _wants_integers(net) else own
        return (
            f"y has dtype {np.asarray(y).dtype}, which the criterion does not take. "
            f"Cast it, for example with y.astype(np.{np.dtype(fitting)})."
        )
    wanted = np.int64 if _starts_with_embedding(net.module_) else own
    wanted = f"np.{np.dtype(wanted)}"
    return (
        f"X has dtype {given} where the module takes {np.dtype(own)} numbers. Cast it, "
        f"for example with X.astype({wanted}); after a transformer of a Pipeline, with "
        f"FunctionTransformer({wanted}) as a step before the net."
    )


def _float_dtype(module):
    floats = (p for p in module.parameters() if p.is_floating_point())
    return to_numpy(next(floats, torch.empty(0, device="cpu"))[:0]).dtype


def _wants_integers(net):
    kinds = {kind.__name__ for kind in type(net).__mro__}
    return "NeuralNetClassifier" in kinds


def _starts_with_embedding(module):
    embeddings = (torch.nn.Embedding, torch.nn.EmbeddingBag)
    leaves = (part for part in module.modules() if not list(part.children()))
    return isinstance(next(leaves, None), embeddings)


def features_gradient(net, X, function, cotangent):
    """Values of a function of the rows, and a combination of their derivatives.

    Parameters
    ----------
    net : fitted skorch net
    X : ndarray of shape (n_samples, ...)
    function : callable
        Tensor of rows to tensor of raw predictions (n_rows, n_outputs).
    cotangent : callable
        As in `TrainedModel.input_gradient`.
    """
    raws, gradients, start = [], [], 0
    with hint_at_dtype(net, X):
        for rows in batches(net, X):
            raw, pullback = torch.func.vjp(function, rows)
            raws.append(raw.detach().cpu().double().numpy())
            part = slice(start, start + len(rows))
            start = part.stop
            factors = torch.as_tensor(
                cotangent(raws[-1], part), dtype=raw.dtype, device=raw.device
            )
            gradients.append(pullback(factors)[0].detach().cpu().numpy())
    return np.concatenate(raws), np.concatenate(gradients)


def content_of(net):
    """What determines the predictions and the loss of a fitted net.

    Of plain values and arrays: a tensor is pickled with its address, so that a net
    has another hash whenever it is loaded.
    """
    parts = [plain_module(net), net.criterion_]
    code = code_key(*_code_of(net), *(c for part in parts for c in _code_of(part)))
    return [type(net).__qualname__, getattr(net, "threshold", None), code] + [
        (
            type(part).__module__,
            type(part).__qualname__,
            str(part),
            {name: to_numpy(value) for name, value in _state(part).items()},
            [sorted(_plain(vars(each)).items()) for each in _modules(part)],
        )
        for part in parts
    ]


def _code_of(part):
    """Classes and functions of a net, a module or a criterion, also of its parts."""
    for each in [part, *_modules(part)]:
        yield each if isinstance(each, _FUNCTIONS) else type(each)
        for value in getattr(each, "__dict__", {}).values():
            hooks = value.values() if isinstance(value, dict) else [value]
            yield from (one for one in hooks if isinstance(one, (*_FUNCTIONS, type)))


def _state(part):
    return part.state_dict() if isinstance(part, torch.nn.Module) else {}


def _modules(part):
    """The part and those inside; a criterion may be any callable."""
    if isinstance(part, torch.nn.Module):
        return list(part.modules())
    return [part] if hasattr(part, "__dict__") else []


def _plain(attributes):
    return {
        name: value
        for name, value in attributes.items()
        if isinstance(value, bool | int | float | str)
    }


def with_values(net, values):
    """Deep copy of a net in which some named parameters have other values."""
    # Not deepcopy(net), which serialises the module: some modules refuse that.
    corrected = object.__new__(type(net))
    # A compiled module is corrected as it was before: compile it anew, if wanted.
    known = vars(net) | {"module_": plain_module(net), "compile": False}
    memo = {id(net): corrected} | _derived(plain_module(net))
    vars(corrected).update(
        {name: deepcopy(value, memo) for name, value in known.items()}
    )
    named = dict(corrected.module_.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            own = named[name]
            own.copy_(torch.as_tensor(value, dtype=own.dtype, device=own.device))
    return corrected


def reinitialized(net, names, random_state):
    """Values of named parameters after each layer's own random initialisation."""
    # The same values on every device, whose own generator is left alone.
    module = copied(plain_module(net)).cpu()
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for part in module.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
    named = dict(module.named_parameters())
    return {name: named[name].detach().cpu().numpy() for name in names}
