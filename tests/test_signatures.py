# SPDX-License-Identifier: BSD-3-Clause
"""Each way to fail, provoked: the report says so and what to do."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_softunlearn import AdversarialLoss, Cholesky
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import (
    CorrectionWarning,
    CurvatureWarning,
    InfeasibleDeltaWarning,
)
from tests.first_order import first_order_corrector
from tests.models_for_tests import precise_logistic

PARITY = "demographic_parity_difference"


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=1000, random_state=1)


def notes(data, **options):
    X, y, group = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InfeasibleDeltaWarning)
        warnings.simplefilter("ignore", CurvatureWarning)
        warnings.simplefilter("ignore", CorrectionWarning)
        corrector = first_order_corrector(
            options.pop("estimator", precise_logistic()), **options
        ).fit(X, y, sensitive_features=group)
    return corrector.report_


def test_a_good_correction_has_no_notes(data):
    report = notes(data, delta=0.4)

    assert report.notes == ()
    assert "(a)" not in str(report) + report._repr_html_()  # no remedy is needed


def test_over_correction_flips_the_sign_of_the_gap(data):
    """Retraining with large weights overshoots the linearisation."""
    report = notes(data, delta=1.0, update="retrain")
    note = report.notes[0]

    assert note.startswith("Over-correction: the gap '0 - 1' has changed its sign")
    assert "lower delta" in note and "calibrate='labels'" in note
    # The remedies work.
    assert notes(data, delta=0.4, update="retrain").notes == ()
    calibrated = notes(data, delta=1.0, update="retrain", calibrate="labels").notes
    assert not any("sign" in note for note in calibrated)
    assert note in " ".join(str(report).split())


@pytest.mark.parametrize("seed", [29, 36])
def test_labels_that_get_worse_are_reported(seed):
    """Few rows near the threshold: the surrogate improves, the labels do not."""
    rng = np.random.default_rng(seed)
    group, X = rng.integers(0, 2, 200), rng.normal(size=(200, 3))
    X[:, 0] += 0.3 * group
    y = (X @ [0.3, 0.2, 0] + rng.logistic(size=200) > 0).astype(int)
    report = notes((X, y, group), delta=0.5, calibrate=None)
    smooth, counted = report[PARITY, "surrogate"], report[PARITY, "fairlearn"]

    assert smooth.after < smooth.before and counted.after > counted.before
    assert "further from its optimum than before" in report.notes[0]
    # The remedy works, or says that there is none.
    calibrated = notes((X, y, group), delta=0.5, calibrate="labels")
    counted = calibrated[PARITY, "fairlearn"]
    assert counted.after <= counted.before
    if calibrated.request > 0:
        assert calibrated.notes == ()
    else:
        assert "No request brings" in calibrated.notes[0]


def test_infeasible_request(data):
    report = notes(data, delta=1.0, max_weight=0.01)
    (note,) = report.notes

    assert note.startswith("Infeasible request: at most 0.0")
    assert "raise utility_tol" not in note and "raise max_weight" in note


def test_ill_conditioned_curvature(data):
    X, y, group = data
    twins = np.column_stack([X, X[:, 0] + X[:, 1]])
    options = {"delta": 0.3, "estimator": LogisticRegression(C=np.inf, max_iter=1000)}
    report = notes((twins, y, group), **options)

    assert any(note.startswith("Ill-conditioned curvature") for note in report.notes)
    damped = notes((twins, y, group), curvature=Cholesky(damping=1.0), **options)
    assert not any("Ill-conditioned" in note for note in damped.notes)


def test_utility_collapse():
    """Weights on rows that alone hold a class apart: first order does not see it."""
    X, y, group = make_biased_classification(
        n_samples=150, group_effect=5.0, label_bias=0.9, random_state=0
    )
    report = notes((X, y, group), delta=1.0, update="retrain", utility_tol=0.0)
    line = report["loss", "surrogate"]
    collapsed = [note for note in report.notes if note.startswith("Utility collapse")]

    assert line.after > 1.1 * line.before
    (note,) = collapsed
    assert "Lower delta" in note and "leave_one_out" in note


def test_labels_at_parity_before_are_reported():
    """Nobody is selected: only the probabilities differ between the groups."""
    rng = np.random.default_rng(0)
    group, X = rng.integers(0, 2, 600), rng.normal(size=(600, 3))
    y = (X[:, 0] + group + rng.logistic(size=600) > 3.5).astype(int)
    report = notes((X[:, 1:], y, group), delta=0.3)

    assert report[PARITY, "fairlearn"].before == 0
    assert any("was at its optimum before" in note for note in report.notes)


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_utilities_the_one_that_collapses_most_is_named(order):
    X, y, group = make_biased_classification(
        n_samples=150, group_effect=5.0, label_bias=0.9, random_state=0
    )
    utility = ["loss", AdversarialLoss(epsilon=0.5)][::order]
    options = {"delta": 1.0, "update": "retrain", "calibrate": None}
    report = notes((X, y, group), utility=utility, **options)
    (note,) = [note for note in report.notes if note.startswith("Utility collapse")]

    rise = {}
    for name in ("loss", "AdversarialLoss"):
        line = report[name, "surrogate"]
        rise[name] = (line.after - max(line.before, line.predicted)) / line.before
    worst = max(rise, key=rise.get)
    assert f"Utility collapse: {worst} is {rise[worst]:.1%} worse" in note
    assert "misclassified" in note


def test_a_regression_misclassifies_nothing():
    rng = np.random.default_rng(0)
    X, group = rng.normal(size=(60, 3)), np.arange(60) % 2
    y = X @ [1.0, 2.0, 0.0] + 0.1 * rng.normal(size=60) + 3.0 * group
    X[:, 2] = group
    report = notes(
        (X, y, group),
        estimator=Ridge(1e-3),
        metric="mean_prediction_difference",
        delta=0.9,
        update="retrain",
    )
    (note,) = [note for note in report.notes if note.startswith("Utility collapse")]

    assert "misclassified" not in note
