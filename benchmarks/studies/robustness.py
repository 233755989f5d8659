# SPDX-License-Identifier: BSD-3-Clause
"""Robust accuracy and loss before and after a correction, on held-out rows.

    python -m benchmarks.studies.robustness [--data-home FOLDER] [--json FILE]

Three figures for each: on the examples made against the original model (as the paper
measures), on examples made anew against the corrected model, and on those that the
Adversarial Robustness Toolbox makes anew (if it is installed). Logistic regression on
Adult, Bank and digits (below 5 or not), with features standardised or scaled to [0, 1].
"""

import argparse
import json

import numpy as np
from fairlearn.datasets import fetch_bank_marketing
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.data.adult import one_hot_adult
from sklearn_softunlearn import (
    AdversarialLoss,
    SoftUnlearnCorrector,
    robustness_scorer,
)
from sklearn_softunlearn.corrector.stages._attacked_rows import AttackedModel
from sklearn_softunlearn.models import LogisticModel

DELTAS = (0.02, 0.05, 0.1)


def adult(data_home):
    data = one_hot_adult(data_home)
    return data.X_train, data.X_test, data.y_train, data.y_test


def bank(data_home):
    table = fetch_bank_marketing(data_home=data_home)
    numbers = table.data.select_dtypes("number")
    words = table.data.select_dtypes(exclude="number").astype(str)
    encoder = OneHotEncoder(sparse_output=False).fit(words)
    X = np.hstack([numbers.to_numpy(float), encoder.transform(words)])
    y = np.asarray(table.target).astype(str)
    y = (y == np.unique(y)[1]).astype(int)
    return _split(StandardScaler().fit_transform(X), y)


def digits(data_home):
    X, y = load_digits(return_X_y=True)
    return _split(X / 16, (y >= 5).astype(int))


def _split(X, y):
    return train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)


TASKS = {"Adult": (adult, 0.05), "Bank": (bank, 0.05), "digits": (digits, 0.03)}


def figures(name, data_home):
    load, epsilon = TASKS[name]
    X_train, X_test, y_train, y_test = load(data_home)
    metric = AdversarialLoss(epsilon)
    base = LogisticRegression(solver="newton-cholesky", C=1.0, max_iter=200)
    correctors = SoftUnlearnCorrector(
        base, metric=metric, weighting="soft", utility_tol=0.02
    ).path(X_train, y_train, deltas=DELTAS)
    model = LogisticModel(
        correctors[0].base_estimator_, X_test, y_test, np.ones(len(y_test))
    )
    fixed = metric.perturb(X_test, AttackedModel(model, y_test, model.loss))
    rows = [
        _row(name, epsilon, 0.0, correctors[0].base_estimator_, fixed, X_test, y_test)
    ]
    for corrector in correctors:
        rows.append(
            _row(name, epsilon, corrector.delta, corrector, fixed, X_test, y_test)
        )
    return rows


def _row(name, epsilon, delta, estimator, fixed, X, y):
    inner = getattr(estimator, "estimator_", estimator)
    return {
        "data": name,
        "epsilon": epsilon,
        "delta": delta,
        "accuracy": inner.score(X, y),
        "robust accuracy, fixed examples": inner.score(fixed, y),
        "robust accuracy, anew": robustness_scorer(epsilon=epsilon)(inner, X, y),
        "robust accuracy, toolbox": toolbox_accuracy(inner, X, y, epsilon),
        "adversarial loss, anew": -robustness_scorer("loss", epsilon=epsilon)(
            inner, X, y
        ),
    }


def toolbox_accuracy(estimator, X, y, epsilon):
    """Accuracy on examples of the Adversarial Robustness Toolbox; NaN without it."""
    try:
        from art.attacks.evasion import ProjectedGradientDescent
        from art.estimators.classification import SklearnClassifier
    except ImportError:
        return float("nan")
    attack = ProjectedGradientDescent(
        SklearnClassifier(estimator),
        eps=epsilon,
        eps_step=epsilon / 4,
        max_iter=8,
        batch_size=4096,
        verbose=False,
    )
    examples = attack.generate(X.astype(np.float32), y=np.eye(2)[y])
    return estimator.score(examples, y)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    results = [row for name in TASKS for row in figures(name, options.data_home)]
    print("data    delta  accuracy  fixed   anew    toolbox  loss anew")
    for row in results:
        values = list(row.values())
        print(f"{row['data']:7s} {row['delta']:5.2f}  " + "  ".join(
            f"{value:.4f}" for value in values[3:]))  # fmt: skip
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
