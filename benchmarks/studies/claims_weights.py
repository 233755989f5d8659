# SPDX-License-Identifier: BSD-3-Clause
"""Hard against soft weights, and what a request of delta brings on held-out rows."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from benchmarks.data.label_metrics import DP, violation
from benchmarks.data.tables import load
from benchmarks.peers.corrections import FIRST_ORDER
from sklearn_softunlearn import (
    AdversarialLoss,
    HardDeletion,
    SoftUnlearnCorrector,
    robustness_scorer,
)

EPSILON = 0.05
DELTAS = (0.02, 0.05, *np.round(np.arange(0.1, 1.01, 0.1), 1))
SETTINGS = {
    "one step": {},
    "one step, loss of each group kept": {"utility": ["loss", "group_loss"]},
    "Newton step": {"update": "newton"},
}

# Metric, and the delta of the soft weights.
TARGETS = {
    "gap": (DP, 0.5),
    "adversarial loss": (AdversarialLoss(EPSILON), 0.05),
}
WEIGHTINGS = {
    "soft": {"weighting": "soft"},
    "hard, same promise": {"weighting": HardDeletion()},
    "hard, 20 % of the rows": {"weighting": HardDeletion(k=0.2)},
    "hard, 20 % of the rows, Newton step": {
        "weighting": HardDeletion(k=0.2),
        "update": "newton",
    },
}


def measured(model, part):
    """Gap, losses and accuracy of a fitted logistic regression on a part."""
    label = model.predict(part.X)
    return {
        "gap": violation(DP, part.y, label.astype(float), part.groups),
        "adversarial loss": -robustness_scorer("loss", epsilon=EPSILON)(
            model, part.X, part.y
        ),
        "loss": float(log_loss(part.y, model.predict_proba(part.X))),
        "accuracy": float(np.mean(label == part.y)),
    }


def hard_and_soft(task, data_home, seed):
    """One record for each metric and weighting, measured on held-out rows."""
    data = load(task, data_home, seed)
    base = LogisticRegression(max_iter=1000).fit(data.train.X, data.train.y)
    before = measured(base, data.test)
    return [
        {
            "task": task,
            "seed": seed,
            "target": target,
            "weighting": name,
            "rows deleted": float(np.mean(corrector.deletion_weights_ == 1.0)),
            "weight deleted": float(np.mean(corrector.deletion_weights_)),
            "status": corrector.report_.status,
            "before": before,
            "after": measured(corrector.estimator_, data.test),
        }
        for target, (metric, delta) in TARGETS.items()
        for name, options in WEIGHTINGS.items()
        for corrector in [corrected(data, base, metric=metric, delta=delta, **options)]
    ]


def corrected(data, base, **options):
    """Corrector whose metric and utility are measured on the validation rows."""
    options = FIRST_ORDER | options
    corrector = SoftUnlearnCorrector(FrozenEstimator(base), **options)
    return corrector.fit(data.train.X, data.train.y, **_validation(data))


def _validation(data):
    return {
        "X_val": data.val.X,
        "y_val": data.val.y,
        "sensitive_features_val": data.val.groups,
    }


def sweep(task, data_home, seed):
    """Records along delta, with the largest attainable delta for each setting."""
    data = load(task, data_home, seed)
    base = LogisticRegression(max_iter=1000).fit(data.train.X, data.train.y)
    before = measured(base, data.test)
    records = []
    for name, options in SETTINGS.items():
        options = FIRST_ORDER | options
        path = SoftUnlearnCorrector(FrozenEstimator(base), **options).path(
            data.train.X, data.train.y, deltas=DELTAS, **_validation(data)
        )
        records += [
            {
                "task": task,
                "seed": seed,
                "setting": name,
                "delta": float(each.delta),
                "delta_max": each.delta_max_,
                "status": each.report_.status,
                "before": before,
                "after": measured(each.estimator_, data.test),
            }
            for each in path
        ]
    return records
