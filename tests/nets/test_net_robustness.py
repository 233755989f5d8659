# SPDX-License-Identifier: BSD-3-Clause
"""Adversarial examples against nets."""

import numpy as np
import pytest

from tests.nets.nets_for_tests import (  # first: it skips without torch
    CNN,
    MLP,
    BagOfWords,
    classifier,
    colored_digits,
    table,
)

import torch  # isort: skip
from sklearn.frozen import FrozenEstimator
from skorch.dataset import ValidSplit

from sklearn_softunlearn import (
    AdversarialLoss,
    SoftUnlearnCorrector,
    robustness_scorer,
)
from sklearn_softunlearn.corrector.stages._attacked_rows import AttackedModel
from sklearn_softunlearn.models import model_class

DP = "demographic_parity_difference"


@pytest.fixture(scope="module")
def images():
    X, y, color = colored_digits(400)
    return X, y, color, classifier(CNN, max_epochs=12).fit(X, y)


def attacked(net, X, y, layer):
    make = model_class(net, layer)
    model = make(net, make.embed(net, X), y, np.ones(len(y)))
    return model, AttackedModel(model, y, model.loss)


@pytest.mark.parametrize("layer", ["last", "all"])
def test_gradients_by_the_features_are_differences(layer):
    X, y, _ = table(40)
    net = classifier(MLP, max_epochs=3).fit(X, y)
    net.module_.double()
    X = X.astype(np.float64)
    model, target = attacked(net, X, y, layer)
    model = model.at(model.parameters + 0.1)  # not those of the module itself
    target = AttackedModel(model, y, model.loss)

    loss, gradient = target.loss(X)

    assert loss == pytest.approx(model.loss.value(y, model.fitted_raw_prediction))
    for j in range(4):
        step = 1e-6 * np.eye(4)[j]
        slope = (target.loss(X + step)[0] - target.loss(X - step)[0]) / 2e-6
        assert gradient[:, j] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_steps_help_and_stay_within_the_ball_and_the_bounds(images, norm):
    X, y, _, net = images
    _, target = attacked(net, X, y, "last")
    options = {"epsilon": 0.1, "norm": norm, "bounds": (0.0, 1.0)}
    loss = {}
    for attack in ("fgsm", "pgd"):
        examples = AdversarialLoss(attack=attack, **options).perturb(X, target)
        assert examples.dtype == np.float32 and examples.shape == X.shape
        assert examples.min() >= 0 and examples.max() <= 1
        moved = (examples - X).reshape(len(X), -1).astype(float)
        order = np.inf if norm == "linf" else 2
        assert np.linalg.norm(moved, ord=order, axis=1).max() <= 0.1 + 1e-6
        loss[attack] = target.loss(examples)[0].mean()

    assert target.loss(X)[0].mean() < loss["fgsm"] < loss["pgd"] * (1 + 1e-3)


def test_deepfool_lowers_the_accuracy(images):
    X, y, _, net = images
    _, target = attacked(net, X, y, "last")
    examples = AdversarialLoss(None, "l2", "deepfool").perturb(X, target)

    assert np.mean(net.predict(examples) == y) < 0.6 * np.mean(net.predict(X) == y)


@pytest.mark.parametrize("layer", ["last", "all"])
def test_a_net_becomes_more_robust(images, layer):
    X, y, color, net = images
    attack = AdversarialLoss(0.05, bounds=(0.0, 1.0))
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(net),
        metric=[DP, attack],
        delta=0.05,
        weighting="soft",
        utility_tol=0.3,
        layer=layer,
    ).fit(X, y, sensitive_features=color)

    for kind in ("surrogate", "surrogate, anew"):
        line = corrector.report_["AdversarialLoss", kind]
        assert line.after < line.before
    line = corrector.report_["AdversarialLoss", "zero-one loss, anew"]
    score = robustness_scorer(epsilon=0.05, bounds=(0.0, 1.0))
    assert score(corrector, X, y) == pytest.approx(1 - line.after)


def test_a_net_with_a_random_split_can_be_scored(images):
    X, y, _, _ = images
    net = classifier(CNN, train_split=ValidSplit(0.2), max_epochs=2).fit(X, y)

    assert 0 <= robustness_scorer(epsilon=0.01)(net, X, y) <= 1


def test_an_independent_attack_agrees(images):
    """The adversarial robustness toolbox, by its own gradients."""
    evasion = pytest.importorskip("art.attacks.evasion")
    from art.estimators.classification import PyTorchClassifier

    X, y, _, net = images
    _, target = attacked(net, X, y, "last")
    theirs = PyTorchClassifier(
        net.module_.eval(),
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=X.shape[1:],
        nb_classes=2,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    fast = evasion.FastGradientMethod(theirs, eps=0.1).generate(X, y=np.eye(2)[y])
    ours = AdversarialLoss(0.1, attack="fgsm", bounds=(0.0, 1.0)).perturb(X, target)
    # Where the gradient is 0 in float32 alone, the signs may differ.
    assert np.mean(np.abs(fast - ours) > 1e-6) < 0.01

    descent = evasion.ProjectedGradientDescent(
        theirs, eps=0.1, eps_step=0.025, max_iter=10, verbose=False
    ).generate(X, y=np.eye(2)[y])
    ours = AdversarialLoss(0.1, attack="pgd", bounds=(0.0, 1.0)).perturb(X, target)
    assert target.loss(ours)[0].mean() > 0.98 * target.loss(descent)[0].mean()


def test_tokens_cannot_be_perturbed():
    rng = np.random.default_rng(0)
    X, y = rng.integers(1, 20, size=(60, 5)), rng.integers(0, 2, size=60)
    net = classifier(BagOfWords, module__n_tokens=20, max_epochs=1)

    with pytest.raises(ValueError, match="int64"):
        SoftUnlearnCorrector(net, metric=AdversarialLoss(0.1)).fit(X, y)
