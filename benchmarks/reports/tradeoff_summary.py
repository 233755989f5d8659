# SPDX-License-Identifier: BSD-3-Clause
"""From the runs of the trade-off to what is reported: pure functions of records."""

from collections import defaultdict

import numpy as np

IN_PROCESSING = ("ExponentiatedGradient", "GridSearch")
PARTS = ("train", "test")


def chosen(run, targets, for_targets):
    """Index of the predictor for each target, chosen on the validation rows."""
    if for_targets:
        return list(range(len(targets)))
    accuracy, gap = np.array(run["val"]).T
    return [choice(accuracy, gap, target) for target in targets]


def choice(accuracy, gap, target):
    if np.any(gap <= target):
        return int(np.argmax(np.where(gap <= target, accuracy, -np.inf)))
    return int(np.argmin(gap))


def frontier(points, target):
    """Accuracy at a gap on the upper concave hull of (accuracy, gap); NaN if not met.

    A point of the hull between two predictors is reached by taking one or the other
    at random. Ignores predictors of larger gap than the most accurate one's.
    """
    accuracy, gap = np.array([points[i] for i in hull(points)]).T
    if target < gap[0]:
        return float("nan")
    return float(np.interp(target, gap, accuracy))


def hull(points):
    """Positions of the upper concave hull of (accuracy, gap), by growing gap.

    It ends at the most accurate predictor.
    """
    kept = []
    for i in sorted(range(len(points)), key=lambda i: (points[i][1], -points[i][0])):
        while len(kept) > 1 and _bends_up(*(points[j] for j in (*kept[-2:], i))):
            kept.pop()
        kept.append(i)
    return kept[: int(np.argmax([points[i][0] for i in kept])) + 1]


def _bends_up(first, second, third):
    return (second[0] - first[0]) * (third[1] - first[1]) <= (third[0] - first[0]) * (
        second[1] - first[1]
    )


def cells(runs, targets, for_targets):
    """Figures by (task, metric, method): arrays of shape (n_seeds, n_targets)."""
    table = defaultdict(list)
    for run in sorted(runs, key=lambda run: run["seed"]):
        key = run["task"], run["metric"], run["method"]
        index = chosen(run, targets, run["method"] in for_targets)
        train, test = (np.array(run[part])[index] for part in PARTS)
        table[key].append(
            {
                "accuracy": test[:, 0],
                "gap": test[:, 1],
                "gap, training rows": train[:, 1],
                "frontier": [frontier(run["test"], target) for target in targets],
                "least gap": np.min(np.array(run["test"])[:, 1]),
            }
        )
    return {
        key: {name: np.array([each[name] for each in found]) for name in found[0]}
        for key, found in table.items()
    }


def best_peer(table, task, metric):
    """For each target, the figures of the in-processing peer of best mean accuracy."""
    peers = [table[task, metric, peer] for peer in IN_PROCESSING]
    first = np.argmax([peer["accuracy"].mean(axis=0) for peer in peers], axis=0)
    return {
        name: np.stack(
            [peers[k][name][:, j] for j, k in enumerate(first)],
            axis=1,
        )
        for name in peers[0]
    }


def compared(table, method, reference):
    """Paired differences to a peer, or to the best: by target, over cells and seeds.

    The standard error is that of the mean over seeds; the cells are fixed.
    """
    differences = {"accuracy": [], "gap": [], "frontier": []}
    for task, metric, name in table:
        if name != method:
            continue
        if reference == "best":
            other = best_peer(table, task, metric)
        else:
            other = table[task, metric, reference]
        for figure, found in differences.items():
            found.append(table[task, metric, method][figure] - other[figure])
    accuracy, gap, frontiers = (np.array(each) for each in differences.values())
    both = np.isfinite(frontiers)
    return {
        "accuracy": accuracy.mean(axis=(0, 1)).tolist(),
        "standard error": _standard_error(accuracy.mean(axis=0)).tolist(),
        "gap": gap.mean(axis=(0, 1)).tolist(),
        "cells with higher accuracy": (accuracy.mean(axis=1) > 0).sum(axis=0).tolist(),
        "cells": len(accuracy),
        "accuracy on the frontier": np.nanmean(frontiers, axis=(0, 1)).tolist(),
        "frontier pairs": both.sum(axis=(0, 1)).tolist(),
    }


def _standard_error(values):
    return np.std(values, axis=0, ddof=1) / np.sqrt(len(values))


def overview(runs, targets, for_targets, earlier=None):
    """Everything that is reported, as lists and numbers.

    Methods without runs are taken over from earlier results of the same seeds.
    """
    seeds = sorted({run["seed"] for run in runs})
    table, described = _earlier(earlier, targets, seeds)
    table |= cells(runs, targets, for_targets)
    described |= {
        method: _described([run for run in runs if run["method"] == method])
        for method in dict.fromkeys(run["method"] for run in runs)
    }
    return {
        "targets": list(targets),
        "seeds": seeds,
        "methods": {
            method: found
            | {
                "against the best in-processing peer": compared(table, method, "best"),
                "against ExponentiatedGradient": compared(
                    table, method, IN_PROCESSING[0]
                ),
            }
            for method, found in described.items()
        },
        "cells": [
            {"task": task, "metric": metric, "method": method}
            | {name: np.round(value, 5).tolist() for name, value in found.items()}
            for (task, metric, method), found in table.items()
        ],
    }


def _earlier(results, targets, seeds):
    """Cells and descriptions of methods, as they were written before."""
    if not results or (results["targets"], results["seeds"]) != (list(targets), seeds):
        return {}, {}
    table = {
        (cell["task"], cell["metric"], cell["method"]): {
            name: np.array(value, dtype=float)
            for name, value in cell.items()
            if name not in ("task", "metric", "method")
        }
        for cell in results["cells"]
    }
    return table, dict(results["methods"])


def _described(runs):
    off = [value for run in runs for value in run["off"]]
    return {
        "needs groups": runs[0]["needs groups"],
        "random labels": float(np.mean([run["random labels"] for run in runs])),
        "predictors": float(np.mean([len(run["test"]) for run in runs])),
        "time": float(np.mean([run["time"] for run in runs])),
        "asked less realised": float(np.mean(off)) if off else None,
    }
