# SPDX-License-Identifier: BSD-3-Clause
"""Checks of what users pass, with messages that name the argument."""

import numpy as np

from sklearn_softunlearn.arguments import real_array


def finite_matrix(value, name):
    """``value`` as a finite, non-empty float64 matrix."""
    array = real_array(value, name)
    if array.ndim != 2:
        raise ValueError(
            f"{name} must be 2-dimensional, (n_samples, n_constraints); got shape "
            f"{array.shape}. A single column is {name}.reshape(-1, 1)."
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty: got shape {array.shape}.")
    return _finite(array, name)


def columns(value, name, n_samples=None):
    """``value``, of one or two dimensions, as a finite matrix of columns."""
    array = real_array(value, name)
    array = finite_matrix(array[:, None] if array.ndim == 1 else array, name)
    if n_samples is not None and len(array) != n_samples:
        raise ValueError(
            f"{name} must have one row per sample: {n_samples} rows expected, got "
            f"{len(array)}."
        )
    return array


def finite_vector(value, name, size, *, nonnegative=False):
    """One finite number per entry, broadcast from a scalar."""
    array = _finite(_sized(value, name, size), name)
    if nonnegative and np.any(array < 0.0):
        raise ValueError(f"{name} must not be negative; the least is {array.min():g}.")
    return array


def numbers(value, name):
    """One finite number or several, as a vector."""
    array = np.atleast_1d(real_array(value, name))
    if array.size == 0:
        raise ValueError(f"{name} is empty: give the requests to solve for.")
    return finite_vector(array, name, array.size)


def box(lower, upper, n_samples, names=("lower", "upper")):
    """Bounds as float64, each one number or one per sample; infinite is allowed."""
    lower, upper = (
        array if array.ndim == 0 else _sized(array, name, n_samples)
        for array, name in (
            (real_array(given, name), name)
            for given, name in zip((lower, upper), names, strict=True)
        )
    )
    for array, name in zip((lower, upper), names, strict=True):
        if np.any(np.isnan(array)):
            raise ValueError(f"{name} must not contain NaN.")
    if np.any(lower > upper) or np.any(lower == np.inf) or np.any(upper == -np.inf):
        raise ValueError(
            f"{names[0]} must not exceed {names[1]}: some weight has no value that it "
            "may take."
        )
    return lower, upper


def finite_number(value, name):
    """``value`` as a finite float."""
    number = nonnan_number(value, name)
    if not np.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}.")
    return number


def nonnegative_number(value, name):
    """``value`` as a float >= 0; infinity is allowed."""
    number = nonnan_number(value, name)
    if number < 0.0:
        raise ValueError(f"{name} must not be negative, got {number:g}.")
    return number


def nonnan_number(value, name):
    """``value`` as a float other than NaN."""
    array = real_array(value, name)
    if array.ndim != 0 or np.isnan(array):
        raise ValueError(f"{name} must be one number, got {value!r}.")
    return float(array)


def _sized(value, name, size):
    array = real_array(value, name)
    if array.ndim == 0:
        return np.full(size, array)
    if array.shape != (size,):
        raise ValueError(
            f"{name} must be one number or have shape ({size},); got {array.shape}."
        )
    return array


def _finite(array, name):
    # The sum is finite unless some entry is not, or it overflows: one pass, no copy.
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(np.sum(array)) or np.all(np.isfinite(array))
    if not finite:
        raise ValueError(
            f"{name} contains NaN or infinity. Drop these rows, or find out why the "
            "influences are not finite (a singular curvature, an overflow)."
        )
    return array
