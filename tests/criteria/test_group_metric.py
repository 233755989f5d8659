# SPDX-License-Identifier: BSD-3-Clause
"""Group metrics: derivative, limit and value, against fairlearn itself."""

import functools

import fairlearn.metrics as fm
import numpy as np
import pytest
import sklearn.metrics as skm

from sklearn_softunlearn.criteria import GroupMetric, resolve_criterion
from sklearn_softunlearn.exceptions import SmallGroupWarning
from tests.criteria.rows_for_tests import (
    Softmax,
    make_rows,
    numeric_gradient,
    two_columns,
)

TITLES = ["demographic_parity", "equal_opportunity", "equalized_odds"]
# Those of fairlearn that compare groups, by their names.
FAIRLEARN = sorted(
    name
    for name in dir(fm)
    if name.endswith(("_difference", "_ratio", "_group_min", "_group_max"))
)
NUMBERS = ("mean_", "r2_score", "root_")
LOSSES = ("loss", "error", "false_")
DERIVED = [
    (fm.mean_prediction, "difference"),
    (fm.mean_prediction, "ratio"),
    (skm.mean_squared_error, "ratio"),
    (skm.mean_absolute_error, "difference"),
    (skm.r2_score, "difference"),
    (skm.root_mean_squared_error, "group_max"),
    (skm.precision_score, "ratio"),
    (skm.f1_score, "difference"),
    (skm.roc_auc_score, "difference"),
    (skm.balanced_accuracy_score, "difference"),
    (skm.log_loss, "difference"),
    (fm.false_negative_rate, "group_max"),
    (fm.selection_rate, "group_min"),
]


def derived(base, transform):
    return fm.make_derived_metric(metric=base, transform=transform)


METRICS = [
    *(pytest.param(getattr(fm, name), id=name) for name in FAIRLEARN),
    *(pytest.param(derived(*d), id=f"{d[0].__name__}_{d[1]}") for d in DERIVED),
]
TO_OVERALL = [p for p in METRICS if p.id.endswith(("difference", "ratio"))]


def kinds_of(criterion):
    """Targets that a metric is defined for, with one that numbers count in."""
    return ["number", "binary"] if criterion.metric.startswith(NUMBERS) else ["binary"]


def fairlearn_value(function, rows, raw, **options):
    """What fairlearn computes for the labels, scores or numbers that it wants."""
    name = resolve_criterion(function, "metric").metric
    if rows.n_classes == 0:
        predicted = raw[:, 0]
    elif name.startswith(("log_loss", "roc_auc")):
        predicted = 1 / (1 + np.exp(-raw[:, 0]))
    else:
        predicted = (raw[:, 0] > 0).astype(int)
    return function(
        rows.y,
        predicted,
        sensitive_features=rows.group_codes,
        sample_weight=rows.sample_weight,
        **options,
    )


def test_every_metric_of_fairlearn_that_compares_groups_is_known():
    assert len(FAIRLEARN) >= 27
    for name in FAIRLEARN:
        assert resolve_criterion(name, "metric").name == name


@pytest.mark.parametrize("function", METRICS)
@pytest.mark.parametrize("n_groups", [2, 4])
@pytest.mark.parametrize("seed", range(2))
def test_hard_value_is_fairlearns(function, n_groups, seed):
    criterion = resolve_criterion(function, "metric")
    for kind in kinds_of(criterion):
        rows, raw = make_rows(n_groups, kind, seed)
        ours = criterion.user_value(criterion.hard_value(raw, rows), rows)

        assert ours == pytest.approx(fairlearn_value(function, rows, raw), abs=1e-12)


