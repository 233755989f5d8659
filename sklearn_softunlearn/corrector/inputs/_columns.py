# SPDX-License-Identifier: BSD-3-Clause
"""From any container of sensitive features to one-dimensional columns, by position.

A new container is a branch of `_named`: it yields the columns in their order. Never by
the name of a column, of which there may be two.
"""

import numpy as np
import pandas as pd


def columns_in(features, parameter="sensitive_features"):
    """Columns of sensitive features and their names, in their order.

    Parameters
    ----------
    features : array-like of shape (n_samples,) or (n_samples, n_columns)
        List, array (structured, masked or plain), Series or DataFrame of pandas or
        polars, array or table of pyarrow, or dict of arrays.
    parameter : str
        Name to use in messages.

    Returns
    -------
    columns : list of arrays
        NumPy's, or pandas' own where they come from pandas.
    names : tuple of str
        Empty if they have none.

    Raises
    ------
    ValueError
        If values are masked.
    """
    named = _named(features)
    if named is not None:
        names, columns = zip(*named, strict=True) if named else ((), ())
        found = [_column(values, parameter) for values in columns]
        return found, tuple(map(str, names))
    values = _column(features, parameter)
    return (list(values.T) if values.ndim == 2 else [values]), ()


def check_unmasked(values, parameter):
    """Raise ValueError for a masked array, whose mask NumPy and others drop."""
    if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
        raise ValueError(
            f"{parameter} is a masked array with "
            f"{int(np.ma.getmaskarray(values).sum())} masked, that is missing values. "
            "Drop these rows, or fill in a value with .filled(...)."
        )


def _named(features):
    """Pairs of name and column where the container has names, else None."""
    if isinstance(features, dict):
        return list(features.items())
    if isinstance(features, pd.DataFrame):
        return list(features.items())  # also where two columns have one name
    if hasattr(features, "column_names"):  # a table of pyarrow
        return list(zip(features.column_names, features.columns, strict=True))
    if hasattr(features, "columns") and hasattr(features, "get_columns"):  # polars
        return [(column.name, column) for column in features.get_columns()]
    if hasattr(features, "columns"):
        return [(name, features[name]) for name in features.columns]
    fields = getattr(getattr(features, "dtype", None), "names", None)
    return None if fields is None else [(name, features[name]) for name in fields]


def _column(values, parameter):
    check_unmasked(values, parameter)
    # As objects, a categorical or string array of pandas would take 20 times longer.
    if isinstance(getattr(values, "dtype", None), pd.api.extensions.ExtensionDtype):
        return pd.array(values)
    plain = np.asarray(values)
    # Beside strings, NumPy would make a string 'nan' of a missing value in a list.
    mixed = plain.dtype.kind in "US" and isinstance(values, list | tuple)
    return np.asarray(values, dtype=object) if mixed else plain
