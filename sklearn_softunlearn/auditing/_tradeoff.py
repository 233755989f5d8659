# SPDX-License-Identifier: BSD-3-Clause
"""The curve that the chosen model is one point of."""

from sklearn_softunlearn.display import TradeoffDisplay
from sklearn_softunlearn.models import predictor, transformed

_MEASURED = ("metric", "utility")
_ENDS = tuple(f"{name}_{end}" for name in _MEASURED for end in ("low", "high"))


def tradeoff_of(subject, path, held_out, asked, settings):
    """Metric and utility of every candidate on the held-out rows.

    Parameters
    ----------
    subject : Subject
    path : list of fitted SoftUnlearnCorrector, or None
        None takes those of a `SoftUnlearnCorrectorCV`.
    held_out : ValidationData
    asked : list of GroupMetric
        The first is the metric of the curve; without one, that of the correctors is.
    settings : dict
        Those of the intervals, as `audit` takes them.

    Returns
    -------
    curve : dict or None
        "metric" and "utility" are names; "points" has one entry for each delta,
        "before" and "chosen" one each. None without a path.
    remarks : list of str
        Why there is no curve, though there is a path.
    """
    path = getattr(subject.corrector, "path_", None) if path is None else path
    if not path:
        return None, []
    try:
        display = _display(subject, path, held_out, asked, settings)
    except (TypeError, ValueError) as error:
        # Undefined for every delta, where a group holds no rows that it counts.
        return None, [f"There is no trade-off curve: {error}"]
    return _curve(display, subject.corrector), []


def _display(subject, path, held_out, asked, settings):
    return TradeoffDisplay.from_path(
        path,
        transformed(subject.after, held_out.X),  # in a Pipeline, what a candidate sees
        held_out.y,
        sensitive_features=held_out.sensitive_features,
        metric=asked[0] if asked else None,
        others={"chosen": predictor(subject.after)},
        # Where every row must be drawn, many candidates would take many times as long
        # as the rest of the audit; those of the two models are in other sections.
        **settings | {"n_bootstrap": None if settings["n_bootstrap"] else 0},
    )


def _curve(display, corrector):
    delta = getattr(getattr(corrector, "report_", None), "delta", None)
    chosen = display.others["chosen"]
    return {
        "metric": display.metric_name,
        "utility": display.utility_name,
        "points": _points(display),
        "before": {"metric": display.base[0], "utility": display.base[1]},
        "chosen": {"delta": delta, "metric": chosen[0], "utility": chosen[1]},
    }


def _points(display):
    names = "delta", *_MEASURED, *_ENDS
    columns = [getattr(display, name).tolist() for name in names]
    return [dict(zip(names, of, strict=True)) for of in zip(*columns, strict=True)]
