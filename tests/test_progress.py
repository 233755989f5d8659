# SPDX-License-Identifier: BSD-3-Clause
"""What a fit tells: to scikit-learn's callbacks, and with `verbose` on the screen."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import SoftUnlearnCorrector, SoftUnlearnCorrectorCV
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


def search(**options):
    return SoftUnlearnCorrectorCV(deltas=[0.0, 0.2], cv=2, **options)


def spans(events):
    """Names of the tasks in the order in which they end, each begun before."""
    begun, ended = [], []
    for kind, name in (event for event in events if isinstance(event, tuple)):
        if kind == "begin":
            begun.append(name)
        else:
            begun.remove(name)
            ended.append(name)
    assert not begun
    return ended


@needs_callbacks
def test_callbacks_see_the_folds_of_a_search(data):
    recorder = Recorder()
    fit(search().set_callbacks(recorder), data)
    fold = [*STAGES, "scores", "fold"]

    assert recorder.events[:2] == ["setup", ("begin", "fit")]
    assert recorder.events[-1] == "teardown"
    assert spans(recorder.events) == [
        *fold, *fold, "cross-validation", *STAGES, "all rows", "fit",
    ]  # fmt: skip


@needs_callbacks
def test_callbacks_come_down_through_a_search(data):
    X, y, group = data
    recorder = PropagatedRecorder()
    pipeline = make_pipeline(StandardScaler(), search())
    pipeline.set_callbacks(recorder)
    pipeline.fit(X, y, softunlearncorrectorcv__sensitive_features=group)
    # Of two folds and of all rows.
    assert recorder.events.count(("LogisticRegression", "fit")) == 3
    assert ("SoftUnlearnCorrectorCV", "cross-validation") in recorder.events
    for fitted in (pipeline[-1], *pipeline[-1].path_):
        assert not hasattr(fitted, "_skl_callbacks")


@needs_callbacks
def test_processes_take_their_context_along(data):
    recorder = Recorder()
    fit(search(n_jobs=2).set_callbacks(recorder), data)

    assert spans(recorder.events)[-5:] == [*STAGES, "all rows", "fit"]


@needs_callbacks
def test_a_search_that_fails_is_torn_down(data):
    X, y, _ = data
    recorder = Recorder()
    failing = search().set_callbacks(recorder)
    with pytest.raises(ValueError, match="sensitive_features"):
        failing.fit(X, y)

    assert recorder.events[-1] == "teardown"


@needs_callbacks
def test_a_progress_bar_of_a_search(data, capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    fitted = fit(search().set_callbacks(ProgressBar(max_propagation_depth=None)), data)
    shown = capsys.readouterr().out

    assert "cross-validation" in shown and "100%" in shown
    np.testing.assert_array_equal(
        fitted.deletion_weights_, fit(search(), data).deletion_weights_
    )


@pytest.mark.parametrize("of_search", [False, True])
def test_a_search_prints_what_it_is_told_to(data, capsys, of_search):
    """The verbosity of the search or, of every stage, that of the corrector."""
    corrector = SoftUnlearnCorrector(verbose=0 if of_search else 1)
    fit(search(estimator=corrector, verbose=int(of_search)), data)
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == (2 if of_search else 9)


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
