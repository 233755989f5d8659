# SPDX-License-Identifier: BSD-3-Clause
"""The audit: against fairlearn and scikit-learn, and for every kind of model."""

import json
import math
import re
from pathlib import Path

import fairlearn.metrics as fm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.postprocessing import ThresholdOptimizer
from scipy import sparse
from sklearn import metrics as sm
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_softunlearn import (
    Audit,
    DeletionWeightsDisplay,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    audit,
    bootstrap_intervals,
)
from sklearn_softunlearn.datasets import make_biased_classification

N_TRAIN = 600
FEW = {"n_bootstrap": 50}
NONE = {"n_bootstrap": 0}
BINARY_NAMES = [
    name
    for name in fm.__all__
    if name.endswith(("_difference", "_ratio", "_group_min", "_group_max"))
    and not name.startswith(("mean_", "r2_", "recall_"))
]


@pytest.fixture(scope="module")
def rows():
    """Training and held-out rows with names for groups and labels."""
    X, y, codes = make_biased_classification(1400, random_state=0)
    labels, group = np.array(["no", "yes"])[y], np.array(["a", "b"])[codes]
    return (
        (X[:N_TRAIN], labels[:N_TRAIN], group[:N_TRAIN]),
        (X[N_TRAIN:], labels[N_TRAIN:], group[N_TRAIN:]),
    )


@pytest.fixture(scope="module")
def corrector(rows):
    (X, y, group), _ = rows
    return SoftUnlearnCorrector(delta=0.7).fit(X, y, sensitive_features=group)


def models(corrector):
    return {"before": corrector.base_estimator_, "after": corrector.estimator_}


def cell(frame, name, group=None, of_class=None):
    """The one line of a frame of this name, group and class."""
    chosen = frame[frame["name"] == name]
    for column, value in (("group", group), ("class", of_class)):
        missing = chosen[column].isna()
        chosen = chosen[missing if value is None else chosen[column] == value]
    assert len(chosen) == 1, (name, group, of_class)
    return chosen.iloc[0]


def fairlearn_value(name, y, labels, score, group, weight=None):
    """What fairlearn itself says; y and labels as 0 and 1."""
    given = score if name.startswith(("log_loss", "roc_auc")) else labels
    options = {"sensitive_features": group}
    if weight is not None:
        options["sample_weight"] = weight
    return getattr(fm, name)(y, given, **options)


@pytest.mark.parametrize("weighted", [False, True])
def test_every_metric_of_fairlearn_is_what_fairlearn_says(rows, corrector, weighted):
    X, y, group = rows[1]
    weight = np.random.default_rng(0).integers(1, 4, len(y)) if weighted else None
    done = audit(
        corrector, X, y, sensitive_features=group, sample_weight=weight, **NONE
    )
    frame = done.frame()
    for when, model in models(corrector).items():
        labels, score = model.predict(X) == "yes", model.predict_proba(X)[:, 1]
        for name in BINARY_NAMES:
            expected = fairlearn_value(name, y == "yes", labels, score, group, weight)
            assert cell(frame, name)[when] == pytest.approx(expected, abs=1e-12), name


def test_every_group_is_measured_as_by_a_metric_frame(rows, corrector):
    X, y, group = rows[1]
    frame = audit(corrector, X, y, sensitive_features=group, **NONE).frame()
    for when, model in models(corrector).items():
        rates = fm.MetricFrame(
            metrics={
                "selection_rate": fm.selection_rate,
                "true_positive_rate": fm.true_positive_rate,
                "false_positive_rate": fm.false_positive_rate,
                "accuracy_score": sm.accuracy_score,
            },
            y_true=(y == "yes").astype(int),
            y_pred=(model.predict(X) == "yes").astype(int),
            sensitive_features=group,
        )
        for name in rates.by_group:
            for g in "ab":
                assert cell(frame, name, g)[when] == pytest.approx(
                    rates.by_group.loc[g, name]
                )
            assert cell(frame, name)[when] == pytest.approx(rates.overall[name])
        score = model.predict_proba(X)
        for g in "ab":
            mine = group == g
            loss = sm.log_loss(y[mine], score[mine])
            assert cell(frame, "log_loss", g)[when] == pytest.approx(loss)
            mean = score[mine, 1].mean()
            assert cell(frame, "mean_score", g)[when] == pytest.approx(mean)
    counted = cell(frame, "true_positive_rate", "a")["n"]
    assert counted == np.sum((group == "a") & (y == "yes"))


