# SPDX-License-Identifier: BSD-3-Clause
"""With `memory` a net is trained and linearised once for all values of delta."""

import warnings
from collections import Counter

import numpy as np
import pytest

from tests.nets.nets_for_tests import MLP, table  # first: it skips without torch

import torch  # isort: skip
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier, NeuralNetRegressor

from sklearn_softunlearn import Cholesky, SoftUnlearnCorrector

CALLS = Counter()


class CountingNet(NeuralNetClassifier):
    def fit(self, X, y, **fit_params):
        CALLS["fit"] += 1
        return super().fit(X, y, **fit_params)


class CountingRegressor(NeuralNetRegressor):
    def fit(self, X, y, **fit_params):
        CALLS["fit"] += 1
        return super().fit(X, y, **fit_params)


class CountingCholesky(Cholesky):
    def factorize(self, model, row_weight, parameters=None):
        CALLS["factorize"] += 1
        return super().factorize(model, row_weight, parameters)


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


def net(kind=CountingNet, **options):
    torch.manual_seed(0)
    defaults = {
        "criterion": torch.nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "optimizer__weight_decay": 1e-3,
        "lr": 0.02,
        "max_epochs": 10,
        "train_split": None,
        "verbose": 0,
    }
    return kind(MLP, **(defaults | options))


def corrected(estimator, data, memory, **options):
    X, y, group = data
    options = {"delta": 0.1, "utility_tol": 0.5} | options
    return SoftUnlearnCorrector(
        estimator, curvature=CountingCholesky(damping=1.0), memory=memory, **options
    ).fit(X, y, sensitive_features=group)


@pytest.mark.parametrize("layer", ["last", "all"])
@pytest.mark.parametrize("kind", ["alone", "pipeline", "frozen"])
def test_a_net_is_trained_and_linearised_once(tmp_path, layer, kind):
    data = table(200)

    def make():
        made = net()
        if kind == "frozen":
            return FrozenEstimator(frozen)
        to_float = FunctionTransformer(np.float32)
        return made if kind == "alone" else make_pipeline(to_float, made)

    frozen = net().fit(*data[:2])
    CALLS.clear()
    cached = [
        corrected(make(), data, str(tmp_path), layer=layer, delta=delta)
        for delta in (0.05, 0.1)
    ]

    assert CALLS["fit"] == (kind != "frozen")
    assert CALLS["factorize"] == 1
    np.testing.assert_array_equal(cached[0].influence_, cached[1].influence_)
    assert not np.allclose(cached[0].deletion_weights_, cached[1].deletion_weights_)


def test_what_is_cached_is_what_is_computed(tmp_path):
    data = table(200)
    frozen = FrozenEstimator(net().fit(*data[:2]))
    corrected(frozen, data, str(tmp_path))
    cached = corrected(frozen, data, str(tmp_path))
    plain = corrected(frozen, data, None)

    np.testing.assert_array_equal(cached.influence_, plain.influence_)
    np.testing.assert_array_equal(
        cached.predict_proba(data[0]), plain.predict_proba(data[0])
    )


@pytest.mark.parametrize(
    "change", [{"lr": 0.01}, {"module__n_hidden": 5}, {"max_epochs": 11}], ids=str
)
def test_another_net_is_trained_anew(tmp_path, change):
    data = table(200)
    corrected(net(), data, str(tmp_path))
    corrected(net(**change), data, str(tmp_path))

    assert CALLS == {"fit": 2, "factorize": 2}


def test_a_regression_with_a_target_column(tmp_path):
    X, _, group = table(200)
    data = X, X[:, :1], group
    for delta in (0.05, 0.1):
        estimator = net(
            CountingRegressor,
            criterion=torch.nn.MSELoss,
            module__n_outputs=1,
            max_epochs=30,
        )
        options = {"metric": "mean_prediction_difference", "utility_tol": 5.0}
        corrected(estimator, data, str(tmp_path), delta=delta, **options)

    assert CALLS == {"fit": 1, "factorize": 1}


OWN = """
import torch
from skorch import NeuralNetClassifier
from torch import nn

FACTOR = 1.0
SLOPE = 1.0

def bent(x):
    return torch.nn.functional.leaky_relu(x, 0.1)

class Head(nn.Module):
    def __init__(self, act=bent):
        super().__init__()
        self.first, self.last, self.act = nn.Linear(4, 5), nn.Linear(5, 2), act
    def forward(self, x):
        return self.last(self.act(SLOPE * self.first(x)))

class Criterion(nn.CrossEntropyLoss):
    def forward(self, output, target):
        size = (output**2).sum(1).mean()
        return super().forward(output, target) + FACTOR * size

class Net(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        loss = super().get_loss(y_pred, y_true, X=X, training=training)
        return loss + 0.0 * (y_pred**2).sum(1).mean()
"""
EDITS = {
    "a criterion's constant": ("FACTOR = 1.0", "FACTOR = 3.0"),
    "a criterion": ("+ FACTOR", "+ FACTOR**2 * 2"),
    "a loss of the net": ("loss + 0.0", "loss + 2.0"),
    "an activation": ("(x, 0.1)", "(x, 0.7)"),
    "a module": ("SLOPE * self.first(x)", "self.first(x) ** 3"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_own_code_of_a_net_that_was_edited_is_run_again(tmp_path, own_code, edit):
    """The parameters are those of a file, so that these do not tell the two apart."""
    data = table(150)

    def influence(source, memory):
        module = own_code(source)
        torch.manual_seed(0)
        made = module.Net(
            module.Head, criterion=module.Criterion, classes=[0, 1], train_split=None,
            optimizer__weight_decay=0.1,
        ).initialize()  # fmt: skip
        fitted = SoftUnlearnCorrector(
            FrozenEstimator(made), layer="all", curvature=CountingCholesky(damping=1.0),
            weighting="soft", update="influence", delta=0.01, memory=memory,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the net was never trained
            return fitted.fit(*data[:2], sensitive_features=data[2]).influence_

    before = influence(OWN, str(tmp_path))
    np.testing.assert_array_equal(before, influence(OWN, str(tmp_path)))
    assert CALLS["factorize"] == 1
    edited = OWN.replace(*edit)
    assert edited != OWN
    found = influence(edited, str(tmp_path))

    np.testing.assert_array_equal(found, influence(edited, None))
    assert not np.allclose(found, before, rtol=1e-3)
