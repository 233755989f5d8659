# SPDX-License-Identifier: BSD-3-Clause
"""The scorer of what a corrector is asked to improve."""

from sklearn.metrics import get_scorer, make_scorer, zero_one_loss

from sklearn_softunlearn.criteria import (
    AdversarialLoss,
    Criterion,
    GroupLoss,
    GroupMetric,
    MeanLoss,
    resolve_criterion,
)
from sklearn_softunlearn.scoring._fairness_scorer import fairness_scorer
from sklearn_softunlearn.scoring._robustness_scorer import robustness_scorer


def loss_name(classification, probabilities):
    """What scikit-learn counts for "loss"; not the training loss of the model."""
    if not classification:
        return "mean_squared_error"
    return "log_loss" if probabilities else "zero_one_loss"


def metric_scorer(metric, *, classification=True, probabilities=True, **options):
    """Scorer of a metric of `SoftUnlearnCorrector`, greater for better models.

    Parameters
    ----------
    metric : str, callable or Criterion
    classification : bool, default=True
        Whether the model is a classifier.
    probabilities : bool, default=True
        Whether a classifier has predict_proba: without, labels are counted.
    **options : dict
        Passed to `fairness_scorer` for group metrics.

    Raises
    ------
    ValueError
        If it has no scorer, with what to give instead.
    """
    if not isinstance(metric, str | list | tuple | Criterion):
        return fairness_scorer(metric, **options)
    criterion = resolve_criterion(metric, "metric")
    loss = loss_name(classification, probabilities)
    if isinstance(criterion, MeanLoss):
        if loss == "zero_one_loss":
            return make_scorer(zero_one_loss, greater_is_better=False)
        return get_scorer(f"neg_{loss}")
    if isinstance(criterion, GroupLoss):
        metric = GroupMetric(f"{loss}_group_max", marginal=criterion.marginal)
        return fairness_scorer(metric, **options)
    if isinstance(criterion, AdversarialLoss) and classification:
        return robustness_scorer("loss", **vars(criterion))
    if isinstance(criterion, GroupMetric):
        return fairness_scorer(criterion, **options)
    raise ValueError(
        f"metric={metric!r} has no scorer of its own. Give scoring=..., for example a "
        "dict with a function (estimator, X, y) for the metric: of several metrics one "
        "fairness_scorer for each; robustness_scorer for the AdversarialLoss of a "
        "classifier."
    )
