# SPDX-License-Identifier: BSD-3-Clause
"""What it takes to repeat an audit: versions, parameters, seeds, data, date."""

import hashlib
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_softunlearn.auditing._plain import short
from sklearn_softunlearn.models import RowBlocks, of_each_block

_PACKAGES = ("scikit-learn", "fairlearn", "numpy", "scipy", "pandas", "skorch", "torch")


def provenance(subject, held_out, training, settings):
    """Versions, parameters, seeds, digests of the data and the date, a dict.

    Parameters
    ----------
    subject : Subject
    held_out, training : ValidationData; training may be None
    settings : dict
        Parameters of the audit.
    """
    parameters = {
        name: _parameters(model)
        for name, model in (
            ("corrector", subject.corrector),
            ("before", subject.before),
            ("after", subject.after),
        )
        if model is not None and not (name == "after" and model is subject.corrector)
    }
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
        "parameters": parameters,
        "seeds": _seeds(parameters) | {"audit": repr(settings["random_state"])},
        "audit": {name: repr(value) for name, value in settings.items()},
        "data": {
            "held_out": digest(held_out),
            "training": None if training is None else digest(training),
        },
    }


def digest(data):
    """Number of rows and columns, and a SHA-256 of the values, in the order of rows.

    Of a data frame, the column names count and the index does not. An array and a data
    frame of the same values have different digests, and so have other blocks of rows.
    """
    sha = hashlib.sha256()
    for part in (data.X, data.y, data.sensitive_features, data.sample_weight):
        for piece in _bytes_of(part):
            sha.update(piece)
    shape = np.shape(data.X)
    return {
        "rows": len(data.y),
        "columns": int(shape[1]) if len(shape) > 1 else 1,
        "sha256": sha.hexdigest(),
    }


def _bytes_of(part):
    if part is None:
        yield b"none"
    elif isinstance(part, RowBlocks):
        yield of_each_block(part, _sha_of_block).tobytes()
    elif sparse.issparse(part):
        rows = sparse.csr_array(part)
        rows.sort_indices()
        yield repr(rows.shape).encode()
        for array in (rows.data, rows.indices.astype(np.int64), rows.indptr):
            yield np.ascontiguousarray(array, dtype=array.dtype).tobytes()
    elif isinstance(part, np.ndarray) and part.dtype.kind in "biuf":
        yield f"{part.dtype.str}{part.shape}".encode()
        yield np.ascontiguousarray(part).tobytes()
    else:
        frame = _frame(part)
        yield repr(list(map(str, frame.columns))).encode()
        yield pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()


def _sha_of_block(block):
    sha = hashlib.sha256(b"".join(_bytes_of(block)))
    return np.frombuffer(sha.digest(), dtype=np.uint8)[None]


def _frame(part):
    if isinstance(part, pd.Series | pd.DataFrame):
        return pd.DataFrame(part)
    if hasattr(part, "to_dict") and hasattr(part, "columns"):  # polars
        return pd.DataFrame(part.to_dict(as_series=False))
    return pd.DataFrame(part if isinstance(part, dict) else np.asarray(part))


def _versions():
    found = {"python": platform.python_version()}
    package = __name__.partition(".")[0]
    found[package] = sys.modules[package].__version__
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an optional one
            continue
    return found


def _parameters(model):
    """Parameters of a model and of what is inside it, as their repr."""
    if not hasattr(model, "get_params"):
        return {"model": short(model)}
    own = {"model": type(model).__name__}
    return own | {k: short(v) for k, v in sorted(model.get_params(deep=True).items())}


def _seeds(parameters):
    return {
        f"{model}: {name}": value
        for model, named in parameters.items()
        for name, value in named.items()
        if name.endswith("random_state")
    }
