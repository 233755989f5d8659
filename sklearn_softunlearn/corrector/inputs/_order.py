# SPDX-License-Identifier: BSD-3-Clause
"""Rows belong together by position; an index in another order says otherwise."""

from itertools import combinations

import pandas as pd


def check_same_order(**tables):
    """Raise ValueError if two of the arguments have the same rows in another order.

    Also where cross-validation has cut them: both then hold some labels of one index,
    at other positions. An index that only counts from 0 says nothing about rows, unless
    the other one holds exactly its numbers.

    Parameters
    ----------
    **tables : object
        What was given, by the name to use in messages; None, and what has no index of
        pandas, is passed over. A dict holds tables of its own.
    """
    indexed = []
    for name, table in tables.items():
        parts = table.values() if isinstance(table, dict) else [table]
        found = (getattr(part, "index", None) for part in parts)
        indexed += [(name, index) for index in found if isinstance(index, pd.Index)]
    for (name, index), (other_name, other) in combinations(indexed, 2):
        if _contradict(index, other):
            raise ValueError(
                f"{other_name} has the index of {name} in another order, and rows are "
                f"matched by position. Give {other_name}.loc[{name}.index], or "
                ".to_numpy() if the positions are right."
            )


def _contradict(index, other):
    alike = len(index) == len(other) and index.nlevels == other.nlevels
    if not alike or index.equals(other):
        return False
    shared = index.isin(other)
    if shared.all() and other.isin(index).all():
        return True
    informative = not _counts(index) and not _counts(other)
    return informative and bool(shared.any())


def _counts(index):
    """Whether it is 0, 1, 2, ..., as of a table to which nobody gave an index."""
    return index.equals(pd.RangeIndex(len(index)))
