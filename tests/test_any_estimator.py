# SPDX-License-Identifier: BSD-3-Clause
"""The corrector around every estimator that is supported, and around others."""

import pickle
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR, LinearSVC
from sklearn.utils import get_tags

from sklearn_softunlearn import GroupMetric, SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import BaseNotConvergedWarning
from tests.models.cases import CHOSEN, L1

CLASSIFIERS = [
    LogisticRegression(),
    LogisticRegressionCV(**CHOSEN),
    LogisticRegression(solver="saga", C=0.1, tol=1e-6, max_iter=5000, **L1),
    RidgeClassifier(),
    RidgeClassifierCV(),
    LinearSVC(tol=1e-8, dual=False),
    MLPClassifier(
        (6,), "tanh", solver="lbfgs", alpha=1.0, max_iter=5000, random_state=0
    ),
]
REGRESSORS = [
    LinearRegression(),
    Ridge(),
    RidgeCV(),
    Lasso(alpha=0.01, tol=1e-8),
    ElasticNet(alpha=0.01, tol=1e-8),
    HuberRegressor(tol=1e-8, max_iter=1000),
    PoissonRegressor(solver="newton-cholesky"),
    GammaRegressor(solver="newton-cholesky"),
    TweedieRegressor(power=1.5, solver="newton-cholesky"),
    MLPRegressor(hidden_layer_sizes=(6,), activation="tanh", solver="lbfgs", alpha=1.0,
                 max_iter=5000, random_state=0),
]  # fmt: skip
STOCHASTIC = [
    SGDClassifier("log_loss", random_state=0),
    SGDRegressor(eta0=0.1, random_state=0),
]

pytestmark = [
    # Announcements about defaults of LogisticRegressionCV and of l1 penalties.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    # scikit-learn 1.6 reads polars frames through it.
    pytest.mark.filterwarnings("ignore:Support for the dataframe interchange"),
    # That the data are few is not what is tested.
    pytest.mark.filterwarnings(
        "ignore::sklearn_softunlearn.exceptions.SmallGroupWarning"
    ),
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 300)
    X = rng.normal(size=(300, 4))
    X[:, 0] += 0.5 * group
    return X, X @ [1.0, 1.0, 0.5, 0.0] + rng.normal(size=300), group


def corrected(estimator, X, y, group, **params):
    metric = GroupMetric(
        "demographic_parity_difference"
        if is_classifier(estimator)
        else "mean_prediction_difference"
    )
    options = {"metric": metric, "delta": 0.2, "utility_tol": 0.3} | params
    corrector = SoftUnlearnCorrector(estimator, **options)
    return corrector.fit(X, y, sensitive_features=group)


def assert_corrected(corrector, X, y):
    line = corrector.report_.lines[0]

    assert line.predicted == pytest.approx(0.8 * line.before, rel=1e-6)
    assert line.after == pytest.approx(0.8 * line.before, rel=0.1)
    assert corrector.score(X, y) == corrector.estimator_.score(X, y)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(corrector)).predict(X), corrector.predict(X)
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda e: type(e).__name__)
def test_classifier(data, estimator, n_classes):
    X, score, group = data
    y = np.array(["a", "b", "c"])[np.digitize(score, [0.0, 1.5][: n_classes - 1])]
    corrector = corrected(clone(estimator), X, y, group)

    assert_corrected(corrector, X, y)
    assert is_classifier(corrector)
    assert corrector.classes_.tolist() == ["a", "b", "c"][:n_classes]
    assert get_tags(corrector).classifier_tags.multi_class


@pytest.mark.parametrize("estimator", REGRESSORS, ids=lambda e: type(e).__name__)
def test_regressor(data, estimator):
    X, score, group = data
    corrector = corrected(clone(estimator), X, np.exp(0.3 * score), group)

    assert_corrected(corrector, X, np.exp(0.3 * score))
    assert is_regressor(corrector)
    assert not hasattr(corrector, "classes_")
    assert not hasattr(corrector, "predict_proba")
    assert not hasattr(corrector, "decision_function")


