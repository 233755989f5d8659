# SPDX-License-Identifier: BSD-3-Clause
"""Checks of the constructor parameters, made when `fit` is called."""

from numbers import Real

import numpy as np

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.criteria import resolve_criterion
from sklearn_softunlearn.influence import resolve_curvature
from sklearn_softunlearn.updates import resolve_update
from sklearn_softunlearn.weights import ExactDeletion, HardDeletion, SparseDeletion

_CHOICES = {
    "on_infeasible": ("raise", "warn"),
    "calibrate": ("safeguard", "labels", None),
    "small_groups": ("keep", "merge", "refuse"),
}

_WEIGHTINGS = {
    "auto": None,
    "exact": ExactDeletion(),
    "soft": None,
    "sparse": SparseDeletion(),
    "hard": HardDeletion(),
}

_RANGES = {
    "delta": ("in [0, 1]", lambda value: 0 <= value <= 1),
    "regularization": ("> 0", lambda value: value > 0),
    "min_group_size": (">= 1", lambda value: value >= 1),
    "max_weight": ("in (0, 1]", lambda value: 0 < value <= 1),
    "min_weight": ("<= 0 and finite", lambda value: -float("inf") < value <= 0),
}

_OPTIONAL_RANGES = {
    "utility_tol": (">= 0 and finite", lambda value: 0 <= value < float("inf")),
    "validation_fraction": ("strictly between 0 and 1", lambda value: 0 < value < 1),
}


def check_parameters(corrector):
    """Raise ValueError for the first parameter that is out of range or unknown."""
    given = {
        name: condition
        for name, condition in _OPTIONAL_RANGES.items()
        if getattr(corrector, name) is not None
    }
    for name, (meaning, allowed) in (_RANGES | given).items():
        value = getattr(corrector, name)
        # NaN fails every comparison.
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not allowed(value):
            raise ValueError(f"{name}={value!r} must be a number {meaning}.")
    for name, choices in _CHOICES.items():
        value = getattr(corrector, name)
        if not isinstance(value, str | None) or value not in choices:
            raise ValueError(unknown_choice(name, value, choices))
    _check_bins(corrector.bins)
    resolve_criterion(corrector.metric, "metric")
    resolve_criterion(corrector.utility, "utility")
    resolve_weighting(corrector.weighting)
    resolve_update(corrector.update)
    resolve_curvature(corrector.curvature, n_parameters=1)


def _check_bins(bins):
    if bins is None:
        return
    edges = np.asarray(bins)
    if edges.ndim == 0 and edges.dtype.kind in "iu" and edges >= 2:
        return
    if edges.ndim == 1 and edges.dtype.kind in "iuf" and np.all(np.diff(edges) > 0):
        return
    raise ValueError(
        f"bins={bins!r} must be None, a number of intervals >= 2, or edges that "
        "increase."
    )


def resolve_weighting(weighting):
    """None for soft weights, else the object that chooses others.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    chooses = hasattr(weighting, "choose") or isinstance(weighting, ExactDeletion)
    if chooses and not isinstance(weighting, type):
        return weighting
    if isinstance(weighting, str) and weighting in _WEIGHTINGS:
        return _WEIGHTINGS[weighting]
    others = "an object such as HardDeletion(k=0.2)"
    raise ValueError(unknown_choice("weighting", weighting, list(_WEIGHTINGS), others))