@pytest.mark.parametrize("function", TO_OVERALL)
@pytest.mark.parametrize("agg", ["worst_case", "mean"])
def test_options_are_fairlearns(function, agg):
    criterion = resolve_criterion(function, "metric")
    options = {"method": "to_overall"}
    if criterion.metric.startswith("equalized_odds"):
        options["agg"] = agg
    criterion = resolve_criterion(functools.partial(function, **options), "metric")
    for kind in kinds_of(criterion):
        rows, raw = make_rows(4, kind)
        ours = criterion.user_value(criterion.hard_value(raw, rows), rows)
        theirs = fairlearn_value(function, rows, raw, **options)

        assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("function", "method"),
    [
        pytest.param(*p.values, method, id=f"{p.id}-{method}")
        for method, metrics in (("between_groups", METRICS), ("to_overall", TO_OVERALL))
        for p in metrics
    ],
)
def test_gradient_is_derivative_of_value(function, method):
    criterion = GroupMetric(function, method=method)
    for kind in kinds_of(criterion):
        rows, raw = make_rows(3, kind, n_samples=36)
        statistics, jacobian = criterion.gradient_factors(raw, rows)
        gradient = criterion.gradient(raw, rows)

        np.testing.assert_allclose(
            gradient,
            numeric_gradient(lambda f: criterion.value(f, rows), raw, step=1e-4),  # noqa: B023
            rtol=1e-7,
            atol=1e-10,
        )
        np.testing.assert_allclose(statistics @ jacobian, gradient, atol=1e-16)
        assert jacobian.shape[1] == len(criterion.names(rows))


@pytest.mark.parametrize("function", METRICS)
def test_surrogate_tends_to_fairlearns_value_as_scores_saturate(function):
    criterion = resolve_criterion(function, "metric")
    rows, raw = make_rows(3)
    raw *= 200 / np.abs(raw).min()  # further, the probabilities are exactly 0 and 1
    raw = np.clip(raw, -600, 600)
    ours = criterion.user_value(criterion.value(raw, rows), rows)

    if criterion.metric.startswith("log_loss"):
        expected = criterion.user_value(criterion.hard_value(raw, rows), rows)
    else:
        expected = fairlearn_value(function, rows, raw)
    assert ours == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("half", [0.25, 0.5])
def test_ramp_of_the_auc_narrows_to_the_step(half):
    """Every pair counts fully once scores differ by more than the ramp is wide."""
    rows, raw = make_rows(2)
    ranks = np.argsort(np.argsort(raw[:, 0])).astype(float)[:, None]
    criterion = GroupMetric("roc_auc_score_difference")
    wide, narrow = ranks * half, ranks * 2.0 / half

    np.testing.assert_allclose(
        criterion.value(narrow, rows), criterion.hard_value(raw, rows), atol=1e-12
    )
    assert np.abs(
        criterion.value(wide, rows) - criterion.hard_value(raw, rows)
    ).max() > (1e-4)


@pytest.mark.parametrize("name", ["accuracy_score_ratio", "precision_score_group_min"])
def test_sharper_surrogate_is_nearer_to_the_labels(name):
    rows, raw = make_rows(2)
    hard = GroupMetric(name).hard_value(raw, rows)
    sharp = [GroupMetric(name, sharpness=s) for s in (1.0, 4.0, 100.0)]
    errors = [np.abs(each.value(raw, rows) - hard).max() for each in sharp]

    assert errors[0] > errors[1] > errors[2]
    np.testing.assert_array_equal(sharp[2].hard_value(raw, rows), hard)
    np.testing.assert_allclose(
        sharp[1].gradient(raw, rows),
        numeric_gradient(lambda f: sharp[1].value(f, rows), raw, step=1e-4),
        rtol=1e-6,
        atol=1e-10,
    )
    assert sharp[1].name == f"{name}(sharpness=4.0)"


@pytest.mark.parametrize("sharpness", [0, -1.0, np.nan, np.inf, True, "4"])
def test_sharpness_out_of_range(sharpness):
    with pytest.raises(ValueError, match="sharpness="):
        GroupMetric(sharpness=sharpness)


def test_sharpness_does_not_apply_to_numbers():
    rows, _ = make_rows(2, "number")
    with pytest.raises(ValueError, match=r"sharpness=2\.0 applies to classes"):
        GroupMetric("mean_prediction_difference", sharpness=2.0).check(rows)


