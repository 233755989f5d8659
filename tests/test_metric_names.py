# SPDX-License-Identifier: BSD-3-Clause
"""A metric that the corrector knows is known to scorers, searches and the command."""

import inspect
from functools import partial
from types import SimpleNamespace

import fairlearn.metrics
import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import make_derived_metric
from sklearn import metrics
from sklearn.linear_model import LinearRegression, LogisticRegression

from sklearn_softunlearn import (
    GroupMetric,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    audit,
    fairness_scorer,
)
from sklearn_softunlearn.cli._audit import values
from sklearn_softunlearn.criteria import criterion_name
from sklearn_softunlearn.criteria._base_metrics import BASE_METRICS
from sklearn_softunlearn.criteria._names import _TITLES, TRANSFORMS
from sklearn_softunlearn.datasets import make_biased_classification
from tests.first_order import first_order_corrector


def known(name):
    try:
        return bool(GroupMetric(name))
    except ValueError:
        return False


NAMES = [
    name
    for base in (*BASE_METRICS, *_TITLES)
    for transform in TRANSFORMS
    if known(name := f"{base}_{transform}")
]
OF_NUMBERS = [name for name in NAMES if GroupMetric(name).takes == "numbers"]
OF_CLASSES = [name for name in NAMES if name not in OF_NUMBERS]
OF_TWO = ("roc_auc_score",)
KINDS = [
    *(("binary", name) for name in NAMES),
    *(("number", name) for name in OF_NUMBERS),
    *(("multiclass", name) for name in OF_CLASSES if not name.startswith(OF_TWO)),
]

# It is the numbers that count, not whether they are good.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore::sklearn_softunlearn.exceptions.{name}")
    for name in ("InfeasibleDeltaWarning", "SmallGroupWarning", "OverCorrectionWarning")
]


@pytest.fixture(scope="module")
def data():
    X, y, group = make_biased_classification(n_samples=600, n_groups=3, random_state=0)
    rng = np.random.default_rng(0)
    target = {
        "binary": np.array(["no", "yes"])[y],
        "multiclass": np.array(["low", "mid", "high"])[y + (X[:, 0] > 0.5)],
        "number": y + X[:, 0] + 5.0,
    }
    return SimpleNamespace(
        X=X,
        target=target,
        group=np.array(["a", "b", "c"])[group],
        weight=rng.integers(0, 3, len(y)).astype(float),
        model={
            kind: LinearRegression() if kind == "number" else LogisticRegression()
            for kind in target
        },
    )


def corrected(data, kind, metric, **options):
    corrector = first_order_corrector(data.model[kind], metric=metric, delta=0.1)
    return corrector.fit(
        data.X, data.target[kind], sensitive_features=data.group, **options
    )


def sign_of(name):
    return -1 if name.endswith(("_difference", "_group_max")) else 1


def fairlearns(name, kind, model, X, y, group):
    """By the function of fairlearn, or of scikit-learn for each group."""
    function = getattr(fairlearn.metrics, name, None)
    if function is None:
        transform = next(t for t in TRANSFORMS if name.endswith(t))
        base, modules = name.removesuffix(f"_{transform}"), (fairlearn.metrics, metrics)
        base = next(getattr(m, base) for m in modules if hasattr(m, base))
        if "zero_division" in inspect.signature(base).parameters:
            base = partial(base, zero_division=0.0)
            base.__name__ = name
        function = make_derived_metric(metric=base, transform=transform)
    if kind == "number":
        return function(y, model.predict(X), sensitive_features=group)
    response = model.predict(X) == "yes"
    if name.startswith(("roc_auc_score", "log_loss")):
        response = model.predict_proba(X)[:, 1]
    return function(y == "yes", response.astype(float), sensitive_features=group)


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_scores_are_those_of_the_report(data, kind, name):
    y, options = data.target[kind], {"sensitive_features": data.group}
    corrector = corrected(data, kind, name)
    line = corrector.report_[name, "fairlearn"]
    for metric in (name, GroupMetric(name)):
        score = fairness_scorer(metric)
        measured = sign_of(name) * score(corrector, data.X, y, **options)
        before = sign_of(name) * score(corrector.base_estimator_, data.X, y, **options)

        assert measured == pytest.approx(line.after, abs=1e-12)
        assert before == pytest.approx(line.before, abs=1e-12)
    if kind != "multiclass":
        expected = fairlearns(name, kind, corrector, data.X, y, data.group)
        assert measured == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_weights_count_rows(data, kind, name):
    X, y, model = data.X, data.target[kind], data.model[kind]
    model = model.fit(X, y)
    score, repeated = fairness_scorer(name), np.repeat(*counts(data.weight))
    weighted = score(
        model, X, y, sensitive_features=data.group, sample_weight=data.weight
    )
    copies = score(
        model, X[repeated], y[repeated], sensitive_features=data.group[repeated]
    )

    assert weighted == pytest.approx(copies, abs=1e-10)


