# SPDX-License-Identifier: BSD-3-Clause
"""Errors and warnings that are specific to this package.

    ValueError
        InfeasibleDeltaError
    UserWarning
        InfeasibleDeltaWarning
        CurvatureWarning
        NothingToCorrectWarning
    sklearn.exceptions.ConvergenceWarning
        BaseNotConvergedWarning

Bad input is an ordinary ValueError or TypeError.
"""

from sklearn.exceptions import ConvergenceWarning


class InfeasibleDeltaError(ValueError):
    """No deletion weights reach the requested improvement."""


class InfeasibleDeltaWarning(UserWarning):
    """The requested improvement is out of reach; the largest one was used."""


class CurvatureWarning(UserWarning):
    """The Hessian is singular, or a solve with it did not converge."""


class NothingToCorrectWarning(UserWarning):
    """The metric is at its optimum already; the model is left unchanged."""


class BaseNotConvergedWarning(ConvergenceWarning):
    """The base model is not at the optimum of its training objective."""
