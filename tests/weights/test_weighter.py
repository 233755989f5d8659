# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_softunlearn.weights import SoftWeighter, solve_weights
from tests.weights.weight_problems import influences


@parametrize_with_checks(
    [SoftWeighter(), SoftWeighter(delta=0.9, utility_tol=0.1, regularization=0.2)]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("method", ["get_feature_names_out", "transform"])
def test_before_fit_it_is_not_fitted(method):
    arguments = () if method == "get_feature_names_out" else (np.ones((3, 2)),)
    weighter = SoftWeighter()
    with pytest.raises(NotFittedError):
        getattr(weighter, method)(*arguments)
    with pytest.raises(NotFittedError):
        getattr(make_pipeline(weighter), method)(*arguments)
    fitted = weighter.fit(np.array([[-1.0, 0.5], [2.0, 1.0]]))
    assert fitted.get_feature_names_out().tolist() == ["softweighter0"]


@pytest.fixture
def influence():
    return influences(np.random.default_rng(0), "plain", 300, 3)


@pytest.mark.parametrize("delta", [0.0, 0.1, 0.5, 0.9])
def test_weights_are_those_of_solve_weights(influence, delta):
    weighter = SoftWeighter(delta=delta).fit(influence)
    a, u = influence[:, 0], influence[:, 1:]
    direct = solve_weights(a, u, delta=delta * weighter.delta_max_)
    weights = weighter.transform(influence)
    assert weights.shape == (300, 1)
    np.testing.assert_allclose(weights[:, 0], direct.weights, atol=1e-9)
    assert weights[:, 0] @ a == pytest.approx(-delta * weighter.delta_max_)
    assert np.all(weights[:, 0] @ u <= 1e-9 * np.sum(np.abs(u), axis=0))


def test_delta_is_a_fraction_on_any_scale(influence):
    weights = SoftWeighter(delta=0.3).fit_transform(influence)
    scaled = SoftWeighter(delta=0.3).fit_transform(influence * [1e6, 1e-3, 7.0])
    np.testing.assert_allclose(scaled, weights, atol=1e-12)


def test_utility_tolerance_is_a_fraction_of_all_influence(influence):
    weighter = SoftWeighter(delta=0.99, utility_tol=1e-3)
    change = weighter.fit_transform(influence)[:, 0] @ influence
    allowed = 1e-3 * np.sum(np.abs(influence), axis=0)
    assert np.all(change[1:] <= allowed[1:] * (1 + 1e-9))
    assert np.max(change[1:] / allowed[1:]) == pytest.approx(1.0)


def test_weights_of_unseen_rows_depend_on_their_influences_only(influence):
    weighter = SoftWeighter(delta=0.5).fit(influence)
    weights = weighter.transform(influence)
    np.testing.assert_array_equal(weighter.transform(influence[7:9]), weights[7:9])


def test_one_column_has_nothing_to_protect():
    weights = SoftWeighter(delta=0.5).fit_transform([[-2.0], [1.0], [-1.0]])
    np.testing.assert_allclose(weights[:, 0], [0.6, 0.0, 0.3])


def test_largest_attainable_improvement_is_reached(influence):
    weighter = SoftWeighter(delta=1.0).fit(influence)
    reached = -weighter.transform(influence)[:, 0] @ influence[:, 0]
    assert reached == pytest.approx(weighter.delta_max_, rel=1e-6)


def test_names_of_columns(influence):
    frame = pd.DataFrame(influence, columns=["gap", "loss", "robustness"])
    weighter = SoftWeighter().set_output(transform="pandas").fit(frame)
    assert list(weighter.feature_names_in_) == ["gap", "loss", "robustness"]
    assert list(weighter.transform(frame).columns) == ["softweighter0"]


class InfluenceOfColumns(TransformerMixin, BaseEstimator):
    """Stands for a transformer whose fit_transform returns influences of the rows."""

    def fit(self, X, y=None, groups=None):
        self.means_ = np.array([X[groups == g].mean(axis=0) for g in (0, 1)])
        self.gap_ = self.means_[1] - self.means_[0]
        return self

    def transform(self, X):
        return 1e-6 * np.column_stack([X @ self.gap_, X[:, 0]])


def improvement_without_loss(pipeline, X, y=None):
    """Improvement of the metric minus what is lost in utility, on unseen rows."""
    weights = pipeline.transform(X)[:, 0]
    change = weights @ pipeline[:-1].transform(X)
    return -change[0] - max(change[1], 0.0)


def test_pipeline_and_grid_search_over_delta():
    rng = np.random.default_rng(1)
    X, groups = rng.standard_normal((200, 4)), rng.integers(0, 2, 200)
    pipeline = make_pipeline(InfluenceOfColumns(), SoftWeighter())
    weights = pipeline.fit_transform(X, influenceofcolumns__groups=groups)
    assert weights.shape == (200, 1)
    search = GridSearchCV(
        pipeline,
        {"softweighter__delta": [0.0, 0.3, 0.6]},
        scoring=improvement_without_loss,
        error_score="raise",
    ).fit(X, influenceofcolumns__groups=groups)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] == 0.0
    assert search.best_params_["softweighter__delta"] > 0


def test_transform_needs_fit(influence):
    with pytest.raises(NotFittedError):
        SoftWeighter().transform(influence)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delta": 1.5}, "delta is the fraction of the largest attainable"),
        ({"delta": -0.1}, "delta must not be negative"),
        ({"utility_tol": -0.1}, "utility_tol must not be negative"),
        ({"regularization": -1.0}, "regularization must not be negative"),
        ({"max_weight": np.inf}, "max_weight must be finite"),
        ({"max_weight": 0.0}, "max_weight must be positive"),
    ],
)
def test_bad_parameters_are_named(influence, arguments, message):
    with pytest.raises(ValueError, match=message):
        SoftWeighter(**arguments).fit(influence)
