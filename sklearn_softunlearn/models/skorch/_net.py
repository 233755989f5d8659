# SPDX-License-Identifier: BSD-3-Clause
"""Batches of rows through a net, and copies of a net with other parameters."""

from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import torch
from sklearn.utils import check_random_state
from skorch.dataset import Dataset, unpack_data
from skorch.utils import to_numpy, to_tensor
from torch.utils.data import DataLoader

# Batches in which there is nothing to train need not be small.
_SMALLEST_BATCH = 512


def check_rows(X):
    """Raise TypeError unless X is one array of rows.

    Raises
    ------
    TypeError
        For a dict, list or tuple of inputs, a DataFrame (skorch passes its columns as
        keyword arguments) or a Dataset.
    """
    if isinstance(X, np.ndarray):
        return
    raise TypeError(
        f"X is a {type(X).__name__}. For a net, pass the rows as one NumPy array of "
        "the dtype that the module expects, for example "
        "np.asarray(X, dtype=np.float32). A dict, DataFrame, Dataset or several "
        "inputs are not supported."
    )


def check_output_shape(net, X, y):
    """Raise ValueError unless the module's outputs have the shape of the targets.

    torch warns of it in its own criteria, and not in those of others.
    """
    with hint_at_dtype(X):
        output = first_output(net.forward(X))
    if output.shape != np.shape(y):
        raise ValueError(
            f"The module returns an output of shape {tuple(output.shape)} for targets "
            f"of shape {np.shape(y)}, so that the criterion compared all pairs of "
            "rows of a batch. Give y the shape of the output: y.reshape(-1, 1), or "
            "return output.squeeze(-1) in the module's forward."
        )


def batches(net, X):
    """Tensors of consecutive rows, as skorch would feed them to the module."""
    if net.dataset is Dataset and net.iterator_valid is DataLoader:
        # What they would do, without collating the rows one by one: ten times faster.
        size = max(_SMALLEST_BATCH, net.batch_size)  # batch_size is -1 for all
        for start in range(0, len(X), size):
            yield to_tensor(X[start : start + size], device=net.device)
        return
    for batch in net.get_iterator(net.get_dataset(X), training=False):
        rows, _ = unpack_data(batch)
        yield to_tensor(rows, device=net.device)


def evaluation_module(net):
    """Copy of the module in evaluation mode, without gradients."""
    return deepcopy(net.module_).eval().requires_grad_(False)


def first_output(output):
    """The first of several outputs, which is what skorch predicts from."""
    return output[0] if isinstance(output, tuple) else output


@contextmanager
def hint_at_dtype(X):
    """Add to torch's message about dtypes what to do."""
    try:
        yield
    except RuntimeError as error:
        if "dtype" in str(error) or "same type" in str(error):
            error.add_note(
                f"X has dtype {X.dtype}, which the module does not accept. Cast it, "
                "for example with X.astype(np.float32); after a transformer of a "
                "Pipeline, with FunctionTransformer(np.float32)."
            )
        raise


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
    with hint_at_dtype(X):
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
    parts = [net.module_, net.criterion_]
    return [type(net).__qualname__, getattr(net, "threshold", None)] + [
        (
            type(part).__module__,
            type(part).__qualname__,
            str(part),
            {name: to_numpy(value) for name, value in part.state_dict().items()},
            [sorted(_plain(vars(each)).items()) for each in part.modules()],
        )
        for part in parts
    ]


def _plain(attributes):
    return {
        name: value
        for name, value in attributes.items()
        if isinstance(value, bool | int | float | str)
    }


def with_values(net, values):
    """Deep copy of a net in which some named parameters have other values."""
    corrected = deepcopy(net)
    named = dict(corrected.module_.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            own = named[name]
            own.copy_(torch.as_tensor(value, dtype=own.dtype, device=own.device))
    return corrected


def reinitialized(net, names, random_state):
    """Values of named parameters after each layer's own random initialisation."""
    # The same values on every device, whose own generator is left alone.
    module = deepcopy(net.module_).cpu()
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for part in module.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
    named = dict(module.named_parameters())
    return {name: named[name].detach().cpu().numpy() for name in names}
