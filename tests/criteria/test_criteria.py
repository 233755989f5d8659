# SPDX-License-Identifier: BSD-3-Clause
"""What holds for every criterion: gradient, factors, shapes, errors."""

import fairlearn.metrics as fm
import numpy as np
import pytest
from sklearn.metrics import (
    jaccard_score,
    log_loss,
    mean_squared_error,
    zero_one_loss,
)

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.criteria import (
    Criterion,
    CriterionList,
    GroupLoss,
    GroupMetric,
    MeanLoss,
    NeighborInconsistency,
    resolve_criterion,
)
from sklearn_softunlearn.datasets import make_biased_classification
from tests.criteria.rows_for_tests import make_rows, numeric_gradient, two_columns

KINDS = ["binary", "multiclass", "number"]
CRITERIA = {
    "loss": MeanLoss(),
    "group_loss": GroupLoss(),
    "neighbors": NeighborInconsistency(3),
    "neighbors_of_a_column": NeighborInconsistency(2, columns=[1]),
    "list": CriterionList([MeanLoss(), GroupLoss(), NeighborInconsistency(1)]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CRITERIA)
def test_gradient_is_derivative_of_value(name, kind):
    criterion = CRITERIA[name]
    rows, raw = make_rows(kind=kind, n_samples=30)
    bound = criterion.bind(rows)

    np.testing.assert_allclose(
        bound.gradient(raw, rows),
        numeric_gradient(lambda f: bound.value(f, rows), raw),
        rtol=1e-7,
        atol=1e-10,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CRITERIA)
def test_factors_multiply_to_the_gradient(name, kind):
    criterion = CRITERIA[name]
    rows, raw = make_rows(kind=kind)
    statistics, jacobian = criterion.gradient_factors(raw, rows)
    n_functionals = len(criterion.names(rows))

    assert jacobian.shape[1] == n_functionals == criterion.value(raw, rows).size
    assert sum(size for _, size in criterion.parts(rows)) == n_functionals
    gradient = criterion.gradient(raw, rows)
    np.testing.assert_allclose(statistics @ jacobian, gradient, atol=1e-16)


def test_mean_loss_is_scikit_learns():
    rows, raw = make_rows(2)
    probability = 1 / (1 + np.exp(-raw[:, 0]))
    weight = rows.sample_weight

    assert MeanLoss().value(raw, rows) == pytest.approx(
        [log_loss(rows.y, probability, sample_weight=weight)], rel=1e-12
    )
    assert MeanLoss().hard_value(raw, rows) == pytest.approx(
        [zero_one_loss(rows.y, raw[:, 0] > 0, sample_weight=weight)], rel=1e-12
    )


def test_mean_loss_of_a_regression_shows_the_squared_error():
    rows, raw = make_rows(kind="number")
    expected = mean_squared_error(rows.y, raw[:, 0], sample_weight=rows.sample_weight)

    assert MeanLoss().hard_value(raw, rows) == pytest.approx([expected], rel=1e-12)
    assert MeanLoss().hard_kind_on(rows) == "mean squared error"
    assert MeanLoss().hard_kind_on(make_rows()[0]) == "zero-one loss"


def test_group_losses_average_to_the_loss():
    rows, raw = make_rows(4)
    mass = np.bincount(rows.group_codes, rows.sample_weight)

    for kind in ("value", "hard_value"):
        losses = getattr(GroupLoss(), kind)(raw, rows)
        overall = getattr(MeanLoss(), kind)(raw, rows)
        assert losses @ mass / mass.sum() == pytest.approx(overall[0], rel=1e-12)
    assert list(GroupLoss().worst(losses, rows)) == list(losses)


def test_marginal_group_losses_are_those_of_each_column():
    rows, raw = make_rows(6)
    columns = two_columns(rows)
    names = GroupLoss(marginal=True).names(columns)
    losses = dict(zip(names, GroupLoss(marginal=True).value(raw, columns), strict=True))
    women = rows.group_codes >= 3
    loss = rows.loss.value(rows.y, raw)

    assert names == ["sex=f", "sex=m", "race=x", "race=y", "race=z"]
    assert losses["sex=f"] == pytest.approx(
        np.average(loss[women], weights=rows.sample_weight[women])
    )


def test_neighbors_disagree_as_counted_by_hand():
    """One minus the consistency of Zemel et al. 2013, with weights on the rows."""
    rows, raw = make_rows(n_samples=40)
    label = (raw[:, 0] > 0).astype(float)
    distance = np.linalg.norm(rows.X[:, None] - rows.X[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :4]
    inconsistency = np.abs(label - label[nearest].mean(axis=1))

    assert NeighborInconsistency(4).hard_value(raw, rows) == pytest.approx(
        [np.average(inconsistency, weights=rows.sample_weight)], rel=1e-12
    )


def test_neighbors_of_weight_zero_are_no_neighbors():
    rows, raw = make_rows(n_samples=40)
    rows.sample_weight[::2] = 0.0
    kept = {"y": rows.y[1::2], "X": rows.X[1::2], "group_codes": None}
    alone = type(rows)(
        **vars(rows) | kept | {"sample_weight": rows.sample_weight[1::2]}
    )

    np.testing.assert_allclose(
        NeighborInconsistency(3).value(raw, rows),
        NeighborInconsistency(3).value(raw[1::2], alone),
        rtol=1e-12,
    )


def test_saturated_scores_make_neighbors_disagree_as_labels_do():
    rows, raw = make_rows()
    criterion = NeighborInconsistency()

    np.testing.assert_allclose(
        criterion.value(1e6 * raw, rows), criterion.hard_value(raw, rows), atol=1e-12
    )


@pytest.mark.parametrize("n_neighbors", [0, 60])
def test_number_of_neighbors_out_of_range(n_neighbors):
    rows, _ = make_rows(n_samples=60)
    with pytest.raises(ValueError, match=r"n_neighbors=.* less than .* 60"):
        NeighborInconsistency(n_neighbors).check(rows)


def test_neighbors_need_features():
    rows, raw = make_rows()
    with pytest.raises(ValueError, match=r"EvaluationRows\.X is None"):
        NeighborInconsistency().value(raw, type(rows)(**vars(rows) | {"X": None}))


def test_list_measures_each_criterion_as_alone():
    rows, raw = make_rows()
    gap, worst = GroupMetric(), GroupMetric("log_loss_group_max")
    both = CriterionList([gap, worst])
    value = both.value(raw, rows)
    pieces = (value[:6], value[6:])

    for method in ("worst", "parity"):
        expected = [
            getattr(criterion, method)(piece, rows)
            for criterion, piece in zip((gap, worst), pieces, strict=True)
        ]
        np.testing.assert_array_equal(
            getattr(both, method)(value, rows), np.concatenate(expected)
        )
    assert both.needs_groups
    assert [part for part, _ in both.parts(rows)] == [gap, worst]
    assert both.name == "demographic_parity_difference, log_loss_group_max"


class Broken(Criterion):
    def __init__(self, value, n_columns):
        self.fixed, self.n_columns = value, n_columns

    def value(self, raw_prediction, rows):
        return self.fixed

    def gradient(self, raw_prediction, rows):
        return np.zeros((*raw_prediction.shape, self.n_columns))


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        (Broken(1.0, 1), r"Broken\.value returned .* shape \(\)"),
        (Broken(np.ones(1), 2), r"Broken\.gradient returned .* \(200, 1, 2\)"),
        (Broken(np.ones(2), 2), r"Broken\.names gives 1 names for 2 functionals"),
        (Broken(np.array([np.nan]), 1), r"Broken\.value is not finite"),
    ],
)
def test_criterion_of_the_user_is_checked(criterion, message):
    X, y, _ = make_biased_classification(n_samples=200, random_state=0)
    with pytest.raises(ValueError, match=message):
        SoftUnlearnCorrector(metric=criterion).fit(X, y)


