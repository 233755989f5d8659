# SPDX-License-Identifier: BSD-3-Clause
"""Validation data in cross-validation: cut in silence by scikit-learn, refused here."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate

from sklearn_softunlearn import SoftUnlearnCorrector, ValidationData
from sklearn_softunlearn.corrector import _sequence
from sklearn_softunlearn.corrector.inputs._fit_rows import rows_of_fit
from sklearn_softunlearn.datasets import make_biased_classification

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.SmallGroupWarning"
)


@pytest.fixture(scope="module")
def halves():
    X, y, group = make_biased_classification(n_samples=800, random_state=0)
    X = np.column_stack([group, X])
    return (X[:400], y[:400]), (X[400:], y[400:])


def corrector(**params):
    return SoftUnlearnCorrector(
        sensitive_feature_ids=[0], delta=0.2, utility_tol=0.2, **params
    )


def cut_in_cross_validate(estimator, X, y, params):
    cross_validate(estimator, X, y, params=params, error_score="raise")


def cut_in_a_grid_search(estimator, X, y, params):
    search = GridSearchCV(estimator, {"delta": [0.1]}, error_score="raise")
    search.fit(X, y, **params)


def cut_in_cross_val_predict(estimator, X, y, params):
    cross_val_predict(estimator, X, y, params=params)


def cut_in_calibration(estimator, X, y, params):
    CalibratedClassifierCV(estimator).fit(X, y, **params)


CUTS = [
    cut_in_cross_validate,
    cut_in_a_grid_search,
    cut_in_cross_val_predict,
    cut_in_calibration,
]


@pytest.mark.parametrize("cut", CUTS)
def test_validation_data_that_is_cut_is_refused(halves, cut):
    (X, y), (X_val, y_val) = halves
    with pytest.raises(ValueError, match=r"as many rows \(320\).*ValidationData"):
        cut(corrector(), X, y, {"X_val": X_val, "y_val": y_val})


@pytest.mark.parametrize("cut", CUTS)
def test_validation_data_object_is_kept_whole(halves, cut, monkeypatch):
    (X, y), (X_val, y_val) = halves
    seen = []

    def noting(*given, **options):
        seen.append(rows_of_fit(*given, **options))
        return seen[-1]

    monkeypatch.setattr(_sequence, "rows_of_fit", noting)
    estimator = SoftUnlearnCorrector(
        sensitive_feature_ids=[0], delta=0.1, utility_tol=0.2
    )
    cut(estimator, X, y, {"X_val": ValidationData(X_val, y_val)})

    assert seen
    assert {len(split.training.y) for split in seen} <= {320, 400}
    assert all(split.evaluation.X is X_val for split in seen)


def test_equal_length_is_accepted_outside_of_cross_validation(halves):
    (X, y), (X_val, y_val) = halves
    plain = corrector().fit(X, y, X_val=X_val, y_val=y_val)
    wrapped = corrector().fit(X, y, X_val=ValidationData(X_val, y_val))

    assert plain.report_.n_evaluation == 400
    np.testing.assert_array_equal(plain.deletion_weights_, wrapped.deletion_weights_)


def test_other_lengths_are_accepted_in_cross_validation(halves):
    (X, y), (X_val, y_val) = halves
    params = {"X_val": X_val[:250], "y_val": y_val[:250]}

    assert cross_validate(corrector(), X, y, params=params, error_score="raise")


def test_validation_data_holds_groups_and_weights(halves):
    (X, y), (X_val, y_val) = halves
    weight = np.linspace(0, 2, 400)
    groups = X_val[:, 0].astype(int)
    plain = SoftUnlearnCorrector(utility_tol=0.2).fit(
        X[:, 1:],
        y,
        sensitive_features=X[:, 0].astype(int),
        X_val=X_val[:, 1:],
        y_val=y_val,
        sensitive_features_val=groups,
        sample_weight_val=weight,
    )
    wrapped = SoftUnlearnCorrector(utility_tol=0.2).fit(
        X[:, 1:],
        y,
        sensitive_features=X[:, 0].astype(int),
        X_val=ValidationData(X_val[:, 1:], y_val, groups, weight),
    )

    np.testing.assert_array_equal(plain.influence_, wrapped.influence_)


def test_validation_data_and_y_val_contradict(halves):
    (X, y), (X_val, y_val) = halves
    with pytest.raises(ValueError, match=r"ValidationData.*y_val.*Give one"):
        corrector().fit(X, y, X_val=ValidationData(X_val, y_val), y_val=y_val)
