# SPDX-License-Identifier: BSD-3-Clause
"""Correctors for many values of delta, which share the base fit and the influences."""

from collections.abc import Iterable
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import clone

from sklearn_softunlearn.corrector._progress import Progress
from sklearn_softunlearn.corrector._sequence import adopt, prepare_fit
from sklearn_softunlearn.corrector.inputs._parameters import check_parameters
from sklearn_softunlearn.corrector.report._signatures import warn_of
from sklearn_softunlearn.corrector.stages._requests import carry_out
from sklearn_softunlearn.exceptions import held_back, warn_of_held


class PathMixin:
    """The method `path` of a corrector, of which only delta varies."""

    def path(
        self, X: Any, y: ArrayLike, *, deltas: Iterable[float], **fit_options: Any
    ) -> list[Self]:
        """Fitted correctors for several values of delta, from one base fit.

        Parameters
        ----------
        X, y : as in `fit`
        deltas : iterable of float in [0, 1]
        **fit_options : dict
            Everything else that `fit` accepts.

        Returns
        -------
        list of SoftUnlearnCorrector
            One for each delta, equal to what `fit` gives with that delta. They share
            the base model and the influences.
        """
        correctors = self._path(X, y, deltas, report=True, **fit_options)
        warn_of([corrector.report_ for corrector in correctors])
        return correctors

    def _path(self, X, y, deltas, *, report, context=None, **fit_options):
        correctors = [clone(self).set_params(delta=delta) for delta in deltas]
        for corrector in correctors:
            check_parameters(corrector)
        template = clone(self)
        progress = Progress(template, context)
        prepared = prepare_fit(template, X, y, progress=progress, **fit_options)
        seen = {
            name: vars(template)[name] for name in vars(template) if name[-1] == "_"
        }
        # In increasing order, so that each starts near its solution.
        ordered = sorted(correctors, key=lambda corrector: corrector.delta)
        with progress.stage(2) as stage, progress.task(stage), held_back() as held:
            attempts = carry_out(ordered, prepared)
        warn_of_held(held)
        for corrector, done in zip(ordered, attempts, strict=True):
            vars(corrector).update(seen)
            adopt(corrector, prepared, done, report=report)
        return correctors
