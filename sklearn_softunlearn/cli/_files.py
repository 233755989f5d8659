# SPDX-License-Identifier: BSD-3-Clause
"""Tables from files: CSV, Parquet and Arrow, told apart by their endings."""

import pandas as pd

from sklearn_softunlearn.cli._notices import CommandError, one_line


def _read_csv(path):
    frame = pd.read_csv(path, low_memory=False)
    if frame.shape[1] == 1 and ";" in str(frame.columns[0]):
        frame = pd.read_csv(path, low_memory=False, sep=";")
    return frame


# What pandas calls Feather is the file format of Arrow.
_READERS = {
    ".parquet": pd.read_parquet,
    ".pq": pd.read_parquet,
    ".arrow": pd.read_feather,
    ".feather": pd.read_feather,
    ".ipc": pd.read_feather,
}


def read_table(path):
    """Read a table, of any ending that is not known as CSV."""
    reader = _READERS.get(path.suffix.lower(), _read_csv)
    try:
        frame = reader(path)
    except ImportError as error:
        raise CommandError(
            f"cannot read {path}: pandas reads it with pyarrow, which is not "
            "installed: pip install pyarrow, or give a CSV file"
        ) from error
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot read {path}: {one_line(error)}") from error
    # An index that pandas had written, such as names of people, is no feature.
    return frame.reset_index(drop=True)
