# SPDX-License-Identifier: BSD-3-Clause
"""Retraining under an l1 penalty, where rows change which coefficients are zero."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.svm import LinearSVC

from sklearn_softunlearn import SoftUnlearnCorrector, leave_one_out
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import BaseNotConvergedWarning
from sklearn_softunlearn.models import model_class
from sklearn_softunlearn.updates._active_set import is_optimal, minimize_l1
from tests.models.cases import L1, PRECISE, PURE_L1

pytestmark = [
    # Deprecated names of penalties, on some versions.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    # It is asked for more than it can give: the tolerances of the tests are met.
    pytest.mark.filterwarnings("ignore:Liblinear failed to converge"),
]

N_TRAIN, N_FEATURES = 70, 10


def half_squared_error(estimator, X, y):
    return mean_squared_error(y, estimator.predict(X)) / 2


def log_loss_of(estimator, X, y):
    return log_loss(y, estimator.predict_proba(X))


def squared_hinge(estimator, X, y):
    sign = 2 * y - 1
    return np.mean(np.maximum(0, 1 - sign * estimator.decision_function(X)) ** 2)


def saga(**options):
    return LogisticRegression(solver="saga", random_state=0, **PRECISE, **options)


def liblinear(**options):
    return LogisticRegression(
        solver="liblinear", random_state=0, **PRECISE, **PURE_L1, **options
    )


def support_vectors(**options):
    # With some other seeds liblinear stops short, at a higher objective.
    return LinearSVC(penalty="l1", dual=False, random_state=1, **PRECISE, **options)


ENET = ElasticNet(alpha=0.2, l1_ratio=0.6, **PRECISE)
CASES = {
    "logistic, l1": (saga(C=0.3, **PURE_L1), 2, log_loss_of),
    "logistic, elastic net": (saga(C=0.15, **L1), 2, log_loss_of),
    "three classes, l1": (saga(C=0.3, **PURE_L1), 3, log_loss_of),
    "three classes, elastic net": (saga(C=0.3, **L1), 3, log_loss_of),
    "liblinear, l1": (liblinear(C=0.3), 2, log_loss_of),
    "support vectors, l1": (support_vectors(C=0.05), 2, squared_hinge),
    "lasso": (Lasso(alpha=0.1, **PRECISE), 0, half_squared_error),
    "elastic net": (ENET, 0, half_squared_error),
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    estimator, n_classes, loss = CASES[request.param]
    rng = np.random.default_rng(5)
    X = rng.normal(size=(2 * N_TRAIN, N_FEATURES))
    score = X @ np.r_[1.0, -1.0, np.full(N_FEATURES - 2, 0.15)]
    y = score + rng.logistic(size=len(X))
    if n_classes:
        y = np.digitize(y, [-0.5, 0.8][: n_classes - 1])
    train, held_out = slice(None, N_TRAIN), slice(N_TRAIN, None)
    fitted = clone(estimator).fit(X[train], y[train])
    return fitted, X[train], y[train], X[held_out], y[held_out], loss


def refit_without(estimator, X, y, row):
    kept = np.arange(len(y)) != row
    return clone(estimator).fit(X[kept], y[kept])


def model_of(estimator, X, y):
    target = y if is_classifier(estimator) else y.astype(float)
    return model_class(estimator)(estimator, X, target, np.ones(len(y)))


def test_actual_changes_are_those_of_refits_of_all_coefficients(case):
    estimator, X, y, X_val, y_val, loss = case
    found = leave_one_out(estimator, X, y, "loss", X_val=X_val, y_val=y_val)
    refits = [refit_without(estimator, X, y, row) for row in range(len(y))]
    before = loss(estimator, X_val, y_val)
    expected = np.array([loss(refit, X_val, y_val) - before for refit in refits])
    changed = [np.any((r.coef_ == 0) != (estimator.coef_ == 0)) for r in refits]

    assert 3 <= sum(changed) < len(y)
    np.testing.assert_allclose(found.actual[:, 0], expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("active", [None, "none", "all"])
def test_the_optimum_is_found_from_any_active_set(case, active):
    estimator, X, y, *_ = case
    model = model_of(estimator, X, y)
    start = {
        None: model.parameters,
        "none": np.zeros_like(model.parameters),
        "all": np.where(model.parameters == 0, 0.1, -model.parameters),
    }[active]
    found = minimize_l1(model, model.row_weight, start, 1e-20)

    np.testing.assert_allclose(
        model.raw_prediction(X, found), model.raw_prediction(X), rtol=1e-5, atol=1e-7
    )
    moved = model.with_signs(np.sign(found))
    assert is_optimal(moved, model.row_weight, found, 1e-20)


def test_an_active_set_that_is_not_optimal_is_noticed(case):
    estimator, X, y, *_ = case
    model = model_of(estimator, X, y)
    signs = np.sign(model.parameters)
    signs[0] = 0.0
    without = model.with_signs(signs)
    start = np.where(signs == 0, 0.0, model.parameters)

    assert not is_optimal(without, model.row_weight, start, 1e-20)
    assert not is_optimal(model, model.row_weight, -model.parameters, 1e-20)


def test_a_solver_that_stopped_at_another_active_set_does_not_matter(case):
    estimator, X, y, X_val, y_val, _ = case
    off = model_of(estimator, X, y)
    entered = np.flatnonzero(off.parameters == 0)[:1]
    parameters = off.parameters.copy()
    parameters[entered] = 1e-3
    stopped = off.with_parameters(parameters)
    options = {"X_val": X_val, "y_val": y_val, "indices": range(0, 70, 5)}
    exact = leave_one_out(estimator, X, y, "loss", **options)
    with warnings.catch_warnings():
        # Said where it changes what is measured, which one small coefficient may not.
        warnings.simplefilter("ignore", BaseNotConvergedWarning)
        found = leave_one_out(stopped, X, y, "loss", **options)

    np.testing.assert_allclose(found.actual, exact.actual, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found.one_step, exact.one_step, rtol=1e-5, atol=1e-9)


def test_one_of_two_equal_columns_is_enough():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = X @ [1.0, 0.5, 0.0, 0.0] + rng.normal(size=60)
    twice = np.hstack([X, X])
    single = Lasso(alpha=0.1, **PRECISE).fit(X, y)
    double = Lasso(alpha=0.1).fit(twice, y)
    double.coef_ = np.r_[single.coef_, np.zeros(4)]
    double.intercept_ = single.intercept_
    one = leave_one_out(single, X, y, "loss", X_val=X[::2], y_val=y[::2])
    two = leave_one_out(double, twice, y, "loss", X_val=twice[::2], y_val=y[::2])

    np.testing.assert_allclose(two.actual, one.actual, rtol=1e-5, atol=1e-9)


def test_more_features_than_rows():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 120))
    y = X[:, :5] @ np.ones(5) + rng.normal(size=40)
    estimator = Lasso(alpha=0.2, **PRECISE).fit(X, y)
    found = leave_one_out(estimator, X, y, "loss", X_val=X[::-1], y_val=y + 1)
    before = half_squared_error(estimator, X[::-1], y + 1)
    refits = [refit_without(estimator, X, y, row) for row in range(40)]
    expected = [half_squared_error(r, X[::-1], y + 1) - before for r in refits]

    assert sum(np.any((r.coef_ == 0) != (estimator.coef_ == 0)) for r in refits) > 20
    np.testing.assert_allclose(found.actual[:, 0], expected, rtol=1e-5, atol=1e-8)


def test_changes_without_end_are_told(case, monkeypatch):
    estimator, X, y, *_ = case
    model = model_of(estimator, X, y)
    monkeypatch.setattr("sklearn_softunlearn.updates._active_set._MAX_CHANGES", 1)
    with pytest.warns(ConvergenceWarning, match="changes of the active set"):
        minimize_l1(model, model.row_weight, np.zeros(model.parameters.size), 1e-20)


def test_a_zero_that_should_not_be_is_said():
    """A model of all columns but one is converged on its own active set."""
    X, y, _ = make_biased_classification(random_state=0)
    model = saga(C=1.0, **PURE_L1).fit(X, y)
    largest = int(np.argmax(np.abs(model.coef_)))
    rest = np.delete(np.arange(X.shape[1]), largest)
    without = clone(model).fit(X[:, rest], y)
    model.coef_[0, rest], model.coef_[0, largest] = without.coef_[0], 0.0
    model.intercept_ = without.intercept_

    with pytest.warns(BaseNotConvergedWarning, match="zero should not be"):
        SoftUnlearnCorrector(FrozenEstimator(model), metric="loss", delta=0.0).fit(X, y)