def test_intervals_are_those_of_the_bootstrap(rows, corrector):
    X, y, group = rows[1]
    done = audit(corrector, X, y, sensitive_features=group, n_bootstrap=4000)
    frame, name = done.frame(), "demographic_parity_difference"
    both = models(corrector)
    other = bootstrap_intervals(
        y,
        {k: model.predict(X) for k, model in both.items()},
        sensitive_features=group,
        metrics=[name],
        n_bootstrap=4000,
        random_state=1,
    ).set_index("model")
    line = cell(frame, name)
    for when, model in (*zip(both, both, strict=True), ("change", "after - before")):
        expected = other.loc[model, ["low", "high"]].to_numpy(dtype=float)
        found = line[[f"{when}_low", f"{when}_high"]].to_numpy(dtype=float)
        assert found == pytest.approx(expected, abs=0.01)
    # paired: far shorter than that of either model
    width = {w: line[f"{w}_high"] - line[f"{w}_low"] for w in ("before", "change")}
    assert width["change"] < 0.7 * width["before"]
    assert line["beyond_noise"] == (line["change_high"] < 0)


def test_an_audit_is_repeated_by_its_seed(rows, corrector):
    X, y, group = rows[1]
    first, second, other = (
        audit(corrector, X, y, sensitive_features=group, random_state=s, **FEW).frame()
        for s in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, second)
    assert not first["change_low"].equals(other["change_low"])


def test_a_pair_of_models_is_measured_as_a_corrector_is(rows, corrector):
    X, y, group = rows[1]
    pair = corrector.base_estimator_, corrector.estimator_
    frames = [
        audit(*given, sensitive_features=group, **NONE, **more).frame()
        for given, more in (
            ((corrector, X, y), {}),
            ((pair, X, y), {}),
            ((pair[1], X, y), {"before": pair[0]}),
        )
    ]
    columns = ["before", "after", "part", "name"]
    for frame in frames[1:]:
        merged = frames[0][columns].merge(frame[columns])
        assert len(merged) >= len(frame)


def test_rows_of_weight_zero_are_left_out(rows, corrector):
    X, y, group = rows[1]
    kept = np.arange(len(y)) % 3 > 0
    full = audit(
        corrector, X, y, sensitive_features=group, sample_weight=kept.astype(float),
        **NONE,
    )  # fmt: skip
    cut = audit(corrector, X[kept], y[kept], sensitive_features=group[kept], **NONE)
    pd.testing.assert_frame_equal(full.frame(), cut.frame())
    assert full.to_dict()["rows"] == cut.to_dict()["rows"]


def test_pipelines_searches_and_columns_of_x(rows):
    (X, y, group), (X_test, y_test, group_test) = rows
    coded = [
        np.column_stack([A, g == "b"]) for A, g in ((X, group), (X_test, group_test))
    ]
    corrector = SoftUnlearnCorrector(delta=0.5, sensitive_feature_ids=[10])
    expected = audit(corrector.fit(coded[0], y), coded[1], y_test, **NONE).frame()
    same = StandardScaler(with_mean=False, with_std=False).fit(coded[0])
    frozen = make_pipeline(FrozenEstimator(same), corrector)
    search = GridSearchCV(corrector, {"delta": [0.5]}, cv=2, scoring="accuracy")
    for estimator in (frozen, search):
        done = audit(estimator.fit(coded[0], y), coded[1], y_test, **NONE)
        pd.testing.assert_frame_equal(done.frame(), expected)


