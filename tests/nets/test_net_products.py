# SPDX-License-Identifier: BSD-3-Clause
"""Products with the Jacobian of a net, and its objective, against other routes."""

import numpy as np
import pytest

from tests.nets.nets_for_tests import (  # first: it skips without torch
    MLP,
    binary_classifier,
    classifier,
    table,
)

import torch  # isort: skip
from scipy.optimize import approx_fprime
from skorch import NeuralNetRegressor
from skorch.dataset import ValidSplit
from torch import nn

from sklearn_softunlearn.influence._curvature import Cholesky, ConjugateGradient
from sklearn_softunlearn.models import model_class

LAYERS = ["last", "all", ["hidden.0.bias", "out.weight"]]


def trained(net, X, y, layer, weight=None):
    make = model_class(net, layer)
    weight = np.ones(len(y)) if weight is None else weight
    return make(net, make.embed(net, X), np.asarray(y), weight)


def double(net):
    """The net in float64, so that differences can be taken."""
    net.module_.double()
    return net


@pytest.fixture(scope="module")
def net():
    X, y, _ = table()
    return double(classifier(MLP).fit(X, y))


@pytest.fixture(scope="module")
def rows():
    X, y, _ = table(40, seed=1)
    return X.astype(np.float64), y


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_products_are_the_derivative_of_the_prediction(net, rows, layer):
    model = trained(net, *rows, layer)
    rng = np.random.default_rng(0)
    D = rng.normal(size=(model.parameters.size, 3))
    step = 1e-6

    difference = np.stack(
        [
            model.raw_prediction(model.X, model.parameters + step * d)
            - model.raw_prediction(model.X, model.parameters - step * d)
            for d in D.T
        ],
        axis=2,
    ) / (2 * step)

    assert model.jvp(model.X, D) == pytest.approx(difference, abs=1e-7)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_the_transposed_product_is_adjoint_and_gram_is_its_square(net, rows, layer):
    model = trained(net, *rows, layer)
    rng = np.random.default_rng(0)
    size = model.parameters.size
    D, C = rng.normal(size=(size, 3)), rng.normal(size=(40, 2, 3))
    jacobian = model.jvp(model.X, np.eye(size))
    curvature = rng.normal(size=(40, 2, 2))
    curvature = curvature @ np.swapaxes(curvature, 1, 2)

    forward = np.einsum("ikm,ikm->m", model.jvp(model.X, D), C)
    assert np.sum(D * model.vjp(model.X, C), axis=0) == pytest.approx(forward)
    gram = np.einsum("iap,iab,ibq->pq", jacobian, curvature, jacobian)
    assert model.gram(curvature) == pytest.approx(gram)
    assert model.gram_diagonal(curvature) == pytest.approx(np.diag(gram))


def test_the_last_layer_by_name_is_the_last_layer(net, rows):
    last = trained(net, *rows, "last")
    named = trained(net, *rows, ["out.weight", "out.bias"])
    order = np.r_[0:6, 12, 6:12, 13]  # named: weights then biases; last: by output

    curvature = last.loss_curvature(last.row_weight)
    assert last.parameters == pytest.approx(named.parameters[order], rel=1e-6)
    assert last.gram(curvature) == pytest.approx(
        named.gram(curvature)[np.ix_(order, order)], rel=1e-6
    )
    assert last.penalty_curvature() == pytest.approx(named.penalty_curvature())


def skorch_objective(net, X, y):
    """The mean loss that skorch computes plus its penalty, in evaluation mode."""
    net.module_.eval()
    with torch.no_grad():
        raw = net.infer(torch.as_tensor(X))
        loss = float(net.get_loss(raw, torch.as_tensor(y)))
        squares = sum(float((p**2).sum()) for p in net.module_.parameters())
    decay = net.optimizer_.param_groups[0]["weight_decay"]
    return loss + 0.5 * decay * squares


class Focal(nn.Module):
    def forward(self, raw, y):
        own = torch.log_softmax(raw, dim=-1).gather(1, y[:, None])[:, 0]
        return (-((1 - own.exp()) ** 2) * own).mean()


