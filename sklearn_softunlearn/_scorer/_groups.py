# SPDX-License-Identifier: BSD-3-Clause
"""The sensitive features of the rows to score."""

import numpy as np
import pandas as pd


def group_frame(features):
    """Sensitive features as a DataFrame of one column each, by position."""
    if not isinstance(features, list | tuple | dict | pd.Series | pd.DataFrame):
        features = np.asarray(features)
    frame = pd.DataFrame(features).reset_index(drop=True)
    frame.columns = [f"sensitive_feature_{i}" for i in range(frame.shape[1])]
    n_missing = int(frame.isna().any(axis=1).sum())
    if n_missing:
        raise ValueError(
            f"sensitive_features are missing (NaN or None) in {n_missing} of "
            f"{len(frame)} rows. Drop these rows or give them a group of their own."
        )
    return frame


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


def undefined_reason(features, y_true, sample_weight, needed_labels):
    """Why a metric has no value on these rows; None if it has one.

    It needs two groups, and in each of them rows of every label of `needed_labels`.
    """
    if sample_weight is not None:
        counted = np.asarray(sample_weight) > 0
        features, y_true = features[counted], y_true[counted]
    groups = _group_names(features)
    if len(groups) < 2:
        return f"they hold one group only, {groups}. Use folds stratified by group."
    for label in needed_labels:
        present = _group_names(features[y_true == label])
        absent = [group for group in groups if group not in present]
        if absent:
            return (
                f"groups {absent} hold no {('negatives', 'positives')[label]}. Use "
                "fewer folds, folds stratified by label and group, or merge groups."
            )
    return None


def _group_names(features):
    rows = features.drop_duplicates().itertuples(index=False)
    return [", ".join(map(str, row)) for row in rows]
