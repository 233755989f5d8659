# SPDX-License-Identifier: BSD-3-Clause
"""Names with a letter wrong, classes for objects, models that are not supported."""

import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from sklearn_softunlearn import (
    AdversarialLoss,
    GroupMetric,
    HardDeletion,
    InfluenceDisplay,
    NewtonUpdate,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    SurrogateWeights,
    bootstrap_intervals,
    fairness_scorer,
    leave_one_out,
    robustness_scorer,
)
from sklearn_softunlearn.arguments import closest
from sklearn_softunlearn.cli import main
from sklearn_softunlearn.corrector.inputs._parameters import check_parameters
from sklearn_softunlearn.criteria import MeanLoss, metric_names
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.influence import Cholesky

DATA = X, y, group = make_biased_classification(200, 4, random_state=0)


def message_of(error, function, *arguments, **options):
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    return str(caught.value)


def refusal(error=ValueError, **params):
    corrector = SoftUnlearnCorrector(**params)
    return message_of(error, corrector.fit, X, y, sensitive_features=group)


# ---------------------------------------------------------------------- did you mean


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("metric", "demographic_parity_diference", "demographic_parity_difference"),
        ("metric", "Equalised odds ratio", "equalized_odds_ratio"),
        ("metric", "demographic_parity", "demographic_parity_difference"),
        ("metric", "accuracy_score_min", "accuracy_score_group_min"),
        ("metric", "group-loss", "group_loss"),
        ("utility", "los", "loss"),
        ("update", "influnce", "influence"),
        ("update", "HAMU", "hamu"),
        ("update", "newton_update", "newton"),
        ("update", "finetune", "fine_tune"),
        ("weighting", "sft", "soft"),
        ("weighting", "Exact", "exact"),
        ("curvature", "choleski", "cholesky"),
        ("calibrate", "label", "labels"),
        ("on_infeasible", "warning", "warn"),
        ("small_groups", "merged", "merge"),
    ],
)
def test_a_name_with_a_letter_wrong_is_answered_with_the_right_one(name, given, meant):
    message = refusal(**{name: given})
    assert message.startswith(f"{name}={given!r} is not known. Did you mean {meant!r}")
    assert len(message) < 300
    check_parameters(SoftUnlearnCorrector(**{name: meant}))  # it can be given


def test_in_a_list_it_is_that_of_the_list():
    message = refusal(metric=["loss", "equalized_odd_difference"])
    assert "Did you mean 'equalized_odds_difference'?" in message


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: GroupMetric("f1_difference"), "f1_score_difference"),
        (lambda: GroupMetric("equalized_odds_ratio", agg="worst"), "worst_case"),
        (lambda: GroupMetric("f1_score_ratio", method="overall"), "to_overall"),
        (lambda: fairness_scorer("selecton_rate_ratio"), "selection_rate_ratio"),
        (
            lambda: fairness_scorer("roc_auc_score_ratio", response_method="proba"),
            "predict_proba",
        ),
        (lambda: robustness_scorer("acuracy", epsilon=0.1), "accuracy"),
        (lambda: intervals("selecton_rate"), "selection_rate"),
        (lambda: intervals("accuracy_score_diference"), "accuracy_score_difference"),
        (lambda: attacked(attack="pdg"), "pgd"),
        (lambda: attacked(norm="linf2"), "linf"),
        (lambda: shown("leverage"), "leverage_exact"),
    ],
)
def test_elsewhere_too(call, meant):
    assert f"Did you mean {meant!r}" in message_of(ValueError, call)


def intervals(metric):
    return bootstrap_intervals(y, {"m": y}, sensitive_features=group, metrics=[metric])


def attacked(**options):
    metric = AdversarialLoss(epsilon=0.1, **options)
    return SoftUnlearnCorrector(metric=metric).fit(X, y)


def shown(estimate):
    model = LogisticRegression().fit(X, y)
    found = leave_one_out(model, X, y, indices=[0, 1], sensitive_features=group)
    return InfluenceDisplay.from_leave_one_out(found, estimate=estimate)


def test_far_from_everything_there_is_a_list_and_no_guess():
    for message in (refusal(update="quux"), refusal(metric="tpr_gap")):
        assert "Did you mean" not in message
    assert "'retrain'" in refusal(update="quux")
    assert "demographic_parity_difference" in refusal(metric="tpr_gap")


def test_every_name_of_a_metric_can_be_given_and_none_is_missing():
    names = metric_names()
    assert [GroupMetric(name).metric for name in names] == names
    for name in ("loss", "group_loss"):
        assert "no GroupMetric" in message_of(ValueError, GroupMetric, name)


