# SPDX-License-Identifier: BSD-3-Clause
"""Texts: tokenizers, transformers of two kinds, and the factors of peft."""

from copy import deepcopy

import numpy as np
import pytest

from tests.nets.text_models_for_tests import (  # first: it skips without torch
    bert,
    encoded,
    imported,
    sentences,
    text_net,
    tokenizer,
    trained,
)

import torch  # isort: skip
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_softunlearn import SoftUnlearnCorrector, influence
from sklearn_softunlearn.models import model_class

pytestmark = [
    # Of peft, about an attribute of transformers.
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
    # Six epochs are few.
    pytest.mark.filterwarnings(
        "ignore::sklearn_softunlearn.exceptions.BaseNotConvergedWarning"
    ),
    pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:There is a performance drop"),
]
GAP = "demographic_parity_difference"


@pytest.fixture(scope="module")
def texts():
    return sentences()


@pytest.fixture(scope="module", params=["bert", "gpt"])
def net(request, texts):
    return trained(*texts[:2], module__kind=request.param)


@pytest.fixture(scope="module", params=["bert", "gpt"])
def lora(request, texts):
    imported("peft")
    return trained(*texts[:2], module__kind=request.param, module__lora=True, lr=0.02)


def test_texts_through_a_tokenizer_in_a_pipeline(texts):
    words, y, group = texts
    pipeline = make_pipeline(tokenizer(words), text_net())
    corrector = SoftUnlearnCorrector(pipeline, delta=0.2, utility_tol=1.0)
    corrector.fit(words, y, sensitive_features=group)
    line = corrector.report_[GAP, "surrogate"]
    probability = corrector.predict_proba(words)[:, 1]
    gap = probability[group == "north"].mean() - probability[group == "south"].mean()

    assert line.after < 0.95 * line.before
    assert abs(gap) == pytest.approx(line.after, rel=1e-4)


def test_the_last_layer_is_a_linear_model_of_its_features(net, texts):
    """Its optimum is scikit-learn's on the features that enter it."""
    X, fitted = net
    make = model_class(fitted, "last")
    features = make.embed(fitted, X)
    model = make(fitted, features, texts[1], np.ones(len(features)))
    probability = model.response.smooth(model.raw_prediction(features))
    np.testing.assert_allclose(probability, fitted.predict_proba(X), atol=1e-5)

    refitted = model.refitted_parameters(model.row_weight)
    design = features
    if model.has_intercept:
        design = np.column_stack([features, np.ones(len(features))])
    C = 2.0 / model.penalty_curvature()[0]
    refit = LogisticRegression(
        C=C, fit_intercept=False, solver="newton-cholesky", tol=1e-10
    ).fit(design, texts[1])
    np.testing.assert_allclose(
        model.response.smooth(model.raw_prediction(features, refitted)),
        refit.predict_proba(design),
        atol=1e-3,
    )


@pytest.mark.parametrize("layer", ["last", ["*attn*", "*attention*query*"]])
def test_what_is_not_corrected_stays_bitwise(net, texts, layer):
    X, fitted = net
    if layer != "last":
        names = [n for n, _ in fitted.module_.named_parameters()]
        kind = "*attn*" if any("attn" in n for n in names) else "*query*"
        layer = [kind]
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(fitted), delta=0.05, utility_tol=2.0, layer=layer,
        curvature="diagonal",
    ).fit(X, texts[1], sensitive_features=texts[2])  # fmt: skip
    changed = changed_names(fitted, corrector.estimator_)

    assert changed
    wanted = ("attn", "query") if layer != "last" else ("classifier", "score")
    assert all(any(part in name for part in wanted) for name in changed)


def changed_names(before, after):
    pairs = zip(
        before.module_.named_parameters(),
        after.module_.named_parameters(),
        strict=True,
    )
    return [name for (name, a), (_, b) in pairs if not torch.equal(a, b)]


@pytest.mark.parametrize("layer", ["lora", ["*.lora_A.*", "*.lora_B.*"]])
def test_lora_factors_are_corrected_and_peft_loads_them(lora, texts, layer, tmp_path):
    peft = imported("peft")
    X, fitted = lora
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(fitted), delta=0.05, utility_tol=2.0, layer=layer,
        curvature="diagonal",
    ).fit(X, texts[1], sensitive_features=texts[2])  # fmt: skip
    line = corrector.report_[GAP, "surrogate"]
    changed = changed_names(fitted, corrector.estimator_)
    assert line.after < line.before
    assert changed and all("lora_" in name for name in changed)

    model = corrector.estimator_.module_.model
    model.save_pretrained(tmp_path)
    base = deepcopy(fitted.module_.model).unload()
    loaded = peft.PeftModel.from_pretrained(base, tmp_path).eval()
    with torch.no_grad():
        given = {name: torch.as_tensor(value) for name, value in X.items()}
        logits = loaded(**given).logits
    np.testing.assert_allclose(
        torch.softmax(logits, -1).numpy(), corrector.predict_proba(X), atol=1e-5
    )


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_products_with_any_attention_are_derivatives(texts, attention):
    words, y, _ = texts
    X = encoded(words[:24])
    net = text_net(module__attention=attention, max_epochs=1).fit(X, y[:24])
    net.module_.double()
    make = model_class(net, ["*attention*value*"])
    model = make(net, make.embed(net, X), y[:24], np.ones(24))
    rng = np.random.default_rng(0)
    D = rng.normal(size=(model.parameters.size, 2))
    step = 1e-5
    difference = [
        model.raw_prediction(model.X, model.parameters + step * d)
        - model.raw_prediction(model.X, model.parameters - step * d)
        for d in D.T
    ]
    products = model.jvp(model.X, D)
    cotangent = rng.normal(size=(24, 2, 2))

    np.testing.assert_allclose(
        products, np.stack(difference, axis=2) / (2 * step), atol=1e-7
    )
    np.testing.assert_allclose(
        np.sum(D * model.vjp(model.X, cotangent), axis=0),
        np.einsum("ikm,ikm->m", products, cotangent),
    )
    curvature = model.loss_curvature(model.row_weight)
    diagonal = model.gram_diagonal(curvature)
    probe = np.eye(model.parameters.size)[:, [3, 50]]
    jacobian = model.jvp(model.X, probe)
    own = np.einsum("iam,iab,ibm->m", jacobian, curvature, jacobian)
    np.testing.assert_allclose(diagonal[[3, 50]], own)


def test_a_layer_without_lora_is_refused(net, texts):
    X, fitted = net
    with pytest.raises(ValueError, match=r"lora_\*'\] names no parameter"):
        influence(fitted, X, texts[1], sensitive_features=texts[2], layer="lora")


def test_dropout_is_off(texts):
    words, y, group = texts
    X, net = trained(words, y, max_epochs=1)
    options = {"sensitive_features": group}
    first, second = (influence(net, X, y, **options).values for _ in range(2))

    assert bert().config.hidden_dropout_prob > 0
    np.testing.assert_array_equal(first, second)


def test_a_plain_dict_of_arrays_for_a_frozen_net(texts):
    words, y, group = texts
    X, net = trained(words, y, max_epochs=1)
    X = {name: np.asarray(value) for name, value in X.items()}
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(net), delta=0.05, weighting="soft", utility_tol=2.0
    ).fit(X, y, sensitive_features=group)
    assert corrector.predict_proba(X).shape == (len(y), 2)
