# SPDX-License-Identifier: BSD-3-Clause
"""Pipelines whose last step is not fitted on what they make of the rows again."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_array
from scipy.special import expit
from scipy.stats import pearsonr
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder

from sklearn_softunlearn import (
    InfluenceTransformer,
    SoftUnlearnCorrector,
    influence,
    leave_one_out,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.exceptions import BaseNotConvergedWarning
from sklearn_softunlearn.models import same_rows
from tests.first_order import first_order_corrector

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.SmallGroupWarning",
    # of scikit-learn 1.9, whose older versions draw folds with the parameter
    "ignore:`TargetEncoder.shuffle`:FutureWarning",
)
N = 400
X, y, GROUP = make_biased_classification(N, random_state=0)
RNG = np.random.default_rng(0)
CODES = np.column_stack(
    [np.where(RNG.random(N) < 0.3, y * 20, RNG.integers(0, 40, N)) for _ in range(2)]
)


def small_request(estimator, **options):
    """A corrector of which no more is asked than these few rows allow."""
    options = {"delta": 0.01, "calibrate": None} | options
    return first_order_corrector(estimator, **options)


class Noise(TransformerMixin, BaseEstimator):
    """Augments what is trained on, and nothing else."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def fit_transform(self, X, y=None):
        drawn = np.random.default_rng(0).normal(size=np.shape(X))
        return self.fit(X).transform(X) + drawn

    def transform(self, X):
        return np.asarray(X, dtype=float)


class OutOfFold(Noise):
    """Centres each half of the rows with the means of the other half."""

    def fit_transform(self, X, y=None):
        X, half = self.fit(X).transform(X), len(X) // 2
        shift = np.where(
            np.arange(len(X))[:, None] < half, X[half:].mean(0), 3 * X[:half].mean(0)
        )
        return X - shift - y[:, None]


class DropsRows(Pipeline):
    """As a Pipeline with an outlier remover: the last step sees fewer rows."""

    def fit(self, X, y=None, **params):
        self.steps[-1][1].fit(self[:-1].fit_transform(X)[10:], y[10:])
        return self


class Sampler(BaseEstimator):
    def fit(self, X, y=None):
        return self

    def fit_resample(self, X, y):
        return X[y == 1], y[y == 1]

    def transform(self, X):
        return X


def cross_fitted():
    return TargetEncoder(cv=3, target_type="binary", smooth=1.0)


PIPELINES = {
    "TargetEncoder": lambda: (cross_fitted(), CODES),
    "in a ColumnTransformer": lambda: (
        make_column_transformer((cross_fitted(), [0]), (StandardScaler(), [1])),
        CODES,
    ),
    "DataFrame": lambda: (
        cross_fitted().set_output(transform="pandas"),
        pd.DataFrame(CODES, columns=["a", "b"]),
    ),
    "noise": lambda: (Noise(), X),
    "out of fold": lambda: (OutOfFold(), X),
    "two of them": lambda: (make_pipeline(OutOfFold(), Noise()), X),
}


@pytest.fixture(params=PIPELINES)
def case(request):
    """A step, its rows, and what a last step behind it is fitted on."""
    np.random.seed(0)  # noqa: NPY002 (the folds of TargetEncoder)
    step, rows = PIPELINES[request.param]()
    return step, rows