def test_frames_of_pandas_and_polars_and_sparse_rows_give_the_same(rows):
    (X, y, group), (X_test, y_test, group_test) = rows
    names = [f"x{j}" for j in range(X.shape[1])]
    expected = None
    for make, column in (
        (np.asarray, np.asarray),
        (lambda A: pd.DataFrame(A, columns=names), pd.Series),
        (lambda A: pl.DataFrame(A, schema=names), lambda g: pl.Series("g", g)),
        (sparse.csr_matrix, np.asarray),
    ):
        corrector = SoftUnlearnCorrector(LogisticRegression(tol=1e-8))
        corrector.fit(make(X), y, sensitive_features=column(group))
        done = audit(
            corrector, make(X_test), y_test, sensitive_features=column(group_test),
            X_train=make(X), y_train=y, sensitive_features_train=column(group),
            path=corrector.path(make(X), y, deltas=[0, 0.5],
                                sensitive_features=column(group)),
            **NONE,
        )  # fmt: skip
        found = done.frame()[["before", "after"]]
        expected = found if expected is None else expected
        pd.testing.assert_frame_equal(found, expected, atol=5e-3)
        assert len(done.to_dict()["deletion"]["largest"]) == 10
        assert "<html" in done.to_html()


def test_a_regression(rows):
    X, y = make_regression(900, 5, noise=20.0, random_state=0)
    group = np.where(X[:, 0] > 0, "up", "down")
    corrector = SoftUnlearnCorrector(
        Ridge(), metric="mean_prediction_difference", delta=0.5
    ).fit(X[:500], y[:500], sensitive_features=group[:500])
    done = audit(
        corrector, X[500:], y[500:], sensitive_features=group[500:],
        X_train=X[:500], y_train=y[:500], sensitive_features_train=group[:500], **FEW,
    )  # fmt: skip
    frame, X, y, group = done.frame(), X[500:], y[500:], group[500:]
    for when, model in models(corrector).items():
        predicted = model.predict(X)
        for g in ("up", "down"):
            mine = group == g
            error = sm.mean_absolute_error(y[mine], predicted[mine])
            assert cell(frame, "mean_absolute_error", g)[when] == pytest.approx(error)
            mean = predicted[mine].mean()
            assert cell(frame, "mean_prediction", g)[when] == pytest.approx(mean)
        worst = fm.r2_score_group_min(y, predicted, sensitive_features=group)
        assert cell(frame, "r2_score_group_min")[when] == pytest.approx(worst)
    document = done.to_dict()
    assert document["task"] == "regression"
    assert cell(frame, "mean_prediction_difference")["asked"]
    assert document["rows"]["positive_class"] is None
    masses = [m["total"] for m in document["deletion"]["mass"]]
    assert sum(masses) == 500 and " to " in document["deletion"]["mass"][0]["label"]
    assert "per cent" not in done.to_html()


def test_several_classes():
    X, y = make_classification(
        1500, 8, n_informative=5, n_classes=3, random_state=0, class_sep=0.7
    )
    labels = np.array(["low", "middle", "high"])[y]
    group = np.where(X[:, 0] > 0, "u", "v")
    pair = [LogisticRegression(C=C).fit(X[:700], labels[:700]) for C in (1e-3, 1.0)]
    done = audit(
        tuple(pair), X[700:], labels[700:], sensitive_features=group[700:], **FEW
    )
    frame, X, labels, group = done.frame(), X[700:], labels[700:], group[700:]
    for when, model in zip(("before", "after"), pair, strict=True):
        predicted = model.predict(X)
        for of_class in ("high", "low", "middle"):
            for g in ("u", "v"):
                mine = group == g
                rate = np.mean(predicted[mine] == of_class)
                line = cell(frame, "selection_rate", g, of_class)
                assert line[when] == pytest.approx(rate)
                right = np.mean(predicted[mine & (labels == of_class)] == of_class)
                line = cell(frame, "true_positive_rate", g, of_class)
                assert line[when] == pytest.approx(right)
        loss = sm.log_loss(labels, model.predict_proba(X))
        assert cell(frame, "log_loss")[when] == pytest.approx(loss)
    document = done.to_dict()
    assert document["rows"]["classes"] == ["high", "low", "middle"]
    assert [c["group"] for c in document["calibration"]] == ["u", "u", "v", "v"]
    assert "the share with the answer high" in done.to_html()