@pytest.mark.parametrize("estimator", STOCHASTIC, ids=lambda e: type(e).__name__)
def test_stochastic_descent_is_told_to_be_unconverged(data, estimator):
    X, score, group = data
    y = score > 0 if is_classifier(estimator) else score
    with pytest.warns(BaseNotConvergedWarning, match="average=True") as caught:
        corrector = corrected(clone(estimator), X, y, group)
    line = corrector.report_.lines[0]

    assert all(w.category is BaseNotConvergedWarning for w in caught)
    assert abs(line.after) < abs(line.before)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
def test_default_scoring_of_a_regressor(data):
    X, score, _ = data
    corrector = SoftUnlearnCorrector(Ridge(), metric="loss", delta=0.002)
    scores = cross_val_score(corrector, X, score, cv=3)

    np.testing.assert_allclose(scores, cross_val_score(Ridge(), X, score, cv=3), 0.1)


def test_a_regressor_needs_a_metric_of_numbers(data):
    X, score, group = data
    with pytest.raises(ValueError, match=r"needs classes.*mean_prediction"):
        SoftUnlearnCorrector(Ridge()).fit(X, score, sensitive_features=group)


def test_validation_fraction_of_a_regression(data):
    X, score, group = data
    corrector = corrected(
        Ridge(), X, score, group, validation_fraction=0.3, random_state=0
    )

    assert corrector.report_.n_evaluation == 90
    assert np.sum(corrector.deletion_weights_ > 0) <= 210


@pytest.mark.parametrize(
    "estimator",
    [
        SVR(),
        make_pipeline(StandardScaler(), SVR()),
        FrozenEstimator(SVR()),
        StandardScaler(),
    ],
    ids=lambda e: type(e).__name__,
)
def test_another_estimator_is_refused_by_naming_the_supported(data, estimator):
    X, score, _ = data
    with pytest.raises(TypeError, match=r"LogisticRegression .*Ridge .*MLP, "):
        SoftUnlearnCorrector(estimator, metric="loss").fit(X, score)


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (LinearSVC(loss="hinge", max_iter=10**6, random_state=0), "squared_hinge"),
        (LinearSVC(multi_class="crammer_singer"), "ovr"),
        (SGDClassifier("hinge"), "log_loss"),
        (SGDClassifier("log_loss", penalty="l1"), "penalty='l2'"),
        (SGDClassifier("log_loss", early_stopping=True), "early_stopping=False"),
        (MLPClassifier(early_stopping=True, max_iter=5000), "early_stopping=False"),
        (LogisticRegressionCV(refit=False, **CHOSEN), "refit=True"),
        (RidgeClassifier(positive=True), "positive=False"),
    ],
    ids=str,
)
def test_options_without_a_differentiable_objective_are_refused(data, estimator, words):
    X, score, _ = data
    with pytest.raises(ValueError, match=words):
        SoftUnlearnCorrector(estimator, metric="loss").fit(X, score > 0)


# ------------------------------------------------------------------------ pos_label


@pytest.fixture(scope="module")
def labelled():
    X, y, group = make_biased_classification(random_state=0)
    return X, np.array(["no", "yes"])[y], group


def tpr_corrector(**params):
    return SoftUnlearnCorrector(
        metric="true_positive_rate_difference", delta=0.3, utility_tol=0.1, **params
    )


def test_pos_label_is_the_class_that_rates_are_about(labelled):
    X, y, group = labelled
    default = tpr_corrector().fit(X, y, sensitive_features=group)
    second = tpr_corrector(pos_label="yes").fit(X, y, sensitive_features=group)
    first = tpr_corrector(pos_label="no").fit(X, y, sensitive_features=group)
    # Renaming the labels turns the order of the classes around.
    renamed = tpr_corrector().fit(
        X, np.where(y == "no", "z", "a"), sensitive_features=group
    )

    np.testing.assert_array_equal(second.influence_, default.influence_)
    np.testing.assert_allclose(first.influence_, renamed.influence_, atol=1e-5)
    assert first.report_.lines[0].before != default.report_.lines[0].before
    assert first.classes_.tolist() == ["no", "yes"]
    assert first.score(X, y) > 0.6


