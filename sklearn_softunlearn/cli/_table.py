# SPDX-License-Identifier: BSD-3-Clause
"""A table with a target and groups, checked, and split into three parts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sklearn_softunlearn.cli._notices import CommandError

MIN_ROWS = 10  # of a class or of a group: each of the three parts should see some
MAX_GROUPS = 20
EVALUATION_FRACTION = HELD_OUT_FRACTION = 0.15
RANDOM_STATE = 0


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
    """

    name: str
    X: pd.DataFrame
    y: np.ndarray
    groups: np.ndarray
    groups_name: str

    @property
    def positive(self):
        """The class whose selection is counted: the last one in sorted order."""
        return np.unique(self.y)[-1]

    def take(self, rows):
        """Rows at these positions."""
        X, y, groups = self.X.iloc[rows], self.y[rows], self.groups[rows]
        return Table(self.name, X, y, groups, self.groups_name)


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


def _check_groups(groups, groups_name):
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
    if counts.min() < MIN_ROWS:
        raise CommandError(
            f"group '{names[counts.argmin()]}' of {groups_name!r} has only "
            f"{counts.min()} rows, at least {MIN_ROWS} are needed: merge or drop it"
        )


def _check_finite(X):
    numbers = X.select_dtypes(np.float64)
    infinite = numbers.columns[np.isinf(numbers).any()]
    if len(infinite):
        raise CommandError(
            f"column {infinite[0]!r} has infinite values: replace them, or leave them "
            "empty to have them imputed"
        )


def make_table(name, X, y, groups, *, target, groups_name):
    """Check labels and groups, and bring the columns to two plain kinds."""
    _check_two_classes(y, target)
    _check_groups(groups, groups_name)
    filled = X.loc[:, X.notna().any()]
    if filled.shape[1] == 0:
        raise CommandError(f"{name} has no feature columns besides {target!r}")
    X = filled.apply(_plain_column).set_axis(filled.columns.astype(str), axis=1)
    _check_finite(X)
    return Table(name, X.reset_index(drop=True), y, groups, groups_name)


def _strata(table):
    """Labels within groups, or labels alone where such a cell is too small."""
    cells = pd.Series(table.groups).str.cat(pd.Series(table.y).astype(str), sep="|")
    return cells if cells.value_counts().min() >= MIN_ROWS else table.y


def split(table):
    """Split into training (70 %), evaluation (15 %) and held-out rows (15 %)."""
    rows, strata = np.arange(len(table.y)), np.asarray(_strata(table))
    train, held_out = train_test_split(
        rows, test_size=HELD_OUT_FRACTION, stratify=strata, random_state=RANDOM_STATE
    )
    train, evaluation = train_test_split(
        train,
        test_size=EVALUATION_FRACTION / (1 - HELD_OUT_FRACTION),
        stratify=strata[train],
        random_state=RANDOM_STATE,
    )
    return table.take(train), table.take(evaluation), table.take(held_out)