def counts(weight):
    return np.arange(len(weight)), weight.astype(int)


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_a_search_scores_the_metric_of_its_corrector(data, kind, name):
    X, y, group = data.X, data.target[kind], data.group
    halves = np.arange(600).reshape(2, 300)
    cuts = [(halves[0], halves[1]), (halves[1], halves[0])]
    corrector = first_order_corrector(data.model[kind], metric=name)
    search = SoftUnlearnCorrectorCV(corrector, deltas=[0.0, 0.1], cv=cuts)
    search.fit(X, y, sensitive_features=group)
    train, test = cuts[0]
    fold = corrector.set_params(delta=0.1)
    fold.fit(X[train], y[train], sensitive_features=group[train])
    expected = fairness_scorer(name)(
        fold, X[test], y[test], sensitive_features=group[test]
    )

    found = search.cv_results_[f"split0_test_{name}"][1]
    assert found == pytest.approx(expected, abs=1e-9)


OF_NUMBERS = ("mean_", "root_", "r2_")


# An audit of classes leaves out the metrics of numbers.
@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith(OF_NUMBERS)])
def test_the_audit_of_the_command_shows_the_metric(data, name):
    y = data.target["binary"]
    model = LogisticRegression().fit(data.X, y)
    document = audit(
        model, data.X, y, before=model, sensitive_features=data.group, metric=name,
        pos_label="yes", n_bootstrap=100,
    ).to_dict()  # fmt: skip
    shown = values(document, name, "after")[name]
    expected = fairlearns(name, "binary", model, data.X, y, data.group)

    assert shown == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("options", [{"method": "to_overall"}, {"agg": "mean"}])
def test_options_are_those_of_fairlearn(data, options):
    y = data.target["binary"]
    model = LogisticRegression().fit(data.X, y)
    function = fairlearn.metrics.equalized_odds_difference
    expected = function(
        y == "yes", model.predict(data.X) == "yes",
        sensitive_features=data.group, **options,
    )  # fmt: skip
    for score in (
        fairness_scorer(function, **options),
        fairness_scorer(partial(function, **options)),
        fairness_scorer(GroupMetric("equalized_odds_difference", **options)),
    ):
        found = score(model, data.X, y, sensitive_features=data.group)
        assert found == pytest.approx(-expected, abs=1e-12)


@pytest.mark.parametrize("marginal", [False, True])
def test_several_columns_are_those_of_the_report(data, marginal):
    metric = GroupMetric("selection_rate_difference", marginal=marginal)
    columns = pd.DataFrame({"one": data.group, "two": data.X[:, 1] > 0})
    y = data.target["binary"]
    corrector = SoftUnlearnCorrector(metric=metric, delta=0.1)
    corrector.fit(data.X, y, sensitive_features=columns)
    found = fairness_scorer(metric)(corrector, data.X, y, sensitive_features=columns)

    line = corrector.report_[metric.name, "fairlearn"]
    assert found == pytest.approx(-line.after, abs=1e-12)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_the_class_that_counts_is_that_of_the_corrector(data, kind):
    """With the parameter of the corrector, and of more classes that of the metric."""
    label = "no" if kind == "binary" else "mid"
    metric = GroupMetric("true_positive_rate_difference", pos_label=label)
    y, cuts = data.target[kind], [(np.arange(300), np.arange(300, 600))]
    correctors = [SoftUnlearnCorrector(metric=metric, delta=0.1)]
    if kind == "binary":
        name = "true_positive_rate_difference"
        correctors.append(SoftUnlearnCorrector(metric=name, pos_label=label, delta=0.1))
    expected = fairlearn.metrics.true_positive_rate_difference
    for corrector in correctors:
        search = SoftUnlearnCorrectorCV(corrector, deltas=[0.0, 0.1], cv=cuts)
        search.fit(data.X, y, sensitive_features=data.group)
        model = LogisticRegression().fit(data.X[:300], y[:300])
        gap = expected(
            y[300:] == label,
            model.predict(data.X[300:]) == label,
            sensitive_features=data.group[300:],
        )
        found = search.cv_results_[f"split0_test_{criterion_name(corrector.metric)}"]
        assert found[0] == pytest.approx(-gap, abs=1e-12)
