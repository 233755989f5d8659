# SPDX-License-Identifier: BSD-3-Clause
"""From the name or the fairlearn function that a user gives to a criterion."""

from sklearn_softunlearn.criteria._base import Criterion
from sklearn_softunlearn.criteria._group_gaps import GroupRateDifference
from sklearn_softunlearn.criteria._loss import MeanLoss

_BY_NAME = {
    "demographic_parity_difference": GroupRateDifference((None,)),
    "equal_opportunity_difference": GroupRateDifference((1,)),
    "equalized_odds_difference": GroupRateDifference((1, 0)),
    "loss": MeanLoss(),
}


def resolve_criterion(criterion, parameter):
    """Criterion object for a name, a fairlearn metric function or a criterion.

    Parameters
    ----------
    criterion : str, callable or Criterion
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
    """
    if isinstance(criterion, Criterion):
        return criterion
    name = criterion_name(criterion)
    trusted = isinstance(criterion, str) or _from_fairlearn(criterion)
    if name not in _BY_NAME or not trusted:
        raise ValueError(
            f"{parameter}={criterion!r} is not known. Give one of the names "
            f"{sorted(_BY_NAME)}, the fairlearn.metrics function of one of these "
            "names, or a Criterion object."
        )
    return _BY_NAME[name]


def criterion_name(criterion):
    """Name to show for a criterion given as a name, a function or an object."""
    if isinstance(criterion, str):
        return criterion
    return getattr(criterion, "__name__", type(criterion).__name__)


def _from_fairlearn(function):
    # By module rather than by identity, so that criteria need not import fairlearn.
    return str(getattr(function, "__module__", "")).partition(".")[0] == "fairlearn"
