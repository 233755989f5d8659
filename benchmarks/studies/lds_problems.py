# SPDX-License-Identifier: BSD-3-Clause
"""Problems small enough to retrain hundreds of times: rows, and how a net is trained.

A problem has ``X``, ``y`` (rows to train on), ``X_test``, ``y_test`` and ``net(seed)``,
an untrained skorch net whose training is a function of seed and rows.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

from benchmarks.data.adult import one_hot_adult
from benchmarks.data.comments import comments, encoded, templates, trained_tokenizer

N_TEST = 100
VOCABULARY, LENGTH, N_TEMPLATES = 2000, 48, 4000
# With factors of the attention alone, so small a net learns nothing.
LORA_TARGETS = ["query", "key", "value", "dense", "word_embeddings"]


@dataclass(frozen=True)
class Problem:
    """Rows of a task and the maker of its nets."""

    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray
    net: Any
    layers: tuple


def rows_of(X, index):
    """Some rows of an array or of a dict of arrays."""
    if isinstance(X, dict):
        return {name: value[index] for name, value in X.items()}
    return X[index]


def _net(module, seed, **options):
    torch.manual_seed(seed)
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "optimizer__weight_decay": 1e-3,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetClassifier(module, **(defaults | options))


def _split(X, y, n_samples):
    index, test = train_test_split(
        np.arange(len(y)), train_size=n_samples, test_size=N_TEST, random_state=0,
        stratify=y,
    )  # fmt: skip
    return rows_of(X, index), y[index], rows_of(X, test), y[test]


def adult(data_home):
    """MLP of 16 units on 1000 rows of Adult."""
    data = one_hot_adult(data_home)
    X, y = data.X_train.astype(np.float32), data.y_train.astype(np.int64)

    def module():
        return nn.Sequential(nn.Linear(X.shape[1], 16), nn.ReLU(), nn.Linear(16, 2))

    net = partial(_net, module, lr=3e-3, max_epochs=20, batch_size=50)
    return Problem(*_split(X, y, 1000), net, ("last", "all"))


def digits(_):
    """CNN of two convolutions on 800 digits of 10 classes."""
    X, y = load_digits(return_X_y=True)
    images = (X / 16).astype(np.float32).reshape(-1, 1, 8, 8)

    def module():
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64, 10),
        )  # fmt: skip

    net = partial(_net, module, lr=5e-3, max_epochs=15, batch_size=50)
    return Problem(*_split(images, y.astype(np.int64), 800), net, ("last", "all"))


class Classifier(nn.Module):
    """A small BERT with the weights of a trained one, all to be trained or by LoRA."""

    def __init__(self, weights=None, lora=False):
        super().__init__()
        import transformers

        config = transformers.BertConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2,
            num_attention_heads=2, intermediate_size=64, num_labels=2,
            max_position_embeddings=LENGTH, pad_token_id=0,
        )  # fmt: skip
        self.model = transformers.BertForSequenceClassification(config)
        if weights is not None:
            self.model.load_state_dict(weights)
        if lora:
            import peft

            factors = peft.LoraConfig(
                r=4, lora_alpha=8, task_type="SEQ_CLS", target_modules=LORA_TARGETS
            )
            self.model = peft.get_peft_model(self.model, factors)

    def forward(self, **inputs):
        return self.model(**inputs).logits


def _comments(data_home, lora):
    data, more = comments(data_home), templates(data_home, N_TEMPLATES)
    tokenizer = trained_tokenizer(data.texts + more.texts, VOCABULARY, LENGTH)
    base = _net(Classifier, seed=0, lr=1e-3, max_epochs=2, batch_size=64)
    base.fit(encoded(tokenizer, more.texts), more.y)
    weights = base.module_.model.state_dict()
    net = partial(
        _net, Classifier, module__weights=weights, module__lora=lora, batch_size=32,
        lr=5e-3 if lora else 1e-3, max_epochs=5,
    )  # fmt: skip
    X = encoded(tokenizer, data.texts)
    layers = ("last", "lora", "all") if lora else ("last", "all")
    return Problem(*_split(X, data.y, 800), net, layers)


PROBLEMS = {
    "adult": adult,
    "digits": digits,
    "comments": partial(_comments, lora=False),
    "comments, LoRA": partial(_comments, lora=True),
}