class Swapped:
    """A response whose classes are exchanged."""

    def __init__(self, response):
        self.response = response

    def smooth(self, raw):
        return self.response.smooth(raw)[:, ::-1]


def test_scores_of_the_auc_follow_the_response():
    rows, raw = make_rows(2)
    criterion = GroupMetric("roc_auc_score_group_min")
    expected = criterion.hard_value(raw, rows)
    swapped = type(rows)(**vars(rows) | {"response": Swapped(rows.response)})
    two_outputs = type(rows)(**vars(rows) | {"response": Softmax()})
    both = np.hstack([0.3 * raw, 1.3 * raw])

    np.testing.assert_allclose(criterion.hard_value(-raw, swapped), expected)
    np.testing.assert_allclose(criterion.hard_value(both, two_outputs), expected)
    np.testing.assert_allclose(
        criterion.gradient(both, two_outputs),
        numeric_gradient(lambda f: criterion.value(f, two_outputs), both, step=1e-4),
        rtol=1e-7,
        atol=1e-10,
    )


CLASS_METRICS = {
    "selection_rate": lambda y, p, c: np.mean(p == c),
    "true_positive_rate": lambda y, p, c: np.mean(p[y == c] == c),
    "false_positive_rate": lambda y, p, c: np.mean(p[y != c] == c),
    "precision_score": lambda y, p, c: np.mean(y[p == c] == c),
}


@pytest.mark.parametrize("base", CLASS_METRICS)
def test_of_several_classes_the_worst_counts(base):
    rows, raw = make_rows(2, "multiclass")
    rows.sample_weight[:] = 1.0
    label, group = raw.argmax(axis=1), rows.group_codes
    gaps = [
        np.subtract(
            *(
                CLASS_METRICS[base](rows.y[group == g], label[group == g], c)
                for g in (0, 1)
            )
        )
        for c in range(3)
    ]
    criterion = GroupMetric(f"{base}_difference")
    ours = criterion.hard_value(raw, rows)

    assert criterion.user_value(ours, rows) == pytest.approx(np.abs(gaps).max())
    assert len(criterion.names(rows)) == 6
    one = GroupMetric(f"{base}_difference", pos_label=2).hard_value(raw, rows)
    assert max(one) == pytest.approx(abs(gaps[2]))


@pytest.mark.parametrize(
    "name",
    [
        "demographic_parity_difference",
        "equalized_odds_ratio",
        "accuracy_score_group_min",
        "balanced_accuracy_score_difference",
        "f1_score_group_min",
        "log_loss_group_max",
    ],
)
def test_gradient_with_several_classes(name):
    criterion = GroupMetric(name)
    rows, raw = make_rows(2, "multiclass", n_samples=30)

    np.testing.assert_allclose(
        criterion.gradient(raw, rows),
        numeric_gradient(lambda f: criterion.value(f, rows), raw),
        rtol=1e-7,
        atol=1e-10,
    )