def test_models_without_probabilities(rows):
    (X, y, group), (X_test, y_test, group_test) = rows
    corrector = SoftUnlearnCorrector(LinearSVC()).fit(X, y, sensitive_features=group)
    done = audit(corrector, X_test, y_test, sensitive_features=group_test, **NONE)
    names = set(done.frame()["name"])
    assert "log_loss" not in names and "mean_score" not in names
    assert "roc_auc_score_group_min" in names  # of decision values
    document = done.to_dict()
    assert document["calibration"] == []
    assert any("no probabilities" in note for note in document["notes"])


def test_other_models_and_those_that_predict_by_group(rows):
    (X, y, group), (X_test, y_test, group_test) = rows
    y, y_test = y == "yes", y_test == "yes"
    forest = RandomForestClassifier(10, max_depth=3, random_state=0).fit(X, y)
    thresholds = ThresholdOptimizer(
        estimator=forest, prefit=True, predict_method="predict_proba"
    ).fit(X, y, sensitive_features=group)
    done = audit(
        thresholds, X_test, y_test, before=forest, sensitive_features=group_test,
        metric="demographic_parity_difference", random_state=3, **NONE,
    )  # fmt: skip
    labels = thresholds.predict(X_test, sensitive_features=group_test, random_state=3)
    expected = fm.demographic_parity_difference(
        y_test, labels, sensitive_features=group_test
    )
    line = cell(done.frame(), "demographic_parity_difference")
    assert line["after"] == pytest.approx(expected) and line["asked"]
    document = done.to_dict()
    assert document["request"] is document["promise"] is document["deletion"] is None


def test_without_groups_the_rows_are_measured_as_one(rows, corrector):
    X, y, _ = rows[1]
    done = audit(corrector, X, y, **FEW)
    assert set(done.frame()["part"]) == {"overall"}
    assert any("No sensitive features" in note for note in done.to_dict()["notes"])
    assert "<h2" in done.to_html()


def test_a_group_without_positive_rows_is_undefined_and_said(rows, corrector):
    X, y, group = rows[1]
    group = group.astype(object).copy()
    group[np.flatnonzero(y == "no")[:5]] = "c"
    done = audit(corrector, X, y, sensitive_features=group, **FEW)
    line = cell(done.frame(), "true_positive_rate", "c")
    assert line["n"] == 0 and math.isnan(line["before"])
    assert math.isnan(cell(done.frame(), "equal_opportunity_difference")["after"])
    assert any("c (5)" in note for note in done.to_dict()["notes"])
    assert "<h2" in done.to_html()


def test_whose_rows_were_deleted(rows, corrector):
    (X, y, group), (X_test, y_test, group_test) = rows
    index = [f"case {i}" for i in range(len(y))]
    done = audit(
        corrector, X_test, y_test, sensitive_features=group_test,
        X_train=pd.DataFrame(X, index=index), y_train=y, sensitive_features_train=group,
        n_largest=4, **NONE,
    )  # fmt: skip
    deletion = done.to_dict()["deletion"]
    display = DeletionWeightsDisplay.from_estimator(
        corrector, X, y, sensitive_features=group
    )
    pd.testing.assert_frame_equal(pd.DataFrame(deletion["mass"]), display.mass())
    total = sum(each["deleted"] for each in deletion["mass"])
    assert total == pytest.approx(deletion["deleted_mass"])
    order = np.argsort(-corrector.deletion_weights_, kind="stable")[:4]
    largest = deletion["largest"]
    assert [row["index"] for row in largest] == [f"case {i}" for i in order]
    weights = corrector.deletion_weights_[order]
    assert [row["deletion_weight"] for row in largest] == pytest.approx(weights)
    features = list(largest[0]["features"].values())
    assert features == pytest.approx(X[order[0]])


