# SPDX-License-Identifier: BSD-3-Clause
"""From what a user gives for a metric to how it is measured, and which way is better.

Names are those of the corrector: `GroupMetric` is the one place that knows them.
"""

import inspect

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.criteria import Criterion, GroupMetric
from sklearn_softunlearn.scoring._answers import METHODS, methods_of
from sklearn_softunlearn.scoring._models import CalledMetric, CountedMetric

_GREATER_IS_BETTER = {
    "_difference": False,
    "_ratio": True,
    "_group_min": True,  # of accuracies and the like
    "_group_max": False,  # of losses
}


def resolve_metric(metric, response_method, pos_label, params):
    """How a metric is measured: counted if the package knows it, else called.

    Parameters
    ----------
    metric : str, GroupMetric or callable
    response_method : str or None
    pos_label : object
    params : dict
        Further arguments of the metric.

    Returns
    -------
    CountedMetric or CalledMetric

    Raises
    ------
    ValueError
        If it is not known, or takes other arguments.
    """
    if response_method is not None and response_method not in METHODS:
        raise ValueError(unknown_choice("response_method", response_method, METHODS))
    criterion = _criterion(metric, params)
    if criterion is not None:
        # Without the params, which are shown beside the name.
        name = criterion.metric if params else criterion.name
        methods_of(criterion, name, response_method)
        return CountedMetric(criterion, name, response_method, pos_label)
    name = _function_name(metric)
    _check_signature(metric, name, params)
    return CalledMetric(metric, name, response_method, pos_label, params)


def prefers_greater(name):
    """Whether greater is better, by how the metric's name ends."""
    for suffix, greater_is_better in _GREATER_IS_BETTER.items():
        if name.partition("(")[0].endswith(suffix):
            return greater_is_better
    raise ValueError(
        f"The name of metric {name} does not say whether a greater value is better. "
        "Give greater_is_better=True or False."
    )


def _criterion(metric, params):
    """The group metric that is meant; None for a function of the user."""
    if isinstance(metric, GroupMetric) and not params:
        return metric
    if isinstance(metric, Criterion):
        raise ValueError(
            f"metric={metric!r} cannot be scored with the parameters {params}. Give "
            "the name of a group metric, a GroupMetric without further parameters, or "
            "a function metric(y_true, y_pred, *, sensitive_features)."
        )
    if metric in ("loss", "group_loss"):
        raise ValueError(
            f"metric={metric!r} is the loss of the model's training. To score it, give "
            "scikit-learn's 'neg_log_loss' or 'neg_mean_squared_error', or "
            "'log_loss_group_max' or 'mean_squared_error_group_max'."
        )
    try:
        return GroupMetric(metric, **params)
    except (TypeError, ValueError) as error:
        if callable(metric):
            return None
        if isinstance(error, ValueError):
            raise
        raise ValueError(
            f"metric {metric} cannot be called with {list(params)}: {error}"
        ) from error


def _function_name(function):
    function = getattr(function, "func", function)  # of a functools.partial
    return getattr(function, "__name__", type(function).__name__)


def _check_signature(function, name, params):
    try:
        signature = inspect.signature(function)
        signature.bind(None, None, sensitive_features=None, **params)
    except TypeError as error:
        raise ValueError(
            f"metric {name} cannot be called as metric(y_true, y_pred, "
            f"sensitive_features=..., {', '.join(params)}): {error}. "
            "fairlearn.metrics.make_derived_metric turns a metric of scikit-learn into "
            "one that compares groups."
        ) from error