def test_empty_list_is_refused():
    with pytest.raises(ValueError, match="utility=None: give a criterion"):
        resolve_criterion(None, "utility")
    with pytest.raises(ValueError, match="metric is an empty list"):
        resolve_criterion([], "metric")


@pytest.mark.parametrize("unknown", ["accuracy", np.mean, len, 3, fm.count])
def test_unknown_criterion_lists_the_known(unknown):
    with pytest.raises(ValueError, match=r"^metric=.*demographic_parity_difference"):
        resolve_criterion(unknown, "metric")
    with pytest.raises(ValueError, match=r"^utility=\['loss', .*not known"):
        resolve_criterion(["loss", unknown], "utility")


def test_no_message_has_an_address():
    derived = fm.make_derived_metric(metric=jaccard_score, transform="ratio")
    with pytest.raises(ValueError) as caught:
        resolve_criterion(["loss", derived], "metric")
    assert "make_derived_metric(metric=sklearn.metrics.jaccard" in str(caught.value)
    assert " at 0x" not in str(caught.value)


def test_function_of_a_known_name_from_elsewhere_is_refused():
    def demographic_parity_difference(y_true, y_pred):
        return 0.0

    with pytest.raises(ValueError, match=r"metric=.*test_criteria\..* is not"):
        resolve_criterion(demographic_parity_difference, "metric")