def test_asked_predicted_and_realised(rows, corrector):
    X, y, group = rows[1]
    document = audit(corrector, X, y, sensitive_features=group, **NONE).to_dict()
    lines = {
        (each["name"], each["kind"]): each for each in document["promise"]["lines"]
    }
    for line in corrector.report_.lines:
        found = lines[line.name, line.kind]
        for key in ("before", "predicted", "after"):
            assert found[key] == getattr(line, key)
    gap = "demographic_parity_difference"
    line = lines[gap, "surrogate"]
    assert line["asked"] == pytest.approx(0.3 * line["before"])
    assert lines["loss", "surrogate"]["asked"] is None
    measured = next(m for m in document["metrics"] if m["name"] == gap)
    before, after = (measured[when]["value"] for when in ("before", "after"))
    assert measured["realised"] == pytest.approx(1 - after / before)
    assert document["request"]["delta"] == 0.7


def test_the_groups_that_drive_a_gap(rows, corrector):
    X, y, group = rows[1]
    document = audit(corrector, X, y, sensitive_features=group, **NONE).to_dict()
    frame = Audit(document).frame()
    measured = {m["name"]: m for m in document["metrics"]}
    for when in ("before", "after"):
        rates = {g: cell(frame, "selection_rate", g)[when] for g in "ab"}
        high = max(rates, key=rates.get)
        low = min(rates, key=rates.get)
        found = measured["demographic_parity_difference"]["drivers"][when]
        assert found == f"{high} - {low}"
        worst = min("ab", key=lambda g: cell(frame, "accuracy_score", g)[when])
        assert measured["accuracy_score_group_min"]["drivers"][when] == worst


def test_what_got_worse_was_not_asked_for(rows, corrector):
    X, y, group = rows[1]
    document = audit(corrector, X, y, sensitive_features=group, **FEW).to_dict()
    worse = document["got_worse"]
    assert worse and all(each["worse"] and not each["asked"] for each in worse)
    for each in worse:
        harm = each["change"]["value"] * (1 if each["better"] == "smaller" else -1)
        assert harm > 0
    sure = [each["beyond_noise"] for each in worse]
    assert sure == sorted(sure, reverse=True)
    turned = audit(
        (corrector.estimator_, corrector.base_estimator_), X, y,
        sensitive_features=group, metric="accuracy_score_difference", **FEW,
    ).to_dict()  # fmt: skip
    names = [each["name"] for each in turned["got_worse"]]
    assert "demographic_parity_difference" in names


def test_the_curve_of_a_search_and_of_a_path(rows):
    (X, y, group), (X_test, y_test, group_test) = rows
    search = SoftUnlearnCorrectorCV(deltas=4, cv=3)
    search.fit(X, y, sensitive_features=group)
    rows_test = {"sensitive_features": group_test}
    document = audit(search, X_test, y_test, **rows_test, **NONE).to_dict()
    curve = document["tradeoff"]
    assert [p["delta"] for p in curve["points"]] == pytest.approx(search.deltas_)
    for point, model in zip(curve["points"], search.path_, strict=True):
        assert point["utility"] == pytest.approx(model.score(X_test, y_test))
    assert curve["chosen"]["utility"] == pytest.approx(search.score(X_test, y_test))
    assert curve["chosen"]["delta"] == search.delta_
    assert "cross-validation" in document["request"]["delta_was"]
    given = audit(
        search.corrector_, X_test, y_test, path=search.path_, **rows_test, **NONE
    ).to_dict()
    assert given["tradeoff"] == curve
    alone = audit(search.corrector_, X_test, y_test, **rows_test, **NONE).to_dict()
    assert alone["tradeoff"] is None
    assert {point["metric_low"] for point in curve["points"]} == {None}