CRITERIA = {
    "cross entropy": (classifier, {}, np.int64),
    "class weights": (
        classifier,
        {"criterion__weight": torch.tensor([1.0, 3.0], dtype=torch.float64)},
        np.int64,
    ),
    "label smoothing": (classifier, {"criterion__label_smoothing": 0.2}, np.int64),
    "focal": (classifier, {"criterion": Focal}, np.int64),
    "NLL of probabilities": (
        classifier,
        {"criterion": nn.NLLLoss, "module__tail": nn.Softmax(dim=-1)},
        np.int64,
    ),
    "BCE with logits": (binary_classifier, {}, np.float64),
    "pos_weight": (
        binary_classifier,
        {"criterion__pos_weight": torch.tensor(2.5)},
        np.float64,
    ),
    "BCE": (
        binary_classifier,
        {"criterion": nn.BCELoss, "module__tail": nn.Sigmoid()},
        np.float64,
    ),
    "sum": (classifier, {"criterion__reduction": "sum", "batch_size": -1}, np.int64),
}


@pytest.mark.parametrize("case", CRITERIA)
def test_the_objective_is_that_of_skorch_up_to_a_factor(case):
    make, options, dtype = CRITERIA[case]
    X, y, _ = table(60)
    X, target = X.astype(np.float64), y.astype(dtype)
    net = make(MLP, **options)
    net.initialize()
    double(net).partial_fit(X, target)
    model = trained(net, X, y, "all")

    factor = {"sum": 1.0, "class weights": np.where(y == 1, 3.0, 1.0).sum()}
    ours = model.objective(model.row_weight) / factor.get(case, len(y))
    assert ours == pytest.approx(skorch_objective(net, X, target), rel=1e-6)


@pytest.mark.parametrize("criterion", [nn.MSELoss, nn.SmoothL1Loss])
def test_the_objective_of_a_regressor(criterion):
    X, _, _ = table(60)
    X = X.astype(np.float64)
    y = np.sin(X[:, 0])
    net = NeuralNetRegressor(
        MLP,
        module__n_outputs=1,
        module__squeeze=True,
        criterion=criterion,
        optimizer__weight_decay=0.01,
        train_split=None,
        verbose=0,
    ).initialize()
    double(net).partial_fit(X, y)
    model = trained(net, X, y, "all")

    scale = 2.0 if criterion is nn.MSELoss else 1.0
    ours = scale * model.objective(model.row_weight) / len(y)
    assert ours == pytest.approx(skorch_objective(net, X, y))


@pytest.mark.parametrize("case", ["label smoothing", "focal", "cross entropy"])
def test_derivatives_of_a_loss_are_differences(case):
    X, y, _ = table(30)
    net = classifier(MLP, **CRITERIA[case][1]).fit(X, y)
    loss = trained(net, X, y, "last").loss
    raw = np.random.default_rng(0).normal(size=(30, 2))

    def values(flat):
        return loss.value(y, flat.reshape(raw.shape))

    own = np.arange(30)
    slope = approx_fprime(raw.ravel(), values, 1e-7).reshape(30, 30, 2)
    assert loss.gradient(y, raw) == pytest.approx(slope[own, own], abs=1e-5)
    step = 1e-5 * np.eye(2)[0]
    bend = (loss.gradient(y, raw + step) - loss.gradient(y, raw - step)) / 2e-5
    assert loss.hessian(y, raw)[:, :, 0] == pytest.approx(bend, abs=1e-7)


def test_rows_held_out_by_train_split_have_no_weight():
    X, y, _ = table()
    split = ValidSplit(5, stratified=True)
    net = classifier(MLP, train_split=split).fit(X, y)
    dataset, _ = net.get_split_datasets(X, y)

    weight = trained(net, X, y, "last").row_weight

    assert np.flatnonzero(weight).tolist() == sorted(dataset.indices)
    assert np.sum(weight == 0) == 30


def test_a_split_that_cannot_be_repeated_is_refused():
    X, y, _ = table()
    net = classifier(MLP, train_split=ValidSplit(0.2)).fit(X, y)

    with pytest.raises(ValueError, match="random_state"):
        trained(net, X, y, "last")


