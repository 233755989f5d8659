# SPDX-License-Identifier: BSD-3-Clause
"""The sensitive features of the rows to score."""

import pandas as pd


def aligned_by_index(features, X, y):
    """Rows of `features` under the index of X, or of y where X has none."""
    indices = [a.index for a in (X, y) if isinstance(a, pd.Series | pd.DataFrame)]
    if not indices:
        raise ValueError(
            "sensitive_features of fairness_scorer is aligned through an index, and "
            "neither X nor y is a pandas object. Make one of them a pandas object."
        )
    if not indices[0].equals(indices[-1]):
        raise ValueError(
            "X and y have different indices, so that sensitive_features could be "
            "aligned with either. Give both the same index."
        )
    rows = indices[0]
    missing = rows[~rows.isin(features.index)]
    if len(missing):
        raise ValueError(
            f"sensitive_features of fairness_scorer lacks {len(missing)} of the "
            f"{len(rows)} rows to score, for example {missing[0]!r}. Give it the "
            "index of X or y, for every row."
        )
    return features.loc[rows]


def check_indexed(features):
    if features is None:
        return
    if not isinstance(features, pd.Series | pd.DataFrame):
        raise ValueError(
            "sensitive_features of fairness_scorer must be a pandas Series or "
            f"DataFrame, whose index says which row is whose; got {type(features)}. "
            "Arrays can be passed to fit with metadata routing."
        )
    if not features.index.is_unique:
        raise ValueError(
            "The index of sensitive_features repeats entries, so rows cannot be "
            "found by it. Give a unique index, to X or y as well."
        )


def group_names(features):
    """Readable name of each group that occurs, in the order of occurrence."""
    rows = features.drop_duplicates().itertuples(index=False)
    return [", ".join(map(str, row)) for row in rows]


def one_group_reason(groups):
    """Why a metric has no value where there is one group only; None if there are two.

    Parameters
    ----------
    groups : sequence of str
    """
    if len(groups) > 1:
        return None
    return f"they hold one group only, {list(groups)}. Use folds stratified by group."
