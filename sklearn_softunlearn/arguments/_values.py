# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes, in plain form; what cannot be read is refused by its name.

A new container of columns is a branch of `_named`: it yields the columns in their
order. Never by the name of a column, of which there may be two.
"""

import re
from contextlib import contextmanager

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d


@contextmanager
def named(parameter):
    """What NumPy, pandas and others say about a value, with the argument's name.

    Examples
    --------
    >>> from sklearn_softunlearn.arguments import named
    >>> with named("bounds"):
    ...     float("a")
    Traceback (most recent call last):
        ...
    ValueError: bounds: could not convert string to float: 'a'
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        if re.search(rf"(?<!\w){re.escape(parameter)}(?!\w)", str(error)):
            raise
        # Not of its own type: some of NumPy's and pandas' cannot be made of a message.
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{parameter}: {error}") from error


def real_array(value, parameter):
    """An array of float64.

    Raises
    ------
    ValueError, TypeError
        If values are no real numbers: masked, complex, dates, words.

    Examples
    --------
    >>> from sklearn_softunlearn.arguments import real_array
    >>> real_array([1, 2], "bounds")
    array([1., 2.])
    """
    check_real(value, parameter)
    with named(parameter):
        return np.asarray(value, dtype=np.float64)


def check_real(value, parameter):
    """Raise ValueError for values that are masked, complex or dates.

    NumPy would make numbers of what is masked, and pandas and scikit-learn of dates.
    """
    check_unmasked(value, parameter)
    with named(parameter):
        kind = np.asarray(value).dtype
    if kind.kind in "cmM":
        raise ValueError(
            f"{parameter} must be real numbers, and is of the type {kind}."
        )


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


def label_vector(values, parameter, *, warn=False):
    """Labels, or numbers to predict, as a vector without missing values.

    Parameters
    ----------
    values : array-like of shape (n_samples,) or (n_samples, 1)
    parameter : str
    warn : bool
        Whether to warn of a column.

    Raises
    ------
    ValueError, TypeError
        If they are no vector, or values are missing or infinite.

    Examples
    --------
    >>> from sklearn_softunlearn.arguments import label_vector
    >>> label_vector(["no", "yes"], "y_true").tolist()
    ['no', 'yes']
    """
    check_unmasked(values, parameter)
    with named(parameter):
        vector = column_or_1d(values, warn=warn)
        if vector.dtype.kind == "V":
            raise ValueError("one value for each row is wanted, and it has fields.")
    missing = int(pd.isna(vector).sum())
    if missing:
        raise ValueError(f"{parameter} has {missing} missing values. Drop these rows.")
    # Here and not in type_of_target, whose cast of infinity warns first.
    if vector.dtype.kind == "f" and not np.all(np.isfinite(vector)):
        raise ValueError(f"{parameter} contains infinity. Drop these rows.")
    return vector


def group_frame(features, parameter="sensitive_features"):
    """Sensitive features as a DataFrame of one column each, by position.

    Raises
    ------
    ValueError
        If values are missing, or cannot be told apart.
    """
    columns, _ = columns_in(features, parameter)
    if any(column.ndim != 1 for column in columns):
        raise ValueError(f"{parameter} must have at most two dimensions.")
    with named(parameter):
        series = {f"sensitive_feature_{i}": pd.Series(c) for i, c in enumerate(columns)}
        frame = pd.DataFrame(series)
        frame.drop_duplicates()  # which takes values that can be told apart
    n_missing = int(frame.isna().any(axis=1).sum())
    if n_missing:
        raise ValueError(
            f"{parameter} are missing (NaN or None) in {n_missing} of {len(frame)} "
            "rows. Drop these rows or give them a group of their own."
        )
    return frame


def group_codes(frame):
    """Index of the group of each row, and a row of ``frame`` for each group.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_softunlearn.arguments import group_codes
    >>> codes, labels = group_codes(pd.DataFrame({"sex": ["m", "f", "m"]}))
    >>> codes.tolist(), labels["sex"].tolist()
    ([1, 0, 1], ['f', 'm'])
    """
    columns = list(frame.columns)
    try:
        codes = frame.groupby(columns, sort=True, observed=True).ngroup().to_numpy()
    except TypeError:  # by occurrence, such as members of an Enum
        codes = frame.groupby(columns, sort=False, observed=True).ngroup().to_numpy()
    return codes, frame.iloc[np.unique(codes, return_index=True)[1]]


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
    with named(parameter):
        plain = np.asarray(values)
    # As pandas wants: in the order of bytes of the machine, and no half floats.
    wanted = np.float32 if plain.dtype == np.float16 else plain.dtype.newbyteorder("=")
    plain = plain.astype(wanted, copy=False)
    # Beside strings, NumPy would make a string 'nan' of a missing value in a list.
    mixed = plain.dtype.kind in "US" and isinstance(values, list | tuple)
    return np.asarray(values, dtype=object) if mixed else plain
