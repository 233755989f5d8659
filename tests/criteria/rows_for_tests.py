# SPDX-License-Identifier: BSD-3-Clause
"""Random evaluation rows of each kind of target, with every class in every group."""

import numpy as np

from sklearn_softunlearn.criteria import EvaluationRows
from sklearn_softunlearn.pointwise import BinaryLogLoss, LogisticResponse


class Softmax:
    """Response and log loss of several classes with one raw prediction each."""

    def smooth(self, raw):
        share = np.exp(raw - raw.max(axis=1, keepdims=True))
        return share / share.sum(axis=1, keepdims=True)

    def smooth_jacobian(self, raw):
        p = self.smooth(raw)
        return p[:, :, None] * np.eye(raw.shape[1]) - p[:, :, None] * p[:, None, :]

    def hard(self, raw):
        return np.eye(raw.shape[1])[raw.argmax(axis=1)]

    def value(self, y, raw):
        return -np.log(self.smooth(raw)[np.arange(len(y)), y])

    def gradient(self, y, raw):
        return self.smooth(raw) - np.eye(raw.shape[1])[y]


class Identity:
    """Response and half the squared error of a regression."""

    def smooth(self, raw):
        return raw

    def smooth_jacobian(self, raw):
        return np.ones((len(raw), 1, 1))

    hard = smooth

    def value(self, y, raw):
        return 0.5 * (y - raw[:, 0]) ** 2

    def gradient(self, y, raw):
        return raw - y[:, None]


def make_rows(n_groups=3, kind="binary", seed=0, n_samples=None):
    """Rows and raw predictions; ``kind`` is binary, multiclass or number."""
    n_samples = n_samples or 40 * n_groups
    rng = np.random.default_rng(seed)
    y = {
        "binary": rng.integers(0, 2, n_samples),
        "multiclass": rng.integers(0, 3, n_samples),
        "number": rng.gamma(3.0, size=n_samples),
    }[kind]
    raw = rng.normal(scale=2, size=(n_samples, 3 if kind == "multiclass" else 1))
    if kind == "number":
        raw = y[:, None] + rng.gamma(0.5, size=(n_samples, 1))
    loss, response = {
        "binary": (BinaryLogLoss(), LogisticResponse()),
        "multiclass": (Softmax(), Softmax()),
        "number": (Identity(), Identity()),
    }[kind]
    codes = np.arange(n_samples) % n_groups
    rows = EvaluationRows(
        y=y,
        sample_weight=rng.uniform(0.1, 3, n_samples),
        loss=loss,
        response=response,
        group_codes=codes,
        group_names=tuple("abcdef"[:n_groups]),
        X=rng.normal(size=(n_samples, 2)),
    )
    return rows, raw


def two_columns(rows):
    """The same rows, with the product of two sensitive columns as groups."""
    labels = np.array([(i, j) for i in ("m", "f") for j in ("x", "y", "z")], object)
    return EvaluationRows(
        **vars(rows)
        | {
            "group_names": tuple(", ".join(label) for label in labels),
            "group_labels": labels,
            "group_columns": ("sex", "race"),
        }
    )


def numeric_gradient(function, raw, step=1e-5):
    """Five-point differences of a vector function, (n_samples, n_outputs, n)."""
    result = np.empty((*raw.shape, len(function(raw))))
    for index in np.ndindex(raw.shape):
        shift = np.zeros_like(raw)
        shift[index] = step
        near = function(raw + shift) - function(raw - shift)
        far = function(raw + 2 * shift) - function(raw - 2 * shift)
        result[index] = (8 * near - far) / (12 * step)
    return result
