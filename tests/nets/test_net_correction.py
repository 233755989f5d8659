# SPDX-License-Identifier: BSD-3-Clause
"""Nets corrected from end to end, on tables, images and texts."""

import pickle
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from tests.nets.nets_for_tests import (  # first: it skips without torch
    CNN,
    MLP,
    BagOfWords,
    ResNet,
    binary_classifier,
    classifier,
    colored_digits,
    fitted,
    table,
)

import torch  # isort: skip
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetRegressor
from skorch.dataset import ValidSplit
from torch import nn

from sklearn_softunlearn import (
    MeanLoss,
    SoftUnlearnCorrector,
    fairness_scorer,
    influence,
)
from sklearn_softunlearn.corrector.stages._linearization import (
    NamedCriterion,
    linearize,
)
from sklearn_softunlearn.criteria import EvaluationRows, resolve_criterion
from sklearn_softunlearn.exceptions import UpdateStoppedWarning
from sklearn_softunlearn.influence._curvature import Cholesky
from sklearn_softunlearn.models import model_class

DP = "demographic_parity_difference"


def corrected(net, X, y, group, **options):
    # A net stopped early is not at its optimum, so that its loss has a slope.
    options = {"weighting": "soft", "utility_tol": 0.2, "delta": 0.2} | options
    return SoftUnlearnCorrector(net, **options).fit(X, y, sensitive_features=group)


def assert_gap_shrinks(corrector, most):
    line = corrector.report_[DP, "surrogate"]
    assert line.predicted == pytest.approx((1 - corrector.delta) * line.before)
    assert line.after < most * line.before
    loss = corrector.report_["loss", "surrogate"]
    # To first order; what the report predicts of the loss is of second order.
    change = corrector.influence_[:, -1] @ corrector.deletion_weights_
    assert change <= loss.before * (corrector.utility_tol + 1e-6)


@pytest.mark.parametrize("layer", ["last", "all"])
def test_mlp_on_adult(adult_encoded, layer):
    X = adult_encoded.X[:4000].astype(np.float32)
    y, sex = adult_encoded.y[:4000], adult_encoded.sex[:4000]
    net = classifier(
        MLP, module__n_features=X.shape[1], module__n_hidden=16, max_epochs=5
    )
    corrector = corrected(net, X, y, sex, layer=layer)

    assert_gap_shrinks(corrector, most=0.85)


@pytest.mark.parametrize("module", [CNN, ResNet])
@pytest.mark.parametrize("layer", ["last", "all"])
def test_images_of_correlated_color(module, layer):
    X, y, color = colored_digits(500)
    net = classifier(module, max_epochs=8)
    corrector = corrected(net, X, y, color, delta=0.1, layer=layer)

    assert_gap_shrinks(corrector, most=0.97)
    assert corrector.predict(X).shape == y.shape
    assert corrector.predict_proba(X).dtype == np.float32


def test_texts(data_home):
    path = data_home / "text" / "wikipedia_comments.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    comments = pd.read_csv(path)
    words = [re.findall(r"[a-z]+", text.lower())[:60] for text in comments["text"]]
    counts = Counter(word for text in words for word in text)
    index = {word: i + 1 for i, (word, _) in enumerate(counts.most_common(2000))}
    X = np.zeros((len(words), 60), dtype=np.int64)
    for i, text in enumerate(words):
        X[i, : len(text)] = [index.get(word, 0) for word in text]
    net = classifier(
        BagOfWords, module__n_tokens=2001, optimizer__weight_decay=1e-4, max_epochs=10
    )
    y = comments["toxic"].to_numpy(dtype=np.int64)
    corrector = corrected(net, X, y, comments["identity_mention"])

    assert_gap_shrinks(corrector, most=0.8)


@pytest.mark.parametrize("module", [CNN, MLP])
def test_influences_of_the_last_layer_are_leave_one_out_retraining(module):
    """Against scikit-learn's own solver on the features of the net."""
    X, y, group = colored_digits(600) if module is CNN else table(600)
    net = classifier(module, max_epochs=8).fit(X[:400], y[:400])
    make = model_class(net, "last")
    features = make.embed(net, X)
    model = make(net, features[:400], y[:400], np.ones(400))
    model = model.at(model.refitted_parameters(model.row_weight))
    state = linearized(model, features[400:], y[400:], group[400:])

    retrained = np.array([without(model, i, state) for i in range(400)])

    for j in range(retrained.shape[1]):
        rank = spearmanr(state.influence[:, j], retrained[:, j] - state.value[j])
        assert rank.statistic > 0.99
    scale = np.linalg.norm(retrained - state.value, axis=0)
    assert np.linalg.norm(state.influence, axis=0) == pytest.approx(scale, rel=0.05)