class Kept(LogisticRegression):
    """Keeps what it was fitted on; a class of its own, so that nothing is recorded."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = np.array(X)
        return super().fit(X, y, sample_weight)


def test_influences_are_those_of_what_the_last_step_was_fitted_on(case):
    step, rows = case
    corrector = small_request(make_pipeline(step, Kept()))
    corrector.fit(rows, y, sensitive_features=GROUP)

    base = corrector.base_estimator_
    seen, again = base[-1].seen_, base[:-1].transform(rows)
    assert not np.allclose(seen, again)
    alone = influence(
        LogisticRegression().fit(seen, y),
        seen,
        y,
        metric="demographic_parity_difference",
        utility="loss",
        X_val=np.asarray(again),
        y_val=y,
        sensitive_features_val=GROUP,
    )
    np.testing.assert_allclose(corrector.influence_, alone.values, atol=1e-9)


def test_a_refit_of_the_last_step_moves_as_predicted(case):
    step, rows = case
    corrector = small_request(make_pipeline(step, Kept(tol=1e-10)))
    corrector.fit(rows, y, sensitive_features=GROUP)
    base = corrector.base_estimator_

    def gap(model):
        again = np.asarray(base[:-1].transform(rows))
        selected = expit(again @ model.coef_[0] + model.intercept_)
        return selected[GROUP == 0].mean() - selected[GROUP == 1].mean()

    row = np.argmax(np.abs(corrector.influence_[:, 0]))
    weight = np.ones(N)
    weight[row] -= 1e-3
    refitted = clone(base[-1]).fit(base[-1].seen_, y, sample_weight=weight)
    moved = (gap(refitted) - gap(base[-1])) / 1e-3
    assert moved == pytest.approx(corrector.influence_[row, 0], rel=0.02)


def test_what_a_transform_gives_again_would_be_wrong():
    # The size of what is held here: the old way round, on the same Pipeline.
    corrector = small_request(make_pipeline(cross_fitted(), Kept()))
    corrector.fit(CODES, y, sensitive_features=GROUP)
    fitted = corrector.base_estimator_
    with pytest.warns(BaseNotConvergedWarning):
        old = influence(fitted, CODES, y, sensitive_features=GROUP)
    assert pearsonr(old.values[:, 0], corrector.influence_[:, 0])[0] < 0.95


def test_validation_rows_go_through_transform(case):
    step, rows = case
    first, last = slice(0, 300), slice(300, None)
    take = rows.iloc.__getitem__ if hasattr(rows, "iloc") else rows.__getitem__
    corrector = small_request(make_pipeline(step, Kept()))
    corrector.fit(
        take(first),
        y[first],
        X_val=take(last),
        y_val=y[last],
        sensitive_features_val=GROUP[last],
    )
    proba = corrector.base_estimator_.predict_proba(take(last))[:, 1]
    gaps = [proba[GROUP[last] == g].mean() for g in (0, 1)]
    line = corrector.report_["demographic_parity_difference", "surrogate"]
    assert line.before == pytest.approx(abs(gaps[0] - gaps[1]))


def test_with_memory_the_same_comes_from_the_cache(case, tmp_path):
    step, rows = case
    made = [
        small_request(make_pipeline(step, Kept()), memory=str(tmp_path))
        .set_params(delta=delta)
        .fit(rows, y, sensitive_features=GROUP)
        for delta in (0.01, 0.01)
    ]
    seen = made[0].base_estimator_[-1].seen_
    np.testing.assert_array_equal(made[1].base_estimator_[-1].seen_, seen)
    np.testing.assert_array_equal(made[0].influence_, made[1].influence_)


def test_the_transformer_of_influences_knows_what_its_estimator_was_fitted_on(case):
    step, rows = case
    transformer = InfluenceTransformer(make_pipeline(step, Kept()))
    found = transformer.fit_transform(rows, y, sensitive_features=GROUP)
    fitted = transformer.estimator_
    alone = influence(
        LogisticRegression().fit(fitted[-1].seen_, y),
        fitted[-1].seen_,
        y,
        utility="loss",
        X_val=np.asarray(fitted[:-1].transform(rows)),
        y_val=y,
        sensitive_features_val=GROUP,
    )
    np.testing.assert_allclose(np.abs(found[:, 0]), np.abs(alone.values[:, 0]))
    np.testing.assert_allclose(found[:, 1], alone.values[:, -1])


@pytest.mark.parametrize("step", [StandardScaler(), PCA(3), "passthrough"], ids=str)
def test_of_other_pipelines_training_rows_are_evaluation_rows(step):
    pipeline = make_pipeline(step, LogisticRegression())
    inside = SoftUnlearnCorrector(pipeline).fit(X, y, sensitive_features=GROUP)
    fitted = clone(pipeline).fit(X, y)
    frozen = SoftUnlearnCorrector(FrozenEstimator(fitted))
    frozen.fit(X, y, sensitive_features=GROUP)
    np.testing.assert_allclose(inside.influence_, frozen.influence_, atol=1e-9)
    assert inside.base_estimator_[-1].fit.__func__ is LogisticRegression.fit


def frozen(step, rows):
    return FrozenEstimator(make_pipeline(step, LogisticRegression()).fit(rows, y))


@pytest.mark.parametrize(
    "name", ["TargetEncoder", "in a ColumnTransformer", "noise", "out of fold"]
)
def test_of_a_fitted_pipeline_the_cause_is_named(name):
    step, rows = PIPELINES[name]()
    estimator = frozen(step, rows)
    called = estimator.estimator.steps[0][0]
    message = rf"The step '{called}' of the fitted Pipeline trains its last step with"
    with pytest.warns(BaseNotConvergedWarning, match=message):
        small_request(estimator).fit(rows, y, sensitive_features=GROUP)
    with pytest.warns(BaseNotConvergedWarning, match=message):
        influence(estimator.estimator, rows, y, sensitive_features=GROUP)


def test_of_other_causes_the_old_advice_is_given():
    unscaled = X * np.array([1e4, *[1.0] * (X.shape[1] - 1)])
    pipeline = make_pipeline(PCA(), LogisticRegression(max_iter=3))
    with pytest.warns(Warning):
        pipeline.fit(unscaled, y)
    with pytest.warns(BaseNotConvergedWarning, match="Scale the features"):
        influence(pipeline, unscaled, y, sensitive_features=GROUP)


def of_kinds():
    yield Pipeline([("under", Sampler()), ("last", LogisticRegression())])
    inner = Pipeline([("under", Sampler()), ("last", LogisticRegression())])
    yield make_pipeline(StandardScaler(), inner)
    fitted = Pipeline([("under", Sampler()), ("last", LogisticRegression())])
    yield FrozenEstimator(fitted.fit(X, y))


@pytest.mark.parametrize("estimator", of_kinds(), ids=["plain", "nested", "frozen"])
def test_a_step_that_resamples_is_refused_by_name(estimator):
    with pytest.raises(ValueError, match=r"the step 'under' \(Sampler\).*resamples"):
        SoftUnlearnCorrector(estimator).fit(X, y, sensitive_features=GROUP)


@pytest.mark.parametrize("function", [influence, leave_one_out])
def test_functions_refuse_a_step_that_resamples(function):
    fitted = Pipeline([("under", Sampler()), ("last", LogisticRegression())]).fit(X, y)
    with pytest.raises(ValueError, match="the step 'under'"):
        function(fitted, X, y, sensitive_features=GROUP)


@pytest.mark.parametrize("sampler", ["RandomOverSampler", "RandomUnderSampler"])
def test_samplers_of_imbalanced_learn_are_refused_by_name(sampler):
    imblearn = pytest.importorskip("imblearn")
    kinds = {**vars(imblearn.over_sampling), **vars(imblearn.under_sampling)}
    pipeline = imblearn.pipeline.make_pipeline(kinds[sampler](), LogisticRegression())
    message = rf"\({sampler}\) of the Pipeline resamples"
    for estimator in (pipeline, FrozenEstimator(clone(pipeline).fit(X, y))):
        with pytest.raises(ValueError, match=message):
            SoftUnlearnCorrector(estimator).fit(X, y, sensitive_features=GROUP)


def test_a_pipeline_that_drops_rows_in_its_fit_is_refused():
    estimator = DropsRows([("scale", StandardScaler()), ("last", LogisticRegression())])
    with pytest.raises(ValueError, match="on other rows or labels than those"):
        SoftUnlearnCorrector(estimator).fit(X, y, sensitive_features=GROUP)


def test_weights_that_only_the_last_step_knows_are_refused():
    weight = np.linspace(0.5, 2.0, N)
    corrector = SoftUnlearnCorrector(
        make_pipeline(StandardScaler(), LogisticRegression())
    )
    with pytest.raises(ValueError, match="other weights than the correction is told"):
        corrector.fit(
            X, y, sensitive_features=GROUP, logisticregression__sample_weight=weight
        )
    corrector.fit(X, y, sensitive_features=GROUP, sample_weight=weight)


def test_a_step_that_transforms_at_random_is_refused():
    rng = np.random.default_rng(0)
    noise = FunctionTransformer(lambda X: X + rng.normal(size=X.shape))
    with pytest.raises(ValueError, match="to other numbers each time"):
        SoftUnlearnCorrector(make_pipeline(noise, LogisticRegression())).fit(
            X, y, sensitive_features=GROUP
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda copy: LinearRegression(copy_X=copy),
        lambda copy: Ridge(copy_X=copy),
        lambda copy: make_pipeline(StandardScaler(), Ridge(copy_X=copy)),
        lambda copy: make_pipeline(StandardScaler(copy=copy), Ridge()),
        lambda copy: make_pipeline(
            make_column_transformer((StandardScaler(copy=copy), slice(0, 4))), Ridge()
        ),
    ],
)
@pytest.mark.parametrize("as_fitted", [False, True])
def test_parts_that_overwrite_rows_change_no_influence_and_no_rows(make, as_fitted):
    target, rows = X[:, 0] + y, X + 5.0
    options = {"metric": "mean_prediction_difference", "sensitive_features": GROUP}
    found = []
    for copy in (True, False):
        given = rows.copy()
        if as_fitted:
            estimator = make(copy).fit(rows.copy(), target)
            found.append(influence(estimator, given, target, **options).values)
        else:
            transformer = InfluenceTransformer(make(copy), metric=options["metric"])
            transformer.fit(given, target, sensitive_features=GROUP)
            corrector = small_request(make(copy), metric=options["metric"])
            corrector.fit(given, target, sensitive_features=GROUP)
            found.append(corrector.influence_)
        np.testing.assert_array_equal(given, rows)
    np.testing.assert_allclose(found[1], found[0], atol=1e-9)


@pytest.mark.parametrize("form", [np.asarray, csr_array, csc_matrix, pd.DataFrame])
def test_rows_are_compared_in_every_form(form):
    rows = np.array([[1.0, 0.0], [0.0, 1e6], [2.0, 0.0]])
    moved = rows + np.array([[1e-3, 0.0], [0.0, 0.0], [0.0, 0.0]])
    assert same_rows(form(rows), form(rows.copy()))
    assert same_rows(form(rows), form(rows * (1 + 1e-12)))
    assert not same_rows(form(rows), form(moved))
    assert not same_rows(form(rows), form(rows[:2]))


def test_missing_values_texts_and_what_cannot_be_compared():
    rows = np.array([[1.0, np.nan]])
    assert same_rows(rows, rows.copy()) and not same_rows(rows, np.array([[1.0, 2.0]]))
    texts = np.array([["a"], ["b"]], dtype=object)
    assert same_rows(texts, texts.copy()) and not same_rows(texts, texts[::-1])
    assert same_rows(["a b", "c"], ["a b", "c"]) and not same_rows(rows, [[1.0, 2.0]])
