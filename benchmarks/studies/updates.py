# SPDX-License-Identifier: BSD-3-Clause
"""Every update with soft and with hard weights: metric and utility, before and after.

    python -m benchmarks.studies.updates --data-home FOLDER --runs FILE [--json FILE]

The grid is 8 updates x soft or hard weights x 5 data sets x 2 models x 3 metrics x
seeds. Each finished cell is appended to the runs, one line of JSON each, and cells that
are already there are not run again; `--json` writes their means and standard errors
over seeds, which `benchmarks.reports.updates` turns into a page.

Weights are chosen on validation rows. The request is half of what soft weights can
attain there without loss of utility, and the same for hard weights, which delete rows
until the same improvement is predicted. Everything else is measured on held-out rows.
"""

import argparse
import json
import time
import warnings
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks.data.tables import TASKS, load
from benchmarks.peers.corrections import FIRST_ORDER
from benchmarks.reports.update_cells import KEYS, summarize
from sklearn_softunlearn import (
    AdversarialLoss,
    SoftUnlearnCorrector,
    fairness_scorer,
    robustness_scorer,
)

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
WEIGHTINGS = ("soft", "hard")
PARITY, OPPORTUNITY = "demographic_parity_difference", "equal_opportunity_difference"
ROBUSTNESS = "adversarial_loss"
METRICS = (PARITY, OPPORTUNITY, ROBUSTNESS)
MODELS = ("LR", "MLP")

# Of the perturbation, in units of the standardised features; rows of the text have
# length 1, so that theirs is a tenth of the row.
ATTACKS = {task: {"epsilon": 0.05} for task in TASKS}
ATTACKS["text"] = {"epsilon": 0.1, "norm": "l2"}

# Penalties of the MLP with a low held-out loss before any correction.
ALPHAS = dict.fromkeys(TASKS, 30.0) | {"digits": 3.0, "text": 3.0}


def tables(task, data_home, seed):
    """Training, validation and held-out rows, dense because attacks fill a row."""
    data = load(task, data_home, seed)
    return SimpleNamespace(
        **{name: _dense(rows) for name, rows in vars(data).items()},
    )


def _dense(rows):
    X = rows.X.toarray() if sparse.issparse(rows.X) else rows.X
    return SimpleNamespace(X=X, y=rows.y, groups=rows.groups)


def fitted(model, task, rows):
    """Base model and the seconds of its fit, the fastest of three."""
    if model == "LR":
        estimator = LogisticRegression(max_iter=2000)
    else:
        estimator = MLPClassifier(
            (8,), "tanh", solver="lbfgs", alpha=ALPHAS[task], max_iter=2000
        ).set_params(random_state=0)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        estimator.fit(rows.X, rows.y)
        seconds.append(time.perf_counter() - start)
    return estimator, min(seconds)


def correct(base, data, metric, delta, **options):
    """Corrector of a fitted base model."""
    # Without the safeguard, which the baseline of hard weights does not have.
    options = FIRST_ORDER | options
    return SoftUnlearnCorrector(
        FrozenEstimator(base), metric=metric, delta=delta, calibrate=None, **options
    ).fit(
        data.train.X,
        data.train.y,
        X_val=data.val.X,
        y_val=data.val.y,
        sensitive_features_val=data.val.groups,
    )


def criterion(task, metric):
    """What the corrector is given for the name of a metric."""
    return AdversarialLoss(**ATTACKS[task]) if metric == ROBUSTNESS else metric


def measure(model, rows, task, metric):
    """Held-out metric, loss and accuracy; attacks are made anew against the model.

    "second" is the metric of the probabilities instead of the labels, or the robust
    error instead of the adversarial loss.
    """
    y = pd.Series(rows.y)
    probability = model.predict_proba(rows.X)
    if metric == ROBUSTNESS:
        loss = robustness_scorer("loss", **ATTACKS[task])
        accuracy = robustness_scorer(**ATTACKS[task])
        value, second = -loss(model, rows.X, y), 1.0 - accuracy(model, rows.X, y)
    else:
        groups = pd.Series(rows.groups)
        scorer = fairness_scorer(
            metric, sensitive_features=groups, greater_is_better=True
        )
        value = scorer(model, rows.X, y)
        counted = np.ones(len(y), bool) if metric == PARITY else rows.y == 1
        means = pd.Series(probability[counted, 1]).groupby(rows.groups[counted]).mean()
        second = means.max() - means.min()
    return {
        "metric": float(value),
        "second": float(second),
        "loss": log_loss(rows.y, probability),
        "accuracy": model.score(rows.X, rows.y),
    }


def corrected_cell(base, data, task, metric, delta, update, weighting):
    """Figures of one correction."""
    options = {"update": update, "weighting": weighting}
    start = time.perf_counter()
    try:
        corrector = correct(base, data, criterion(task, metric), delta, **options)
    except (FloatingPointError, ValueError) as error:
        return {"failure": f"{type(error).__name__}: {error}"[:120]}
    seconds = time.perf_counter() - start
    line = corrector.report_.lines[0]
    asked = delta * line.before
    after = measure(corrector.estimator_, data.test, task, metric)
    return {
        "seconds": seconds,
        "status": corrector.update_result_.status,
        "steps": corrector.n_iter_,
        "deleted": float(corrector.deletion_weights_.mean()),
        "realised": (line.before - line.after) / asked,
        **{f"{name} after": value for name, value in after.items()},
    }


def cells(task, seed, data_home, done):
    """Figures of all cells of one data set and seed that are not done yet."""
    data = tables(task, data_home, seed)
    for model in MODELS:
        base, fit_seconds = fitted(model, task, data.train)
        for metric in METRICS:
            keys = [
                dict(zip(KEYS, (task, model, metric, update, weighting), strict=True))
                for update, weighting in product(UPDATES, WEIGHTINGS)
            ]
            keys = [key for key in keys if (*key.values(), seed) not in done]
            if not keys:
                continue
            probe = correct(base, data, criterion(task, metric), 0.01)
            delta = 0.5 * probe.delta_max_
            before = measure(base, data.test, task, metric)
            common = {"seed": seed, "delta": delta, "fit seconds": fit_seconds}
            common |= {f"{name} before": value for name, value in before.items()}
            for key in keys:
                yield (
                    key
                    | common
                    | corrected_cell(
                        base, data, task, metric, delta, key["update"], key["weighting"]
                    )
                )


def read(runs):
    """Finished cells in a file, which need not exist."""
    if not runs.exists():
        return []
    return [json.loads(line) for line in runs.read_text().splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--runs", required=True, type=Path, help="finished cells")
    parser.add_argument("--json", type=Path, help="means over seeds")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    done = {(*(cell[key] for key in KEYS), cell["seed"]) for cell in read(options.runs)}
    with threadpool_limits(1), options.runs.open("a") as file:
        for task, seed in product(options.tasks, range(options.seeds)):
            for cell in cells(task, seed, options.data_home, done):
                print(json.dumps(cell), file=file, flush=True)
    if options.json:
        options.json.write_text(summarize(read(options.runs)))


if __name__ == "__main__":
    main()
