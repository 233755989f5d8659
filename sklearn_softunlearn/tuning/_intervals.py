# SPDX-License-Identifier: BSD-3-Clause
"""Scores of all held-out rows of a search together, and their intervals.

Every row is held out of one fold and answered by the model of that fold. The metric of
all these answers together is *pooled*: of a gap it is the one of all rows, where the
mean of the folds is one of gaps that each have the noise of few rows. The rows are
drawn again, the models are as they are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_softunlearn.confidence import (
    check_level,
    check_n_bootstrap,
    generator,
    model_intervals,
    values_of_models,
)
from sklearn_softunlearn.scoring import counted_score
from sklearn_softunlearn.tuning._scoring import metadata_of

_COLUMNS = ("pooled", "low", "high", "change", "change_low", "change_high")


@dataclass(frozen=True)
class Intervals:
    """What to draw of the scorers.

    Attributes
    ----------
    confidence_level : float
    n_bootstrap : int or None
        0 draws nothing.
    random_state : int or RandomState instance
    """

    confidence_level: float
    n_bootstrap: int | None
    random_state: Any

    @classmethod
    def of(cls, search):
        """The parameters of a search, checked.

        Raises
        ------
        ValueError
            If one is out of range.
        """
        check_level(search.confidence_level, "confidence_level")
        if search.n_bootstrap not in (None, 0):
            check_n_bootstrap(search.n_bootstrap)
        seed = 0 if search.random_state is None else search.random_state
        return cls(search.confidence_level, search.n_bootstrap, seed)

    def answers(self, scorers, models, rows):
        """What all models say of rows, for each scorer that counts it.

        Returns
        -------
        dict of str to (classes, list of ndarray)
            Models that say the same share one array.
        """
        found, known = {}, {}
        for name, scorer in scorers.items():
            counted = _counted(scorer, models[0], rows)
            if counted is None:
                continue
            answer, labels = counted.answers, counted.of_labels
            key = answer.methods, answer.positive, labels
            if key not in known:
                every = (answer(model, rows.X) for model in models)
                known[key] = _shared(every, labels)
            found[name] = answer.counted_classes, known[key]
        return found

    def columns(self, search, path, folds, seen):
        """Columns of ``cv_results_`` for the scorers that all folds answered.

        Parameters
        ----------
        search : Search
        path : list of SoftUnlearnCorrector
            Of the classes of those that answered.
        folds : list of (train, test)
        seen : sequence of dict
            Of each fold, as `answers` returns it.
        """
        held_out = np.concatenate([test for _, test in folds])
        if len(np.unique(held_out)) < len(held_out):
            return {}  # the same row is no new evidence
        rows, model, base = (
            search.table.take(held_out),
            search.models(path)[0],
            search.base(),
        )
        rng, table = generator(self.random_state), {}
        for name in seen[0]:
            counted = _counted(search.scorers[name], model, rows)
            given = [fold.get(name) for fold in seen]
            if counted is None or not _alike(given, counted):
                continue
            of = counted.criterion, counted.rows
            of += (_joined([answers for _, answers in given]),)
            found = model_intervals(
                *of, base or 0,
                level=self.confidence_level, n_bootstrap=self.n_bootstrap, rng=rng,
            )  # fmt: skip
            if found is None:
                table[f"pooled_test_{name}"] = counted.sign * values_of_models(*of)
                continue
            columns = zip(_COLUMNS, found.times(counted.sign), strict=True)
            table |= {f"{column}_test_{name}": ends for column, ends in columns}
        if base is None:
            return {k: v for k, v in table.items() if not k.startswith("change")}
        return table


def _counted(scorer, model, rows):
    return counted_score(scorer, model, rows.X, rows.y, **metadata_of(scorer, rows))


def _alike(given, counted):
    """Whether every fold answered, in the classes of all rows."""
    classes = counted.answers.counted_classes
    return all(fold is not None and fold[0] == classes for fold in given)


def _shared(answers, labels):
    """The same list, where equal arrays are one: scores are those of all thresholds."""
    shared = []
    for each in answers:
        each = each.astype(bool) if labels else each
        same = shared and np.array_equal(shared[-1], each)
        shared.append(shared[-1] if same else each)
    return shared


def _joined(of_folds):
    """Answers of each candidate on the rows of all folds; one array for the same."""
    joined, found = {}, []
    for parts in zip(*of_folds, strict=True):
        key = tuple(map(id, parts))
        if key not in joined:
            joined[key] = np.concatenate(parts)
        found.append(joined[key])
    return found
