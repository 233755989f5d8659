# SPDX-License-Identifier: BSD-3-Clause
"""What a fit tells: to scikit-learn's callbacks, and with `verbose` on the screen."""

import pickle

import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn._sklearn_compat import sklearn_version
from sklearn_softunlearn.datasets import make_biased_classification

STAGES = ["base fit", "influences", "weights and update"]
needs_callbacks = pytest.mark.skipif(
    sklearn_version() < (1, 9), reason="scikit-learn has callbacks since 1.9"
)


@pytest.fixture(scope="module")
def data():
    return make_biased_classification(random_state=0)


class Recorder:
    """Callback that notes each task of the corrector."""

    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.task_name))


class PropagatedRecorder(Recorder):
    max_propagation_depth = None

    def on_fit_task_begin(self, estimator, context):
        self.events.append((type(estimator).__name__, context.task_name))

    def on_fit_task_end(self, estimator, context):
        pass


def fit(corrector, data):
    X, y, group = data
    return corrector.fit(X, y, sensitive_features=group)


@needs_callbacks
@pytest.mark.parametrize("memory", [False, True])
def test_callbacks_see_every_stage(data, memory, tmp_path):
    recorder = Recorder()
    corrector = SoftUnlearnCorrector(memory=str(tmp_path) if memory else None)
    fit(corrector.set_callbacks(recorder), data)
    stages = [event for stage in STAGES for event in (("begin", stage), ("end", stage))]

    assert recorder.events == [
        "setup",
        ("begin", "fit"),
        *stages,
        ("end", "fit"),
        "teardown",
    ]


@needs_callbacks
def test_callbacks_propagate_to_the_estimator(data):
    recorder = PropagatedRecorder()
    fit(SoftUnlearnCorrector().set_callbacks(recorder), data)
    names = [event[0] for event in recorder.events if isinstance(event, tuple)]

    assert "LogisticRegression" in names
    assert names.count("SoftUnlearnCorrector") >= 3


@needs_callbacks
def test_callbacks_come_down_from_pipeline_and_grid_search(data):
    X, y, group = data
    recorder = PropagatedRecorder()
    pipeline = make_pipeline(StandardScaler(), SoftUnlearnCorrector())
    search = GridSearchCV(pipeline, {"softunlearncorrector__delta": [0.1, 0.2]}, cv=2)
    search.set_callbacks(recorder)
    search.fit(X, y, softunlearncorrector__sensitive_features=group)
    own = [event[1] for event in recorder.events if event[0] == "SoftUnlearnCorrector"]

    assert own.count("influences") == 5  # two folds of two deltas, and the refit


@needs_callbacks
def test_callbacks_survive_a_failure_a_clone_and_a_pickle(data):
    X, y, _ = data
    recorder = Recorder()
    corrector = SoftUnlearnCorrector().set_callbacks(recorder)
    with pytest.raises(ValueError, match="sensitive_features"):
        corrector.fit(X, y)

    assert recorder.events[-1] == "teardown"
    fitted = fit(corrector, data)
    assert (pickle.loads(pickle.dumps(fitted)).predict(X) == fitted.predict(X)).all()
    fit(clone(corrector), data)


@needs_callbacks
def test_a_frozen_estimator_is_left_alone(data):
    X, y, _ = data
    frozen = FrozenEstimator(LogisticRegression().fit(X, y))
    before = set(vars(frozen)), set(vars(frozen.estimator))
    recorder = PropagatedRecorder()
    fit(SoftUnlearnCorrector(frozen).set_callbacks(recorder), data)

    assert (set(vars(frozen)), set(vars(frozen.estimator))) == before
    assert ("SoftUnlearnCorrector", "base fit") in recorder.events


def test_verbose_prints_a_line_for_each_stage(data, capsys):
    fit(SoftUnlearnCorrector(verbose=1), data)
    lines = capsys.readouterr().out.splitlines()

    assert [line.split(": ")[0] for line in lines] == [
        f"[SoftUnlearnCorrector] ({i + 1} of 3) {stage}"
        for i, stage in enumerate(STAGES)
    ]


def test_silent_by_default(data, capsys):
    fit(SoftUnlearnCorrector(), data)

    assert capsys.readouterr().out == ""