def test_the_curve_has_the_intervals_of_its_points(rows):
    (X, y, group), (X_test, y_test, group_test) = rows
    path = SoftUnlearnCorrector().path(X, y, deltas=[0, 0.6], sensitive_features=group)
    rows_test = {"sensitive_features": group_test}
    done = audit(path[1], X_test, y_test, path=path, **rows_test, n_bootstrap=50)
    points = done.to_dict()["tradeoff"]["points"]
    drawn = bootstrap_intervals(
        y_test, {str(k): model.predict(X_test) for k, model in enumerate(path)},
        metrics=["demographic_parity_difference", "accuracy_score"], **rows_test,
        n_bootstrap=4000, random_state=1,
    )  # fmt: skip
    drawn = drawn[drawn["group"].isin(["", "overall"])]
    for name, values in zip(
        ("metric", "utility"), (drawn[:2], drawn[3:5]), strict=True
    ):
        ours = [[p[f"{name}_{end}"] for end in ("low", "high")] for p in points]
        np.testing.assert_allclose(ours, values[["low", "high"]], atol=0.015)
    assert done.to_html().count('class="span"') == 4
    # Of each row, for many models, they are not drawn.
    slow = audit(
        path[1], X_test, y_test, path=path, **rows_test, n_bootstrap=50,
        metric="log_loss_difference",
    ).to_dict()  # fmt: skip
    assert slow["tradeoff"]["points"][0]["metric_low"] is None


def test_calibration_is_the_share_among_rows_of_such_scores(rows, corrector):
    X, y, group = rows[1]
    document = audit(corrector, X, y, sensitive_features=group, **NONE).to_dict()
    curve = next(
        c for c in document["calibration"] if (c["group"], c["model"]) == ("a", "after")
    )
    mine = group == "a"
    score = corrector.predict_proba(X[mine])[:, 1]
    positive = (y[mine] == "yes")[np.argsort(score, kind="stable")]
    parts = np.array_split(np.sort(score), len(curve["points"]))
    start = 0
    for point, part in zip(curve["points"], parts, strict=True):
        end = start + len(part)
        assert point["predicted"] == pytest.approx(part.mean())
        assert point["observed"] == pytest.approx(positive[start:end].mean())
        assert 0 <= point["low"] <= point["observed"] <= point["high"] <= 1
        start = end
    assert start == mine.sum()


def test_the_interval_of_a_share_is_wilsons(rows, corrector):
    from scipy.stats import binomtest

    X, y, _ = rows[1]
    document = audit(corrector, X, y, **NONE).to_dict()
    for point in document["calibration"][0]["points"]:
        k = round(point["observed"] * point["n"])
        expected = binomtest(k, point["n"]).proportion_ci(0.95, method="wilson")
        assert point["low"] == pytest.approx(expected.low, abs=1e-9)
        assert point["high"] == pytest.approx(expected.high, abs=1e-9)


def digests(done):
    return {
        k: v and v["sha256"] for k, v in done.to_dict()["provenance"]["data"].items()
    }


def test_the_digest_is_of_the_values(rows, corrector):
    X, y, group = rows[1]
    frame = pd.DataFrame(X).add_prefix("x")
    given = {"sensitive_features": group, **NONE}
    model = SoftUnlearnCorrector().fit(*as_frames(rows), sensitive_features=rows[0][2])
    first = digests(audit(model, frame, y, **given))
    renamed = frame.set_axis([f"r{i}" for i in range(len(y))], axis=0)
    assert digests(audit(model, renamed, y, **given)) == first
    changed = frame.copy()
    changed.iloc[3, 2] += 1e-9
    assert digests(audit(model, changed, y, **given)) != first
    assert first["training"] is None
    assert digests(audit(corrector, X, y, **given)) == digests(
        audit(corrector, np.asfortranarray(X), y, **given)
    )


def as_frames(rows):
    X, y, _ = rows[0]
    return pd.DataFrame(X).add_prefix("x"), y


def test_the_training_rows_are_recognised(rows, corrector):
    X, y, group = rows[0]
    own = {"X_train": X, "y_train": y, "sensitive_features_train": group}
    document = audit(corrector, X, y, sensitive_features=group, **own, **NONE).to_dict()
    assert any("was fitted to" in note for note in document["notes"])


def test_provenance_says_what_it_takes_to_repeat(rows, corrector):
    X, y, group = rows[1]
    made = audit(corrector, X, y, sensitive_features=group, **NONE).to_dict()[
        "provenance"
    ]
    assert {"python", "sklearn_softunlearn", "scikit-learn", "numpy"} <= set(
        made["versions"]
    )
    assert made["parameters"]["corrector"]["delta"] == "0.7"
    assert made["parameters"]["before"]["C"] == "1.0"
    assert made["seeds"]["audit"] == "0"
    assert made["data"]["held_out"]["rows"] == len(y)
    assert pd.Timestamp(made["created"]).tzinfo is not None


