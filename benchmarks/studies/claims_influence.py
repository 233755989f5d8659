# SPDX-License-Identifier: BSD-3-Clause
"""What single rows do: estimates against retraining, metric against utility."""

import numpy as np
from scipy import stats
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from benchmarks.data.adult import AUTHORS_C, authors_adult
from benchmarks.data.label_metrics import DP
from sklearn_softunlearn import (
    AdversarialLoss,
    NewtonUpdate,
    SoftUnlearnCorrector,
    influence,
    leave_one_out,
)

N_RETRAINED = 100


def effects_on_adult(data_home, seed):
    """Estimates for some rows beside retraining, and correlations over all rows."""
    data = authors_adult(data_home)
    model = LogisticRegression(
        C=AUTHORS_C, fit_intercept=False, solver="newton-cholesky", tol=1e-12
    ).fit(data.X, data.y)
    validation = {
        "X_val": data.X_val,
        "y_val": data.y_val,
        "sensitive_features_val": data.male_val,
    }
    rows = np.random.default_rng(seed).choice(len(data.y), N_RETRAINED, replace=False)
    criteria = {"gap": DP, "loss": "loss", "adversarial loss": AdversarialLoss(0.1)}
    retrained = leave_one_out(
        model, data.X, data.y, list(criteria.values()), indices=rows, **validation
    )
    agreement = retrained.agreement()
    agreement["criterion"] = np.repeat(list(criteria), 2)
    effects = {
        name: _worst_functional(model, data, criterion, validation)
        for name, criterion in criteria.items()
    }
    return {
        "rows retrained": N_RETRAINED,
        "agreement": agreement.to_dict("records"),
        "rows in all": len(data.y),
        "spearman of effects, all rows": {
            name: float(stats.spearmanr(effects[name], effects["loss"]).statistic)
            for name in ("gap", "adversarial loss")
        },
        "rows that help the metric and harm the utility": {
            name: float(np.mean(effects["loss"][effects[name] < 0] > 0))
            for name in ("gap", "adversarial loss")
        },
    }


def _worst_functional(model, data, criterion, validation):
    """Leverage-exact effect of every row on the largest functional."""
    found = influence(
        model, data.X, data.y, metric=criterion, leverage=True, **validation
    )
    return found.values[:, np.argmax(found.current)]


def last_layer_of_a_resnet(seed):
    """Estimates for some rows of digits beside retraining of the last layer.

    Once as Adam left the net, and once after the last layer was trained to its
    optimum, which influences assume.
    """
    from tests.nets.nets_for_tests import ResNet, classifier, colored_digits, fitted

    X, y, color = colored_digits(seed=seed)
    half = len(y) // 2
    net = fitted(classifier(ResNet, seed=seed), X[:half], y[:half])
    parts = X[:half], y[:half], X[half:], y[half:], color[half:]
    return {
        "rows": half,
        "rows retrained": N_RETRAINED,
        "held-out accuracy": float(np.mean(net.predict(X[half:]) == y[half:])),
        "as trained": _net_agreement(net, *parts, seed),
        "last layer at its optimum": _net_agreement(
            _last_layer_optimised(net, *parts), *parts, seed
        ),
    }


def _net_agreement(net, X, y, X_val, y_val, color, seed):
    rows = np.random.default_rng(seed).choice(len(y), N_RETRAINED, replace=False)
    agreement = leave_one_out(
        net,
        X,
        y,
        [DP, "loss"],
        indices=rows,
        X_val=X_val,
        y_val=y_val,
        sensitive_features_val=color,
    ).agreement()
    agreement["criterion"] = np.repeat(["gap", "loss"], 2)
    return agreement.to_dict("records")


def _last_layer_optimised(net, X, y, X_val, y_val, color):
    """The net after retraining its last layer with deletion weights near 0."""
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(net),
        delta=1e-6,
        utility_tol=0.0,
        update=NewtonUpdate(max_iter=100),
    ).fit(X, y, X_val=X_val, y_val=y_val, sensitive_features_val=color)
    return corrector.estimator_
