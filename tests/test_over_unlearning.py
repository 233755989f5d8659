# SPDX-License-Identifier: BSD-3-Clause
"""The causes of over-unlearning against plain counting."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import over_unlearning
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import InfeasibleDeltaWarning
from tests.first_order import first_order_corrector
from tests.models_for_tests import precise_logistic


def fitted(**options):
    X, y, group = make_biased_classification(n_samples=800, random_state=0)
    corrector = first_order_corrector(precise_logistic(), **options)
    return corrector.fit(X, y, sensitive_features=group)


@pytest.mark.parametrize("options", [{}, {"validation_fraction": 0.3}])
def test_causes_are_counted(options):
    corrector = fitted(delta=0.5, random_state=0, **options)
    causes = over_unlearning(corrector)
    harm = corrector.influence_[:, corrector.functional_names_.index(causes.metric)]
    cost = corrector.influence_[:, -1]
    order = np.argsort(harm)
    reached = np.cumsum(harm[order])
    line = corrector.report_["demographic_parity_difference", "surrogate"]

    assert causes.improvement == pytest.approx(line.predicted - line.before)
    # The shortest list of the worst rows that predicts as much.
    assert reached[causes.n_cut - 1] <= causes.improvement * (1 - 1e-9)
    assert reached[causes.n_cut - 2] > causes.improvement
    cut = order[: causes.n_cut]
    assert causes.harm_left == pytest.approx(1 - harm[cut].sum() / harm[harm < 0].sum())
    assert causes.conflict_share == np.mean(cost[cut] > 0)
    assert causes.borderline_share == np.mean(harm[cut] > harm[cut].mean() / 2)
    assert causes.utility_hard == pytest.approx(cost[cut].sum())
    assert causes.utility_soft <= 1e-9
    assert causes.norm_soft < causes.norm_hard
    assert "1. uncorrelated" in str(causes) and len(causes.frame()) == 1


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="deleted nothing"):
        over_unlearning(fitted(delta=0.0))
    with pytest.raises(ValueError, match="weighting='soft'"):
        over_unlearning(fitted(weighting="hard"))


def test_soft_weights_at_their_bounds_are_not_taken_for_hard_ones():
    """Out of reach: the largest attainable improvement takes whole rows."""
    X, y = load_wine(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    corrector = first_order_corrector(precise_logistic(), delta=0.3, utility_tol=0.5)
    with pytest.warns(InfeasibleDeltaWarning):
        corrector.fit(X, y, sensitive_features=X[:, 0] > 0)
    assert np.isin(corrector.deletion_weights_, [0.0, 1.0]).all()

    causes = over_unlearning(corrector)
    assert causes.mass_soft == pytest.approx(causes.norm_soft)