def test_pos_label_that_is_no_class(labelled):
    X, y, group = labelled
    with pytest.raises(ValueError, match=r"pos_label='maybe'.*\['no', 'yes'\]"):
        tpr_corrector(pos_label="maybe").fit(X, y, sensitive_features=group)


def test_pos_label_of_three_classes(data):
    X, score, group = data
    y = np.digitize(score, [0.0, 1.5])
    with pytest.raises(ValueError, match=r"pos_label=1.*GroupMetric"):
        tpr_corrector(pos_label=1).fit(X, y, sensitive_features=group)


# ---------------------------------------------------------------------- forms of data


def as_memmap(X, folder):
    joblib.dump(X, folder / "X.joblib")
    return joblib.load(folder / "X.joblib", mmap_mode="r")


@pytest.mark.parametrize("form", ["csr", "memmap", "pandas", "polars", "float32"])
@pytest.mark.parametrize("estimator", [LogisticRegression(), Ridge()], ids=str)
def test_forms_of_the_same_data(data, estimator, form, tmp_path):
    X, score, group = data
    y = score > 0 if is_classifier(estimator) else score
    convert = {
        "csr": sparse.csr_array,
        "memmap": lambda X: as_memmap(X, tmp_path),
        "pandas": lambda X: pd.DataFrame(X, columns=list("abcd")),
        "polars": lambda X: pl.DataFrame(X, schema=list("abcd")),
        "float32": lambda X: X.astype(np.float32),
    }[form]
    dense = corrected(clone(estimator), X, y, group)
    other = corrected(clone(estimator), convert(X), y, group)

    # Each solver stops where its tolerance and precision let it.
    np.testing.assert_allclose(
        other.deletion_weights_, dense.deletion_weights_, atol=0.01
    )
    np.testing.assert_allclose(
        other.estimator_.coef_, dense.estimator_.coef_, atol=0.005
    )


@pytest.mark.parametrize("labels", [[False, True], ["b", "a"], [-1, 1], [0.0, 1.0]])
def test_kinds_of_labels(data, labels):
    X, score, group = data
    corrector = corrected(
        LogisticRegression(), X, np.array(labels)[(score > 0) * 1], group
    )

    assert corrector.classes_.tolist() == sorted(labels)
    assert set(corrector.predict(X).tolist()) == set(labels)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_wide_sparse_text_fits_in_memory(n_classes):
    n_samples, n_features = 1000, 100_000
    rng = np.random.default_rng(0)
    # Zipf's law: few words are frequent, and most rows share only these.
    words = np.minimum(rng.zipf(1.3, size=(n_samples, 40)), n_features) - 1
    rows = np.repeat(np.arange(n_samples), 40)
    counts = sparse.csr_array(
        (np.ones(words.size), (rows, words.ravel())), shape=(n_samples, n_features)
    )
    X = sparse.csr_array(TfidfTransformer().fit_transform(counts))
    signal = counts[:, [5]].toarray().ravel() + counts[:, [9]].toarray().ravel()
    group = (signal + rng.normal(size=n_samples) > 1).astype(int)
    score = signal + group + rng.normal(size=n_samples)
    y = np.digitize(score, [1, 2][: n_classes - 1])
    estimator = LogisticRegression(tol=1e-5, max_iter=500).fit(X, y)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(estimator), delta=0.1, utility_tol=0.5
    )
    tracemalloc.start()
    try:
        corrector.fit(X, y, sensitive_features=group)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    line = corrector.report_.lines[0]

    assert line.predicted == pytest.approx(0.9 * line.before, rel=1e-6)
    # Some vectors of parameters and copies of X. The Hessian would be 100 000 vectors,
    # X as a dense array more than 1000 of its present size.
    assert peak < 50 * estimator.coef_.nbytes + 20 * X.data.nbytes
