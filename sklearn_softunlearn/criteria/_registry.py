# SPDX-License-Identifier: BSD-3-Clause
"""From what a user gives for a metric or a utility to a criterion."""

from sklearn_softunlearn.criteria._base import Criterion
from sklearn_softunlearn.criteria._group_metric import GroupMetric
from sklearn_softunlearn.criteria._loss import GroupLoss, MeanLoss
from sklearn_softunlearn.criteria._names import described, parse_metric
from sklearn_softunlearn.criteria._several import CriterionList

_BY_NAME = {"loss": MeanLoss, "group_loss": GroupLoss}


def resolve_criterion(criterion, parameter):
    """Criterion object for a name, a fairlearn metric function or a criterion.

    Parameters
    ----------
    criterion : str, callable, Criterion, or list of these
        What the user gave.
    parameter : str
        Name of the parameter that it was given for, used in the message.

    Returns
    -------
    Criterion

    Raises
    ------
    ValueError
        If the name, or the name of the function, is not known.

    Examples
    --------
    >>> from sklearn_softunlearn.criteria import resolve_criterion
    >>> resolve_criterion("equal_opportunity_difference", "metric")
    GroupMetric('equal_opportunity_difference')
    """
    if isinstance(criterion, Criterion):
        return criterion
    if criterion is None:
        raise ValueError(
            f"{parameter}=None: give a criterion. To protect next to nothing, raise "
            "utility_tol, by how much utility='loss' may rise."
        )
    if isinstance(criterion, list | tuple):
        return _several(criterion, parameter)
    if isinstance(criterion, str) and criterion in _BY_NAME:
        return _BY_NAME[criterion]()
    parse_metric(criterion, parameter)  # whose message names the parameter
    return GroupMetric(criterion)


def criterion_name(criterion):
    """Name to show for a criterion given as a name, a function or an object.

    Examples
    --------
    >>> from sklearn_softunlearn.criteria import criterion_name
    >>> from fairlearn.metrics import equalized_odds_ratio
    >>> criterion_name(equalized_odds_ratio)
    'equalized_odds_ratio'
    """
    if isinstance(criterion, str):
        return criterion
    return resolve_criterion(criterion, "metric").name


def _several(criteria, parameter):
    if not criteria:
        raise ValueError(f"{parameter} is an empty list. Give at least one criterion.")
    try:
        return CriterionList([resolve_criterion(each, parameter) for each in criteria])
    except ValueError as error:
        raise ValueError(f"{parameter}={described(criteria)}: {error}") from error


def usual_score(classification):
    """Name of the score that a model is judged by where nobody says: its `score`."""
    return "accuracy" if classification else "r2"
