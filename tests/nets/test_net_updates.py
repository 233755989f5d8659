# SPDX-License-Identifier: BSD-3-Clause
"""Every update on small nets, from end to end."""

import warnings

import numpy as np
import pytest

from tests.nets.nets_for_tests import (  # first: it skips without torch
    MLP,
    classifier,
    table,
)

import torch  # isort: skip
from sklearn.frozen import FrozenEstimator
from torch import nn

from sklearn_softunlearn import (
    HAMU,
    SCRUB,
    BadTeacher,
    FineTune,
    FisherForgetting,
    GradientAscent,
    NegativeGradient,
    NTKForgetting,
    SoftUnlearnCorrector,
)
from sklearn_softunlearn.exceptions import UpdateStoppedWarning
from sklearn_softunlearn.models import model_class
from sklearn_softunlearn.updates import UpdateProblem

DP = "demographic_parity_difference"


class TwoLayers(nn.Module):
    """Two linear layers, without anything that training and evaluation differ in."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


@pytest.fixture(scope="module")
def data():
    return table(400)


@pytest.fixture(scope="module")
def net(data):
    X, y, _ = data
    return classifier(TwoLayers, max_epochs=40).fit(X, y)


def corrected(net, data, update, **options):
    X, y, group = data
    options = {"layer": "all", "delta": 0.2, "utility_tol": 0.2} | options
    corrector = SoftUnlearnCorrector(FrozenEstimator(net), update=update, **options)
    return corrector.fit(X, y, sensitive_features=group)


def parameters(net):
    return {name: p.detach().numpy() for name, p in net.module_.named_parameters()}


@pytest.mark.parametrize("layer", ["all", "last"])
@pytest.mark.parametrize("weighting", ["soft", "hard"])
@pytest.mark.parametrize(
    "update",
    [
        GradientAscent(),
        NegativeGradient(),
        FineTune(),
        FisherForgetting(),
        FisherForgetting("cholesky"),
        NTKForgetting(),
        SCRUB(),
        HAMU(),
        HAMU("U", objective="loss", per_layer=True, max_iter=30),
    ],
    ids=lambda update: type(update).__name__,
)
def test_every_update_lowers_the_metric(net, data, update, weighting, layer):
    corrector = corrected(net, data, update, weighting=weighting, layer=layer)
    line = corrector.report_[DP, "surrogate"]

    assert line.after < line.before
    assert all(
        np.all(np.isfinite(p)) for p in parameters(corrector.estimator_).values()
    )


def test_bad_teacher_of_all_rows_ends_at_the_untrained_layer(net, data):
    """Its divergence from the untrained teacher has its only minimum there."""
    X, y, _ = data
    make = model_class(net, "last")
    model = make(net, make.embed(net, X), y, np.ones(len(y)))
    problem = UpdateProblem(
        model=model,
        deletion_weights=np.ones(len(y)),
        shift=np.zeros_like(model.parameters),
        metric=lambda parameters: 1.0,
        metric_gradient=None,
        target=0.0,
        relinearize=None,
    )
    update = BadTeacher(
        max_iter=2000, stop_at_target=False, max_loss_increase=10.0, random_state=0
    )
    forgotten = model.at(update.update(problem).parameters)

    untrained = model.loss_gradient(model.initial_parameters(0))
    np.testing.assert_allclose(forgotten.loss_gradient(), untrained, atol=5e-2)
    assert np.abs(model.loss_gradient() - untrained).max() > 0.2


@pytest.mark.parametrize("state", [0, np.random.RandomState(0)])
def test_untrained_teachers_take_any_random_state(net, data, state):
    first, second = (
        corrected(net, data, BadTeacher(random_state=seed, max_iter=3))
        for seed in (0, state)
    )
    for name, values in parameters(first.estimator_).items():
        np.testing.assert_array_equal(values, parameters(second.estimator_)[name])


def test_a_layer_is_a_module_with_its_parameters(net, data):
    X, y, _ = data
    model = model_class(net, "all")(net, X, y, np.ones(len(y)))

    assert model.layers == [slice(0, 30), slice(30, 44)]


@pytest.mark.parametrize("reset", [False, True], ids=["CF-k", "EU-k"])
def test_fine_tuning_of_the_last_layer_keeps_the_others(net, data, reset):
    update = FineTune(last_layers=1, reset=reset, max_iter=20, random_state=0)
    before = parameters(net)
    after = parameters(corrected(net, data, update).estimator_)

    for name in ("hidden.weight", "hidden.bias"):
        np.testing.assert_array_equal(after[name], before[name])
    for name in ("out.weight", "out.bias"):
        assert np.all(after[name] != before[name])


@pytest.mark.parametrize("reset", [False, True], ids=["CF-k", "EU-k"])
def test_fine_tuning_of_the_last_layer_ends_at_its_refit(data, reset):
    """The optimum of the last layer on the features of the others, which are held."""
    X, y, _ = data
    # A strong penalty: gradient descent then takes a hundred steps, not thousands.
    net = classifier(TwoLayers, optimizer__weight_decay=0.05).fit(X, y)
    update = FineTune(
        last_layers=1, reset=reset, max_iter=150, stop_at_target=False, random_state=0
    )
    corrector = corrected(net, data, update)
    make = model_class(net, "last")
    model = make(net, make.embed(net, X), y, np.ones(len(y)))
    refit = model.refitted_parameters(corrector.sample_weight_)
    expected = model.with_parameters(refit).predict_proba(X)

    np.testing.assert_allclose(corrector.predict_proba(X), expected, atol=1e-3)


@pytest.mark.parametrize(
    "update",
    [
        GradientAscent(learning_rate=1e8),
        SCRUB(learning_rate=1e8),
        HAMU(radius=1e6),
        FineTune(learning_rate=1e30),
    ],
    ids=lambda update: type(update).__name__,
)
@pytest.mark.filterwarnings("ignore:delta=0.9 is out of reach")
def test_divergence_keeps_the_last_good_step(net, data, update):
    with pytest.warns(UpdateStoppedWarning):
        corrector = corrected(net, data, update, delta=0.9, utility_tol=5.0)

    limit = 1.5 * corrector.report_["loss", "surrogate"].before
    assert corrector.report_["loss", "surrogate"].after < limit
    assert all(
        np.all(np.isfinite(p)) for p in parameters(corrector.estimator_).values()
    )


def test_updates_of_a_net_with_dropout_and_normalisation(data):
    """Their statistics and the net that was given are left as they are."""
    X, y, _ = data
    net = classifier(MLP, max_epochs=20).fit(X, y)
    before = {k: v.clone() for k, v in net.module_.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UpdateStoppedWarning)
        corrector = corrected(net, data, FineTune(last_layers=2, max_iter=10))
    after = corrector.estimator_.module_.state_dict()

    for name, value in net.module_.state_dict().items():
        assert torch.equal(value, before[name])
        if "running" in name or name.startswith("hidden.0"):
            assert torch.equal(after[name], before[name])
