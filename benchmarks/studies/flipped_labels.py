# SPDX-License-Identifier: BSD-3-Clause
"""Flipped labels: do they receive the deletion weights? Digits and Adult.

Run ``python -m benchmarks.studies.flipped_labels [DATA_HOME]``. A share of the training
labels is replaced by another class at random; the metric is the loss on clean
validation rows, of which a quarter of the attainable improvement is asked: near the
limit all weights are 0 or 1 and rank nothing. Printed is the average precision of the
true flips (area under the precision-recall curve) for the deletion weights, for the
influences alone, for cleanlab's self-confidence from cross-validated probabilities (if
it is installed) and for the training loss; how much of the weight is on true flips,
for soft weights and for sparse ones, which delete as little as possible in total; and
the accuracy on clean test rows before and after. All of it is written to
``benchmarks/results/flipped_labels.json``.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.data.adult import one_hot_adult
from sklearn_softunlearn import SoftUnlearnCorrector

SHARES = (0.05, 0.1, 0.2)
RESULTS = Path(__file__).resolve().parents[1] / "results" / "flipped_labels.json"


def flipped(y, share, seed):
    """Labels of which a share is another class, and which those are."""
    rng = np.random.default_rng(seed)
    flips = rng.uniform(size=len(y)) < share
    n_classes = int(y.max()) + 1
    other = (y + rng.integers(1, n_classes, len(y))) % n_classes
    return np.where(flips, other, y), flips


def digits():
    """Training, validation and test parts, (X, y) each."""
    X, y = load_digits(return_X_y=True)
    return _thirds(StandardScaler().fit_transform(X), y)


def adult(data_home=None):
    data = one_hot_adult(data_home)
    X_val, X_test, y_val, y_test = train_test_split(
        data.X_test, data.y_test, test_size=0.5, random_state=0
    )
    return (data.X_train, data.y_train), (X_val, y_val), (X_test, y_test)


def _thirds(X, y):
    X, X_rest, y, y_rest = train_test_split(
        X, y, test_size=0.5, random_state=0, stratify=y
    )
    X_val, X_test, y_val, y_test = train_test_split(
        X_rest, y_rest, test_size=0.5, random_state=0, stratify=y_rest
    )
    return (X, y), (X_val, y_val), (X_test, y_test)


def corrected(parts, y_noisy, weighting="soft", C=0.01):
    """Corrector with a quarter of the improvement that is attainable."""
    (X, _), (X_val, y_val), _ = parts
    model = LogisticRegression(C=C, max_iter=1000).fit(X, y_noisy)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(model),
        metric="loss",
        delta=0,
        weighting=weighting,
        utility_tol=0.0,
    )
    corrector.fit(X, y_noisy, X_val=X_val, y_val=y_val)
    corrector.set_params(delta=corrector.delta_max_ / 4)
    return corrector.fit(X, y_noisy, X_val=X_val, y_val=y_val)


def share_on_flips(corrector, flips):
    """How much of the deletion weight is on the true flips."""
    weights = corrector.deletion_weights_
    return np.sum(weights[flips]) / weights.sum()


def scores(parts, y_noisy, flips, C=0.01):
    """Average precision of each method, weight on flips, and test accuracies."""
    (X, _), _, (X_test, y_test) = parts
    corrector = corrected(parts, y_noisy, C=C)
    sparse = corrected(parts, y_noisy, "sparse", C=C)
    model = LogisticRegression(C=C, max_iter=1000)
    held_out = cross_val_predict(model, X, y_noisy, cv=5, method="predict_proba")
    fitted = corrector.base_estimator_.predict_proba(X)
    row = np.arange(len(y_noisy))
    ranking = {
        "weights": corrector.deletion_weights_,
        "influence": -corrector.influence_[:, 0],
        "training loss": -fitted[row, y_noisy],
    }
    try:
        from cleanlab.rank import get_label_quality_scores

        ranking["cleanlab"] = -get_label_quality_scores(y_noisy, held_out)
    except ImportError:
        ranking["held-out loss"] = -held_out[row, y_noisy]
    found = {name: average_precision_score(flips, s) for name, s in ranking.items()}
    found["accuracy before"] = corrector.base_estimator_.score(X_test, y_test)
    found["accuracy after"] = corrector.score(X_test, y_test)
    found["after, sparse"] = sparse.score(X_test, y_test)
    found["weight on flips"] = share_on_flips(corrector, flips)
    found["weight on flips, sparse"] = share_on_flips(sparse, flips)
    found["rows with weight"] = np.mean(corrector.deletion_weights_ > 0)
    found["rows with weight, sparse"] = np.mean(sparse.deletion_weights_ > 0)
    return found


def main(data_home=None):
    results = []
    for name, parts in (("digits", digits()), ("adult", adult(data_home))):
        for share in SHARES:
            y_noisy, flips = flipped(parts[0][1], share, seed=0)
            found = scores(parts, y_noisy, flips)
            numbers = ", ".join(f"{key} {value:.3f}" for key, value in found.items())
            print(f"{name} {share:.0%}: {numbers}")
            found = {key: round(float(value), 4) for key, value in found.items()}
            results.append({"data": name, "share flipped": share, **found})
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