def test_notes_of_the_report_are_repeated(rows):
    (X, y, group), (X_test, y_test, group_test) = rows
    corrector = SoftUnlearnCorrector(
        weighting="soft", utility_tol=0.0, delta=1.0, max_weight=0.05
    )
    with pytest.warns(UserWarning):
        corrector.fit(X, y, sensitive_features=group)
    done = audit(corrector, X_test, y_test, sensitive_features=group_test, **NONE)
    assert len(corrector.report_.notes) > 0
    for note in corrector.report_.notes:
        assert str(note) in done.to_dict()["notes"]


def test_the_dictionary_is_strict_json_and_makes_the_same_page(rows, corrector):
    X, y, group = rows[1]
    done = audit(corrector, X, y, sensitive_features=group, **FEW)
    text = json.dumps(done.to_dict(), allow_nan=False)
    again = Audit(json.loads(text))
    assert again.to_html() == done.to_html() and str(again) == str(done)
    pd.testing.assert_frame_equal(again.frame(), done.frame())
    done.to_dict()["rows"]["n"] = 0  # a copy
    assert done.to_dict()["rows"]["n"] == len(y)
    assert (
        repr(done) == f"<Audit: Audit of a corrected LogisticRegression, {len(y)} rows>"
    )


@pytest.mark.parametrize(
    "document", [{}, {"schema": {"name": "other", "version": "1.0"}},
                 {"schema": {"name": "sklearn_softunlearn.audit", "version": "2.0"}}]
)  # fmt: skip
def test_another_schema_is_refused(document):
    with pytest.raises(ValueError, match=r"sklearn_softunlearn\.audit 1"):
        Audit(document)


def test_what_cannot_be_compared_is_refused(rows, corrector):
    (X, y, group), _ = rows
    base = corrector.base_estimator_
    other = LogisticRegression().fit(X, y == "yes")
    numbers = LinearRegression().fit(X, y == "yes")
    for given, options, message in (
        (base, {}, "does not say what it was before"),
        ((base,), {}, "exactly two"),
        ((base, other), {}, "know different classes"),
        ((base, numbers), {}, "two classifiers or two regressors"),
        (corrector, {"X_train": X}, "together"),
        ((base, base), {"X_train": X, "y_train": y}, "no corrector"),
        (corrector, {"n_largest": -1}, "n_largest"),
        (corrector, {"confidence_level": 95}, "confidence_level"),
        (corrector, {"n_bootstrap": -1}, "n_bootstrap"),
        (corrector, {"pos_label": "perhaps"}, "pos_label"),
        (corrector, {"metric": "beauty"}, "metric"),
    ):
        with pytest.raises(ValueError, match=message):
            audit(given, X, y, sensitive_features=group, **options)


def test_pos_label_turns_the_rates(rows, corrector):
    X, y, group = rows[1]
    frames = [
        audit(
            corrector, X, y, sensitive_features=group, pos_label=label, **NONE
        ).frame()
        for label in ("yes", "no")
    ]
    rates = [cell(frame, "selection_rate", "a")["after"] for frame in frames]
    assert sum(rates) == pytest.approx(1.0)
    losses = [cell(frame, "log_loss", "a")["after"] for frame in frames]
    assert losses[0] == pytest.approx(losses[1])


def test_the_keys_of_the_dictionary_are_documented(rows, corrector):
    X, y, group = rows[1]
    document = audit(corrector, X, y, sensitive_features=group, **NONE).to_dict()
    page = (Path(__file__).parents[2] / "doc" / "guide" / "audit.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(document)
    described = set(re.findall(r"`(\w+)`", page))
    inside = {
        "measurement": document["metrics"][0],
        "rows": document["rows"],
        "group": document["rows"]["groups"][0],
        "promise": document["promise"],
        "deletion": document["deletion"],
        "provenance": document["provenance"],
        "point": document["calibration"][0]["points"][0],
    }
    for part, found in inside.items():
        assert set(found) <= described, part
