# SPDX-License-Identifier: BSD-3-Clause
"""Adversarial examples, their loss as metric and utility, and the report on them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import (
    AdversarialLoss,
    Criterion,
    NeighborInconsistency,
    SoftUnlearnCorrector,
    robustness_scorer,
)
from sklearn_softunlearn.corrector.stages._attacked_rows import AttackedModel
from sklearn_softunlearn.criteria._attacks import limited, steepest
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.models import LogisticModel, model_class
from sklearn_softunlearn.models._mlp import MLPModel
from tests.models_for_tests import precise_logistic

DP = "demographic_parity_difference"


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(n_samples=800, random_state=3)


@pytest.fixture(scope="module")
def target(data):
    X, y, _ = data
    model = LogisticModel(precise_logistic().fit(X, y), X, y, np.ones(len(y)))
    return model, AttackedModel(model, y, model.loss)


def corrected(data, metric, delta=0.02, **options):
    X, y, group = data
    options = {"weighting": "soft", "utility_tol": 0.1} | options
    corrector = SoftUnlearnCorrector(
        precise_logistic(), metric=metric, delta=delta, **options
    )
    return corrector.fit(X, y, sensitive_features=group)


def norms(rows, norm):
    return np.linalg.norm(rows, ord=np.inf if norm == "linf" else 2, axis=1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_one_step_is_the_exact_worst_case_of_a_linear_model(data, target, norm):
    """Against the closed form: the margin falls by epsilon times the dual norm."""
    X, y, _ = data
    model, attacked = target
    examples = AdversarialLoss(0.3, norm).perturb(X, attacked)
    coef, _ = model.split(model.parameters)
    dual = np.linalg.norm(coef[0], ord=1 if norm == "linf" else 2)

    fall = (2 * y - 1) * (model.raw_prediction(X) - model.raw_prediction(examples))[
        :, 0
    ]

    assert fall == pytest.approx(0.3 * dual)
    assert norms(examples - X, norm) == pytest.approx(0.3)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_projected_ascent_finds_the_same_worst_case(data, target, norm):
    X, _, _ = data
    _, attacked = target
    exact = attacked.loss(AdversarialLoss(0.3, norm, "fgsm").perturb(X, attacked))[0]
    found = attacked.loss(AdversarialLoss(0.3, norm, "pgd").perturb(X, attacked))[0]

    assert found == pytest.approx(exact, rel=1e-9)


def test_bounds_hold_and_the_step_within_them_is_exact(data, target):
    X, _, _ = data
    _, attacked = target
    low, high = np.quantile(X, 0.1), np.quantile(X, 0.9)
    inside = np.clip(X, low, high)
    attack = AdversarialLoss(0.5, bounds=(low, high))
    examples = attack.perturb(inside, attacked)

    assert examples.min() >= low and examples.max() <= high
    assert np.abs(examples - inside).max() <= 0.5 + 1e-12
    row = 7
    solved = minimize(
        lambda x: -attacked.loss(np.tile(x, (len(X), 1)))[0][row],
        inside[row],
        bounds=[(max(low, v - 0.5), min(high, v + 0.5)) for v in inside[row]],
    )
    assert attacked.loss(examples)[0][row] == pytest.approx(-solved.fun, rel=1e-6)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_deepfool_crosses_the_boundary_by_its_overshoot(data, target, norm):
    X, _, _ = data
    model, attacked = target
    attack = AdversarialLoss(None, norm, "deepfool", overshoot=1.3)
    before, after = (
        model.raw_prediction(rows) for rows in (X, attack.perturb(X, attacked))
    )

    assert after == pytest.approx(-0.3 * before, abs=1e-12)


@settings(deadline=None)
@given(
    st.lists(st.floats(-10, 10), min_size=6, max_size=6),
    st.floats(0.01, 5),
    st.sampled_from(["linf", "l2"]),
)
def test_limited_steps_are_nearest_and_steepest_have_unit_norm(values, epsilon, norm):
    step = np.reshape(values, (2, 3))
    short = limited(step, epsilon, norm)

    assert np.all(norms(short, norm) <= epsilon * (1 + 1e-12))
    keeps = norms(step, norm) <= epsilon
    assert np.allclose(short[keeps], step[keeps])
    ascent = norms(steepest(step, norm), norm)
    # A gradient of subnormal numbers has signs, but counts as zero where it is scaled.
    least = np.finfo(float).tiny if norm == "l2" else np.nextafter(0.0, 1.0)
    assert np.allclose(ascent, np.any(np.abs(step) >= least, axis=1))


@pytest.mark.parametrize("estimator", ["softmax", "ridge"])
def test_gradients_by_the_features_are_differences(estimator):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), np.arange(30) % 3
    if estimator == "softmax":
        model = LogisticModel(precise_logistic().fit(X, y), X, y, np.ones(30))
    else:
        from sklearn_softunlearn.models import model_class

        ridge = Ridge().fit(X, X[:, 0] ** 2)
        y = X[:, 0] ** 2
        model = model_class(ridge)(ridge, X, y, np.ones(30))
    attacked = AttackedModel(model, y, model.loss)
    _, gradient = attacked.loss(X)

    for j in range(4):
        step = 1e-6 * np.eye(4)[j]
        slope = (attacked.loss(X + step)[0] - attacked.loss(X - step)[0]) / 2e-6
        assert gradient[:, j] == pytest.approx(slope, abs=1e-6)


def test_the_report_shows_fixed_and_fresh_examples(data):
    X, y, _ = data
    metric = AdversarialLoss(0.2)
    corrector = corrected(data, metric)
    report = corrector.report_
    fixed = report["AdversarialLoss", "surrogate"]
    fresh = report["AdversarialLoss", "surrogate, anew"]

    base, after = (
        LogisticModel(e, X, y, np.ones(len(y)))
        for e in (corrector.base_estimator_, corrector.estimator_)
    )
    old, new = (
        metric.perturb(X, AttackedModel(model, y, model.loss))
        for model in (base, after)
    )
    loss = base.loss
    assert fixed.before == pytest.approx(loss.value(y, base.raw_prediction(old)).mean())
    assert fixed.after == pytest.approx(loss.value(y, after.raw_prediction(old)).mean())
    assert fresh.after == pytest.approx(loss.value(y, after.raw_prediction(new)).mean())
    assert fresh.before == fixed.before
    # The worst case is at least as bad as any other examples.
    assert fixed.after <= fresh.after < fresh.before
    assert report.n_evaluation == len(y)
    errors = after.raw_prediction(new)[:, 0] > 0
    assert report["AdversarialLoss", "zero-one loss, anew"].after == pytest.approx(
        np.mean(errors != y)
    )


def test_the_derivative_is_that_of_the_worst_case(data):
    """Danskin: the error of the prediction is of second order also for fresh examples.

    With l2, whose dual norm has no kinks away from 0.
    """
    deltas, errors = (0.002, 0.004, 0.008), []
    for delta in deltas:
        report = corrected(data, AdversarialLoss(0.2, "l2"), delta).report_
        fixed = report["AdversarialLoss", "surrogate"]
        fresh = report["AdversarialLoss", "surrogate, anew"]
        errors.append(abs(fresh.after - fixed.predicted))

    assert np.polyfit(np.log(deltas), np.log(errors), 1)[0] > 1.8


def test_other_criteria_do_not_see_the_examples(data):
    """Metric and influences are what they are without the examples."""
    alone = corrected(data, DP, delta=0.2)
    joined = corrected(data, DP, delta=0.2, utility=["loss", AdversarialLoss(0.2)],
                       utility_tol=1.0)  # fmt: skip

    assert joined.influence_[:, :3] == pytest.approx(alone.influence_)
    for kind in ("surrogate", "fairlearn"):
        assert joined.report_[DP, kind].before == alone.report_[DP, kind].before


def test_it_protects_as_utility_and_joins_a_fairness_metric(data):
    unaware = corrected(data, DP, delta=0.3, utility="loss", utility_tol=0.0)
    protected = corrected(
        data, DP, delta=0.3, utility=["loss", AdversarialLoss(0.2)], utility_tol=0.0
    )
    # To first order; the report predicts what the shifted raw predictions give.
    assert protected.influence_[:, -1] @ protected.deletion_weights_ <= 1e-9
    risen = protected.influence_[:, -1] @ unaware.deletion_weights_
    assert risen > 0  # so the protection had something to do

    both = corrected(data, [DP, AdversarialLoss(0.2)], delta=0.05).report_
    for name in (DP, "AdversarialLoss"):
        line = both[name, "surrogate"]
        assert line.predicted <= 0.95 * line.before * (1 + 1e-9)


def test_robust_scores_of_a_grid_search(data):
    X, y, _ = data
    corrector = SoftUnlearnCorrector(metric=AdversarialLoss(0.2), utility_tol=0.1)
    search = GridSearchCV(
        corrector,
        {"delta": [0.0, 0.03]},
        scoring={
            "accuracy": robustness_scorer(epsilon=0.2),
            "loss": robustness_scorer("loss", epsilon=0.2),
        },
        refit="loss",
        cv=2,
    ).fit(X, y)

    assert search.best_params_ == {"delta": 0.03}
    best = search.best_estimator_
    line = best.report_["AdversarialLoss", "zero-one loss, anew"]
    score = robustness_scorer(epsilon=0.2)
    assert score(best, X, y) == pytest.approx(1 - line.after)
    assert score(best.estimator_, X, y) == score(best, X, y)
    weight = (y == 1).astype(float)
    assert score(best, X, y, sample_weight=weight) == pytest.approx(
        score(best, X[y == 1], y[y == 1])
    )


def test_a_pipeline_is_attacked_behind_its_transformers(data):
    X, y, _ = data
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    scaled = StandardScaler().fit_transform(X)
    options = {"metric": AdversarialLoss(0.2), "delta": 0.01, "utility_tol": 0.1}
    outer = SoftUnlearnCorrector(pipeline, **options).fit(10 * X, y)
    inner = SoftUnlearnCorrector(LogisticRegression(), **options).fit(scaled, y)

    ours, theirs = (
        c.report_["AdversarialLoss", "surrogate, anew"].after for c in (outer, inner)
    )
    assert ours == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attack": "carlini"}, "attack='carlini'"),
        ({"norm": "l1"}, "norm='l1'"),
        ({"epsilon": -0.1}, "epsilon=-0.1"),
        ({"epsilon": None}, "epsilon=None"),
        ({"attack": "pgd", "n_steps": 0}, "n_steps"),
    ],
)
def test_parameters_out_of_range_are_refused(data, options, message):
    with pytest.raises(ValueError, match=message):
        corrected(data, AdversarialLoss(**options))


def small_net(activation="tanh"):
    return MLPClassifier(
        (4, 3), activation, alpha=0.1, solver="lbfgs", max_iter=2000, random_state=0
    )


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_input_gradient_of_an_mlp_is_that_of_finite_differences(data, activation):
    X, y, _ = data
    net = small_net(activation).fit(X, y)
    model = model_class(net).untrained_on(net, MLPModel.embed(net, X), y)
    attacked = AttackedModel(model, y, model.loss)
    loss, gradient = attacked.loss(X)

    for j, step in enumerate(1e-6 * np.eye(X.shape[1])):
        up, down = attacked.loss(X + step)[0], attacked.loss(X - step)[0]
        # A row whose step crosses a kink of relu has no derivative to compare with.
        smooth = np.abs(up + down - 2.0 * loss) < 1e-9
        assert np.mean(smooth) > 0.99
        differences = (up - down)[smooth] / 2e-6
        assert gradient[smooth, j] == pytest.approx(differences, abs=1e-7)


def test_adversarial_loss_of_an_mlp_falls(data):
    corrector = SoftUnlearnCorrector(
        small_net(), metric=AdversarialLoss(0.2), delta=0.02, utility_tol=0.1
    ).fit(pd.DataFrame(data[0]).add_prefix("x"), data[1])
    line = corrector.report_["AdversarialLoss", "surrogate, anew"]

    assert line.after < line.before


def test_what_cannot_be_attacked_is_refused(data):
    X, y, _ = data
    metric = AdversarialLoss(0.1)
    with pytest.raises(ValueError, match="sparse"):
        SoftUnlearnCorrector(metric=metric).fit(csr_array(X), y)
    with pytest.raises(ValueError, match="cannot be used together"):
        corrected(data, [metric, NeighborInconsistency()])
    with pytest.raises(ValueError, match="measure='recall' is not known"):
        robustness_scorer("recall")


def test_an_independent_attack_agrees(data):
    """The adversarial robustness toolbox attacks the corrected model."""
    evasion = pytest.importorskip("art.attacks.evasion")
    from art.estimators.classification import SklearnClassifier

    X, y, _ = data
    corrector = corrected(data, AdversarialLoss(0.2), delta=0.03)
    for model, reported in (
        (corrector.base_estimator_, "before"),
        (corrector.estimator_, "after"),
    ):
        attack = evasion.FastGradientMethod(SklearnClassifier(model), eps=0.2)
        examples = attack.generate(X.astype(np.float32), y=np.eye(2)[y])
        theirs = np.mean(model.predict(examples) != y)
        line = corrector.report_["AdversarialLoss", "zero-one loss, anew"]
        assert getattr(line, reported) == pytest.approx(theirs, abs=2 / len(y))


def test_bounds_never_move_a_row_further_than_epsilon():
    X, y, _ = make_biased_classification(n_samples=200, random_state=0)
    model = precise_logistic().fit(X, y)
    free, bounded, tiny = (
        robustness_scorer("loss", epsilon=epsilon, bounds=bounds)(model, X, y)
        for epsilon, bounds in ((0.1, None), (0.1, (-0.1, 0.1)), (1e-9, (-0.1, 0.1)))
    )

    assert free <= bounded <= tiny
    assert tiny == pytest.approx(-log_loss(y, model.predict_proba(X)), abs=1e-6)


def test_bounds_the_wrong_way_round_are_refused():
    X, y, _ = make_biased_classification(n_samples=200, random_state=0)
    with pytest.raises(ValueError, match="low must not exceed high"):
        robustness_scorer("loss", bounds=(1, 0))(precise_logistic().fit(X, y), X, y)


@pytest.mark.parametrize("attack", ["fgsm", "pgd", "deepfool"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_without_room_the_score_is_that_of_the_rows(data, norm, attack):
    X, y, _ = data
    model = precise_logistic().fit(X, y)
    options = {"epsilon": 0, "norm": norm, "attack": attack, "bounds": (-0.1, 0.1)}

    assert robustness_scorer(**options)(model, X, y) == pytest.approx(model.score(X, y))
    loss = robustness_scorer("loss", **options)(model, X, y)
    assert loss == pytest.approx(-log_loss(y, model.predict_proba(X)))


def test_a_corrector_inside_a_pipeline_is_attacked_behind_the_transformers(data):
    X, y, group = data
    corrector = SoftUnlearnCorrector()
    pipeline = make_pipeline(StandardScaler(), corrector)
    pipeline.fit(X, y, softunlearncorrector__sensitive_features=group)
    score = robustness_scorer("loss", epsilon=0.1)

    inside = score(corrector.estimator_, pipeline[:-1].transform(X), y)
    assert score(pipeline, X, y) == inside


@pytest.mark.parametrize(
    "estimator",
    [KNeighborsClassifier(3), BaggingClassifier(LogisticRegression(), 3)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_cannot_be_corrected_cannot_be_attacked(data, estimator):
    X, y, _ = data
    name = type(estimator).__name__
    with pytest.raises(TypeError, match=f"{name} is not supported.*Supported are"):
        robustness_scorer()(estimator.fit(X, y), X, y)


def test_the_report_of_a_regression_names_its_errors(data):
    X, y, _ = data

    class MeanPrediction(Criterion):
        def value(self, raw_prediction, rows):
            return np.atleast_1d(np.mean(raw_prediction))

        def gradient(self, raw_prediction, rows):
            return np.full((*raw_prediction.shape, 1), 1 / raw_prediction.size)

    metric = [AdversarialLoss(0.1), MeanPrediction()]
    corrector = SoftUnlearnCorrector(Ridge(), metric=metric, delta=0.01, utility_tol=1)
    report = corrector.fit(X, X[:, 0] + y + 1.0).report_
    kinds = {(line.name, line.kind) for line in report.lines}

    assert kinds == {
        ("AdversarialLoss", "surrogate"),
        ("AdversarialLoss", "mean squared error"),
        ("AdversarialLoss", "surrogate, anew"),
        ("AdversarialLoss", "mean squared error, anew"),
        ("MeanPrediction", "surrogate"),
        ("MeanPrediction", "predictions"),
        ("loss", "surrogate"),
        ("loss", "mean squared error"),
    }


def test_a_regression_has_no_robustness_score():
    X, y, _ = make_biased_classification(n_samples=200, random_state=0)
    with pytest.raises(TypeError, match="Ridge is no classifier"):
        robustness_scorer("loss")(Ridge().fit(X, y), X, y)
