# SPDX-License-Identifier: BSD-3-Clause
"""The folds of a search, and the correction after it, as callbacks see them."""

from contextlib import contextmanager

from sklearn_softunlearn.corrector import STAGES

SCORES = "scores"


class SearchProgress:
    """Tells scikit-learn's callbacks what a search does.

    Parameters
    ----------
    search : estimator
        The one that is being fitted, which supports callbacks.
    X, y : array-like
        Of its fit.
    """

    def __init__(self, search, X, y):
        self._search, self._rows = search, {"X": X, "y": y}
        self._context = search._init_callback_context(max_subtasks=2)
        self._context.call_on_fit_task_begin(estimator=search, **self._rows)

    def end(self):
        """End the fit."""
        self._context.call_on_fit_task_end(estimator=self._search, **self._rows)

    @contextmanager
    def cross_validation(self, n_folds):
        """Around all folds; gives a context for each, to be taken to its process."""
        options = {"max_subtasks": n_folds, "sequential_subtasks": False}
        with self._task("cross-validation", **options) as context:
            # All of them now: the tree must not change while it is being pickled.
            yield [
                context.subcontext(
                    task_name="fold", task_id=k, max_subtasks=len(STAGES) + 1
                )
                for k in range(n_folds)
            ]

    @contextmanager
    def all_rows(self):
        """Around the correction of all rows; gives its context."""
        with self._task("all rows", max_subtasks=len(STAGES)) as context:
            yield context

    @contextmanager
    def _task(self, name, **options):
        context = self._context.subcontext(task_name=name, **options)
        context.call_on_fit_task_begin(estimator=self._search, **self._rows)
        yield context
        context.call_on_fit_task_end(estimator=self._search, **self._rows)
