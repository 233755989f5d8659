# SPDX-License-Identifier: BSD-3-Clause
"""Pictures for the page of benchmarks, legible on light and on dark background."""

import numpy as np

from benchmarks.data.label_metrics import DP, EO
from benchmarks.reports.tradeoff import DATA, SHORT

# Of middle lightness: at least 3:1 against white and against near-black.
INK = "#4a4a4a"
STYLES = {
    "ours, exact": ("#d1495b", "o", "-"),
    "ours, exact and threshold": ("#b0569a", "D", "-"),
    "ours, one step": ("#c77d00", "s", "-"),
    "ExponentiatedGradient": ("#2f7fd0", "^", "--"),
    "GridSearch": ("#1f9e89", "v", "--"),
    "ThresholdOptimizer": ("#6f8f2f", "P", ":"),
    "hard deletion, retrained": ("#8a6fdf", "X", ":"),
}

SWEPT = {
    "gap": ("#d1495b", "o", "gap"),
    "loss": ("#2f7fd0", "s", "log loss"),
    "accuracy": ("#1f9e89", "^", "accuracy"),
}


def new_figure(n_rows, n_columns, width, height):
    """Figure without background, with axes, lines and letters in grey."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    names = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color")
    plt.rcParams.update(dict.fromkeys((*names, "ytick.color"), INK))
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "benchmarks"})
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(width, height), squeeze=False
    )
    figure.patch.set_alpha(0)
    for ax in axes.flat:
        ax.patch.set_alpha(0)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9)
    return figure, axes


def save(figure, path):
    """Write an SVG that is the same for the same data."""
    figure.savefig(path, transparent=True, metadata={"Date": None})


def draw_tradeoff(results, path):
    """Accuracy against gap on held-out rows, a panel for each data set and metric."""
    metrics = (DP, EO)
    figure, axes = new_figure(len(DATA), len(metrics), 9, 3.0 * len(DATA))
    for row, task in zip(axes, DATA, strict=True):
        for ax, metric in zip(row, metrics, strict=True):
            _draw_cell(ax, results, task, metric)
            ax.set_title(f"{DATA[task]}: {SHORT[metric]}", fontsize=10)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy (%)")
    for ax in axes[-1]:
        ax.set_xlabel("gap on held-out rows")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, ncols=3, frameon=False, loc="lower center", fontsize=9
    )
    figure.tight_layout(rect=(0, 0.055, 1, 1))
    save(figure, path)


def _draw_cell(ax, results, task, metric):
    found = {
        cell["method"]: cell
        for cell in results["cells"]
        if cell["task"] == task and cell["metric"] == metric
    }
    for method, (color, marker, line) in STYLES.items():
        gap = np.mean(found[method]["gap"], axis=0)
        accuracy = 100 * np.mean(found[method]["accuracy"], axis=0)
        ax.plot(gap, accuracy, line, color=color, marker=marker, ms=6, label=method)
    base = found["unconstrained"]
    ax.plot(
        np.mean(base["gap"]), 100 * np.mean(base["accuracy"]), "*", color=INK, ms=11,
        label="unconstrained",
    )  # fmt: skip
    ax.set_xlim(left=0)
    ax.locator_params(axis="x", nbins=6)


def draw_sweep(records, path, titles):
    """Gap and log loss over delta, with the largest attainable delta marked."""
    tasks = list(titles)
    figure, axes = new_figure(1, len(tasks), 4.5 * len(tasks), 3.6)
    for ax, task in zip(axes[0], tasks, strict=True):
        _draw_sweep(ax, [r for r in records if r["task"] == task])
        ax.set_title(titles[task], fontsize=10)
        ax.set_xlabel("delta asked for")
    axes[0, 0].set_ylabel("change on held-out rows, share of before (%)")
    axes[0, 0].legend(frameon=False, fontsize=9)
    figure.tight_layout()
    save(figure, path)


def _draw_sweep(ax, records):
    deltas = sorted({r["delta"] for r in records})
    change = {name: _relative_changes(records, deltas, name) for name in SWEPT}
    for name, (color, marker, label) in SWEPT.items():
        ax.plot(deltas, change[name], color=color, marker=marker, ms=5, label=label)
    ax.axhline(0, color=INK, lw=0.7)
    limit = np.mean([r["delta_max"] for r in records])
    ax.axvline(limit, color=INK, ls="--", lw=1)
    ax.annotate(
        "largest attainable", (limit, 0.6), xycoords=("data", "axes fraction"),
        rotation=90, va="center", ha="right", fontsize=8,
    )  # fmt: skip
    free = [d for d, g, a in zip(deltas, change["gap"], change["accuracy"], strict=True)
            if g < 0 < a]  # fmt: skip
    if free:
        ax.axvspan(
            min(free), max(free), color=INK, alpha=0.3, lw=0,
            label="gap and accuracy both better",
        )  # fmt: skip


def _relative_changes(records, deltas, name):
    """Mean change in per cent of the figure before, for each delta."""
    change = {delta: [] for delta in deltas}
    for r in records:
        change[r["delta"]].append(100 * (r["after"][name] / r["before"][name] - 1))
    return [np.mean(values) for values in change.values()]
