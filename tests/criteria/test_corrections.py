# SPDX-License-Identifier: BSD-3-Clause
"""Corrections towards every kind of metric, up to held-out rows of real data."""

import functools
import warnings

import fairlearn.metrics as fm
import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator

from benchmarks.studies.metrics import datasets, improvement, measured, split
from sklearn_softunlearn import (
    Criterion,
    GroupMetric,
    MeanLoss,
    NeighborInconsistency,
    SoftUnlearnCorrector,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import NothingToCorrectWarning, SmallGroupWarning
from tests.first_order import FIRST_ORDER
from tests.models_for_tests import precise_logistic

DP, EO = "demographic_parity_difference", "equalized_odds_difference"


@pytest.fixture(scope="module")
def data():
    X, y, group = make_biased_classification(n_samples=1500, random_state=1)
    other = np.random.default_rng(0).integers(0, 2, len(y))
    return X, y, pd.DataFrame({"group": group, "other": other})


def corrected(data, columns=("group",), **options):
    X, y, groups = data
    corrector = SoftUnlearnCorrector(precise_logistic(), **options)
    return corrector.fit(X, y, sensitive_features=groups[list(columns)])


def label_metric(function, data, model):
    X, y, groups = data
    return function(y, model.predict(X), sensitive_features=groups["group"])


@pytest.mark.parametrize(
    "name", ["demographic_parity_ratio", "selection_rate_ratio", "f1_score_group_min"]
)
def test_report_shows_the_metric_as_the_user_reads_it(data, name):
    corrector = corrected(data, metric=name, delta=0.2)
    line = corrector.report_[name, "fairlearn"]
    function = getattr(fm, name)

    assert line.before == pytest.approx(
        label_metric(function, data, corrector.base_estimator_)
    )
    assert line.after == pytest.approx(label_metric(function, data, corrector))
    assert line.after > line.before


@pytest.mark.parametrize("delta", [0.1, 0.4])
def test_delta_of_a_ratio_is_its_way_to_one(data, delta):
    report = corrected(data, metric="demographic_parity_ratio", delta=delta).report_
    line = report["demographic_parity_ratio", "surrogate"]

    assert 1 - line.predicted == pytest.approx((1 - delta) * (1 - line.before))


def test_delta_of_the_worst_group_is_its_way_to_the_mean(data):
    report = corrected(
        data, metric="log_loss_group_max", delta=0.3, utility_tol=0.05
    ).report_
    line, mean = report["log_loss_group_max", "surrogate"], report["loss", "surrogate"]

    assert line.predicted == pytest.approx(
        line.before - 0.3 * (line.before - mean.before)
    )


def test_each_metric_of_a_list_shrinks_by_its_own(data):
    metric = [DP, fm.equalized_odds_difference, "accuracy_score_group_min"]
    corrector = corrected(data, metric=metric, delta=0.2, utility_tol=0.02)

    for name in (DP, EO):
        line = corrector.report_[name, "surrogate"]
        assert line.predicted <= 0.8 * line.before * (1 + 1e-6)
    line = corrector.report_["accuracy_score_group_min", "surrogate"]
    assert line.predicted > line.before
    assert f"{DP}: 0 - 1" in corrector.functional_names_
    assert corrector.influence_.shape[1] == len(corrector.functional_names_) == 9


def test_list_of_one_is_that_one(data):
    np.testing.assert_allclose(
        corrected(data, metric=[DP]).deletion_weights_,
        corrected(data, metric=DP).deletion_weights_,
        atol=1e-9,
    )


@pytest.mark.parametrize("weighting", ["soft", "hard"])
@pytest.mark.parametrize("update", ["influence", "newton", "retrain"])
def test_ratios_and_lists_go_through_all_stages(data, weighting, update):
    metric = ["demographic_parity_ratio", "accuracy_score_difference"]
    options = {"weighting": weighting, "update": update, "utility_tol": 0.1}
    report = corrected(data, metric=metric, delta=0.1, **options).report_
    line = report["demographic_parity_ratio", "surrogate"]

    assert line.after > line.before


def test_no_group_is_made_worse(data):
    utility = ["loss", "group_loss"]
    protected = corrected(data, delta=0.3, utility=utility, **FIRST_ORDER)
    change = protected.deletion_weights_ @ protected.influence_
    alone = corrected(data, delta=0.3, **FIRST_ORDER)
    losses = protected.influence_[:, -2:]

    assert protected.functional_names_[-3:] == [
        "loss",
        "group_loss: 0",
        "group_loss: 1",
    ]
    assert np.all(change[-3:] <= 1e-12)
    assert np.max(alone.deletion_weights_ @ losses) > 1e-4  # not so without asking
    assert protected.report_["group_loss", "surrogate"].before > 0


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
def test_metric_as_utility_may_move_but_not_grow(data):
    """A gap that is protected may shrink or change sides."""
    corrector = corrected(data, metric="loss", utility=EO, delta=0.0005, **FIRST_ORDER)
    line = corrector.report_[EO, "surrogate"]

    assert line.predicted <= line.before * (1 + 1e-9)
    assert np.any(corrector.deletion_weights_)


def test_marginal_metric_compares_columns_on_their_own(data):
    metric = GroupMetric(DP, marginal=True)
    corrector = corrected(data, ("group", "other"), metric=metric, delta=0.5)
    line = corrector.report_[f"{DP}(marginal=True)", "fairlearn"]

    assert corrector.functional_names_[:-1] == [
        "group=0 - group=1",
        "group=1 - group=0",
        "other=0 - other=1",
        "other=1 - other=0",
    ]
    assert line.before == pytest.approx(
        label_metric(fm.demographic_parity_difference, data, corrector.base_estimator_)
    )
    assert line.after < line.before
    both = corrected(data, ("group", "other"), metric=DP, delta=0.5)
    assert len(both.functional_names_) == 4 * 3 + 1


def test_marginal_metric_needs_no_row_of_every_combination(data):
    X, y, groups = data
    alone = (groups["group"] == 1) & (groups["other"] == 1)
    evaluation = dict(X_val=X[~alone], y_val=y[~alone],
                      sensitive_features_val=groups[~alone])  # fmt: skip
    metric = GroupMetric(DP, marginal=True)
    corrector = SoftUnlearnCorrector(precise_logistic(), metric=metric)
    corrector.fit(X, y, sensitive_features=groups, **evaluation)

    assert corrector.report_.n_evaluation == np.sum(~alone)
    with pytest.raises(ValueError, match="no rows of these sensitive groups"):
        corrector.set_params(metric=DP).fit(
            X, y, sensitive_features=groups, **evaluation
        )


def test_partial_carries_its_options(data):
    metric = functools.partial(fm.demographic_parity_difference, method="to_overall")
    corrector = corrected(data, metric=metric)
    name = f"{DP}(method='to_overall')"
    before = label_metric(metric, data, corrector.base_estimator_)

    assert corrector.report_[name, "fairlearn"].before == pytest.approx(before)


def test_similar_rows_come_to_agree(data):
    X, y, _ = data
    metric = NeighborInconsistency(columns=range(1, X.shape[1]))
    corrector = SoftUnlearnCorrector(
        precise_logistic(), metric=metric, delta=0.2, utility_tol=0.1
    ).fit(X, y)
    line = corrector.report_["NeighborInconsistency", "surrogate"]

    assert line.predicted == pytest.approx(0.8 * line.before)
    assert line.after == pytest.approx(0.8 * line.before, rel=0.1)


def test_small_groups_are_warned_of_once(data):
    X, y, groups = data
    rare = groups["group"].to_numpy(copy=True)
    rare[np.flatnonzero(rare == 1)[:20]] = 2
    with pytest.warns(SmallGroupWarning, match=r"2 \(20\)") as caught:
        SoftUnlearnCorrector(precise_logistic(), utility=MeanLoss(), delta=0.1).fit(
            X, y, sensitive_features=rare
        )
    assert len(caught) == 1
    assert caught[0].filename == __file__


REAL = {
    "Adult, sex": [DP, "demographic_parity_ratio", EO, "f1_score_group_min"],
    "Adult, race": [DP, "equalized_odds_ratio"],
    "Bank, age < 30": [DP, "true_positive_rate_ratio"],
    "Credit, sex": [EO, "zero_one_loss_group_max"],
}


@pytest.fixture(scope="module")
def real(data_home):
    """Training and held-out rows of each data set, with its base model."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scikit-learn's and pandas' readers
        for name, X, y, groups in datasets(str(data_home)):
            train, test = split(X, y, groups, seed=0)
            found[name] = train, test, precise_logistic().fit(train.X, train.y)
    return found


@pytest.mark.parametrize(
    ("dataset", "metric"),
    [(dataset, metric) for dataset, metrics in REAL.items() for metric in metrics],
)
@pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.InfeasibleDeltaWarning"
)
def test_metric_that_is_named_improves_on_held_out_rows(real, dataset, metric):
    train, test, base = real[dataset]
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(base),
        metric=metric,
        delta=0.5,
        weighting="soft",
        utility_tol=0.01,
    ).fit(train.X, train.y, sensitive_features=train.groups)
    before, after = measured(metric, base, test), measured(metric, corrector, test)

    assert improvement(metric, before[0], after[0]) > 0
    assert after[1] > before[1] - 0.02  # accuracy


class BelowParity(Criterion):
    """Negative, so that there is nothing left to lower."""

    def value(self, raw_prediction, rows):
        return np.atleast_1d(np.mean(raw_prediction) - 10)

    def gradient(self, raw_prediction, rows):
        return np.full((*raw_prediction.shape, 1), 1 / raw_prediction.size)


def test_a_metric_below_its_optimum_has_nothing_to_correct():
    X, y, group = make_biased_classification(n_samples=300, random_state=0)
    with pytest.warns(NothingToCorrectWarning, match="BelowParity"):
        corrector = SoftUnlearnCorrector(metric=BelowParity()).fit(X, y)
    assert not np.any(corrector.deletion_weights_)

    both = SoftUnlearnCorrector(metric=[BelowParity(), DP], utility_tol=0.1)
    alone = SoftUnlearnCorrector(metric=DP, utility_tol=0.1)
    both, alone = (c.fit(X, y, sensitive_features=group) for c in (both, alone))
    assert both.report_[DP, "surrogate"].predicted == pytest.approx(
        alone.report_[DP, "surrogate"].predicted
    )
