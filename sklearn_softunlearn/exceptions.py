# SPDX-License-Identifier: BSD-3-Clause
"""Errors and warnings that are specific to this package.

Each below what it is a kind of::

    ValueError
        InfeasibleDeltaError
    UserWarning
        InfeasibleDeltaWarning
        CurvatureWarning
        NothingToCorrectWarning
        RequirementNotMetWarning
        UpdateStoppedWarning
        SmallGroupWarning
        CorrectionWarning
            OverCorrectionWarning
            LabelsWorseWarning
            GapReversedWarning
            UtilityCollapseWarning
            OneClassWarning
            HeldOutWorseWarning
    sklearn.exceptions.ConvergenceWarning
        BaseNotConvergedWarning

Bad input is an ordinary ValueError or TypeError.

To treat what is certainly wrong with a correction as an error:

>>> import warnings
>>> from sklearn_softunlearn.exceptions import CorrectionWarning, OneClassWarning
>>> with warnings.catch_warnings():
...     warnings.simplefilter("error", CorrectionWarning)
...     try:
...         warnings.warn("Nearly all rows are selected.", OneClassWarning)
...     except CorrectionWarning as error:
...         print(f"not used: {error}")
not used: Nearly all rows are selected.
"""

import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

from sklearn.exceptions import ConvergenceWarning

# scikit-learn's decorators of `fit` and of `transform`, which stand between this
# package and its caller.
_BETWEEN = ("sklearn.callback.", "sklearn.utils._set_output")

_UNSAID: ContextVar[tuple] = ContextVar("unsaid", default=())
_HELD: ContextVar[dict | None] = ContextVar("held", default=None)


class InfeasibleDeltaError(ValueError):
    """No deletion weights reach the requested improvement."""


class InfeasibleDeltaWarning(UserWarning):
    """The requested improvement is out of reach; the largest one was used."""


class CurvatureWarning(UserWarning):
    """The Hessian is singular, or a solve with it did not converge."""


class NothingToCorrectWarning(UserWarning):
    """The metric is at its optimum already; the model is left unchanged."""


class SmallGroupWarning(UserWarning):
    """A sensitive group has too few rows for what is measured on it."""


class UpdateStoppedWarning(UserWarning):
    """An update was stopped before it did harm, and the last good step was kept."""


class CorrectionWarning(UserWarning):
    """A correction did not do what was asked of it; children say in which way."""


class OverCorrectionWarning(CorrectionWarning):
    """What was asked would have done harm; less was done."""


class LabelsWorseWarning(CorrectionWarning):
    """The smooth surrogate improved, and the metric of the labels got worse."""


class GapReversedWarning(CorrectionWarning):
    """The gap changed its sign, and is larger than was asked for."""


class UtilityCollapseWarning(CorrectionWarning):
    """A larger share of the utility was lost than of the metric was gained."""


class OneClassWarning(CorrectionWarning):
    """Nearly all rows are predicted to be of one class."""


class HeldOutWorseWarning(CorrectionWarning):
    """The metric got worse on rows that the correction has not seen."""


class RequirementNotMetWarning(UserWarning):
    """No candidate of a search meets the requirement; the nearest was taken."""


class BaseNotConvergedWarning(ConvergenceWarning):
    """The base model is not at the optimum of its training objective."""


def warn(message, category):
    """Issue a warning that points to the line outside this package that led to it.

    A fixed stacklevel would be wrong for every caller but one.
    """
    if issubclass(category, _UNSAID.get()):
        return
    if (held := _HELD.get()) is not None:
        held.setdefault(category, []).append(message)
        return
    package = __name__.partition(".")[0]
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _inside(frame.f_back, package):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)


@contextmanager
def held_back():
    """Keep warnings for `warn_of_held`: yields a dict of messages by their class."""
    held = {}
    token = _HELD.set(held)
    try:
        yield held
    finally:
        _HELD.reset(token)


def warn_of_held(held):
    """One warning for each class of those that were held back: the first of them."""
    for category, (first, *others) in held.items():
        more = f" (And so for {len(others)} other requests.)" if others else ""
        warn(first + more, category)


@contextmanager
def unsaid(*categories):
    """Leave warnings of these classes out, in this thread alone.

    Filters of `warnings` belong to the process: threads that set and restore them leave
    each other's behind.
    """
    token = _UNSAID.set((*_UNSAID.get(), *categories))
    try:
        yield
    finally:
        _UNSAID.reset(token)


def _inside(frame, package):
    module = frame.f_globals.get("__name__", "")
    return module.partition(".")[0] == package or module.startswith(_BETWEEN)
