# SPDX-License-Identifier: BSD-3-Clause
"""Binary tasks with sensitive groups, encoded and split for benchmarks."""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
from fairlearn.datasets import fetch_adult, fetch_bank_marketing, fetch_credit_card
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from sklearn_softunlearn.datasets import make_biased_classification


def adult(data_home):
    """Income above 50 000, by sex."""
    data = fetch_adult(data_home=data_home)
    return data.data, data.target == ">50K", data.data["sex"]


def bank(data_home):
    """Subscription of a deposit, by age under 30."""
    data = fetch_bank_marketing(data_home=data_home)
    return data.data, data.target.astype(str) == "2", data.data["age"] < 30


def adult_race(data_home):
    """Income above 50 000, by race (5 groups)."""
    data = fetch_adult(data_home=data_home)
    return data.data, data.target == ">50K", data.data["race"]


def bank_working_age(data_home):
    """Subscription of a deposit, by age from 25 to 60 (Zafar et al. 2017)."""
    data = fetch_bank_marketing(data_home=data_home)
    working_age = data.data["age"].between(25, 60)
    return data.data, data.target.astype(str) == "2", working_age


def credit(data_home):
    """Default of a credit card, by sex."""
    data = fetch_credit_card(data_home=data_home)
    return data.data, data.target.astype(str) == "1", data.data["SEX"]


def digits(data_home):
    """Digit of 5 or more, by a colour that agrees with the label in 70 % of rows.

    The colour scales the image, so that a model can read it off the pixels.
    """
    X, digit = load_digits(return_X_y=True)
    y = digit >= 5
    agrees = np.random.default_rng(0).random(len(y)) < 0.7
    colour = np.where(agrees, y, ~y)
    return pd.DataFrame(X * np.where(colour, 1.0, 0.8)[:, None]), y, colour


def text(data_home):
    """Toxic comment, by whether a social group is mentioned."""
    table = pd.read_csv(f"{data_home}/text/wikipedia_comments.csv.gz")
    return table["text"], table["toxic"].astype(bool), table["identity_mention"]


def simulated(data_home):
    """One of two groups with labels recorded wrongly, and features that tell it."""
    X, y, groups = make_biased_classification(20_000, n_features=20, random_state=0)
    return pd.DataFrame(X), y, groups


TASKS = {f.__name__: f for f in (adult, bank, credit, digits, text)}
TRADEOFF_TASKS = {
    f.__name__: f for f in (adult, adult_race, bank_working_age, credit, simulated)
}


@lru_cache(maxsize=1)
def load(name, data_home, seed, encoding="one-hot"):
    """One task, 50 % to train, 20 % to choose the weights, 30 % held out.

    With ``encoding="ordinal"``, for trees, categories are numbered and nothing else is
    changed.
    """
    X, y, groups = (TASKS | TRADEOFF_TASKS)[name](data_home)
    y, groups = np.asarray(y, dtype=int), np.asarray(groups).astype(str)
    rest, test = train_test_split(
        np.arange(len(y)), test_size=0.3, random_state=seed, stratify=y
    )
    train, validation = train_test_split(
        rest, test_size=2 / 7, random_state=seed, stratify=y[rest]
    )
    encoder = (_encoder(X) if encoding == "one-hot" else _ordinal()).fit(X.iloc[train])
    parts = {}
    for part, rows in (("train", train), ("val", validation), ("test", test)):
        parts[part] = SimpleNamespace(
            X=encoder.transform(X.iloc[rows]), y=y[rows], groups=groups[rows]
        )
    return SimpleNamespace(**parts)


def _ordinal():
    unknown = {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}
    return make_column_transformer(
        (OrdinalEncoder(**unknown), make_column_selector(dtype_exclude="number")),
        remainder="passthrough",
    )


def _encoder(X):
    if isinstance(X, pd.Series):
        return TfidfVectorizer(min_df=3, max_features=3000)
    categories = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    numeric = make_column_selector(dtype_include="number")
    columns = make_column_transformer(
        (categories, make_column_selector(dtype_exclude="number")),
        (SimpleImputer(), numeric),
    )
    return make_pipeline(columns, StandardScaler())
