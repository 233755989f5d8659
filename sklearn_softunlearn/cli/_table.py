# SPDX-License-Identifier: BSD-3-Clause
"""A table with a target and groups, checked, and split into three parts."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sklearn_softunlearn.cli._notices import CommandError, notice

MIN_ROWS = 10  # of a class: each of the three parts should see some
MAX_GROUPS = 20
EVALUATION_FRACTION = HELD_OUT_FRACTION = 0.15
OTHER = "other"  # the group of small groups


@dataclass(frozen=True)
class Table:
    """Rows of a data set.

    Attributes
    ----------
    name : str
    X : DataFrame of shape (n_samples, n_features)
        Numeric columns as float64, the others as str; missing values are NaN.
    y : ndarray of shape (n_samples,)
        Labels of two classes.
    groups : ndarray of str, of shape (n_samples,)
    groups_name : str
        What the groups are, for the reader.
    positive : label
        The class whose selection is counted.
    sees_groups : bool
        Whether the columns that hold the groups are among those of X.
    """

    name: str
    X: pd.DataFrame
    y: np.ndarray
    groups: np.ndarray
    groups_name: str
    positive: object
    sees_groups: bool

    def take(self, rows):
        """Rows at these positions."""
        return replace(
            self, X=self.X.iloc[rows], y=self.y[rows], groups=self.groups[rows]
        )

    def group_sizes(self):
        """Number of rows of each group."""
        names, counts = np.unique(self.groups, return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _plain_column(column):
    """float64 if numeric, else str objects; missing values as NaN in both."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(np.float64)
    # one dtype whatever pandas inferred: its string dtypes differ between versions
    return column.astype(str).astype(object).where(column.notna(), np.nan)


def plain_labels(column):
    """Values of a column without missing ones, as numbers or as str."""
    is_number = pd.api.types.is_numeric_dtype(column)
    return column.to_numpy() if is_number else np.asarray(column.astype(str), dtype=str)


def _check_two_classes(y, target):
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) != 2:
        shown = ", ".join(map(str, classes[:5])) + (", ..." if len(classes) > 5 else "")
        raise CommandError(
            f"target {target!r} has {len(classes)} class(es) ({shown}): give a column "
            "with exactly two"
        )
    if counts.min() < MIN_ROWS:
        raise CommandError(
            f"target {target!r} has only {counts.min()} rows of class "
            f"{classes[counts.argmin()]}: at least {MIN_ROWS} are needed"
        )


def _positive(y, wanted, target):
    """The label that the user names, or the last one in sorted order."""
    classes = np.unique(y)
    if wanted is None:
        return classes[-1]
    for label in classes:
        # 1 as the label 1.0: a column with missing values is read as numbers
        if str(label) == wanted or (y.dtype.kind in "iuf" and _is(wanted, label)):
            return label
    known = ", ".join(map(str, classes))
    raise CommandError(f"target {target!r} has no class {wanted!r}: it has {known}")


def _is(text, number):
    try:
        return float(text) == number
    except ValueError:
        return False


def _merged(groups, min_size):
    """Groups of fewer rows as one."""
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    small = counts < min_size
    if not small.any():
        return groups
    named = ", ".join(f"{name} ({n})" for name, n in zip(names[small], counts[small],
                                                         strict=True))  # fmt: skip
    notice(f"groups of fewer than {min_size} rows are merged into {OTHER!r}: {named}")
    return np.where(small[inverse], OTHER, groups)


def _check_groups(groups, groups_name, min_size):
    names, counts = np.unique(groups, return_counts=True)
    if len(names) < 2:
        raise CommandError(
            f"sensitive column {groups_name!r} has one group only ({names[0]}): there "
            "is no gap to correct"
        )
    if len(names) > MAX_GROUPS:
        raise CommandError(
            f"sensitive column {groups_name!r} has {len(names)} distinct values: give "
            f"at most {MAX_GROUPS} groups, for instance by binning it"
        )
    if counts.min() < min_size:
        raise CommandError(
            f"group '{names[counts.argmin()]}' of {groups_name!r} has only "
            f"{counts.min()} rows, at least {min_size} are needed: merge it "
            "(--small-groups merge), leave its rows out, or lower --min-group-size"
        )


def _without(X, drop, name):
    """Columns that the model may see."""
    for column in drop:
        if column not in X.columns:
            known = ", ".join(map(str, X.columns[:30]))
            raise CommandError(
                f"no column {column!r} to drop in {name}; it has: {known}"
            )
    return X.drop(columns=drop)


