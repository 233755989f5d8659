# SPDX-License-Identifier: BSD-3-Clause
"""Tables from files: CSV, Parquet and Arrow, told apart by their endings."""

import pandas as pd

from sklearn_softunlearn.cli._csv import plain_values, read_csv
from sklearn_softunlearn.cli._notices import CommandError, one_line

# What pandas calls Feather is the file format of Arrow.
_READERS = {
    ".parquet": pd.read_parquet,
    ".pq": pd.read_parquet,
    ".arrow": pd.read_feather,
    ".feather": pd.read_feather,
    ".ipc": pd.read_feather,
}


def read_table(path, as_written=()):
    """Read a table, as CSV if its ending is not known.

    Parameters
    ----------
    path : Path
    as_written : sequence of str
        Columns of a CSV file of which even numbers are read as text.
    """
    reader = _READERS.get(path.suffix.lower())
    try:
        frame = reader(path) if reader else read_csv(path, as_written)
    except ImportError as error:
        raise CommandError(
            f"cannot read {path}: pandas reads it with pyarrow, which is not "
            "installed: pip install pyarrow, or give a CSV file"
        ) from error
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot read {path}: {one_line(error)}") from error
    # An index that pandas had written, such as names of people, is no feature.
    return frame.reset_index(drop=True)


def typed(path, column):
    """A column without missing values that a CSV file was to give as written.

    As numbers or bool where all its cells are; of another file as it is.
    """
    return column if path.suffix.lower() in _READERS else plain_values(column)
