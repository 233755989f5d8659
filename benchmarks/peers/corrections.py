# SPDX-License-Identifier: BSD-3-Clause
"""Ways to use the corrector, in the form of `benchmarks.peers.mitigations`.

Metric and utility are measured on the training rows, as the reductions measure them,
unless a function says otherwise.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.frozen import FrozenEstimator

from benchmarks.data.label_metrics import violation
from benchmarks.peers.mitigations import Predictor, asked_of, by_labels, logistic
from sklearn_softunlearn import (
    InfluenceUpdate,
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
)

# The paper's method, with the utility held to first order.
FIRST_ORDER = {"weighting": "soft", "utility_tol": 0.0}
# Of the log-odds.
THRESHOLDS = np.linspace(-1.0, 1.0, 21)


def path(train, val, metric, deltas, **options):
    """Corrected models of one base model, one for each delta."""
    models = list(_path(train, metric, deltas, **options))
    # The surrogate is the gap of the probabilities.
    gaps = [_gap_of_scores(model, train, metric) for model in models]
    before = _gap_of_scores(logistic().fit(train.X, train.y), train, metric)
    return [
        replace(by_labels(model), asked=(1.0 - delta) * before, realised=gap)
        for model, delta, gap in zip(models, deltas, gaps, strict=True)
    ]


def _gap_of_scores(model, part, metric):
    score = model.predict_proba(part.X)[:, 1]
    return violation(metric, part.y, score, part.groups)


def _path(train, metric, deltas, *, model=logistic, measured_on=None, **options):
    base = model().fit(train.X, train.y)
    corrector = SoftUnlearnCorrector(FrozenEstimator(base), metric=metric, **options)
    rows = {} if measured_on is None else _as_validation(measured_on)
    return corrector.path(
        train.X, train.y, deltas=deltas, sensitive_features=train.groups, **rows
    )


def _as_validation(part):
    return {
        "X_val": part.X,
        "y_val": part.y,
        "sensitive_features_val": part.groups,
    }


def path_and_threshold(train, val, metric, deltas, **options):
    """Every second model of the path, each with several decision thresholds."""
    return [
        Predictor(partial(_above, model, threshold))
        for model in _path(train, metric, deltas[::2], **options)
        for threshold in THRESHOLDS
    ]


def base_and_threshold(train, val, metric, knobs):
    """The base model with several decision thresholds, without any correction."""
    return path_and_threshold(train, val, metric, np.zeros(1))


def _above(model, threshold, X, groups):
    return model.decision_function(X) > threshold


def calibrated(train, val, metric, targets, **options):
    """For each target the delta that leaves it, met by labels of validation rows."""
    base = logistic().fit(train.X, train.y)
    before = violation(metric, val.y, base.predict(val.X), val.groups)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(base), metric=metric, calibrate="labels", **options
    )
    deltas = [max(0.0, 1.0 - target / before) for target in targets]
    models = corrector.path(
        train.X,
        train.y,
        deltas=deltas,
        sensitive_features=train.groups,
        **_as_validation(val),
    )
    return [
        asked_of(by_labels(model), val, metric, min(target, before))
        for model, target in zip(models, targets, strict=True)
    ]


def cross_validated(train, val, metric, targets, **options):
    """For each target the delta that cross-validation of the training rows chooses.

    Where a fold lacks a group, so that no delta has a score, the user is left with the
    base model.
    """
    search = SoftUnlearnCorrectorCV(
        SoftUnlearnCorrector(logistic(), metric=metric, **options),
        deltas=21,
        refit=Requirement(metric_at_most=targets[0]),
    )
    try:
        search.fit(train.X, train.y, sensitive_features=train.groups)
    except ValueError:
        return [by_labels(logistic().fit(train.X, train.y))] * len(targets)
    choices = [Requirement(metric_at_most=t)(search.cv_results_) for t in targets]
    base = violation(metric, train.y, search.path_[0].predict(train.X), train.groups)
    return [
        asked_of(by_labels(search.path_[choice]), train, metric, min(target, base))
        for choice, target in zip(choices, targets, strict=True)
    ]


# Chosen on the validation rows, as the peers.
ALONG_DELTA = {
    "ours, exact": path,
    "ours, exact and threshold": path_and_threshold,
    "ours, one step": partial(path, **FIRST_ORDER),
    "ours, re-linearised": partial(
        path, update=InfluenceUpdate(max_iter=10), **FIRST_ORDER
    ),
    "ours, Newton step": partial(path, update="newton", **FIRST_ORDER),
    "ours, Newton step and threshold": partial(
        path_and_threshold, update="newton", **FIRST_ORDER
    ),
}

# One model for each target.
FOR_TARGETS = {
    "ours, exact, calibrated": calibrated,
    "ours, exact, cross-validated": cross_validated,
    "ours, one step, calibrated": partial(calibrated, **FIRST_ORDER),
    "ours, Newton step, calibrated": partial(
        calibrated, update="newton", **FIRST_ORDER
    ),
    "ours, Newton step, cross-validated": partial(
        cross_validated, update="newton", **FIRST_ORDER
    ),
}
