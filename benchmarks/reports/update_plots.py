# SPDX-License-Identifier: BSD-3-Clause
"""Change of the loss against change of the metric, like Figure 5 of the paper."""

import numpy as np

from benchmarks.reports.plots import INK, new_figure, save

COLOURS = {
    "influence": "#d1495b",
    "gradient_ascent": "#c77d00",
    "fine_tune": "#6f8f2f",
    "fisher": "#1f9e89",
    "ntk": "#2f7fd0",
    "scrub": "#8a6fdf",
    "hamu": "#b0569a",
    "retrain": "#8c6d4f",
}
COLUMNS = {
    "demographic_parity_difference": ("demographic parity", "gap (perc. points)"),
    "equal_opportunity_difference": ("equal opportunity", "gap (perc. points)"),
    "adversarial_loss": ("adversarial loss", "loss under attack (nats)"),
}
FREE = "#2e9b57"


def draw(cells, path, titles):
    """One panel for each data set and metric; a colour is an update."""
    tasks = list(dict.fromkeys(cells["task"]))
    figure, axes = new_figure(len(tasks), len(COLUMNS), 9.5, 2.35 * len(tasks) + 1)
    for row, task in zip(axes, tasks, strict=True):
        for ax, metric in zip(row, COLUMNS, strict=True):
            own = cells[(cells["metric"] == metric) & (cells["task"] == task)]
            _draw_panel(ax, own, 1.0 if metric == "adversarial_loss" else 100.0)
        row[0].set_ylabel(f"{task}: change of\nthe log loss (nats)")
    for column, (name, unit) in zip(axes.T, COLUMNS.values(), strict=True):
        column[0].set_title(name, fontsize=12, color=INK)
        column[-1].set_xlabel(f"change of the {unit}")
    figure.tight_layout(rect=(0, 0.075, 0.98, 1))
    _legend(figure, titles)
    save(figure, path)


def _draw_panel(ax, cells, unit):
    x, y = unit * cells["metric change"], cells["loss change"]
    ax.locator_params(axis="both", nbins=5)
    limits = [_limits(values) for values in (x, y)]
    ax.set(xlim=limits[0], ylim=limits[1])
    ax.axhspan(limits[1][0], 0, xmax=_share(limits[0]), color=FREE, alpha=0.15, lw=0)
    ax.axhline(0, color=INK, lw=0.8)
    ax.axvline(0, color=INK, lw=0.8)
    for update, own in cells.groupby("update", sort=False):
        colour = COLOURS[update]
        points = {
            weights: (
                np.clip(unit * cell["metric change"].iloc[0], *limits[0]),
                np.clip(cell["loss change"].iloc[0], *limits[1]),
            )
            for weights, cell in own.groupby("weighting")
        }
        ax.plot(*zip(*points.values(), strict=True), color=colour, lw=0.8, alpha=0.6)
        for weights, style in _MARKERS.items():
            ax.plot(*points[weights], color=colour, clip_on=False, zorder=3, **style)


_MARKERS = {
    "hard": {"marker": "o", "markersize": 6, "markerfacecolor": "none"},
    "soft": {"marker": "X", "markersize": 7, "markeredgewidth": 0},
}


def _limits(values):
    """Range with 0 of all but extreme values, which are drawn on the edge."""
    low, high = np.min(values), np.max(values)
    middle = np.quantile(np.abs(values), 0.75)
    low, high = max(low, -3 * middle), min(high, 3 * middle)
    low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.08 * (high - low)
    return low - margin, high + margin


def _share(limits):
    """Position of 0 between the limits."""
    low, high = limits
    return -low / (high - low)


def _legend(figure, titles):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=colour, lw=3, label=titles[update])
        for update, colour in COLOURS.items()
    ]
    handles.append(Line2D([], [], lw=0, label=" "))  # fills the column
    handles += [
        Line2D([], [], color=INK, lw=0, label=f"{weights} weights", **style)
        for weights, style in _MARKERS.items()
    ]
    handles.append(Patch(color=FREE, alpha=0.3, lw=0, label="free lunch: both lower"))
    figure.legend(
        handles=handles, ncols=4, fontsize=10.5, loc="lower center", frameon=False
    )
