# SPDX-License-Identifier: BSD-3-Clause
"""Influences as a step of a Pipeline, in front of SoftWeighter."""

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn import InfluenceTransformer, SoftWeighter, influence
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import BaseNotConvergedWarning

DP = "demographic_parity_difference"


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=800, random_state=2)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(C=0.3),
        LogisticRegression(class_weight="balanced"),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=str,
)
def test_fit_transform_is_the_influence_on_the_open_gap_and_the_loss(data, estimator):
    X, y, group = data
    transformer = InfluenceTransformer(estimator)
    values = transformer.fit_transform(X, y, sensitive_features=group)
    expected = influence(
        transformer.estimator_, X, y, sensitive_features=group, utility="loss"
    )
    gap = int(np.argmax(expected.current[:-1]))

    np.testing.assert_array_equal(values, expected.values[:, [gap, -1]])
    assert list(transformer.get_feature_names_out()) == [
        expected.names[gap],
        "loss",
    ]
    # As rows to look at, the training rows have the same influence.
    np.testing.assert_allclose(transformer.transform(X, y), values, rtol=1e-10)
    np.testing.assert_allclose(transformer.transform(X[:7], y[:7]), values[:7])


def test_rows_of_a_regression(data):
    X, y, _ = data
    target = X @ np.arange(X.shape[1]) + y
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    transformer = InfluenceTransformer(Ridge(), metric="loss", utility=["loss"])
    values = transformer.fit_transform(X, target, sample_weight=weight)

    np.testing.assert_allclose(
        transformer.transform(X, target) * weight[:, None], values, rtol=1e-10
    )


def test_influence_needs_the_label(data):
    X, y, group = data
    transformer = InfluenceTransformer().fit(X, y, sensitive_features=group)
    with pytest.raises(ValueError, match=r"give transform\(X, y\)"):
        transformer.transform(X)


def test_weights_from_a_pipeline_solve_the_weight_problem(data):
    X, y, group = data
    pipeline = make_pipeline(InfluenceTransformer(), SoftWeighter(delta=0.3))
    weights = pipeline.fit_transform(
        X, y, influencetransformer__sensitive_features=group
    )[:, 0]
    values = pipeline[0].transform(X, y)
    weighter = pipeline[1]

    assert weights @ values[:, 0] == pytest.approx(-0.3 * weighter.delta_max_)
    assert weights @ values[:, 1] <= 1e-12


def improvement(pipeline, X, y):
    """Predicted on rows that the weights were not learnt from, less their mass."""
    values = pipeline[0].transform(X, y)
    weights = pipeline[1].transform(values)[:, 0]
    return -weights @ values[:, 0] - 1e-5 * weights.sum()


@pytest.mark.parametrize("routing", [False, True])
def test_grid_search_over_delta(data, routing):
    X, y, group = data
    pipeline = make_pipeline(InfluenceTransformer(), SoftWeighter())
    deltas = [0.1, 0.3, 0.5]
    search = GridSearchCV(
        pipeline, {"softweighter__delta": deltas}, scoring=improvement, cv=3
    )
    step = "" if routing else "influencetransformer__"
    with sklearn.config_context(enable_metadata_routing=routing):
        search.fit(X, y, **{f"{step}sensitive_features": group})
    scores = search.cv_results_["mean_test_score"]

    assert np.all(np.isfinite(scores))
    assert len(set(scores)) == len(deltas)


class KnowsLabels(InfluenceTransformer):
    """Labels of rows to transform are those of the nearest rows of fit.

    scikit-learn's checks call ``transform(X)``.
    """

    def fit(self, X, y, *, sensitive_features=None, sample_weight=None):
        super().fit(X, y, sample_weight=sample_weight)
        kept = slice(None) if sample_weight is None else np.asarray(sample_weight) > 0
        self._known = np.asarray(_dense(X), float)[kept], np.asarray(y)[kept]
        return self

    def fit_transform(self, X, y, *, sensitive_features=None, sample_weight=None):
        return self.fit(X, y, sample_weight=sample_weight).transform(X)

    def transform(self, X, y=None):
        check_is_fitted(self)
        rows = np.asarray(_dense(X))
        if y is None and rows.ndim == 2 and rows.shape[1] == self.n_features_in_:
            known, labels = self._known
            rows = np.nan_to_num(rows.astype(float), posinf=0.0, neginf=0.0)
            y = labels[[np.argmin(np.sum((known - row) ** 2, axis=1)) for row in rows]]
        return super().transform(X, y)


def _dense(X):
    return X.toarray() if sparse.issparse(X) else X


@parametrize_with_checks(
    [
        KnowsLabels(metric="loss"),
        KnowsLabels(Ridge(), metric="loss", utility=[]),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_warnings_point_to_the_callers_line(data, method):
    X, y, group = data
    unfinished = InfluenceTransformer(FrozenEstimator(LogisticRegression(C=100)))
    unfinished.estimator.estimator.fit(X, y)
    unfinished.estimator.estimator.coef_ += 0.1
    with pytest.warns(BaseNotConvergedWarning) as caught:
        getattr(unfinished, method)(X, y, sensitive_features=group)

    assert [warning.filename for warning in caught] == [__file__]


def test_transform_needs_labels_and_the_columns_of_fit(data):
    X, y, group = data
    transformer = InfluenceTransformer().fit(X, y, sensitive_features=group)
    with pytest.raises(ValueError, match=r"depends on its label: give transform\(X, y"):
        transformer.transform(X)
    with pytest.raises(ValueError, match="features"):
        transformer.transform(X[:, :3], y)
