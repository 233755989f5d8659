# SPDX-License-Identifier: BSD-3-Clause
"""Ranges of the parameters that updates have in common."""

from numbers import Integral, Real

from sklearn.utils import check_scalar


def check_count(update, *names, least=1):
    """Raise TypeError or ValueError unless the parameters are integers >= ``least``."""
    for name in names:
        check_scalar(getattr(update, name), name, Integral, min_val=least)


def check_positive(update, *names):
    """Raise TypeError or ValueError unless the parameters are numbers > 0."""
    for name in names:
        value = getattr(update, name)
        check_scalar(value, name, Real, min_val=0, include_boundaries="neither")


def check_within(update, *names, most=None):
    """Raise TypeError or ValueError unless the parameters lie in [0, ``most``]."""
    for name in names:
        check_scalar(getattr(update, name), name, Real, min_val=0, max_val=most)
