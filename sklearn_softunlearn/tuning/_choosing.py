# SPDX-License-Identifier: BSD-3-Clause
"""What a search chooses from, and how: its ``deltas`` and ``refit``, checked."""

from numbers import Integral

import numpy as np

from sklearn_softunlearn.tuning._evidence import Evidence
from sklearn_softunlearn.tuning._requirement import Requirement

_DEFAULT_REQUIREMENT = Requirement(utility_loss_at_most=0.005)


def candidates(deltas):
    """Values of delta for a number or a list of these.

    Raises
    ------
    ValueError
        If a value is out of range.
    """
    if isinstance(deltas, Integral) and not isinstance(deltas, bool):
        if deltas < 2:
            raise ValueError(f"deltas={deltas} must be at least 2, or a list.")
        return np.linspace(0.0, 1.0, deltas)
    values = np.asarray(deltas, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"deltas={deltas!r} must hold numbers in [0, 1].")
    return values


def chooser(refit, scoring, scorers, deltas):
    """Function from ``cv_results_`` to an index; an invalid one fails here."""
    if refit is None and scoring is None:
        refit = _DEFAULT_REQUIREMENT
    if isinstance(refit, Requirement):
        refit.check(list(scorers), deltas)
    if callable(refit):
        return refit
    name = next(iter(scorers)) if refit is None and len(scorers) == 1 else refit
    if name not in scorers:
        raise ValueError(
            f"refit={refit!r} must be a Requirement, a function of cv_results_, or the "
            f"name of one of the scorers {list(scorers)}."
        )
    # As GridSearchCV: the first of the best.
    return lambda results: int(np.argmin(results[f"rank_test_{name}"]))


def evidence_for(choose, scorers, test_size):
    """What the tests want to know; None where nothing is promised."""
    if getattr(choose, "confidence", None) is not None:
        return Evidence.of(choose, scorers)
    if test_size is not None:
        raise ValueError(
            "test_size holds out rows that test a Requirement with a confidence. Give "
            "refit=Requirement(..., confidence=0.95), or leave test_size=None."
        )
    return None


def checked_index(index, n_candidates):
    """The index that ``refit`` returned, if it is one."""
    if not isinstance(index, Integral) or not 0 <= index < n_candidates:
        raise ValueError(
            f"refit returned {index!r}. It must return the index of one of the "
            f"{n_candidates} candidates."
        )
    return int(index)