@pytest.mark.parametrize(
    "function",
    [
        fm.accuracy_score_difference,
        fm.zero_one_loss_ratio,
        fm.balanced_accuracy_score_group_min,
    ],
)
def test_metrics_of_all_classes_are_fairlearns(function):
    rows, raw = make_rows(3, "multiclass")
    criterion = resolve_criterion(function, "metric")
    theirs = function(
        rows.y,
        raw.argmax(axis=1),
        sensitive_features=rows.group_codes,
        sample_weight=rows.sample_weight,
    )

    ours = criterion.user_value(criterion.hard_value(raw, rows), rows)
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "agg"),
    [
        *((f"{title}_difference", "worst_case") for title in TITLES),
        ("equalized_odds_difference", "mean"),
    ],
)
def test_marginal_groups_are_each_column_on_its_own(name, agg):
    rows, raw = make_rows(6)
    columns = two_columns(rows)
    options = {"agg": agg} if "odds" in name else {}
    theirs = [
        getattr(fm, name)(
            rows.y,
            raw[:, 0] > 0,
            sensitive_features=feature,
            sample_weight=rows.sample_weight,
            **options,
        )
        for feature in (rows.group_codes // 3, rows.group_codes % 3)
    ]
    criterion = GroupMetric(name, marginal=True, **options)
    hard = criterion.hard_value(raw, columns)

    assert criterion.user_value(hard, columns) == pytest.approx(max(theirs))
    assert len(hard) == (2 + 6) * (2 if "odds" in name else 1)
    assert "sex=f - sex=m" in criterion.names(columns)[0]
    np.testing.assert_allclose(
        criterion.gradient(raw, columns)[:5],
        numeric_gradient(lambda f: criterion.value(f, columns), raw)[:5],
        rtol=1e-7,
        atol=1e-11,
    )


def test_one_column_has_no_margins():
    rows, raw = make_rows(3)
    np.testing.assert_array_equal(
        GroupMetric(marginal=True).value(raw, rows), GroupMetric().value(raw, rows)
    )


def test_delta_moves_from_the_worst_group_to_the_mean():
    rows, raw = make_rows(3)
    criterion = GroupMetric("accuracy_score_group_min")
    functionals = criterion.hard_value(raw, rows)
    right = (raw[:, 0] > 0) == rows.y

    assert -criterion.worst(functionals, rows) == pytest.approx(
        min(np.average(right[rows.group_codes == g],
                       weights=rows.sample_weight[rows.group_codes == g])
            for g in range(3))
    )  # fmt: skip
    assert -criterion.parity(functionals, rows) == pytest.approx(
        np.average(right, weights=rows.sample_weight)
    )


def test_each_gap_of_a_mean_is_measured_against_itself():
    rows, raw = make_rows(2)
    criterion = GroupMetric("equalized_odds_difference", agg="mean")
    value = criterion.value(raw, rows)
    gaps = np.abs(value[::2])

    np.testing.assert_allclose(criterion.worst(value, rows), np.repeat(gaps, 2))
    assert criterion.user_value(value, rows) == pytest.approx(gaps.mean())


def test_names_follow_the_functionals():
    rows, raw = make_rows(3)
    criterion = GroupMetric()
    named = dict(zip(criterion.names(rows), criterion.value(raw, rows), strict=True))

    assert set(named) == {"a - b", "a - c", "b - a", "b - c", "c - a", "c - b"}
    assert named["a - b"] + named["b - c"] == pytest.approx(named["a - c"])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "equalized_odds_ratio"),
        (
            {"method": "to_overall", "agg": "mean"},
            "equalized_odds_ratio(method='to_overall', agg='mean')",
        ),
    ],
)
def test_every_way_to_give_a_metric_leads_to_the_same(options, name):
    partial = functools.partial(fm.equalized_odds_ratio, **options)
    given = GroupMetric("equalized_odds_ratio", **options)

    assert resolve_criterion(partial, "metric").name == given.name == name
    assert eval(repr(given)).name == name


