# SPDX-License-Identifier: BSD-3-Clause
"""Drawings as SVG, by hand, whose colours follow the page.

A file of matplotlib has colours of its own. A drawing is a function of numbers and of
what it says in words, for those who hear it.
"""

import math

from sklearn_softunlearn.auditing.page._html import element, text

_WIDTH = 400
_LEFT, _RIGHT = 10, 14


def axis(low, high, n_ticks=5):
    """Round numbers from at most ``low`` to at least ``high``."""
    extent = high - low
    if not extent > 0:
        extent = abs(high) or 1.0
        low, high = low - extent / 2, high + extent / 2
    size = 10.0 ** math.floor(math.log10(extent / n_ticks))
    step = next(m * size for m in (1, 2, 5, 10, 20) if extent / (m * size) <= n_ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def dots(rows, alternative, shown):
    """Before and after on one line each, with intervals, for every row.

    Parameters
    ----------
    rows : list of (label, before, after)
        Estimates: dicts with "value", "low" and "high".
    alternative : str
        What the drawing says, in words.
    shown : callable
        From a number to its text on the axis.
    """
    rows = [row for row in rows if None not in (row[1]["value"], row[2]["value"])]
    ends = [v for _, *pair in rows for e in pair for v in e.values() if v is not None]
    ticks = axis(min(ends, default=0), max(ends, default=1))
    x = _scale(ticks, _LEFT + 8, _WIDTH - _RIGHT - 8)
    height = 52 * len(rows) + 24
    inside = _ticks_x(ticks, x, 0, height - 20, shown)
    for i, (label, before, after) in enumerate(rows):
        top = 52 * i
        inside.append(element("text", text(_cut(label)), x=2, y=top + 12))
        inside.append(_whisker(before, x, top + 26, "before"))
        inside.append(_whisker(after, x, top + 40, "after"))
    return _svg(height, inside, alternative)


def bars(rows, alternative, shown):
    """One bar for each (label, value), from 0.

    ``shown`` has a function for the values and one for the axis.
    """
    ticks = axis(0.0, max((value for _, value in rows), default=1.0))
    x = _scale(ticks, _LEFT + 8, _WIDTH - _RIGHT - 8)
    height = 38 * len(rows) + 24
    inside = _ticks_x(ticks, x, 0, height - 20, shown[1])
    for i, (label, value) in enumerate(rows):
        words = f"{_cut(label)}: {shown[0](value)}"
        inside.append(element("text", text(words), x=x(0.0), y=38 * i + 14))
        inside.append(
            element("rect", x=x(0.0), y=38 * i + 19, height=13,
                    width=_round(max(x(value) - x(0.0), 0.5)), class_="share")
        )  # fmt: skip
    return _svg(height, inside, alternative)


def curve(points, marked, spans, names, alternative, shown):
    """Utility over metric: (metric, utility) points.

    ``marked`` are the points before and chosen, ``spans`` the (low, high) of the metric
    and of the utility of each point; None for an end that is not known.
    """
    x_ticks, y_ticks = (axis(*_extent(k, points, marked, spans), 4) for k in (0, 1))
    x = _scale(x_ticks, 56, _WIDTH - _RIGHT - 8)
    y = _scale(y_ticks, 246, 26)
    inside = [
        *_ticks_x(x_ticks, x, 20, 252, shown[0]),
        *_ticks_y(y_ticks, y, 56, _WIDTH - _RIGHT, shown[1]),
        element("text", text(_cut(names[1])), x=4, y=12),
        element("text", text(_cut(names[0])), x=_WIDTH - _RIGHT, y=286,
                text_anchor="end"),
        *_crosses(points, spans, x, y),
        _line([(x(p[0]), y(p[1])) for p in points], "line after"),
        *(_circle(x(p[0]), y(p[1]), 3.5, "after") for p in points),
        *(_circle(x(p[0]), y(p[1]), radius, kind)
          for p, radius, kind in zip(marked, (6, 9), ("before", "chosen"),
                                     strict=True)),
    ]  # fmt: skip
    return _svg(292, inside, alternative)


def _extent(k, points, marked, spans):
    """Smallest and largest place on one axis."""
    values = [p[k] for p in [*points, *marked]]
    values += [end for of in spans for end in of[k] if end is not None]
    return min(values), max(values)


def _crosses(points, spans, x, y):
    """The interval of each point, across and up."""
    for point, (across, up) in zip(points, spans, strict=True):
        at = x(point[0]), y(point[1])
        if None not in across:
            ends = {"x1": x(across[0]), "x2": x(across[1]), "y1": at[1], "y2": at[1]}
            yield element("line", **ends, class_="span")
        if None not in up:
            ends = {"x1": at[0], "x2": at[0], "y1": y(up[0]), "y2": y(up[1])}
            yield element("line", **ends, class_="span")


def calibration(curves, alternative, shown):
    """Observed over predicted, with the line on which they are equal.

    ``curves`` are (class, points); a point is (predicted, observed, low, high).
    """
    values = [v for _, points in curves for p in points for v in p]
    ticks = axis(min(values), max(values))
    x, y = _scale(ticks, 44, 280), _scale(ticks, 250, 8)
    inside = [
        *_ticks_x(ticks, x, 8, 256, shown),
        *_ticks_y(ticks, y, 44, 284, shown),
        element("line", x1=x(ticks[0]), y1=y(ticks[0]), x2=x(ticks[-1]),
                y2=y(ticks[-1]), class_="equal"),
    ]  # fmt: skip
    for kind, points in curves:
        inside.append(_line([(x(p[0]), y(p[1])) for p in points], f"line {kind}"))
        for predicted, observed, low, high in points:
            at = x(predicted)
            inside.append(
                element("line", x1=at, x2=at, y1=y(low), y2=y(high), class_=kind)
            )
            inside.append(_circle(at, y(observed), 3.5, kind))
    return _svg(276, inside, alternative, width=300)


def _svg(height, inside, alternative, width=_WIDTH):
    return element(
        "svg",
        *inside,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=alternative,
    )


def _scale(ticks, start, end):
    """Function from values to places, in whole tenths."""
    extent = (ticks[-1] - ticks[0]) or 1.0
    return lambda v: _round(start + (v - ticks[0]) / extent * (end - start))


def _ticks_x(ticks, x, top, bottom, shown):
    drawn = []
    for tick in ticks:
        at = x(tick)
        drawn.append(element("line", x1=at, x2=at, y1=top, y2=bottom, class_="grid"))
        drawn.append(
            element("text", text(shown(tick)), x=at, y=bottom + 14, class_="tick",
                    text_anchor="middle")
        )  # fmt: skip
    return drawn


def _ticks_y(ticks, y, left, right, shown):
    drawn = []
    for tick in ticks:
        at = y(tick)
        drawn.append(element("line", x1=left, x2=right, y1=at, y2=at, class_="grid"))
        drawn.append(
            element("text", text(shown(tick)), x=left - 6, y=_round(at + 4),
                    class_="tick", text_anchor="end")
        )  # fmt: skip
    return drawn


def _whisker(estimate, x, y, kind):
    drawn = ""
    if estimate["low"] is not None and estimate["high"] is not None:
        ends = {"x1": x(estimate["low"]), "x2": x(estimate["high"])}
        drawn = element("line", **ends, y1=y, y2=y, class_=kind)
    return drawn + _circle(x(estimate["value"]), y, 5, kind)


def _circle(x, y, radius, kind):
    return element("circle", cx=x, cy=y, r=radius, class_=kind)


def _line(points, kind):
    return element("polyline", points=" ".join(f"{a},{b}" for a, b in points),
                   class_=kind)  # fmt: skip


def _round(value):
    return round(value, 1)


def _cut(label, longest=52):
    return (
        label
        if len(label) <= longest
        else f"{label[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"
    )