def test_weight_decay_is_read_from_groups_and_defaults():
    X, y, _ = table()
    groups = [("out.*", {"weight_decay": 0.5})]
    net = classifier(
        MLP,
        optimizer=torch.optim.AdamW,
        optimizer__param_groups=groups,
        optimizer__weight_decay=0.25,
    ).fit(X, y)
    model = trained(net, X, y, "all")

    decay = dict(zip(model.names, model._parts(), strict=True))
    penalty = model.penalty_curvature() / len(y)
    assert penalty[decay["out.weight"]] == pytest.approx(0.5)
    assert penalty[decay["hidden.0.weight"]] == pytest.approx(0.25)


def test_the_diagonal_of_large_nets_is_estimated(monkeypatch):
    X, y, _ = table(500)
    net = classifier(MLP, module__n_hidden=40, batch_size=8, max_epochs=5).fit(X, y)
    model = trained(net, X, y, "all")
    curvature = model.loss_curvature(model.row_weight)
    exact = model.gram_diagonal(curvature)
    monkeypatch.setattr("sklearn_softunlearn.models.skorch._module._EXACT", 0)

    ratio = model.gram_diagonal(curvature) / exact

    # A standard error of 7 %, which the parameters partly share.
    assert ratio.mean() == pytest.approx(1.0, abs=0.15)
    assert np.abs(ratio - 1).max() < 0.35


@pytest.mark.parametrize("layer", ["last", "all"])
def test_conjugate_gradients_and_factor_agree(net, rows, layer):
    model = trained(net, *rows, layer)
    G = np.random.default_rng(0).normal(size=(model.parameters.size, 2))

    exact = Cholesky(damping=0.1).factorize(model, model.row_weight)(G)
    iterated = ConjugateGradient(damping=0.1).factorize(model, model.row_weight)(G)

    assert iterated == pytest.approx(exact, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("layer", ["last", "all"])
def test_a_net_in_float32_gives_nearly_the_same_products(rows, layer):
    X, y, _ = table()
    net = classifier(MLP).fit(X, y)
    single = trained(net, rows[0].astype(np.float32), rows[1], layer)
    D = np.random.default_rng(0).normal(size=(single.parameters.size, 2))
    products = single.jvp(single.X, D)
    exact = trained(double(net), *rows, layer)

    assert products == pytest.approx(exact.jvp(exact.X, D), rel=1e-4, abs=1e-4)
    assert exact.with_parameters(exact.parameters).module_ is not net.module_


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_with_parameters_copies_and_changes_nothing_else(net, rows, layer):
    model = trained(net, *rows, layer)
    before = {k: v.clone() for k, v in net.module_.state_dict().items()}
    moved = model.with_parameters(model.parameters + 1.0)

    assert all(torch.equal(before[k], v) for k, v in net.module_.state_dict().items())
    changed = {
        k
        for k, v in moved.module_.state_dict().items()
        if not torch.equal(before[k], v)
    }
    expected = {
        "last": {"out.weight", "out.bias"},
        "all": {name for name, _ in net.module_.named_parameters()},
    }
    assert changed == (expected[layer] if isinstance(layer, str) else set(layer))
    again = trained(moved, *rows, layer)
    assert again.raw_prediction(again.X) == pytest.approx(
        again.raw_prediction(again.X, model.parameters + 1.0)
    )


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_an_untrained_layer_is_random_and_reproducible(net, rows, layer):
    model = trained(net, *rows, layer)

    first, second, other = (model.initial_parameters(seed) for seed in (0, 0, 1))

    assert first.shape == model.parameters.shape
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_retraining_reaches_the_optimum_of_the_last_layer(net, rows):
    model = trained(net, *rows, "last")
    weight = np.linspace(0.5, 1.5, 40)

    theta = model.refitted_parameters(weight)

    assert np.abs(model.objective_gradient(weight, theta)).max() < 1e-5 * weight.sum()


@pytest.mark.filterwarnings("ignore:Retraining stopped")
def test_retraining_all_parameters_lowers_the_objective(net, rows):
    model = trained(net, *rows, "all")
    theta = model.refitted_parameters(model.row_weight)

    assert model.objective(model.row_weight, theta) < 0.9 * model.objective(
        model.row_weight
    )
