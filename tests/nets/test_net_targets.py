# SPDX-License-Identifier: BSD-3-Clause
"""Regression targets as a column and as a vector, each with the module made for it."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tests.nets.nets_for_tests import MLP, table  # first: it skips without torch

import torch  # isort: skip
from sklearn.exceptions import DataConversionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetRegressor

from sklearn_softunlearn import (
    DeletionWeightsDisplay,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    fairness_scorer,
    influence,
    leave_one_out,
)

METRIC = "mean_prediction_difference"


class SquaredError(torch.nn.Module):
    """A criterion that does not warn of shapes that differ."""

    def forward(self, output, target):
        return ((output - target) ** 2).mean()


def regressor(squeeze=False, **options):
    torch.manual_seed(0)
    defaults = {
        "module__n_outputs": 1,
        "module__squeeze": squeeze,
        "optimizer": torch.optim.Adam,
        "optimizer__weight_decay": 1e-3,
        "lr": 0.02,
        "train_split": None,
        "max_epochs": 15,
        "verbose": 0,
    }
    return NeuralNetRegressor(MLP, **(defaults | options))


@pytest.fixture
def data():
    X, _, group = table(400)
    y = (X[:, 0] + 0.5 * (group == "a")).astype(np.float32)
    return X, y, group


def corrected(net, X, y, group, **options):
    torch.manual_seed(1)  # of the module that is initialised in fit
    options = {"metric": METRIC, "delta": 0.1, "utility_tol": 5.0} | options
    return SoftUnlearnCorrector(net, **options).fit(X, y, sensitive_features=group)


def test_a_column_is_a_vector_in_all_but_shape(data):
    X, y, group = data
    column = corrected(regressor(), X, y[:, None], group)
    vector = corrected(regressor(squeeze=True), X, y, group)

    assert column.predict(X).shape == (400, 1)
    assert vector.predict(X).shape == (400,)
    np.testing.assert_allclose(column.predict(X)[:, 0], vector.predict(X), atol=1e-5)
    assert column.deletion_weights_ == pytest.approx(vector.deletion_weights_, abs=1e-5)
    assert column.score(X, y[:, None]) == pytest.approx(vector.score(X, y), abs=1e-5)
    line = column.report_[METRIC, "surrogate"]
    assert line.after < 0.95 * line.before


@pytest.mark.parametrize("layer", ["last", "all"])
@pytest.mark.parametrize("shape", ["column", "frame", "vector"])
def test_a_frozen_net_of_one_column_takes_targets_of_any_shape(data, layer, shape):
    X, y, group = data
    net = regressor().fit(X, y[:, None])
    given = {"column": y[:, None], "frame": pd.DataFrame({"y": y}), "vector": y}
    found = corrected(FrozenEstimator(net), X, given[shape], group, layer=layer)
    plain = corrected(FrozenEstimator(net), X, y, group, layer=layer)

    np.testing.assert_array_equal(found.deletion_weights_, plain.deletion_weights_)


@pytest.mark.parametrize("criterion", [torch.nn.MSELoss, SquaredError])
@pytest.mark.parametrize("squeeze", [False, True])
def test_what_would_compare_all_pairs_of_rows_is_refused(data, criterion, squeeze):
    X, y, group = data
    net = regressor(squeeze, criterion=criterion, max_epochs=1)

    with pytest.raises(ValueError, match=r"all pairs of rows.*reshape.*squeeze"):
        corrected(net, X, y[:, None] if squeeze else y, group)


def test_a_column_in_a_pipeline_with_validation_rows(data):
    X, y, group = data
    pipeline = make_pipeline(FunctionTransformer(np.float32), regressor())
    found = corrected(pipeline, X, y[:, None], group, validation_fraction=0.25)
    given = SoftUnlearnCorrector(pipeline, metric="loss", delta=0.1, utility_tol=1.0)
    given.fit(X[:300], y[:300, None], X_val=X[300:], y_val=y[300:, None])

    assert found.predict(X).shape == (400, 1)
    assert np.sum(found.deletion_weights_ > 0) > 10
    assert given.predict(X).shape == (400, 1)


def test_a_column_in_everything_around_the_corrector(data):
    X, y, group = data
    net = regressor().fit(X, y[:, None])
    columns = influence(net, X, y[:, None], metric=METRIC, sensitive_features=group)
    vectors = influence(net, X, y, metric=METRIC, sensitive_features=group)
    np.testing.assert_allclose(columns.values, vectors.values)

    rows = leave_one_out(
        net, X, y[:, None], METRIC, indices=[0, 1], sensitive_features=group
    )
    assert rows.actual.shape == (2, 1)

    scorer = fairness_scorer(METRIC, sensitive_features=pd.Series(group))
    series = pd.Series(y)
    assert scorer(net, X, series.to_frame()) == pytest.approx(scorer(net, X, series))

    search = SoftUnlearnCorrectorCV(
        SoftUnlearnCorrector(regressor(), metric=METRIC, utility_tol=5.0),
        deltas=[0.0, 0.05],
        cv=2,
    ).fit(X, y[:, None], sensitive_features=group)
    assert search.predict(X).shape == (400, 1)
    display = DeletionWeightsDisplay.from_estimator(
        search.path_[1], X, y[:, None], sensitive_features=group
    )
    assert len(display.frame(5)) == 5


def test_other_regressors_flatten_a_column_and_say_so(data):
    X, y, group = data
    with pytest.warns(DataConversionWarning, match="column-vector"):
        column = corrected(Ridge(), X, y[:, None], group, delta=0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vector = corrected(Ridge(), X, y, group, delta=0.05)

    assert column.predict(X).shape == (400,)
    np.testing.assert_array_equal(column.deletion_weights_, vector.deletion_weights_)