def _check_finite(X):
    numbers = X.select_dtypes(np.float64)
    infinite = numbers.columns[np.isinf(numbers).any()]
    if len(infinite):
        raise CommandError(
            f"column {infinite[0]!r} has infinite values: replace them, or leave them "
            "empty to have them imputed"
        )


@dataclass(frozen=True)
class TableMaker:
    """Checks labels and groups, and brings the columns to two plain kinds.

    Attributes
    ----------
    drop : list of str
        Columns that the model must not see.
    positive : str or None
        Label of the positive class, as it is written.
    min_group_size : int
    merge : bool
        Whether smaller groups become one group; they are refused otherwise.
    keep_sensitive : bool
        Whether the model may see the columns that hold the groups.
    """

    drop: list
    positive: str | None
    min_group_size: int
    merge: bool
    keep_sensitive: bool

    def __call__(self, name, X, y, groups, *, target, groups_name, held_in=()):
        """Make the table; the groups are held in these columns of X, if in any."""
        _check_two_classes(y, target)
        groups = _merged(groups, self.min_group_size) if self.merge else groups
        _check_groups(groups, groups_name, self.min_group_size)
        X = _without(X, self.drop, name)
        seen = self.keep_sensitive and any(column in X for column in held_in)
        X = X if seen else X.drop(columns=held_in, errors="ignore")
        filled = X.loc[:, X.notna().any()]
        if filled.shape[1] == 0:
            raise CommandError(
                f"{name} has no feature columns besides {target!r} and the groups"
            )
        X = filled.apply(_plain_column).set_axis(filled.columns.astype(str), axis=1)
        _check_finite(X)
        positive = _positive(y, self.positive, target)
        X = X.reset_index(drop=True)
        return Table(name, X, y, groups, groups_name, positive, seen)


def _as_before(column, like, file):
    """A column of the kind that the table has; what is no number there is refused."""
    if like.dtype != np.float64:
        return _plain_column(column.astype(object))
    try:
        return pd.to_numeric(column).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise CommandError(
            f"column {like.name!r} holds numbers in the table, and not in {file}"
        ) from error


def make_like(table, X, y, groups, *, file):
    """Held-out rows of a file of their own, in the form of a table.

    Parameters
    ----------
    table : Table
        What the model is fitted on.
    X : DataFrame
        Has all columns of the table, and may have others.
    y, groups : ndarray of shape (n_samples,)
    file : path
        For messages.

    Returns
    -------
    Table
    """
    X = X.set_axis(X.columns.astype(str), axis=1)
    missing = [column for column in table.X.columns if column not in X.columns]
    if missing:
        raise CommandError(f"{file} lacks the column {missing[0]!r} of {table.name}")
    for what, found, known in (
        ("class", y, np.unique(table.y)),
        ("group", groups, np.unique(table.groups)),
    ):
        new = np.setdiff1d(found, known)
        if len(new):
            raise CommandError(
                f"{file} has the {what} {str(new[0])!r}, which {table.name} has not"
            )
    X = pd.DataFrame({name: _as_before(X[name], table.X[name], file)
                      for name in table.X.columns})  # fmt: skip
    _check_finite(X)
    return replace(
        table, name=file.name, X=X.reset_index(drop=True), y=y, groups=groups
    )


def _strata(table):
    """Labels within groups, or labels alone where such a cell is too small."""
    cells = pd.Series(table.groups).str.cat(pd.Series(table.y).astype(str), sep="|")
    return cells if cells.value_counts().min() >= MIN_ROWS else table.y


def _drawn(table, fraction, seed):
    """The rows that are left, and a fraction of them, drawn within the strata."""
    rows, strata = np.arange(len(table.y)), np.asarray(_strata(table))
    parts = train_test_split(
        rows, test_size=fraction, stratify=strata, random_state=seed
    )
    return [table.take(part) for part in parts]


def split(table, *, seed=0, held_out=None):
    """Split into training (70 %), evaluation (15 %) and held-out rows (15 %).

    Parameters
    ----------
    table : Table
    seed : int, default=0
    held_out : Table, default=None
        Held-out rows of their own; then none are drawn.

    Returns
    -------
    list of three Tables
    """
    remaining = 1.0
    if held_out is None:
        table, held_out = _drawn(table, HELD_OUT_FRACTION, seed)
        remaining -= HELD_OUT_FRACTION
    train, evaluation = _drawn(table, EVALUATION_FRACTION / remaining, seed)
    return [train, evaluation, held_out]
