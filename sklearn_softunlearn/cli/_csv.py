# SPDX-License-Identifier: BSD-3-Clause
"""A CSV file as it is written: only an empty cell is missing."""

import pandas as pd

from sklearn_softunlearn.cli._notices import CommandError
from sklearn_softunlearn.cli._numbers import plain_values, read_numbers

__all__ = ["plain_values", "read_csv"]

_SEPARATORS = (",", ";", "\t", "|")


def _read(path, separator, **options):
    # As text: pandas would take NA, None and nan for missing, whatever the column.
    return pd.read_csv(
        path, sep=separator, dtype=str, keep_default_na=False, na_values=[""], **options
    )


def _separator(path):
    """The one that makes the most columns of the header; a comma in doubt."""
    width = {s: _read(path, s, nrows=0).shape[1] for s in _SEPARATORS}
    return max(_SEPARATORS, key=width.get)


def read_csv(path, as_written=()):
    """Read a CSV file; numbers become numbers, in any usual spelling.

    Parameters
    ----------
    path : Path
    as_written : sequence of str
        Columns whose cells are names, not quantities: groups and labels.

    Returns
    -------
    DataFrame
        Numbers as float64, everything else as str, empty cells as NaN.

    Raises
    ------
    CommandError
        If rows have more cells than the header, or a number may mean two things.
    """
    separator = _separator(path)
    frame = _read(path, separator)
    if not isinstance(frame.index, pd.RangeIndex):
        raise CommandError(
            f"{path} has rows with more cells than its header, by the separator "
            f"{separator!r}: name each column, and quote cells that hold a separator"
        )
    names = [name for name in frame.columns if name in as_written]
    numbers = read_numbers(frame.drop(columns=names), separator)
    return numbers.join(frame[names])[list(frame.columns)]
