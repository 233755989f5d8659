# SPDX-License-Identifier: BSD-3-Clause
"""Every update with soft and with hard weights: metric and utility, before and after.

    python -m benchmarks.bench_updates --data-home FOLDER [--json FILE] [--plot FILE]

Weights are chosen on validation rows for half of the metric (delta = 0.5); hard
weights delete rows until the same improvement is predicted. All figures are measured
on held-out rows, before and after, as means over seeds. A "free lunch" is a cell
whose mean metric and mean loss are both lower after the correction.
"""

import argparse
import json
import platform
import time
import warnings

import numpy as np
import pandas as pd
import sklearn
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from benchmarks.tables import TASKS, load
from sklearn_softunlearn import SoftUnlearnCorrector, fairness_scorer

UPDATES = (
    "influence",
    "gradient_ascent",
    "fine_tune",
    "fisher",
    "ntk",
    "scrub",
    "hamu",
    "retrain",
)
METRICS = ("demographic_parity_difference", "equal_opportunity_difference")


def measure(model, rows, metric):
    """Metric, loss and accuracy of a model on rows."""
    scorer = fairness_scorer(
        metric, sensitive_features=pd.Series(rows.groups), greater_is_better=True
    )
    y = pd.Series(rows.y)
    return {
        "metric": scorer(model, rows.X, y),
        "loss": log_loss(rows.y, model.predict_proba(rows.X)),
        "accuracy": model.score(rows.X, rows.y),
    }


def run(task, metric, update, weighting, seed, data_home):
    """One correction, measured on held-out rows."""
    data = load(task, data_home, seed)
    start = time.perf_counter()
    base = LogisticRegression(max_iter=2000).fit(data.train.X, data.train.y)
    fitted = time.perf_counter()
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(base), metric=metric, update=update, weighting=weighting
    ).fit(
        data.train.X,
        data.train.y,
        X_val=data.val.X,
        y_val=data.val.y,
        sensitive_features_val=data.val.groups,
    )
    seconds = time.perf_counter() - fitted
    before = measure(base, data.test, metric)
    after = measure(corrector, data.test, metric)
    return {
        "task": task,
        "metric": metric,
        "update": update,
        "weighting": weighting,
        "seed": seed,
        "status": corrector.report_.status,
        "update status": corrector.update_result_.status,
        "deleted share": corrector.report_.deleted_mass / len(data.train.y),
        "time, in base fits": seconds / (fitted - start),
        **{f"{name} before": value for name, value in before.items()},
        **{f"{name} after": value for name, value in after.items()},
    }


def summary(results):
    """Means over seeds, one row for each cell of the comparison."""
    table = pd.DataFrame(results)
    keys = ["task", "metric", "update", "weighting"]
    means = table.groupby(keys, sort=False).mean(numeric_only=True)
    means["free lunch"] = (means["metric after"] < means["metric before"]) & (
        means["loss after"] < means["loss before"]
    )
    return means.drop(columns="seed").reset_index()


def plot(means, file):
    """Change of the loss against change of the metric, like Figure 5 of the paper."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(METRICS), len(TASKS), figsize=(3 * len(TASKS), 3 * len(METRICS))
    )
    for row, metric in zip(axes, METRICS, strict=True):
        for ax, task in zip(row, TASKS, strict=True):
            cell = means[(means["task"] == task) & (means["metric"] == metric)]
            for number, update in enumerate(UPDATES):
                for weighting, marker in (("hard", "o"), ("soft", "X")):
                    point = cell[
                        (cell["update"] == update) & (cell["weighting"] == weighting)
                    ]
                    ax.scatter(
                        point["metric after"] - point["metric before"],
                        point["loss after"] - point["loss before"],
                        marker=marker,
                        color=f"C{number}",
                        label=f"{update}, {weighting}",
                    )
            ax.axhline(0, color="grey", lw=0.5)
            ax.axvline(0, color="grey", lw=0.5)
            ax.set_title(f"{task}\n{metric.removesuffix('_difference')}", fontsize=9)
            ax.tick_params(labelsize=7)
    for ax in axes[-1]:
        ax.set_xlabel("change of the metric", fontsize=8)
    for ax in axes[:, 0]:
        ax.set_ylabel("change of the log loss (nats)", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=4, fontsize=8, loc="lower center")
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    figure.savefig(file, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", required=True)
    parser.add_argument("--json")
    parser.add_argument("--plot")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        results = [
            run(task, metric, update, weighting, seed, options.data_home)
            for task in TASKS
            for metric in METRICS
            for seed in range(options.seeds)
            for update in UPDATES
            for weighting in ("soft", "hard")
        ]
    means = summary(results)
    shown = [c for c in means if c not in ("metric", "accuracy before")]
    for metric in METRICS:
        print(f"\n{metric}\n")
        cell = means.loc[means["metric"] == metric, shown]
        print(cell.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    if options.json:
        content = {
            "versions": {"python": platform.python_version(), "numpy": np.__version__}
            | {"scikit-learn": sklearn.__version__},
            "means": means.to_dict("records"),
            "runs": results,
        }
        with open(options.json, "w") as file:
            json.dump(content, file, indent=1)
    if options.plot:
        plot(means, options.plot)


if __name__ == "__main__":
    main()
