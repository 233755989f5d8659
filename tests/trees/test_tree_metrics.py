# SPDX-License-Identifier: BSD-3-Clause
"""Metrics of every kind, and every update, around trees."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)

from sklearn_softunlearn import GroupLoss, NeighborInconsistency, SoftUnlearnCorrector
from sklearn_softunlearn.corrector import make_table
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.inspection._functions import linearized
from tests.test_metric_names import KINDS

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::sklearn_softunlearn.exceptions.{name}")
    for name in ("CorrectionWarning", "SmallGroupWarning")
]
SMALL = {"max_iter": 6, "max_leaf_nodes": 6, "early_stopping": False, "random_state": 0}
MODELS = {
    "binary": HistGradientBoostingClassifier(**SMALL),
    "multiclass": RandomForestClassifier(6, min_samples_leaf=10, random_state=0),
    "number": HistGradientBoostingRegressor(**SMALL),
}
# Its surrogate is sharpened and can be negative here, which is said: no ratio of it.
NO_RATIO = ("multiclass", "zero_one_loss_ratio")
OTHERS = [
    ("binary", GroupLoss()),
    ("binary", NeighborInconsistency()),
    ("binary", ["demographic_parity_difference", "loss"]),
    ("multiclass", "loss"),
    ("number", "loss"),
]
UPDATES = ("newton", "retrain", "gradient_ascent", "negative_gradient", "fine_tune",
           "fisher", "ntk", "hamu", "scrub", "bad_teacher")  # fmt: skip


@pytest.fixture(scope="module")
def data():
    X, y, group = make_biased_classification(n_samples=240, n_groups=3, random_state=0)
    target = {
        "binary": y,
        "multiclass": y + (X[:, 0] > 0.5),
        "number": y + X[:, 0] + 5.0,
    }
    return SimpleNamespace(
        X=X,
        target=target,
        group=group,
        model={kind: model.fit(X, target[kind]) for kind, model in MODELS.items()},
    )


@pytest.mark.parametrize(
    ("kind", "metric"), [*(k for k in KINDS if k != NO_RATIO), *OTHERS], ids=str
)
def test_influences_are_the_derivatives_of_refits(data, kind, metric):
    model, y = data.model[kind], data.target[kind]
    table = make_table(data.X, y, data.group, None, None, "", model)
    metrics = metric if isinstance(metric, list) else [metric]
    state = linearized(model, [table, table], metrics, "auto", trees="refit")
    deleted = np.random.default_rng(0).uniform(-1, 1, len(y)) * 1e-4
    up, down = (
        value_after(state, state.model.row_weight * (1 - sign * deleted))
        for sign in (1, -1)
    )
    expected = deleted @ state.influence

    np.testing.assert_allclose(
        (up - down) / 2, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max() + 1e-12
    )


def test_a_ratio_of_a_negative_surrogate_is_refused(data):
    kind, metric = NO_RATIO
    with pytest.raises(ValueError, match="A ratio between groups needs positive"):
        SoftUnlearnCorrector(MODELS[kind], metric=metric).fit(
            data.X, data.target[kind], sensitive_features=data.group
        )


def value_after(state, weight):
    theta = state.model.refitted_parameters(weight)
    raw = state.model.raw_prediction(state.X, theta)
    return state.metric.criterion.value(raw, state.rows)


@pytest.mark.parametrize("update", UPDATES)
def test_joint_leaves_take_every_update(data, update):
    X, y, group = data.X, data.target["binary"], data.group
    corrector = SoftUnlearnCorrector(
        MODELS["binary"], trees="joint", update=update, weighting="soft", delta=0.1
    ).fit(X, y, sensitive_features=group)
    line = corrector.report_["demographic_parity_difference", "surrogate"]
    by_hand = corrector.estimator_.predict_proba(X)[:, 1]
    gap = np.ptp([np.mean(by_hand[group == own]) for own in np.unique(group)])

    assert line.after < 0.99 * line.before
    assert gap == pytest.approx(line.after, rel=1e-6)
