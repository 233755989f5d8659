# SPDX-License-Identifier: BSD-3-Clause
"""Adult in the two preparations that tests and benchmarks share."""

from types import SimpleNamespace

import numpy as np
from fairlearn.datasets import fetch_adult
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# OpenML holds the UCI test half first.
_N_TEST = 16281

# The authors standardise with the first 75 % of the training rows, rounded up.
_SCALED_ROWS = 22622

AUTHORS_C = 1 / 2.2622


def one_hot_adult(data_home=None):
    """Adult as fairlearn serves it, one-hot and standardised; 70 % to train on."""
    data = fetch_adult(data_home=data_home)
    one_hot = make_column_transformer(
        (
            OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder="passthrough",
    )
    y = np.asarray(data.target == ">50K", dtype=int)
    train, test = train_test_split(
        np.arange(len(y)), test_size=0.3, random_state=0, stratify=y
    )
    encoder = make_pipeline(one_hot, StandardScaler()).fit(data.data.iloc[train])
    sex, race = (np.asarray(data.data[name], dtype=str) for name in ("sex", "race"))
    return SimpleNamespace(
        X_train=encoder.transform(data.data.iloc[train]),
        X_test=encoder.transform(data.data.iloc[test]),
        y_train=y[train],
        y_test=y[test],
        sex_train=sex[train],
        sex_test=sex[test],
        race_train=race[train],
        race_test=race[test],
    )


def authors_adult(data_home=None):
    """Adult as the authors of the paper prepare it (30162 x 102, 7530 to validate).

    Rows with missing values and the column fnlwgt are dropped, two-level columns
    become one 0/1 column and others one column for each level.
    """
    data = fetch_adult(data_home=data_home)
    complete = ~data.data.isna().any(axis=1).to_numpy()
    table = data.data[complete].drop(columns="fnlwgt")
    y = np.asarray(data.target == ">50K", dtype=int)[complete]
    X = np.column_stack([column for name in table for column in _encoded(table[name])])
    male = np.asarray(table["sex"] == "Male")
    training = np.arange(len(complete))[complete] >= _N_TEST
    scaler = StandardScaler().fit(X[training][:_SCALED_ROWS])
    X = scaler.transform(X)
    _, X_val, _, y_val, _, male_val = train_test_split(
        X[~training], y[~training], male[~training], test_size=0.5, random_state=42000
    )
    return SimpleNamespace(
        X=X[training],
        y=y[training],
        male=male[training],
        X_val=X_val,
        y_val=y_val,
        male_val=male_val,
    )


def _encoded(column):
    if column.dtype.kind in "if":
        return [column.to_numpy(float)]
    values = np.asarray(column, dtype=str)
    levels = np.unique(values)
    return [values == level for level in (levels[1:] if len(levels) == 2 else levels)]
