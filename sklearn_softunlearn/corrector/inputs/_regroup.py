# SPDX-License-Identifier: BSD-3-Clause
"""Groups as a user wants them compared: numbers in intervals, small groups merged."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from sklearn_softunlearn.arguments import columns_in
from sklearn_softunlearn.exceptions import SmallGroupWarning, warn

OTHER = "other"


@dataclass(frozen=True)
class Regrouping:
    """What was learnt from the groups of some rows, to be applied to others.

    Attributes
    ----------
    edges : dict of int to ndarray
        Edges of the intervals of a column, by its position.
    kept : frozenset of tuple or None
        Combinations of values that are groups; the others become "other". None keeps
        all.
    """

    edges: dict = field(default_factory=dict)
    kept: frozenset | None = None

    def apply(self, features, parameter):
        """The features as a DataFrame of labels."""
        columns, names = columns_in(features, parameter)
        table = _binned(columns, names, self.edges)
        if self.kept is not None:
            rows = pd.Series(list(table.itertuples(index=False, name=None)))
            small = ~rows.isin(self.kept).to_numpy()
            table = table.astype(object)
            table[small] = OTHER
        return table


def regrouped(tables, *, bins, min_group_size, small_groups):
    """Tables whose sensitive features are binned and merged as those of the first.

    Parameters
    ----------
    tables : list of Table or None
    bins : int, array-like of float or None
        Number of quantile intervals of each numeric column that has more distinct
        values, or the edges of its intervals.
    min_group_size : int
    small_groups : {"keep", "merge", "refuse"}

    Returns
    -------
    list of Table or None
    """
    given = [t for t in tables if t is not None and t.sensitive_features is not None]
    if not given or (bins is None and small_groups == "keep"):
        return tables
    found = learn_groups(given[0], bins, min_group_size, small_groups)
    return [
        replace(t, sensitive_features=found.apply(t.sensitive_features, t.groups_name))
        if any(t is each for each in given)
        else t
        for t in tables
    ]


def learn_groups(table, bins, min_group_size, small_groups):
    """The `Regrouping` of a table's sensitive features, by the options of `regrouped`.

    Raises
    ------
    ValueError
        If groups are too small and ``small_groups="refuse"``.
    """
    columns, names = columns_in(table.sensitive_features, table.groups_name)
    edges = {} if bins is None else _edges(columns, bins)
    if small_groups == "keep":
        return Regrouping(edges)
    labels = _binned(columns, names, edges)
    counted = labels[table.sample_weight > 0]
    counts = pd.Series(list(counted.itertuples(index=False, name=None))).value_counts()
    small = counts[counts < min_group_size]
    if small.empty:
        return Regrouping(edges)
    named = ", ".join(
        f"{', '.join(map(str, group))} ({count})" for group, count in small.items()
    )
    size = f"fewer than min_group_size={min_group_size} rows"
    if small_groups == "refuse":
        raise ValueError(
            f"{table.groups_name} has groups of {size}: {named}. (a) Merge them, "
            "small_groups='merge' does; (b) lower min_group_size; (c) give more rows."
        )
    warn(f"Groups of {size} were merged into '{OTHER}': {named}.", SmallGroupWarning)
    return Regrouping(edges, frozenset(counts[counts >= min_group_size].index))


def _edges(columns, bins):
    return {
        j: _edges_of(np.asarray(column, dtype=float), bins)
        for j, column in enumerate(columns)
        if pd.api.types.is_numeric_dtype(column.dtype)
        and not pd.api.types.is_bool_dtype(column.dtype)
        and (np.ndim(bins) == 1 or len(pd.unique(column)) > bins)
    }


def _edges_of(values, bins):
    """Edges between intervals; values beyond the outer ones belong to these."""
    if np.ndim(bins) == 1:
        inner = np.asarray(bins, dtype=float)
    else:
        inside = np.linspace(0.0, 1.0, bins + 1)[1:-1]
        inner = np.unique(np.nanquantile(values, inside))
    return np.concatenate([[-np.inf], inner[np.isfinite(inner)], [np.inf]])


def _binned(columns, names, edges):
    table = pd.DataFrame(dict(enumerate(map(pd.Series, columns))))
    for j, at in edges.items():
        labels = [_interval(low, high) for low, high in pairwise(at)]
        table[j] = pd.cut(table[j].astype(float), at, labels=labels).astype(object)
    return table.set_axis(list(names), axis=1) if names else table


def _interval(low, high):
    if low == -np.inf:
        return f"up to {high:g}"
    return f"over {low:g}" if high == np.inf else f"over {low:g}, up to {high:g}"