def linearized(model, X, y, group):
    rows = EvaluationRows(
        y,
        np.ones(len(y)),
        model.loss,
        model.response,
        (group == group[0]).astype(int),
        ("a", "b"),
    )
    metric = resolve_criterion(DP, "metric").bind(rows)
    named = NamedCriterion(DP, metric), NamedCriterion("loss", MeanLoss())
    return linearize(model, X, rows, *named, Cholesky())


def without(model, index, state):
    """Functionals after scikit-learn has refitted the last layer without one row."""
    kept = np.delete(np.arange(len(model.y)), index)
    design = np.column_stack([model.X, np.ones(len(model.y))])
    # Two softmax outputs with the same penalty: one output, the difference d, with
    # half the penalty, |w_0|^2 + |w_1|^2 = |d|^2 / 2 at the optimum.
    C = 2.0 / model.penalty_curvature()[0]
    refit = LogisticRegression(
        C=C, fit_intercept=False, solver="newton-cholesky", tol=1e-10
    ).fit(design[kept], model.y[kept])
    theta = np.concatenate([-refit.coef_[0] / 2, refit.coef_[0] / 2])
    raw = model.raw_prediction(state.X, theta)
    criteria = (state.metric.criterion, state.utility.criterion)
    return np.concatenate([c.value(raw, state.rows) for c in criteria])


@pytest.mark.parametrize("make", [classifier, binary_classifier])
def test_nothing_of_a_frozen_net_changes(make):
    X, y, group = table()
    target = y if make is classifier else y.astype(np.float32)
    net = make(MLP).fit(X, target)
    before = net.predict_proba(X)
    corrector = corrected(FrozenEstimator(net), X, target, group)

    assert np.array_equal(net.predict_proba(X), before)
    assert corrector.base_estimator_.estimator is net
    assert not np.allclose(corrector.predict_proba(X), before)
    assert clone(corrector).estimator.estimator is net


def test_the_corrected_net_has_the_reported_gap():
    X, y, group = table(400)
    corrector = corrected(classifier(MLP), X, y, group)
    probability = corrector.predict_proba(X)[:, 1]

    gap = abs(probability[group == "a"].mean() - probability[group == "b"].mean())
    line = corrector.report_[DP, "surrogate"]
    assert gap == pytest.approx(line.after, rel=1e-4)


def test_a_threshold_is_that_of_the_labels():
    X, y, group = table(400)
    net = binary_classifier(MLP, threshold=0.3)
    corrector = corrected(net, X, y.astype(np.float32), group)
    label = corrector.predict(X)

    gap = abs(label[group == "a"].mean() - label[group == "b"].mean())
    assert gap == pytest.approx(corrector.report_[DP, "fairlearn"].after)


def test_rows_held_out_by_train_split_are_never_deleted():
    X, y, group = table()
    net = classifier(MLP, train_split=ValidSplit(5, stratified=True))
    corrector = corrected(net, X, y, group)
    dataset, _ = corrector.base_estimator_.get_split_datasets(X, y)
    held_out = np.setdiff1d(np.arange(len(y)), dataset.indices)

    assert np.all(corrector.influence_[held_out] == 0)
    assert np.all(corrector.deletion_weights_[held_out] == 0)
    assert np.sum(corrector.deletion_weights_ > 0) > 30


@pytest.mark.parametrize("update", ["newton", "retrain"])
def test_other_updates(update):
    X, y, group = table(400)
    corrector = corrected(classifier(MLP), X, y, group, update=update)
    line = corrector.report_[DP, "surrogate"]

    assert line.after < 0.95 * line.before


def test_a_pipeline_ending_in_a_net():
    X, y, group = table(400)
    pipeline = make_pipeline(
        StandardScaler(), FunctionTransformer(np.float32), classifier(MLP)
    )
    corrector = corrected(pipeline, X.astype(np.float64), y, group)

    assert_gap_shrinks(corrector, most=0.9)


def test_validation_rows_and_regression():
    X, _, group = table(400)
    y = (X[:, 0] + (group == "a")).astype(np.float32)
    net = NeuralNetRegressor(
        MLP,
        module__n_outputs=1,
        module__squeeze=True,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=1e-3,
        train_split=None,
        max_epochs=20,
        verbose=0,
    )
    corrector = SoftUnlearnCorrector(
        net, metric="loss", delta=0.1, weighting="soft", utility_tol=1.0
    )
    corrector.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    line = corrector.report_["loss", "surrogate"]

    assert line.after < line.before


