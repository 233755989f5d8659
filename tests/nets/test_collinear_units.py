# SPDX-License-Identifier: BSD-3-Clause
"""Units that are combinations of each other, up to what float32 rounds."""

import warnings

import numpy as np
import pytest

from tests.nets.nets_for_tests import table  # first: it skips without torch

import torch  # isort: skip
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.exceptions import CurvatureWarning, InfeasibleDeltaWarning
from sklearn_softunlearn.influence._curvature import _positive_definite_factor
from sklearn_softunlearn.models import embed, model_class

DP = "demographic_parity_difference"


def wide_net(*between, n_outputs=2):
    """Eight units of four features; four of them say what the others do."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 8), *between, nn.Linear(8, n_outputs))
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        max_epochs=20,
        lr=0.1,
        train_split=None,
        verbose=0,
    )


@pytest.fixture(scope="module")
def rows():
    X, y, group = table()
    return np.asarray(X[:, :4], dtype=np.float32), np.asarray(y, dtype=np.int64), group


@pytest.mark.parametrize("between", [(), (nn.BatchNorm1d(8),), (nn.Dropout(0.5),)])
def test_noise_of_float32_gets_no_weight(rows, between):
    """With a warning, and weights of 1e6 that float32 cannot hold, it was refused."""
    X, y, group = rows
    corrector = SoftUnlearnCorrector(wide_net(*between), delta=0.2)
    corrector.fit(X, y, sensitive_features=group)
    before, after = (
        net.module_[-1].weight.detach().numpy()
        for net in (corrector.base_estimator_, corrector.estimator_)
    )
    line = corrector.report_[DP, "surrogate"]

    assert np.abs(after).max() < 10 * np.abs(before).max()
    assert line.after == pytest.approx(0.8 * line.before, rel=1e-3)


@pytest.mark.parametrize("n_outputs", [2, 3])
def test_null_directions_are_all_there_are(rows, n_outputs):
    X, y, _ = rows
    y = y if n_outputs == 2 else np.arange(len(y)) % 3
    net = wide_net(n_outputs=n_outputs).fit(X, y)
    features = embed(net, X, "last")
    model = model_class(net)(net, features, y, np.ones(len(X)))
    null = model.null_directions().toarray()
    size = features.shape[1] + 1
    # Of nine columns five are independent; of the outputs, all but one.
    moved = model.response.smooth(model.raw_prediction(features))
    again = model.response.smooth(
        model.raw_prediction(features, model.parameters + null @ np.ones(null.shape[1]))
    )

    assert null.shape == (n_outputs * size, n_outputs * size - (n_outputs - 1) * 5)
    np.testing.assert_allclose(null.T @ null, np.eye(null.shape[1]), atol=1e-12)
    np.testing.assert_allclose(again, moved, atol=1e-5)


def test_classes_that_a_layer_separates_without_a_penalty():
    """All curvature becomes rounding: SciPy's LinAlgError is no answer."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 400)
    X = rng.normal(size=(400, 4)).astype(np.float32)
    X[:, 0] += group
    y = np.digitize(X[:, 0] + X[:, 1], [0.0, 1.0]).astype(np.int64)
    torch.manual_seed(1)
    net = wide_net(nn.ReLU(), n_outputs=3).fit(X, y)
    corrector = SoftUnlearnCorrector(FrozenEstimator(net), delta=0.5)
    with warnings.catch_warnings():
        for category in (CurvatureWarning, InfeasibleDeltaWarning):
            warnings.simplefilter("ignore", category)
        corrector.fit(X, y, sensitive_features=group)

    assert np.all(np.isfinite(corrector.predict_proba(X)))


def test_a_hessian_of_rounding_has_a_factor():
    rng = np.random.default_rng(0)
    noise = 1e-17 * rng.normal(size=(6, 6))
    hessian = noise + noise.T
    hessian[np.diag_indices(6)] = [1.0, *[1e-17] * 5]
    with pytest.warns(CurvatureWarning, match="singular"):
        factor, _ = _positive_definite_factor(hessian)

    assert np.all(np.diag(factor) > 0)
