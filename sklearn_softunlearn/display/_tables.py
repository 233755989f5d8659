# SPDX-License-Identifier: BSD-3-Clause
"""Points of a trade-off curve as a table."""

import numpy as np
import pandas as pd

COLUMNS = ["delta", "metric", "utility", "metric_spread", "utility_spread"]


def curve_table(*columns):
    """Points that are finite, sorted by delta; a column that is None becomes NaN.

    Raises
    ------
    ValueError
        If the columns differ in length, or if no point is finite.
    """
    given = {
        name: _floats(values)
        for name, values in zip(COLUMNS, columns, strict=True)
        if values is not None
    }
    lengths = {name: len(values) for name, values in given.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"The columns must have the same length; got {lengths}.")
    table = pd.DataFrame(given, columns=COLUMNS, dtype=np.float64)
    table = table.dropna(subset=COLUMNS[:3])
    if table.empty:
        raise ValueError(
            f"None of the {lengths['delta']} points has a finite delta, metric and "
            "utility, so there is no curve to show."
        )
    return table.sort_values("delta", ignore_index=True, kind="stable")


def point_at_zero(curve):
    """Metric and utility at delta 0, None without it."""
    at_zero = curve[curve["delta"] == 0]
    return tuple(at_zero[["metric", "utility"]].iloc[0]) if len(at_zero) else None


def display_table(base, curve, others):
    """One row for each point of the curve and for each model, given as points."""
    columns = ["model", *COLUMNS]
    parts = [_point_table(base, columns), curve, _point_table(others, columns)]
    frames = [pd.DataFrame(part, columns=columns) for part in parts]
    # pandas warns about the type of empty columns
    return pd.concat([f for f in frames if len(f)], ignore_index=True)


def _point_table(points, columns):
    rows = [{"model": k, "metric": x, "utility": y} for k, (x, y) in points.items()]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(COLUMNS, float))


def cv_table(cv_results, param, keys):
    """Columns of a curve from `cv_results_`: mean scores and their deviations.

    Parameters
    ----------
    cv_results : mapping of str to array-like of shape (n_candidates,)
    param : str or None
        Column of delta; None for the only one whose name says so.
    keys : dict
        Name of the scorer of each column.
    """
    delta = _column(cv_results, _delta_name(cv_results) if param is None else param)
    present = ~np.isnan(delta)
    delta = delta[present]
    table = {"delta": delta}
    for name, key in keys.items():
        mean = _column(cv_results, f"mean_test_{key}")[present]
        # scores of what is minimised are negated; a metric is shown as it is
        table[name] = 0.0 - mean if np.nanmax(mean, initial=-np.inf) <= 0 else mean
        table[f"{name}_spread"] = _column(cv_results, f"std_test_{key}")[present]
    _check_one_row_for_each(delta)
    return table


def _floats(values):
    """Array of floats, NaN where a masked array is masked."""
    masked = np.ma.getmaskarray(np.ma.asarray(values))
    plain = np.asarray(values)
    return np.array(
        [
            np.nan if hidden else float(v)
            for v, hidden in zip(plain, masked, strict=True)
        ]
    )


def _column(cv_results, name):
    if name not in cv_results:
        raise ValueError(
            f"cv_results has no column {name!r}. It has {sorted(cv_results)}."
        )
    return _floats(cv_results[name])


def _delta_name(cv_results):
    names = [
        name
        for name in cv_results
        if name == "param_delta"
        or (name.startswith("param_") and name.endswith("__delta"))
    ]
    if len(names) != 1:
        raise ValueError(
            f"cv_results has {len(names)} columns of a parameter delta: {names}. Name "
            "the one to use in param='param_...'."
        )
    return names[0]


def _check_one_row_for_each(delta):
    values, counts = np.unique(delta, return_counts=True)
    repeated = values[counts > 1].tolist()
    if repeated:
        raise ValueError(
            f"cv_results has several rows of delta in {repeated}: another parameter "
            "varies too. Give the rows of one setting, for example "
            "pandas.DataFrame(cv_results).query('param_C == 1')."
        )
