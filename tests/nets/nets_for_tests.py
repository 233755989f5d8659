# SPDX-License-Identifier: BSD-3-Clause
"""Small nets, and images whose colour tells the group."""

import warnings

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)
pytest.importorskip("skorch", reason="skorch is not installed", exc_type=ImportError)

import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

torch.set_num_threads(1)
with warnings.catch_warnings():
    # torch loads its forward-mode rules at first use, through its own deprecated
    # torch.jit.script; with warnings as errors they would never be loaded.
    warnings.simplefilter("ignore", DeprecationWarning)
    torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.zeros(1),))


class MLP(nn.Module):
    """One hidden layer; dropout and batch normalisation to be switched off."""

    def __init__(self, n_features=4, n_hidden=6, n_outputs=2, tail=None, squeeze=False):
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(n_features, n_hidden),
            nn.BatchNorm1d(n_hidden),
            nn.Tanh(),
            nn.Dropout(0.2),
        )
        self.out = nn.Linear(n_hidden, n_outputs)
        self.tail, self.squeeze = tail, squeeze

    def forward(self, x):
        out = self.out(self.hidden(x))
        out = out if self.tail is None else self.tail(out)
        return out.squeeze(-1) if self.squeeze else out


class CNN(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self, n_channels=2):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_channels, 4, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 8, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.fc = nn.Linear(32, 2)

    def forward(self, x):
        return self.fc(self.body(x))


class Residual(nn.Module):
    """A residual block with batch normalisation."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x):
        return torch.relu(x + self.body(x))


class ResNet(nn.Module):
    """Stem, two residual blocks, global pooling, linear layer."""

    def __init__(self, n_channels=2, width=8):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(n_channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.blocks = nn.Sequential(Residual(width), nn.MaxPool2d(2), Residual(width))
        self.fc = nn.Linear(width, 2)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean(dim=(2, 3)))


class BagOfWords(nn.Module):
    """Mean embedding of the tokens of a text; token 0 fills up."""

    def __init__(self, n_tokens, width=12):
        super().__init__()
        self.embedding = nn.EmbeddingBag(n_tokens, width, mode="mean", padding_idx=0)
        self.fc = nn.Linear(width, 2)

    def forward(self, tokens):
        return self.fc(self.embedding(tokens))


def classifier(module, seed=0, **options):
    """Unfitted NeuralNetClassifier on logits, trained by Adam with a penalty."""
    torch.manual_seed(seed)
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "optimizer__weight_decay": 1e-3,
        "lr": 0.02,
        "max_epochs": 30,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetClassifier(module, **(defaults | options))


def binary_classifier(module, seed=0, **options):
    """Unfitted NeuralNetBinaryClassifier with one output."""
    torch.manual_seed(seed)
    defaults = {
        "module__n_outputs": 1,
        "optimizer": torch.optim.Adam,
        "optimizer__weight_decay": 1e-3,
        "lr": 0.02,
        "max_epochs": 30,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetBinaryClassifier(module, **(defaults | options))


def table(n_samples=150, seed=0):
    """Float32 rows with classes and two groups of unequal rates."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4)).astype(np.float32)
    group = np.where(X[:, 0] + rng.normal(size=n_samples) > 0, "a", "b")
    odds = X @ [1.5, -1.0, 0.5, 0.0] + (group == "a") + rng.logistic(size=n_samples)
    return X, (odds > 0.5).astype(np.int64), group


def colored_digits(n_samples=None, seed=0):
    """Digits below and above 5 in two colour channels; the colour is the group.

    Nine in ten of the high digits are in the second colour, three in ten of the low.
    """
    digits = load_digits()
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(digits.target))[:n_samples]
    y = (digits.target[chosen] >= 5).astype(np.int64)
    color = (rng.random(len(y)) < np.where(y == 1, 0.9, 0.3)).astype(int)
    X = np.zeros((len(y), 2, 8, 8), dtype=np.float32)
    X[np.arange(len(y)), color] = digits.images[chosen] / 16
    return X, y, np.where(color == 1, "blue", "red")


def fitted(net, X, y):
    """The net fitted, without torch's remarks on its own future."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return net.fit(X, y)