def test_a_corrected_net_survives_pickling():
    X, y, group = table()
    corrector = corrected(classifier(MLP), X, y, group)
    again = pickle.loads(pickle.dumps(corrector))

    assert np.array_equal(again.predict_proba(X), corrector.predict_proba(X))
    refrozen = corrected(FrozenEstimator(again.base_estimator_), X, y, group)
    assert refrozen.deletion_weights_ == pytest.approx(corrector.deletion_weights_)


def test_grid_search_over_delta():
    X, y, group = table(400)
    # The group as a column, which the scorer finds and the net is given as well.
    X = np.column_stack([X, group == "a"]).astype(np.float32)
    search = GridSearchCV(
        SoftUnlearnCorrector(
            classifier(MLP, module__n_features=5),
            utility_tol=0.2,
            sensitive_feature_ids=[4],
        ),
        {"delta": [0.0, 0.2]},
        scoring=fairness_scorer(DP, sensitive_feature_ids=[4]),
        cv=2,
    ).fit(X, y)

    assert search.best_params_ == {"delta": 0.2}


class Tempered(MLP):
    def forward(self, x):
        return super().forward(x) / 3


class NoLinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 2, 4)

    def forward(self, x):
        return self.conv(x[:, None])[:, :, 0]


REFUSALS = {
    "tail": (lambda: classifier(Tempered), {}, "not those of its last linear"),
    "no linear": (lambda: classifier(NoLinear), {}, "has no torch.nn.Linear"),
    "unknown layer": (lambda: classifier(MLP), {"layer": "first"}, "layer='first'"),
    "unknown name": (lambda: classifier(MLP), {"layer": ["fc.w"]}, "fc.w"),
    "classes": (lambda: classifier(MLP, module__n_outputs=3), {}, "3 outputs"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case):
    make, options, message = REFUSALS[case]
    X, y, group = table()

    with pytest.raises(ValueError, match=message):
        corrected(make(), X, y, group, **options)


def test_what_the_last_layer_cannot_do_all_parameters_can():
    X, y, group = table()
    corrector = corrected(classifier(NoLinear), X, y, group, layer="all")

    assert_gap_shrinks(corrector, most=1.0)


def test_string_labels_are_refused():
    X, y, group = table()
    net = classifier(MLP).fit(X, y)
    net.classes = ["no", "yes"]

    with pytest.raises(ValueError, match=r"0 \.\. 1"):
        corrected(FrozenEstimator(net), X, np.array(["no", "yes"])[y], group)


def test_sample_weight_is_refused_unless_frozen():
    X, y, group = table()
    weight = np.linspace(0.5, 1.5, len(y))
    net = classifier(MLP)

    with pytest.raises(ValueError, match="sample_weight"):
        SoftUnlearnCorrector(net).fit(
            X, y, sensitive_features=group, sample_weight=weight
        )
    frozen = SoftUnlearnCorrector(FrozenEstimator(net.fit(X, y)), delta=0.05)
    frozen.fit(X, y, sensitive_features=group, sample_weight=weight)
    assert np.sum(frozen.deletion_weights_) > 0


def test_a_column_against_a_vector_is_refused():
    X, _, _ = table()
    net = NeuralNetRegressor(
        MLP, module__n_outputs=1, train_split=None, verbose=0, max_epochs=1
    )
    with pytest.raises(ValueError, match="squeeze"):
        SoftUnlearnCorrector(net, metric="loss").fit(X, X[:, 0])


def test_a_wrong_dtype_says_what_to_cast():
    X, y, group = table()
    net = classifier(MLP).fit(X, y)

    with pytest.raises(ValueError, match=r"dtype float64.*astype\(np\.float32\)"):
        corrected(FrozenEstimator(net), X.astype(np.float64), y, group)


def test_an_update_that_only_does_harm_leaves_the_model_alone():
    """Training that was cut short goes on in Newton's step, and raises the gap."""
    X, y, group = table(400)
    net = fitted(classifier(MLP), X, y)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(net), update="newton", delta=0.1, utility_tol=0.1
    )
    with pytest.warns(UpdateStoppedWarning, match="Train the base model"):
        corrector.fit(X, y, sensitive_features=group)

    assert not np.any(corrector.deletion_weights_)
    assert any("however little" in note for note in corrector.report_.notes)
    np.testing.assert_array_equal(corrector.predict(X), net.predict(X))


@pytest.mark.parametrize("layer", ["last", "all", ["out.weight"]])
def test_influences_are_those_of_the_corrector(layer):
    X, y, group = table(120)
    net = fitted(classifier(MLP), X, y)
    found = influence(net, X, y, sensitive_features=group, utility="loss", layer=layer)
    corrector = SoftUnlearnCorrector(FrozenEstimator(net), delta=0.01, layer=layer)
    corrector.fit(X, y, sensitive_features=group)

    np.testing.assert_allclose(found.values, corrector.influence_, rtol=1e-5)