def test_pos_label_is_a_label_of_the_user():
    rows, raw = make_rows(2)
    rows = type(rows)(**vars(rows) | {"classes": ("no", "yes")})
    partial = functools.partial(fm.selection_rate, pos_label="no")
    partial.__name__ = "selection_rate"
    criterion = resolve_criterion(derived(partial, "ratio"), "metric")
    label = np.where(raw[:, 0] > 0, "yes", "no")
    theirs = derived(fm.selection_rate, "ratio")(
        label,
        label,
        sensitive_features=rows.group_codes,
        sample_weight=rows.sample_weight,
        pos_label="no",
    )

    ours = criterion.user_value(criterion.hard_value(raw, rows), rows)
    assert ours == pytest.approx(theirs)
    with pytest.raises(ValueError, match="pos_label='maybe' is not among"):
        GroupMetric(pos_label="maybe").check(rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accuracy_score_group_max",), "fares best.*accuracy_score_group_min"),
        (("zero_one_loss_group_min",), "fares best.*zero_one_loss_group_max"),
        (("r2_score_ratio",), "r2_score_difference"),
        (("equalized_odds_group_min",), "not known"),
        (("selection_rate",), "not known"),
        (
            (derived(skm.jaccard_score, "ratio"),),
            r"^metric=make_derived_metric\(metric=sklearn.metrics.jaccard_score, "
            r"transform='ratio'\) is not known, or has no smooth counterpart",
        ),
        (
            (derived(functools.partial(skm.jaccard_score, pos_label=1), "ratio"),),
            r"metric=partial\(sklearn.metrics.jaccard_score, pos_label=1\), trans",
        ),
        ((derived(fm.count, "ratio"),), "no smooth counterpart"),
        (
            (functools.partial(fm.equalized_odds_ratio, sample_weight=1),),
            "sample_weight",
        ),
    ],
)
def test_metric_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GroupMetric(*arguments)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("selection_rate_ratio", {"method": "overall"}, "method='overall'"),
        ("selection_rate_group_min", {"method": "to_overall"}, "leave out method"),
        ("selection_rate_ratio", {"agg": "mean"}, "leave out agg"),
        ("equalized_odds_ratio", {"agg": "median"}, "agg='median'"),
        ("accuracy_score_ratio", {"pos_label": 1}, "leave out pos_label"),
    ],
)
def test_option_that_does_not_apply_is_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        GroupMetric(name, **options)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("selection_rate_ratio", "number", "needs classes"),
        ("mean_squared_error_ratio", "multiclass", "needs numbers"),
        ("roc_auc_score_group_min", "multiclass", "two classes"),
        ("roc_auc_score_group_min", "number", "two classes"),
    ],
)
def test_target_of_the_wrong_kind_is_refused(name, kind, message):
    rows, _ = make_rows(2, kind)
    with pytest.raises(ValueError, match=message):
        GroupMetric(name).check(rows)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.SmallGroupWarning")
def test_group_without_positives_is_refused():
    rows, _ = make_rows(2)
    rows.y[rows.group_codes == 1] = 0

    GroupMetric("false_positive_rate_difference").check(rows)
    with pytest.raises(ValueError, match=r"no positive rows .* rate is undefined: b"):
        GroupMetric("true_positive_rate_difference").check(rows)


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.SmallGroupWarning")
def test_group_without_a_class_is_refused_by_its_label():
    rows, _ = make_rows(2, "multiclass")
    rows = type(rows)(**vars(rows) | {"classes": ("low", "mid", "high")})
    rows.y[(rows.group_codes == 1) & (rows.y == 2)] = 0
    with pytest.raises(ValueError, match=r"no rows of class 'high'.* undefined: b"):
        GroupMetric("balanced_accuracy_score_difference").check(rows)


def test_group_where_the_target_is_constant_has_no_r2():
    rows, raw = make_rows(2, "number")
    rows.y[rows.group_codes == 0] = 1.0
    with pytest.raises(ValueError, match=r"r2_score is undefined .*: a\."):
        GroupMetric("r2_score_group_min").value(raw, rows)


def test_ratio_of_negative_means_is_refused():
    rows, raw = make_rows(2, "number")
    with pytest.raises(ValueError, match="needs positive values"):
        GroupMetric("mean_prediction_ratio").gradient(raw - 100.0, rows)


@pytest.mark.parametrize("kept", [29, 30])
def test_few_rows_of_the_kind_that_counts_are_warned_of(kept, recwarn):
    rows, _ = make_rows(2, n_samples=300)
    rows.y[:] = 1
    positives = np.flatnonzero(rows.group_codes == 1)
    rows.y[positives[kept:]] = 0
    rows.sample_weight[:] = 1.0
    GroupMetric("true_positive_rate_difference").check(rows)
    messages = [str(w.message) for w in recwarn if w.category is SmallGroupWarning]

    assert bool(messages) == (kept < 30)
    assert all("positive rows" in text and "b (29)" in text for text in messages)
