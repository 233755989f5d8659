# SPDX-License-Identifier: BSD-3-Clause
"""``--require``: delta is chosen so that a requirement is met, with a confidence."""

import argparse
import re
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.base import clone

from sklearn_softunlearn import (
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
)
from sklearn_softunlearn.cli._model import DELTAS
from sklearn_softunlearn.tuning import scores_of

_FORM = re.compile(r"\s*(\w+)\s*(<=|>=)\s*([0-9.eE+-]+)\s*(?:@\s*([0-9.]+)\s*)?")


@dataclass(frozen=True)
class Required:
    """A requirement as it was typed, and what it says."""

    text: str
    metric: str
    requirement: Requirement

    def outcome(self, search):
        """What became of it, as numbers and strings."""
        results, k = search.cv_results_, search.best_index_
        bound, limit = self.requirement.bound()
        found = {
            "asked": self.text,
            "confidence": self.requirement.confidence,
            "delta": float(search.delta_),
        }
        if self.requirement.confidence is not None:
            smallest = float(results[f"bound_test_{self.metric}"][k])
            return found | {"met": bool(results["kept"][k]), "bound": smallest}
        value = abs(float(scores_of(results, self.metric)[k]))
        met = value <= limit if bound == "metric_at_most" else value >= limit
        return found | {"met": bool(met), "bound": None}


def required(text):
    """Read ``metric<=value@confidence``; the confidence may be left out.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not of that form, or a number is out of range.
    """
    parts = _FORM.fullmatch(text)
    if parts is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form METRIC<=VALUE@CONFIDENCE, such as "
            "'demographic_parity_difference<=0.05@0.95'; of a ratio or a worst score "
            "METRIC>=VALUE@CONFIDENCE"
        )
    metric, sign, value, confidence = parts.groups()
    side = "metric_at_most" if sign == "<=" else "metric_at_least"
    try:
        requirement = Requirement(
            **{side: float(value)},
            confidence=None if confidence is None else float(confidence),
        )
        requirement.bound()
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Required(text.strip(), metric, requirement)


def with_evaluation(train, evaluation):
    """Training rows with those of the evaluation, since the folds do the measuring."""
    return replace(
        train,
        X=pd.concat([train.X, evaluation.X], ignore_index=True),
        y=np.concatenate([train.y, evaluation.y]),
        groups=np.concatenate([train.groups, evaluation.groups]),
    )


def correct_as_required(model, train, wanted, *, seed, **options):
    """Correct with the delta that a requirement takes; the search and its seconds.

    The folds of the training rows test it, each on rows that its model has not seen;
    the held-out rows stay for the audit.
    """
    corrector = SoftUnlearnCorrector(clone(model), pos_label=train.positive, **options)
    search = SoftUnlearnCorrectorCV(
        corrector, deltas=DELTAS, refit=wanted.requirement, random_state=seed
    )
    start = perf_counter()
    search.fit(train.X, train.y, sensitive_features=train.groups)
    return search, perf_counter() - start


def sentence(outcome):
    """What became of a requirement, for a terminal."""
    if outcome["confidence"] is None:
        kept = "is met on held-out rows" if outcome["met"] else "is not met"
        return f"requirement {outcome['asked']}: {kept}, delta {outcome['delta']:g}"
    kept = "is promised" if outcome["met"] else "cannot be promised"
    return (
        f"requirement {outcome['asked']}: {kept}; with {outcome['confidence']:.0%} "
        f"confidence the bound is {outcome['bound']:.4g} (delta {outcome['delta']:g})"
    )
