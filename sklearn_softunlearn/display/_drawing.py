# SPDX-License-Identifier: BSD-3-Clause
"""What displays draw with; the only file of the package that imports matplotlib."""

from itertools import cycle

import numpy as np

_UNITS = {
    "accuracy": "fraction of rows, 0 to 1",
    "log_loss": "nats per row",
    "r2": "1: exact",
    "_difference": "0: groups equal",
    "_ratio": "1: groups equal",
}
_ROOM = 0.08  # of the width or height of the axes, between two labels
_LABEL_OFFSET = 0.03  # likewise, from a point to the middle of its label
_IN_TEX = {character: f"\\{character}" for character in "&%#_{}$"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


def literal(name):
    """A name from the data or the user, to be shown as it is.

    matplotlib reads what stands between two $ as mathematics; under ``text.usetex``
    all of it is TeX.
    """
    import matplotlib as mpl

    in_tex = _IN_TEX if mpl.rcParams["text.usetex"] else {"$": r"\$"}
    return str(name).translate(str.maketrans(in_tex))


def legend_label(name):
    """The same for a legend, from which matplotlib leaves out ``_name`` and "" ."""
    shown = str(name)
    return literal(f" {shown}" if shown.startswith("_") or not shown else shown)


def axes_or_new(ax):
    """Return the given axes, or those of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Plotting needs matplotlib: pip install 'sklearn_softunlearn[plot]'. "
            "frame() returns the numbers without it."
        ) from error
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def draw_bars(line, x_ends, y_ends):
    """Error bars at points of a line that are apart, unless all are unknown.

    The bars of many points would be a grid in which the line is lost. Ends are of shape
    (n_points, 2); a bar need not hold its point, as that of a gap near 0.
    """
    if np.isnan([x_ends, y_ends]).all():
        return
    points = line.get_xydata()
    corners = [np.column_stack([x_ends[:, k], y_ends[:, k]]) for k in (0, 1)]
    held = [np.where(np.isnan(corner), points, corner) for corner in corners]
    kept = sorted(_with_room(_in_their_frame(points, held)))
    x, y = points[kept].T
    style = {"color": line.get_color(), "linewidth": 0.8, "alpha": 0.4, "zorder": 1}
    line.axes.hlines(y, *x_ends[kept].T, **style)
    line.axes.vlines(x, *y_ends[kept].T, **style)


def draw_models(ax, base, others):
    """One marker for the base model and for each other model."""
    if base is not None:
        # the colour of text: it stands out on light and dark backgrounds alike
        color = ax.xaxis.label.get_color()
        ax.plot(*base, "*", markersize=13, color=color, label="base model")
    for (name, point), marker in zip(others.items(), cycle("sD^vPX"), strict=False):
        ax.plot(*point, marker, markersize=7, label=legend_label(name))


def legend_above(ax):
    """Legend above the axes, where it hides no point and no error bar."""
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
        fontsize="small",
    )


def axis_label(name):
    """Name in words, with its unit where that is known."""
    units = [unit for ending, unit in _UNITS.items() if name.endswith(ending)]
    words = name.replace("_", " ")
    return f"{literal(words)} ({units[0]})" if units else literal(words)


def label_points(ax, x, y, delta, others):
    """Write delta beside the first and the last point, and others with room around.

    ``others`` are the points of other models, to be kept free.
    """
    ax.margins(0.08)
    ax.autoscale_view()  # else transData is still that of empty axes
    to_axes = ax.transData + ax.transAxes.inverted()
    places = to_axes.transform(np.column_stack([x, y]))
    taken = to_axes.transform(np.reshape(list(others), (-1, 2)))
    rises = np.prod(places - places.mean(axis=0), axis=1).sum() > 0
    for i in _with_room(places):
        right, up = _free_side(places[i], taken, rises)
        ax.annotate(
            f"{delta[i]:.2g}",
            (x[i], y[i]),
            xytext=(5 * right, 5 * up),
            textcoords="offset points",
            ha="left" if right > 0 else "right",
            va="bottom" if up > 0 else "top",
            fontsize="small",
        )


def _free_side(place, taken, rises):
    """Direction (right, up) from a point to where neither curve nor model lies."""
    sides = [(1, -1), (-1, 1)] if rises else [(1, 1), (-1, -1)]
    distances = [
        np.abs(place + _LABEL_OFFSET * np.array(side) - taken).max(axis=1)
        for side in sides
    ]
    crowded = distances[0].min(initial=1.0) < _LABEL_OFFSET
    return sides[1] if crowded else sides[0]


def _in_their_frame(points, corners):
    """Points in units of the frame that holds them and their error bars."""
    extent = np.ptp(np.vstack([points, *corners]), axis=0)
    return points / np.where(extent > 0, extent, 1.0)


def _with_room(places):
    """Return the indices of both ends and of points at a distance from each other."""
    kept = []
    for i in dict.fromkeys([0, len(places) - 1, *range(len(places))]):
        if all(np.abs(places[i] - places[j]).max() > _ROOM for j in kept):
            kept.append(i)
    return kept
