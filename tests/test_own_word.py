# SPDX-License-Identifier: BSD-3-Clause
"""Subclasses that predict in a way of their own are refused by name."""

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_softunlearn import SoftUnlearnCorrector, influence
from sklearn_softunlearn.datasets import make_biased_classification

X, Y, GROUP = make_biased_classification(600, random_state=0)


class Late(LogisticRegression):
    """Of threshold 0.75."""

    def predict(self, X):
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.75).astype(int)]


class Tempered(LogisticRegression):
    def predict_proba(self, X):
        probability = super().predict_proba(X) ** 0.5
        return probability / probability.sum(axis=1, keepdims=True)


class Shifted(LinearSVC):
    def decision_function(self, X):
        return super().decision_function(X) + 0.5


class Rounded(Ridge):
    def predict(self, X):
        return np.round(super().predict(X))


class Proud(MLPClassifier):
    def predict_proba(self, X):
        return np.round(super().predict_proba(X))


class LatePipeline(Pipeline):
    def predict(self, X):
        return (self.predict_proba(X)[:, 1] > 0.75).astype(int)


MLP = {"hidden_layer_sizes": (4,), "max_iter": 30, "random_state": 0}
OWN = {
    "predict": Late(),
    "predict_proba": Tempered(),
    "decision_function": Shifted(),
    "regressor": Rounded(),
    "mlp": Proud(**MLP),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", OWN)
@pytest.mark.parametrize("wrap", ["alone", "frozen", "pipeline"])
def test_what_predicts_its_own_way_is_refused(case, wrap):
    estimator = OWN[case]
    if wrap == "pipeline":
        estimator = make_pipeline(StandardScaler(), estimator)
    if wrap == "frozen":
        estimator = FrozenEstimator(estimator.fit(X, Y))
    metric = "loss" if case == "regressor" else "demographic_parity_difference"
    name = type(OWN[case]).__name__

    with pytest.raises(ValueError, match=rf"{name}\.\w+ returns something else"):
        SoftUnlearnCorrector(estimator, metric=metric).fit(
            X, Y, sensitive_features=GROUP
        )


def test_a_pipeline_that_predicts_its_own_way_is_refused():
    steps = [("scale", StandardScaler()), ("model", LogisticRegression())]
    with pytest.raises(ValueError, match="predict returns something else"):
        influence(LatePipeline(steps).fit(X, Y), X, Y, sensitive_features=GROUP)


def test_the_remedy_of_the_message_works():
    corrector = SoftUnlearnCorrector(LogisticRegression()).fit(
        X, Y, sensitive_features=GROUP
    )
    late = FixedThresholdClassifier(FrozenEstimator(corrector), threshold=0.75)
    late.fit(X, Y)

    expected = corrector.predict_proba(X)[:, 1] >= 0.75
    np.testing.assert_array_equal(late.predict(X), expected)


class Named(LogisticRegression):
    """Changes nothing that it says."""


class Verbose(LogisticRegression):
    def predict(self, X):
        return super().predict(X)


class Balanced(SGDClassifier):
    def __init__(self, alpha=0.01, max_iter=2000, tol=None, random_state=0):
        super().__init__(
            loss="log_loss",
            alpha=alpha,
            max_iter=max_iter,
            tol=tol,
            random_state=random_state,
            average=True,
        )


@pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.BaseNotConvergedWarning"
)
@pytest.mark.parametrize("kind", [Named, Verbose, Balanced])
def test_subclasses_that_say_the_same_are_corrected(kind):
    frame, y = pd.DataFrame(X).add_prefix("x"), np.array(["no", "yes"])[Y]
    corrector = SoftUnlearnCorrector(kind(), delta=0.2)
    corrector.fit(frame, y, sensitive_features=GROUP)
    line = corrector.report_["demographic_parity_difference", "surrogate"]

    assert line.after < 0.9 * line.before


@pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.BaseNotConvergedWarning"
)
def test_rows_on_the_boundary_may_fall_to_either_side():
    """Coefficients of 0: every row is on it."""
    model = LogisticRegression().fit(X, Y)
    model.coef_ = np.zeros_like(model.coef_)
    model.intercept_ = np.zeros(1)
    found = influence(model, X, Y, metric="loss")

    assert np.isfinite(found.values).all()


def test_the_comparison_takes_a_sample_of_rows():
    seen = []

    class Counting(LogisticRegression):
        def predict(self, X):
            seen.append(len(X))
            return super().predict(X)

    SoftUnlearnCorrector(Counting()).fit(X, Y, sensitive_features=GROUP)

    assert seen == [200, 200]  # as read, and as corrected
