# SPDX-License-Identifier: BSD-3-Clause
"""From the sensitive features that a user gives to one group index for each row."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_softunlearn._sklearn_compat import safe_indexing

# A column with fewer rows than this for each distinct value is taken for continuous.
_ROWS_PER_GROUP = 3


@dataclass(frozen=True)
class Groups:
    """Sensitive group of each row.

    Attributes
    ----------
    codes : ndarray of shape (n_samples,)
        Index into ``labels``. Rows of zero sample weight may hold any index.
    labels : ndarray of shape (n_groups,) or (n_groups, n_columns)
        Distinct values, sorted; one row for each occurring combination of values
        where several columns were given.
    columns : tuple of str
        Names of the columns; empty if they have none.
    """

    codes: np.ndarray
    labels: np.ndarray
    columns: tuple = ()

    @cached_property
    def names(self):
        """Readable name of each group."""
        if self.labels.ndim == 1:
            return tuple(str(label) for label in self.labels)
        return tuple(", ".join(map(str, label)) for label in self.labels)


def encode_groups(sensitive_features, sample_weight, parameter):
    """Groups of the rows, in the way of `fairlearn.metrics.MetricFrame`.

    Parameters
    ----------
    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        List, array, Series, DataFrame (pandas or polars) or dict of arrays. Several
        columns are intersected.
    sample_weight : ndarray of shape (n_samples,)
        Rows of weight 0 count as deleted: a group that only they hold is no group.
    parameter : str
        Name to use in messages.

    Returns
    -------
    Groups

    Raises
    ------
    ValueError
        If the length is wrong, values are missing, there is one group only, or
        almost as many groups as rows.
    """
    columns = _columns(sensitive_features)
    if not columns:
        raise ValueError(f"{parameter} names no column. Give at least one.")
    for column in columns:
        _check_column(column, len(sample_weight), parameter)
    kept = sample_weight > 0
    factors = [_factorize(column[kept]) for column in columns]
    groups = _intersect(factors, _column_names(sensitive_features))
    _check_number(groups, int(kept.sum()), parameter)
    codes = np.zeros(len(kept), dtype=np.intp)
    codes[kept] = groups.codes
    return Groups(codes, groups.labels, groups.columns)


def check_same_groups(training, evaluation, *, marginal=False):
    """Raise ValueError if a training group has no evaluation rows.

    With ``marginal``, the groups are the values of each column on its own.
    """
    missing = sorted(
        _group_names(training, marginal) - _group_names(evaluation, marginal)
    )
    if missing:
        raise ValueError(
            f"The evaluation data has no rows of these sensitive groups, so their gap "
            f"cannot be measured: {', '.join(missing)}. Give evaluation data with "
            "every group (X_val, sensitive_features_val), or merge small groups."
        )


def _group_names(groups, marginal):
    if not marginal or groups.labels.ndim == 1:
        return set(groups.names)
    return {
        f"{value} (column {j})"
        for j, column in enumerate(groups.labels.T)
        for value in column
    }


def columns_of(X, sensitive_feature_ids):
    """The columns of X that hold the sensitive features.

    Raises
    ------
    ValueError
        If a column does not exist.
    """
    single = isinstance(sensitive_feature_ids, str | int | np.integer)
    ids = [sensitive_feature_ids] if single else list(sensitive_feature_ids)
    message = (
        f"sensitive_feature_ids={sensitive_feature_ids!r} does not name columns of X. "
        "Give names for a DataFrame and positions for an array"
    )
    # Looked up first: each DataFrame library raises its own error.
    names = list(getattr(X, "columns", []))
    if any(isinstance(name, str) and name not in names for name in ids):
        has = f"has the columns {names}" if names else "is an array without names"
        raise ValueError(
            f"{message}; X {has}. In a Pipeline, set_output(transform='pandas') keeps "
            "the names that a step before this one would lose."
        )
    try:
        # Lists of rows have no columns to index.
        columns = safe_indexing(
            np.asarray(X) if isinstance(X, list) else X, ids, axis=1
        )
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{message}: {error}") from error
    return columns.toarray() if sparse.issparse(columns) else columns


def _columns(sensitive_features):
    """One-dimensional arrays: NumPy's, or pandas' own where they come from pandas."""
    if isinstance(sensitive_features, dict):
        return [_column(values) for values in sensitive_features.values()]
    if hasattr(sensitive_features, "columns"):
        names = sensitive_features.columns
        return [_column(sensitive_features[name]) for name in names]
    values = _column(sensitive_features)
    return list(values.T) if values.ndim == 2 else [values]


def _column_names(sensitive_features):
    if isinstance(sensitive_features, dict):
        return tuple(map(str, sensitive_features))
    return tuple(map(str, getattr(sensitive_features, "columns", ())))


def _column(values):
    # As objects, a categorical or string array of pandas would take 20 times longer.
    if isinstance(getattr(values, "dtype", None), pd.api.extensions.ExtensionDtype):
        return pd.array(values)
    return np.asarray(values)


def _factorize(column):
    """Codes and sorted labels."""
    codes, labels = pd.factorize(column)
    labels = np.asarray(labels)
    # By name where values cannot be compared, such as numbers and strings.
    try:
        order = np.argsort(labels, kind="stable")
    except TypeError:
        order = np.argsort(labels.astype(str), kind="stable")
    return np.argsort(order)[codes], labels[order]


def _check_column(column, n_samples, parameter):
    if column.shape != (n_samples,):
        raise ValueError(
            f"{parameter} has shape {column.shape} where X has {n_samples} rows. Give "
            "one value (or one row of values) for each row of X."
        )
    missing = int(pd.isna(column).sum())
    if missing:
        raise ValueError(
            f"{parameter} has {missing} missing values. Drop these rows, or fill in "
            "a value of its own such as 'missing' to make them a group."
        )


def _intersect(factors, columns):
    """Groups from the (codes, labels) of each column."""
    if len(factors) == 1:
        codes, labels = factors[0]
        return Groups(codes, np.asarray(labels), columns)
    shape = [len(labels) for _, labels in factors]
    flat = np.ravel_multi_index([codes for codes, _ in factors], shape)
    present, codes = np.unique(flat, return_inverse=True)
    positions = np.unravel_index(present, shape)
    labels = np.empty((len(present), len(factors)), dtype=object)
    for j, (_, values) in enumerate(factors):
        labels[:, j] = np.asarray(values)[positions[j]]
    return Groups(codes, labels, columns)


def _check_number(groups, n_samples, parameter):
    n_groups = len(groups.labels)
    if n_groups < 2:
        raise ValueError(
            f"{parameter} has one group only ({', '.join(groups.names)}), so there is "
            "no gap to correct. Give a feature that takes at least two values."
        )
    if n_groups > 2 and n_groups * _ROWS_PER_GROUP > n_samples:
        raise ValueError(
            f"{parameter} has {n_groups} distinct values in {n_samples} rows: it looks "
            "continuous. Bin it first, for example with pandas.cut."
        )
