# SPDX-License-Identifier: BSD-3-Clause
"""Points of a trade-off curve as a table."""

import numpy as np
import pandas as pd

COLUMNS = [
    "delta", "metric", "utility", "metric_spread", "utility_spread",
    "metric_low", "metric_high", "utility_low", "utility_high",
]  # fmt: skip


def curve_table(*columns, metric_interval=None, utility_interval=None):
    """Points that are finite, sorted by delta; a column that is None becomes NaN.

    Raises
    ------
    ValueError
        If the columns differ in length, or if no point is finite.
    """
    ends = [_two_columns(metric_interval, "metric_interval")]
    ends += [_two_columns(utility_interval, "utility_interval")]
    given = {
        name: _floats(values)
        for name, values in zip(COLUMNS, [*columns, *ends[0], *ends[1]], strict=True)
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


def cv_table(cv_results, param, keys, spread):
    """Columns of a curve from `cv_results_`: scores, and how sure they are.

    Parameters
    ----------
    cv_results : mapping of str to array-like of shape (n_candidates,)
    param : str or None
        Column of delta; None for the only one whose name says so.
    keys : dict
        Name of the scorer of each column.
    spread : {"interval", "std"} or None
        None takes intervals where both scorers have them.
    """
    delta = _column(cv_results, _delta_name(cv_results) if param is None else param)
    present = ~np.isnan(delta)
    delta = delta[present]
    table = {"delta": delta}
    drawn = all(f"low_test_{key}" in cv_results for key in keys.values())
    if spread not in (None, "interval", "std"):
        raise ValueError(f"spread={spread!r} must be 'interval', 'std' or None.")
    columns = _of_intervals if spread == "interval" or drawn else _of_folds
    for name, key in keys.items():
        of = _of_folds if spread == "std" else columns
        table |= of(
            lambda kind, key=key: _column(cv_results, kind + key)[present], name
        )
    _check_one_row_for_each(delta)
    return table


def _of_folds(column, name):
    """Mean over the folds, and standard deviation."""
    mean = column("mean_test_")
    return {name: _sign(mean) * mean + 0.0, f"{name}_spread": column("std_test_")}


def _of_intervals(column, name):
    """Score of all held-out rows, and the ends of its interval."""
    score = column("pooled_test_")
    ends = [column(f"{end}_test_") for end in ("low", "high")]
    sign = _sign(score)
    interval = np.sort(sign * np.column_stack(ends), axis=1)
    return {name: sign * score + 0.0, f"{name}_interval": interval + 0.0}


def _sign(score):
    """Scores of what is minimised are negated; a metric is shown as it is."""
    return -1.0 if np.nanmax(score, initial=-np.inf) <= 0 else 1.0


def _two_columns(interval, name):
    """Low and high ends; (None, None) without."""
    if interval is None:
        return None, None
    ends = np.asarray(interval, dtype=float)
    if ends.ndim != 2 or ends.shape[1] != 2:
        raise ValueError(
            f"{name} has the shape {ends.shape}. Give two columns, low and high."
        )
    return ends.T


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
