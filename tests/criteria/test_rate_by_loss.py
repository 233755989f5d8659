# SPDX-License-Identifier: BSD-3-Clause
"""Rates with the log loss as their smooth form, the paper's surrogate among them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from sklearn_softunlearn import GroupMetric, SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification
from tests.criteria.rows_for_tests import make_rows, numeric_gradient

RATES = [
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "true_positive_rate_difference",
    "false_negative_rate_difference",
    "false_positive_rate_difference",
    "true_negative_rate_difference",
]


def sklearn_loss_gap(model, X, y, group):
    """Difference of the log losses on positive rows, as scikit-learn computes them."""
    losses = [
        log_loss(y[rows], model.predict_proba(X[rows]), labels=[0, 1])
        for rows in ((group == g) & (y == 1) for g in (0, 1))
    ]
    return abs(losses[0] - losses[1])


@pytest.mark.parametrize("weighting", ["soft", "exact"])
def test_the_difference_of_log_losses_on_positive_rows_is_what_falls(weighting):
    X, y, group = make_biased_classification(3000, random_state=0)
    metric = GroupMetric("equal_opportunity_difference", surrogate="log_loss")
    corrector = SoftUnlearnCorrector(
        LogisticRegression(tol=1e-8),
        metric=metric,
        delta=0.4,
        weighting=weighting,
        utility_tol=0.1,
    ).fit(X, y, sensitive_features=group)
    line = corrector.report_[metric.name, "surrogate"]
    before, after = (
        sklearn_loss_gap(model, X, y, group)
        for model in (corrector.base_estimator_, corrector.estimator_)
    )

    assert line.before == pytest.approx(before, rel=1e-9)
    assert line.after == pytest.approx(after, rel=1e-9)
    assert after == pytest.approx(0.6 * before, rel=0.05)
    labels = corrector.report_[metric.name, "fairlearn"]
    plain = GroupMetric("equal_opportunity_difference")
    again = SoftUnlearnCorrector(metric=plain, delta=0.4, utility_tol=0.1)
    again.fit(X, y, sensitive_features=group)
    # What labels count is the same rate, whatever stands in for it.
    assert labels.before == again.report_[plain.name, "fairlearn"].before


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("name", RATES)
def test_gradient_is_derivative_of_value(name, kind):
    rows, raw = make_rows(kind=kind, n_samples=40)
    metric = GroupMetric(name, surrogate="log_loss").bind(rows)
    np.testing.assert_allclose(
        metric.gradient(raw, rows),
        numeric_gradient(lambda f: metric.value(f, rows), raw),
        rtol=1e-6,
        atol=1e-9,
    )


@pytest.mark.parametrize("name", RATES)
def test_values_point_the_way_of_the_rates(name):
    """A group whose scores all rise gains or loses in both forms alike."""
    rows, raw = make_rows(n_groups=2)
    raised = raw + 1.5 * (rows.group_codes == 0)[:, None]
    forms = [GroupMetric(name), GroupMetric(name, surrogate="log_loss")]
    moves = [np.sign(m.value(raised, rows) - m.value(raw, rows)) for m in forms]
    np.testing.assert_array_equal(*moves)
    hard = [m.hard_value(raised, rows) for m in forms]
    np.testing.assert_array_equal(*hard)


@pytest.mark.parametrize(
    ("metric", "surrogate", "message"),
    [
        ("demographic_parity_difference", "log_loss", "is for differences of rates"),
        ("equal_opportunity_ratio", "log_loss", "is for differences of rates"),
        ("true_positive_rate_group_min", "log_loss", "is for differences of rates"),
        ("equal_opportunity_difference", "hinge", "surrogate='hinge' is not known"),
    ],
)
def test_where_there_is_no_such_form(metric, surrogate, message):
    with pytest.raises(ValueError, match=message):
        GroupMetric(metric, surrogate=surrogate)


def test_the_option_is_in_the_name_and_in_the_repr():
    metric = GroupMetric("equal_opportunity_difference", surrogate="log_loss")
    assert metric.name == "equal_opportunity_difference(surrogate='log_loss')"
    assert eval(repr(metric)).name == metric.name
