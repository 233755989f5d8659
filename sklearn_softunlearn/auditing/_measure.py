# SPDX-License-Identifier: BSD-3-Clause
"""`audit`: the sections of an audit, measured one after the other."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_softunlearn.auditing._audit import SCHEMA, Audit
from sklearn_softunlearn.auditing._calibration import calibration_curves
from sklearn_softunlearn.auditing._deletion import deletion_of
from sklearn_softunlearn.auditing._harm import got_worse, warn_of_worse
from sklearn_softunlearn.auditing._measured import measurements
from sklearn_softunlearn.auditing._notes import notes_of
from sklearn_softunlearn.auditing._plain import plain, short
from sklearn_softunlearn.auditing._provenance import provenance
from sklearn_softunlearn.auditing._request import (
    asked_metrics,
    promise_of,
    realised_fraction,
    request_of,
)
from sklearn_softunlearn.auditing._rows import judged_rows
from sklearn_softunlearn.auditing._subject import name_of, subject_of
from sklearn_softunlearn.auditing._tradeoff import tradeoff_of
from sklearn_softunlearn.confidence import check_level, check_n_bootstrap
from sklearn_softunlearn.corrector import ValidationData
from sklearn_softunlearn.criteria import Criterion


def audit(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    before: Any = None,
    sensitive_features: Any = None,
    sample_weight: ArrayLike | None = None,
    X_train: Any = None,
    y_train: ArrayLike | None = None,
    sensitive_features_train: Any = None,
    sample_weight_train: ArrayLike | None = None,
    path: Any = None,
    metric: str | Callable[..., Any] | Criterion | Sequence[Any] | None = None,
    pos_label: Any = None,
    n_largest: int = 10,
    confidence_level: float = 0.95,
    n_bootstrap: int = 2000,
    random_state: int | np.random.RandomState | None = 0,
    title: str | None = None,
) -> Audit:
    """Measure a model before and after a correction, for a reader who writes no code.

    For each group and for all rows: number of rows, selection rate, true and false
    positive rate, accuracy, mean score and log loss, with intervals; every metric of
    fairlearn by its name, with the groups that it comes from; calibration by group; the
    trade-off curve; whose rows were deleted; what was asked, predicted and reached;
    what nobody asked for and got worse; notes; and what it takes to repeat it.

    Parameters
    ----------
    estimator : fitted estimator, or tuple (before, after) of two
        A `SoftUnlearnCorrector` or `SoftUnlearnCorrectorCV`, alone, as the last step of
        a Pipeline, or chosen by a search; or any classifier or regressor, which needs
        ``before``. Models whose `predict` takes sensitive features get them.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows that neither the fit nor the choice of delta has seen.
    y : array-like of shape (n_samples,)
    before : fitted estimator, default=None
        The model to compare with. None takes the base model of the corrector.
    sensitive_features : array-like of shape (n_samples,) or \
            (n_samples, n_columns), default=None
        Several columns are intersected. None takes the ``sensitive_feature_ids`` of the
        corrector; without these, groups are not compared.
    sample_weight : array-like of shape (n_samples,), default=None
        Rows of weight 0 are left out. The trade-off curve counts rows.
    X_train, y_train, sensitive_features_train, sample_weight_train : default=None
        The rows that the corrector was fitted on, to show whose were deleted.
    path : list of fitted SoftUnlearnCorrector, default=None
        Candidates of the trade-off curve, as ``path(...)`` of a corrector returns. None
        takes the ``path_`` of a `SoftUnlearnCorrectorCV`.
    metric : str, callable, GroupMetric or list of these, default=None
        What was asked to improve. None takes the metric of the corrector.
    pos_label : str, int, bool or None, default=None
        Class, of two, whose rates are measured. None is that of the corrector, else the
        second.
    n_largest : int, default=10
        Number of training rows to show one by one.
    confidence_level : float in (0, 1), default=0.95
        Of each interval on its own.
    n_bootstrap : int, default=2000
        Number of times that the rows are drawn again for the intervals, within each
        group and for both models at once; 0 leaves the intervals out. Those of the
        trade-off curve are of 1000 draws, for what counts labels.
    random_state : int, default=0
        Determines the draws, and seeds models that predict at random.
    title : str, default=None
        Title of the page. None names the model.

    Returns
    -------
    Audit

    Warns
    -----
    HeldOutWorseWarning
        If a metric that a corrector was asked to improve got worse on these rows, by
        more than noise.

    Raises
    ------
    ValueError
        If it is not clear what to compare with, the two models do not predict the same,
        or the rows do not fit each other.

    Examples
    --------
    >>> from sklearn_softunlearn import SoftUnlearnCorrector, audit
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(2000, random_state=0)
    >>> corrector = SoftUnlearnCorrector().fit(
    ...     X[:1000], y[:1000], sensitive_features=group[:1000])
    >>> done = audit(corrector, X[1000:], y[1000:], sensitive_features=group[1000:])
    >>> table = done.frame()
    >>> gap = table[table["name"] == "demographic_parity_difference"].iloc[0]
    >>> bool(gap["after"] < gap["before"])
    True
    >>> done.to_html()[:15]
    '<!DOCTYPE html>'
    """
    _check(n_largest, confidence_level, n_bootstrap)
    _check_in_memory(X, X_train)
    subject = subject_of(estimator, before)
    asked = asked_metrics(subject.corrector, metric)
    held_out = ValidationData(
        X, y, subject.features(X, sensitive_features), sample_weight
    )
    training = _training(
        subject, X_train, y_train, sensitive_features_train, sample_weight_train
    )
    if pos_label is None:
        pos_label = subject.setting("pos_label")
    judged = judged_rows(
        subject, held_out, pos_label=pos_label, random_state=random_state
    )
    settings = {
        "confidence_level": confidence_level,
        "n_bootstrap": n_bootstrap,
        "random_state": random_state,
    }
    curve, remarks = tradeoff_of(subject, path, held_out, asked, settings)
    made = provenance(subject, held_out, training, settings)
    measured = _measured(judged, asked, settings)
    if subject.corrector is not None:
        warn_of_worse(measured)
    notes = notes_of(subject, judged, on_training_rows=_same(made["data"]))
    document = {
        "schema": SCHEMA,
        "title": title or f"Audit of {subject.title}",
        **measured,
        "notes": [*notes, *remarks],
        "models": _models(subject),
        "request": request_of(subject.corrector),
        "promise": promise_of(subject.corrector),
        "tradeoff": curve,
        "deletion": deletion_of(subject.corrector, training, n_largest),
        "provenance": made,
    }
    return Audit(plain(document))


def _measured(judged, asked, settings):
    """What depends on the held-out rows and the two models alone."""
    parts = measurements(judged, asked, **settings)
    names = {criterion.name for criterion in asked}
    measured = {
        part: [_entry(m, names) for m in found] for part, found in parts.items()
    }
    return {
        "task": judged.task,
        "confidence_level": settings["confidence_level"],
        "n_bootstrap": settings["n_bootstrap"],
        "rows": judged.described(),
        **measured,
        "got_worse": got_worse(measured),
        "calibration": calibration_curves(judged, settings["confidence_level"]),
    }


def _models(subject):
    return {
        when: {"name": name_of(model), "text": short(model)}
        for when, model in (("before", subject.before), ("after", subject.after))
    }


def _entry(measurement, asked):
    entry = measurement.as_dict()
    entry["asked"] = measurement.name in asked
    entry["realised"] = realised_fraction(measurement) if entry["asked"] else None
    return entry


def _training(subject, X, y, sensitive_features, sample_weight):
    """Training rows, None if there are none."""
    if X is None and y is None:
        return None
    if X is None or y is None:
        raise ValueError("Give X_train and y_train together, or neither of them.")
    if subject.corrector is None:
        raise ValueError(
            "X_train shows whose rows a correction deleted, and there is no corrector: "
            "leave it out, or give a fitted SoftUnlearnCorrector."
        )
    features = subject.features(X, sensitive_features)
    return ValidationData(X, y, features, sample_weight)


def _check_in_memory(X, X_train):
    for name, rows in (("X", X), ("X_train", X_train)):
        if hasattr(rows, "__dask_graph__"):
            raise TypeError(
                f"{name} is a Dask collection, which is audited block by block by the "
                "method audit of a DaskSoftUnlearnCorrector."
            )


def _same(data):
    training = data["training"]
    return training is not None and training["sha256"] == data["held_out"]["sha256"]


def _check(n_largest, confidence_level, n_bootstrap):
    if not isinstance(n_largest, Integral) or n_largest < 0:
        raise ValueError(f"n_largest={n_largest!r} must be an integer >= 0.")
    check_level(confidence_level, "confidence_level")
    if n_bootstrap != 0:
        check_n_bootstrap(n_bootstrap)
