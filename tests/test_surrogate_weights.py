# SPDX-License-Identifier: BSD-3-Clause
"""Any estimator, refitted with the weights that correct a supported model."""

import pickle

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_softunlearn import (
    SoftUnlearnCorrector,
    SurrogateWeights,
    ValidationData,
    audit,
)
from sklearn_softunlearn.datasets import make_biased_classification

NAME = "demographic_parity_difference"
pytestmark = [
    pytest.mark.filterwarnings(f"ignore::sklearn_softunlearn.exceptions.{name}")
    for name in (
        "InfeasibleDeltaWarning",
        "NothingToCorrectWarning",
        "UpdateStoppedWarning",
        "SmallGroupWarning",
        "CurvatureWarning",
        "CorrectionWarning",
        "BaseNotConvergedWarning",
    )
]


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(800, random_state=0)


def surrogate(**options):
    options = {"weighting": "exact", "utility_tol": None} | options
    return SoftUnlearnCorrector(LogisticRegression(), **options)


def test_the_estimator_is_refitted_with_the_weights_of_the_surrogate(data):
    X, y, group = data
    model = SurrogateWeights(GaussianNB(), corrector=surrogate(delta=0.7))
    model.fit(X, y, sensitive_features=group)
    weights = surrogate(delta=0.7).fit(X, y, sensitive_features=group).sample_weight_
    by_hand = GaussianNB().fit(X, y, sample_weight=weights)

    np.testing.assert_array_equal(model.predict_proba(X), by_hand.predict_proba(X))
    np.testing.assert_array_equal(model.sample_weight_, weights)


def test_what_is_measured_is_fairlearns_number(data):
    X, y, group = data
    train, held_out = slice(0, 500), slice(500, None)
    validation = ValidationData(X[held_out], y[held_out], group[held_out])
    model = SurrogateWeights(SVC()).fit(
        X[train], y[train], sensitive_features=group[train], X_val=validation
    )
    for position, each in enumerate((model.base_estimator_, model.estimator_)):
        expected = demographic_parity_difference(
            y[held_out],
            each.predict(X[held_out]),
            sensitive_features=group[held_out],
        )
        assert model.measured_[NAME][position] == pytest.approx(expected)
        score = each.score(X[held_out], y[held_out])
        assert model.measured_["score"][position] == pytest.approx(score)
    assert model.measured_[NAME][1] < model.measured_[NAME][0]


def test_around_the_surrogate_itself_it_is_the_correction(data):
    X, y, group = data
    precise = LogisticRegression(tol=1e-10, max_iter=1000)
    corrector = surrogate(delta=0.5).set_params(estimator=precise)
    model = SurrogateWeights(precise, corrector=corrector)
    model.fit(X, y, sensitive_features=group)

    np.testing.assert_allclose(
        model.estimator_.coef_, model.corrector_.estimator_.coef_, atol=1e-4
    )


def test_user_weights_multiply(data):
    X, y, group = data
    weight = np.ones(len(y))
    weight[::3] = 0.0
    kept = weight > 0
    by_weight = SurrogateWeights(GaussianNB(), corrector=surrogate())
    by_weight.fit(X, y, sensitive_features=group, sample_weight=weight)
    by_rows = clone(by_weight).fit(X[kept], y[kept], sensitive_features=group[kept])

    np.testing.assert_allclose(
        by_weight.predict_proba(X), by_rows.predict_proba(X), atol=1e-4
    )


def test_pipelines_regressions_and_audits(data):
    X, y, group = data
    pipeline = make_pipeline(StandardScaler(), SVC())
    model = SurrogateWeights(pipeline).fit(X, y, sensitive_features=group)
    both = model.base_estimator_, model.estimator_
    document = audit(both, X, y, sensitive_features=group, metric=NAME).to_dict()
    number = SurrogateWeights(SVR()).fit(X[:, 1:], X[:, 0], sensitive_features=group)

    assert any(m["name"] == NAME for m in document["metrics"])
    assert set(number.measured_) == {"mean_prediction_difference", "score"}
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (KNeighborsClassifier(), "takes no sample_weight"),
        (FrozenEstimator(LinearRegression()), "refits it"),
    ],
    ids=str,
)
def test_what_cannot_be_refitted_is_refused(data, estimator, words):
    X, y, group = data
    with pytest.raises(TypeError, match=words):
        SurrogateWeights(estimator).fit(X, y, sensitive_features=group)


def test_the_message_of_unsupported_models_names_it(data):
    X, y, group = data
    with pytest.raises(TypeError, match=r"SurrogateWeights\(SVC"):
        SoftUnlearnCorrector(SVC()).fit(X, y, sensitive_features=group)


@parametrize_with_checks(
    [SurrogateWeights(GaussianNB(), corrector=SoftUnlearnCorrector(
        metric="loss", utility="loss", delta=0.01, weighting="soft",
        utility_tol=0.1))]
)  # fmt: skip
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)