@pytest.mark.parametrize(
    ("given", "choices", "expected"),
    [
        ("", ["a"], []),
        ("a", ["ab"], []),  # one letter is no hint
        (3, ["3"], []),
        (None, ["none", None], []),
        ("odds", [f"odds_{k}" for k in range(9)], []),  # a list, not a hint
        ("fine_tunes", ["fine_tune", "newton"], ["fine_tune"]),
    ],
)
def test_hints_are_few(given, choices, expected):
    assert closest(given, choices) == expected


@pytest.mark.parametrize(
    ("given", "meant"),
    [("--metrc", "--metric"), ("--sensitve", "--sensitive"), ("--Delta", "--delta")],
)
def test_options_of_the_command_line(capsys, given, meant):
    with pytest.raises(SystemExit):
        main([given, "x"])
    assert f"Did you mean '{meant}'?" in capsys.readouterr().err


def test_columns_of_a_table(tmp_path, capsys):
    table = tmp_path / "people.csv"
    table.write_text("age,hired,sex\n1,0,a\n2,1,b\n")
    assert main(["--csv", str(table), "--target", "hird", "--sensitive", "sex"]) == 2
    assert "no column 'hird'" in (said := capsys.readouterr().err)
    assert "Did you mean 'hired'?" in said


# ----------------------------------------------------------------- a class, an object


@pytest.mark.parametrize(
    ("name", "given", "error"),
    [
        ("estimator", LogisticRegression, TypeError),
        ("estimator", FrozenEstimator, TypeError),
        ("estimator", make_pipeline(StandardScaler(), LogisticRegression), TypeError),
        ("update", NewtonUpdate, ValueError),
        ("weighting", HardDeletion, ValueError),
        ("curvature", Cholesky, ValueError),
        ("metric", GroupMetric, ValueError),
        ("utility", MeanLoss, ValueError),
    ],
    ids=str,
)
def test_a_class_in_the_place_of_an_object_is_called_so(name, given, error):
    message = refusal(error, **{name: given})
    kind = (given if isinstance(given, type) else LogisticRegression).__name__
    assert message == f"{name}={kind} is a class. Give an object, {kind}(...)."


# ------------------------------------------------------- models that are not supported


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (SVC(), "SVC"),
        (GaussianNB(), "GaussianNB"),
        (FrozenEstimator(SVC()), "SVC"),
        (BaggingClassifier(LogisticRegression()), "BaggingClassifier"),
    ],
    ids=str,
)
@pytest.mark.parametrize("corrector", [SoftUnlearnCorrector, SoftUnlearnCorrectorCV])
def test_a_model_that_takes_weights_is_told_the_way_for_it(corrector, model, name):
    fit = corrector(model).fit
    message = message_of(TypeError, fit, X, y, sensitive_features=group)
    assert f"SurrogateWeights({name}(...)).fit(X, y, sensitive_features=" in message
    assert len(message) < 750


@pytest.mark.parametrize("model", [SVC(), GaussianNB()], ids=str)
def test_the_way_that_is_told_narrows_the_gap(model):
    """Typed as the message says."""
    X, y, group = make_biased_classification(1000, random_state=0)
    fitted = SurrogateWeights(model).fit(X, y, sensitive_features=group)

    def gap(model):
        said = model.predict(X)
        return abs(said[group == 0].mean() - said[group == 1].mean())

    assert gap(fitted.estimator_) < 0.9 * gap(fitted.base_estimator_)


def test_a_regressor_is_told_as_well():
    corrector = SoftUnlearnCorrector(SVR(), metric="loss")
    message = message_of(TypeError, corrector.fit, X, X[:, 0])
    assert "SurrogateWeights(SVR(...))" in message


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(),  # takes no weights
        StandardScaler(),  # learns no target
        SoftUnlearnCorrector(),  # once is enough
        "logistic",
        3,
    ],
    ids=str,
)
def test_others_are_not_told_what_cannot_be_done(model):
    message = refusal(TypeError, estimator=model)
    assert "sample_weight" not in message
    assert "is not supported" in message


def test_a_search_is_told_to_give_what_it_found():
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]})
    assert "Fit the search first" in refusal(TypeError, estimator=search)
    best = search.fit(X, y).best_estimator_
    assert "Give its best_estimator_ in" in refusal(TypeError, estimator=search)
    corrector = SoftUnlearnCorrector(FrozenEstimator(best))
    assert corrector.fit(X, y, sensitive_features=group).estimator_.C == best.C
