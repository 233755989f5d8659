# SPDX-License-Identifier: BSD-3-Clause
"""The stages of a fit, as callbacks and readers of the output see them."""

from contextlib import contextmanager
from time import perf_counter

from sklearn_softunlearn._sklearn_compat import NoCallbackContext

STAGES = ("base fit", "influences", "weights and update")


class Progress:
    """Tells scikit-learn's callbacks, and with ``verbose`` prints, what was done.

    Parameters
    ----------
    estimator : estimator
        The one that is being fitted.
    context : callback context, default=None
        Of its fit; None outside of one.
    """

    def __init__(self, estimator, context=None):
        self._estimator = estimator
        self._context = NoCallbackContext() if context is None else context

    @classmethod
    def of_fit(cls, estimator, X, y):
        """Begin the fit of an estimator that supports callbacks."""
        context = estimator._init_callback_context(max_subtasks=len(STAGES))
        context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
        return cls(estimator, context)

    def end(self, X, y):
        """End the fit."""
        self._context.call_on_fit_task_end(estimator=self._estimator, X=X, y=y)

    @contextmanager
    def stage(self, number):
        """One of the stages, by its position; gives the context of the stage."""
        context = self._context.subcontext(task_name=STAGES[number])
        start = perf_counter()
        yield context
        if self._estimator.verbose:
            print(
                f"[{type(self._estimator).__name__}] ({number + 1} of {len(STAGES)}) "
                f"{STAGES[number]}: {perf_counter() - start:.2g} s"
            )

    @contextmanager
    def task(self, context):
        """The work of a stage that is not the fit of a sub-estimator."""
        context.call_on_fit_task_begin(estimator=self._estimator)
        yield
        context.call_on_fit_task_end(estimator=self._estimator)
