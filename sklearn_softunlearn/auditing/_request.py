# SPDX-License-Identifier: BSD-3-Clause
"""What was asked of a correction, what it promised, and what it did where it chose."""

from sklearn_softunlearn.criteria import (
    CriterionList,
    GroupMetric,
    criterion_name,
    resolve_criterion,
)


def asked_metrics(corrector, metric):
    """Group metrics that were to be improved, a list of `GroupMetric`.

    Parameters
    ----------
    corrector : SoftUnlearnCorrector, SoftUnlearnCorrectorCV or None
    metric : str, callable, GroupMetric, list of these or None
        None takes the metric of the corrector.
    """
    given = _metric_of(corrector) if metric is None else metric
    if given is None:
        return []
    criteria = _flat(resolve_criterion(given, "metric"))
    return [each for each in criteria if isinstance(each, GroupMetric)]


def request_of(corrector):
    """Settings of the correction that were asked for, a dict; None without one."""
    if corrector is None:
        return None
    report = corrector.report_
    chosen = hasattr(corrector, "delta_")
    inner = getattr(corrector, "corrector_", corrector)
    return {
        "metric": criterion_name(inner.metric),
        "utility": criterion_name(inner.utility),
        "delta": report.delta,
        "delta_max": float(inner.delta_max_),
        "solved_for": report.request,
        "delta_was": "chosen by cross-validation" if chosen else "given",
        "requirement": repr(corrector.refit) if chosen else None,
        "status": str(report.status),
        "update": str(inner.update),
        "weighting": str(inner.weighting),
    }


def promise_of(corrector):
    """Asked, predicted and realised on the rows that chose the weights; or None.

    Returns
    -------
    dict
        "rows" says which rows, "n" how many; "lines" has those of the report, with
        "asked" where the request says what the number should be.
    """
    if corrector is None:
        return None
    report = corrector.report_
    metric = getattr(corrector, "corrector_", corrector).metric
    names = {criterion.name for criterion in _flat(resolve_criterion(metric, "metric"))}
    return {
        "rows": report.evaluated_on,
        "n": report.n_evaluation,
        "lines": [
            {
                "name": line.name,
                "kind": line.kind,
                "before": line.before,
                "asked": _asked(line, report.delta) if line.name in names else None,
                "predicted": line.predicted,
                "after": line.after,
            }
            for line in report.lines
        ],
    }


def realised_fraction(measurement):
    """Share of the way to parity that was gone, NaN where parity is no fixed number."""
    parity = _parity(measurement.name)
    before = measurement.before
    if parity is None or before == parity:
        return float("nan")
    return (measurement.after - before) / (parity - before)


def _asked(line, delta):
    parity = _parity(line.name)
    return None if parity is None else line.before + delta * (parity - line.before)


def _parity(name):
    title = name.partition("(")[0]
    if title.endswith("_difference"):
        return 0.0
    return 1.0 if title.endswith("_ratio") else None


def _metric_of(corrector):
    return getattr(getattr(corrector, "corrector_", corrector), "metric", None)


def _flat(criterion):
    if isinstance(criterion, CriterionList):
        return [part for each in criterion.criteria for part in _flat(each)]
    return [criterion]
