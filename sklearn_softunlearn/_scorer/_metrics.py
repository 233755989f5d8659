# SPDX-License-Identifier: BSD-3-Clause
"""Which metrics compare groups, which way is better, and what they need."""

import inspect

import fairlearn.metrics

_GREATER_IS_BETTER = {
    "_difference": False,
    "_ratio": True,
    "_group_min": True,  # of accuracies and the like
    "_group_max": False,  # of losses
}
# True labels that every group must hold, by the start of the metric's name.
# fairlearn takes 0 for a rate over no rows, which looks like a very good or a very
# bad model.
_CONDITIONS = {
    "true_positive_rate": (1,),
    "false_negative_rate": (1,),
    "equal_opportunity": (1,),
    "recall_score": (1,),
    "true_negative_rate": (0,),
    "false_positive_rate": (0,),
    "equalized_odds": (0, 1),
    "balanced_accuracy_score": (0, 1),
    "roc_auc_score": (0, 1),
}
# Metrics that compare scores or numbers. All others compare labels.
_SCORE_METRICS = ("roc_auc_score", "log_loss")
VALUE_METRICS = ("mean_absolute_error", "mean_squared_error", "r2_score")
_RESPONSE_METHODS = ("predict", "predict_proba", "decision_function")


def resolve_metric(metric):
    if callable(metric):
        return metric
    if metric in _fairlearn_names():
        return getattr(fairlearn.metrics, metric)
    raise ValueError(
        f"metric={metric!r} is not known. Give one of {_fairlearn_names()}, or a "
        "function metric(y_true, y_pred, *, sensitive_features)."
    )


def metric_name(function):
    function = getattr(function, "func", function)  # of a functools.partial
    return getattr(function, "__name__", type(function).__name__)


def prefers_greater(name):
    for suffix, greater_is_better in _GREATER_IS_BETTER.items():
        if name.endswith(suffix):
            return greater_is_better
    raise ValueError(
        f"The name of metric {name} does not say whether a greater value is better. "
        "Give greater_is_better=True or False."
    )


def conditioned_labels(name):
    matching = (
        labels for start, labels in _CONDITIONS.items() if name.startswith(start)
    )
    return next(matching, ())


def check_signature(function, name, metric_params):
    try:
        signature = inspect.signature(function)
        signature.bind(None, None, sensitive_features=None, **metric_params)
    except TypeError as error:
        raise ValueError(
            f"metric {name} cannot be called as metric(y_true, y_pred, "
            f"sensitive_features=..., {', '.join(metric_params)}): {error}. "
            "fairlearn.metrics.make_derived_metric turns a metric of scikit-learn into "
            "one that compares groups."
        ) from error


def check_response_method(name, response_method):
    if response_method not in _RESPONSE_METHODS:
        raise ValueError(
            f"response_method={response_method!r} must be one of {_RESPONSE_METHODS}."
        )
    wants_scores = name.startswith(_SCORE_METRICS)
    wants_labels = name in _fairlearn_names() and not name.startswith(
        _SCORE_METRICS + VALUE_METRICS
    )
    if wants_scores and response_method == "predict":
        raise ValueError(
            f"{name} compares scores, and response_method='predict' gives labels. "
            "Give response_method='predict_proba' or 'decision_function'."
        )
    if wants_labels and response_method != "predict":
        raise ValueError(
            f"{name} compares class labels, and response_method={response_method!r} "
            "gives scores. Leave response_method='predict'."
        )


def _fairlearn_names():
    """Metrics of fairlearn that compare groups."""
    suffixes = tuple(_GREATER_IS_BETTER)
    return [name for name in dir(fairlearn.metrics) if name.endswith(suffixes)]
