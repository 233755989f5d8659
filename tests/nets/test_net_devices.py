# SPDX-License-Identifier: BSD-3-Clause
"""Every tensor is made on the device of the net, none on the default device.

Without a second device on the machine: the default is "meta", whose tensors hold no
values, so that one that is made without a device breaks whatever it meets.
"""

from contextlib import contextmanager
from functools import wraps

import numpy as np
import pytest

from tests.nets.nets_for_tests import (  # first: it skips without torch
    CNN,
    MLP,
    binary_classifier,
    classifier,
    colored_digits,
    fitted,
    table,
)

import torch  # isort: skip
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

from sklearn_softunlearn import (
    AdversarialLoss,
    BadTeacher,
    FineTune,
    SoftUnlearnCorrector,
    influence,
)
from sklearn_softunlearn.exceptions import UpdateStoppedWarning


@contextmanager
def default_device(device):
    before = torch.get_default_device()
    torch.set_default_device(device)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for kind in (NeuralNet, NeuralNetClassifier, NeuralNetBinaryClassifier):
                patch.setattr(kind, "predict_proba", on_cpu(kind.predict_proba))
            yield
    finally:
        torch.set_default_device(before)


def on_cpu(method):
    """skorch's own predictions make tensors on the default device."""

    @wraps(method)
    def called(*arguments):
        with torch.device("cpu"):
            return method(*arguments)

    return called


class Focal(nn.Module):
    """A criterion that only autograd knows."""

    def forward(self, output, target):
        own = output.log_softmax(-1).gather(-1, target[:, None])[:, 0]
        return (-((1 - own.exp()) ** 2) * own).mean()


def correction(net, X, y, group, **options):
    options = {"delta": 0.05, "utility_tol": 0.5} | options
    corrector = SoftUnlearnCorrector(FrozenEstimator(net), **options)
    return corrector.fit(X, y, sensitive_features=group)


def assert_no_default_device(net, X, y, group, **options):
    expected = correction(net, X, y, group, **options)
    with default_device("meta"):
        found = correction(net, X, y, group, **options)

    np.testing.assert_array_equal(found.influence_, expected.influence_)
    for mine, other in zip(
        found.estimator_.module_.parameters(),
        expected.estimator_.module_.parameters(),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)


@pytest.mark.parametrize("layer", ["last", "all"])
@pytest.mark.parametrize("curvature", ["cholesky", "conjugate_gradient", "diagonal"])
def test_no_solver_makes_a_tensor_elsewhere(layer, curvature):
    X, y, group = table(200)
    net = fitted(classifier(MLP), X, y)

    assert_no_default_device(net, X, y, group, layer=layer, curvature=curvature)


@pytest.mark.filterwarnings(
    f"ignore::{UpdateStoppedWarning.__module__}.UpdateStoppedWarning"
)
@pytest.mark.parametrize(
    "update",
    [
        "newton",
        FineTune(reset=True, random_state=0),
        "fisher",
        "ntk",
        "scrub",
        BadTeacher(random_state=0),
    ],
    ids=str,
)
@pytest.mark.parametrize("layer", ["last", "all"])
def test_no_update_makes_a_tensor_elsewhere(layer, update):
    X, y, group = table(200)
    net = fitted(classifier(MLP), X, y)

    assert_no_default_device(net, X, y, group, layer=layer, update=update)


@pytest.mark.parametrize("layer", ["last", "all"])
@pytest.mark.parametrize("criterion", [Focal, nn.NLLLoss])
def test_no_criterion_makes_a_tensor_elsewhere(layer, criterion):
    X, y, group = table(200)
    tail = {"module__tail": nn.Softmax(-1)} if criterion is nn.NLLLoss else {}
    net = fitted(classifier(MLP, criterion=criterion, **tail), X, y)

    assert_no_default_device(net, X, y, group, layer=layer)


def test_no_binary_net_makes_a_tensor_elsewhere():
    X, y, group = table(200)
    y = y.astype(np.float32)
    weight = {"criterion__pos_weight": torch.tensor(2.0)}
    net = fitted(binary_classifier(MLP, module__squeeze=True, **weight), X, y)

    assert_no_default_device(net, X, y, group)


@pytest.mark.parametrize("layer", ["last", "all"])
def test_no_attack_makes_a_tensor_elsewhere(layer):
    X, y, color = colored_digits(200)
    net = fitted(classifier(CNN, max_epochs=5), X, y)
    metric = AdversarialLoss(epsilon=0.05, bounds=(0.0, 1.0))

    assert_no_default_device(net, X, y, color, layer=layer, metric=metric)


def test_the_diagonal_by_probes_makes_no_tensor_elsewhere(monkeypatch):
    X, y, group = table(200)
    net = fitted(classifier(MLP), X, y)
    monkeypatch.setattr("sklearn_softunlearn.models.skorch._module._EXACT", 0)
    options = {"sensitive_features": group, "layer": "all", "curvature": "diagonal"}
    expected = influence(net, X, y, **options)
    with default_device("meta"):
        found = influence(net, X, y, **options)

    np.testing.assert_array_equal(found.values, expected.values)


def test_the_check_fails_where_a_tensor_has_no_device():
    with default_device("meta"):
        with pytest.raises((RuntimeError, NotImplementedError)):
            (torch.ones(2) + torch.ones(2, device="cpu")).numpy()
