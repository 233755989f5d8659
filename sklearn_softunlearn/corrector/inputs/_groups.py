# SPDX-License-Identifier: BSD-3-Clause
"""From the sensitive features that a user gives to one group index for each row."""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_softunlearn._sklearn_compat import safe_indexing
from sklearn_softunlearn.arguments import columns_in
from sklearn_softunlearn.models import of_each_block

# Numbers with more distinct values than this are taken for continuous: ages, incomes.
MAX_NUMBERS = 20
# So are fractions with fewer rows than this for each distinct value.
_ROWS_PER_FRACTION = 3


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
        Anything that `columns_in` takes. Several columns are intersected.
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
    columns, names = columns_in(sensitive_features, parameter)
    if not columns:
        raise ValueError(f"{parameter} names no column. Give at least one.")
    for column in columns:
        _check_column(column, len(sample_weight), parameter)
    kept = sample_weight > 0
    factors = [_factorize(column[kept], parameter) for column in columns]
    groups = _intersect(factors, names)
    _check_number(groups, int(kept.sum()), parameter)
    codes = np.zeros(len(kept), dtype=np.intp)
    codes[kept] = groups.codes
    return Groups(codes, groups.labels, groups.columns)


def check_same_groups(training, evaluation, *, marginal=False):
    """Raise ValueError if a training group has no evaluation rows.

    With ``marginal``, the groups are the values of each column on its own.
    """
    known = _values(evaluation, marginal)
    wanted = _values(training, marginal)
    missing = [name for value, name in wanted.items() if value not in known]
    if missing:
        raise ValueError(
            f"The evaluation data has no rows of these sensitive groups, so their gap "
            f"cannot be measured: {', '.join(missing)}. It has "
            f"{', '.join(known.values())}. Give evaluation data with every group "
            "(X_val, sensitive_features_val), in values of the same kind, or merge "
            "small groups."
        )


def _values(groups, marginal):
    """Name of each group by its value, of which 1, 1.0 and True are one."""
    labels = groups.labels.reshape(len(groups.labels), -1)
    if not marginal or labels.shape[1] == 1:
        rows = map(tuple, labels.tolist())
        return dict(zip(rows, groups.names, strict=True))
    return {
        (j, value): f"{value} (column {j})"
        for j, column in enumerate(labels.T)
        for value in column.tolist()
    }


def columns_of(X, sensitive_feature_ids):
    """The columns of X that hold the sensitive features.

    Raises
    ------
    ValueError
        If a column does not exist.
    """
    return of_each_block(X, partial(_columns, sensitive_feature_ids))


def _columns(sensitive_feature_ids, X):
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
    if len(set(names)) < len(names) and any(names.count(name) > 1 for name in ids):
        raise ValueError(
            f"{message}: X has several columns of that name. Rename them, or give "
            "positions."
        )
    try:
        # Lists of rows have no columns to index.
        columns = safe_indexing(
            np.asarray(X) if isinstance(X, list) else X, ids, axis=1
        )
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{message}: {error}") from error
    return columns.toarray() if sparse.issparse(columns) else columns


def _factorize(column, parameter):
    """Codes and sorted labels."""
    try:
        codes, labels = pd.factorize(column)
    except TypeError as error:
        raise ValueError(
            f"{parameter} holds values that cannot be groups ({error}). Give numbers, "
            "strings or other values that compare equal."
        ) from error
    labels = np.asarray(labels)
    _check_not_continuous(labels, len(column), parameter)
    # By name where values cannot be compared, such as numbers and strings.
    try:
        order = np.argsort(labels, kind="stable")
    except TypeError:
        order = np.argsort([str(label) for label in labels], kind="stable")
    return np.argsort(order)[codes], labels[order]


def _check_not_continuous(labels, n_samples, parameter):
    """Numbers and dates that are measured rather than named."""
    n_values = len(labels)
    kind = pd.api.types.infer_dtype(labels, skipna=True)
    fractions = kind in ("floating", "decimal", "mixed-integer-float")
    if fractions and all(float(label).is_integer() for label in labels):
        kind, fractions = "integer", False
    measured = fractions or kind.startswith(("integer", "date", "timedelta"))
    many = n_values > MAX_NUMBERS
    many |= fractions and n_values > 2 and n_values * _ROWS_PER_FRACTION > n_samples
    if measured and many:
        raise ValueError(
            f"{parameter} has {n_values} distinct values in {n_samples} rows: it looks "
            "continuous. (a) Bin it, for example with pandas.cut or bins=4; (b) if the "
            "numbers are names, give them as strings, .astype(str)."
        )


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
    if n_groups > 2 and 2 * n_groups > n_samples:
        raise ValueError(
            f"{parameter} has {n_groups} distinct values in {n_samples} rows: hardly "
            "two rows have the same. Merge groups, or bin numbers with pandas.cut."
        )
