# SPDX-License-Identifier: BSD-3-Clause
"""One fold of a search: the correctors of all deltas, and what held-out rows say."""

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import column_or_1d

from sklearn_softunlearn.calls import run_parallel
from sklearn_softunlearn.corrector import Progress, rows_of
from sklearn_softunlearn.exceptions import (
    InfeasibleDeltaWarning,
    NothingToCorrectWarning,
    UpdateStoppedWarning,
    unsaid,
)
from sklearn_softunlearn.tuning._cv_results import cv_results
from sklearn_softunlearn.tuning._scoring import scorers_on
from sklearn_softunlearn.tuning._search_progress import SCORES
from sklearn_softunlearn.tuning._threshold import with_thresholds

_SAID_ONCE = (InfeasibleDeltaWarning, NothingToCorrectWarning, UpdateStoppedWarning)


@dataclass(frozen=True)
class Search:
    """What is the same in every fold.

    Attributes
    ----------
    corrector : SoftUnlearnCorrector
    table : Table
        All rows of the search.
    deltas : ndarray of shape (n_deltas,)
    thresholds : ndarray of shape (n_thresholds,) or None
        Decision thresholds to try with each delta; None keeps that of the model.
    scorers : dict of str to callable
    evidence : Evidence or None
        What the tests of a requirement want to know.
    intervals : Intervals
        Reader of the scores of all held-out rows together.
    fixed, fit_params : dict
        What fit takes in every fold, and what is cut to the rows of a fold.
    weighted : bool
        Whether sample weights were given.
    verbose : int
    """

    corrector: Any
    table: Any
    deltas: np.ndarray
    thresholds: np.ndarray | None
    scorers: dict
    evidence: Any
    intervals: Any
    fixed: dict
    fit_params: dict
    weighted: bool
    verbose: int

    def copy(self):
        """The same for another fold, with a corrector of its own."""
        return replace(self, corrector=clone(self.corrector))

    def base(self):
        """Position of the model before correction among the candidates, or None."""
        unchanged = [
            params["delta"] == 0 and params.get("threshold", 0.0) == 0
            for params in self.params()
        ]
        return unchanged.index(True) if any(unchanged) else None

    def models(self, path):
        """Fitted models of all candidates, for the correctors of all deltas."""
        if self.thresholds is None:
            return path
        return with_thresholds(path, self.thresholds)

    def params(self):
        """Parameters of all candidates, in their order."""
        if self.thresholds is None:
            return [{"delta": float(delta)} for delta in self.deltas]
        return [
            {"delta": float(delta), "threshold": float(threshold)}
            for delta in self.deltas
            for threshold in self.thresholds
        ]


def cross_validated(search, folds, contexts, n_jobs):
    """Fit and score all candidates in all folds.

    Returns
    -------
    cv_results : dict
    seen, answers : sequence
        What tests and what intervals want of each fold.
    """
    each = zip(folds, contexts, strict=True)
    calls = ((search.copy(), fold, context) for fold, context in each)
    done = run_parallel(fit_and_score, calls, n_jobs=n_jobs)
    scores, fit_times, score_times, seen, answers = zip(*done, strict=True)
    scores = np.array(scores)
    named = {name: scores[:, :, j] for j, name in enumerate(search.scorers)}
    times = map(np.array, (fit_times, score_times))
    return cv_results(search.params(), named, *times), seen, answers


def fit_and_score(search, fold, context):
    """Scores (n_candidates, n_scorers) of one fold, seconds, and what was answered.

    Answers are those that tests and those that intervals want, in this order.
    """
    corrector = search.corrector
    context.call_on_fit_task_begin(estimator=corrector)
    train, test = fold
    rows, held_out = search.table.take(train), search.table.take(test)
    n_samples = len(search.table.y)
    cut = {name: rows_of(v, train, n_samples) for name, v in search.fit_params.items()}
    start = perf_counter()
    # Of most candidates in most folds; the fit on all rows says it once.
    with unsaid(*_SAID_ONCE):
        options = search.fixed | cut | {"context": context}
        path = path_of(
            corrector, rows, search.deltas, search.weighted, options, report=False
        )
    fit_time = perf_counter() - start
    with Progress(corrector, context).task(context.subcontext(task_name=SCORES)):
        models = search.models(path)
        scores, times = _scores(search.scorers, models, held_out)
        seen = None
        if search.evidence is not None:
            on_training = _scores(search.evidence.scorers, models, rows)[0]
            seen = on_training, search.evidence.answers(models, held_out)
        answers = search.intervals.answers(search.scorers, models, held_out)
    if search.verbose:
        n_deltas, spent = len(search.deltas), sum(times)
        print(f"{n_deltas} deltas: fit {fit_time:.2f} s, score {spent:.2f} s")
    context.call_on_fit_task_end(estimator=corrector)
    return scores, fit_time, times, seen, answers


def _scores(scorers, models, held_out):
    """Scores (n_candidates, n_scorers), and seconds of each candidate."""
    measures = scorers_on(scorers, models[0], held_out)
    scores, times = [], []
    for model in models:
        start = perf_counter()
        scores.append([measure(model) for measure in measures])
        times.append(perf_counter() - start)
    return np.array(scores), times


def path_of(corrector, table, deltas, weighted, options, report=True):
    """Correctors for all deltas, in the order given."""
    given = corrector.sensitive_feature_ids is None
    return corrector._path(
        table.X,
        table.target,
        deltas,
        report=report,
        sensitive_features=table.sensitive_features if given else None,
        sample_weight=table.sample_weight if weighted else None,
        **options,
    )


def checked_groups(groups, n_samples):
    """What must stay on one side of a split, as a vector; None where nothing must.

    Raises
    ------
    ValueError
        If its length is not that of X, or values are missing.
    """
    if groups is None:
        return None
    groups = column_or_1d(groups)
    missing = int(pd.isna(groups).sum())
    if len(groups) != n_samples or missing:
        raise ValueError(
            f"groups has {len(groups)} values, {missing} of them missing, where X has "
            f"{n_samples} rows. Give one value for each row."
        )
    return groups
