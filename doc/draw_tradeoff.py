# SPDX-License-Identifier: BSD-3-Clause
"""Draw the picture of the README from Adult.

Run ``python doc/draw_tradeoff.py [DATA_HOME]`` in the root of the repository; it writes
``doc/tradeoff_adult.svg`` and prints the numbers in it. Everything is measured on a
quarter of the rows that neither the model nor the correction has seen.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from fairlearn.datasets import fetch_adult
from fairlearn.metrics import demographic_parity_difference, selection_rate
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_softunlearn import SoftUnlearnCorrector

TARGET = Path(__file__).with_name("tradeoff_adult.svg")
DELTAS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
NAMED_DELTAS = (0.0, 0.3, 0.5, 0.8)
COLOURS = {"curve": "#0b6fb8", "Female": "#7a3fa0", "Male": "#2f7d3a"}


def load(data_home):
    """Training, evaluation and held-out parts: (X, y, sex) each."""
    bunch = fetch_adult(data_home=data_home)
    one_hot = make_column_transformer(
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder="passthrough",
    )
    encoder = make_pipeline(one_hot, StandardScaler())
    y = (bunch.target == ">50K").to_numpy(dtype=int)
    sex = bunch.data["sex"].to_numpy(dtype=str)
    rest, held_out = train_test_split(np.arange(len(y)), random_state=0)
    train, evaluation = train_test_split(rest, test_size=0.2, random_state=0)
    encoder.fit(bunch.data.iloc[train])
    parts = (train, evaluation, held_out)
    return [(encoder.transform(bunch.data.iloc[i]), y[i], sex[i]) for i in parts]


def correct(parts):
    """One corrector for each delta."""
    (X, y, sex), (X_val, y_val, sex_val), _ = parts
    model = LogisticRegression(max_iter=1000).fit(X, y)
    corrector = SoftUnlearnCorrector(FrozenEstimator(model))
    return corrector.path(
        X,
        y,
        deltas=DELTAS,
        sensitive_features=sex,
        X_val=X_val,
        y_val=y_val,
        sensitive_features_val=sex_val,
    )


def measure(corrector, X, y, sex):
    """Held-out numbers of one corrector."""
    y_pred = corrector.predict(X)
    rates = {
        group: selection_rate(y[sex == group], y_pred[sex == group])
        for group in ("Female", "Male")
    }
    gap = demographic_parity_difference(y, y_pred, sensitive_features=sex)
    accuracy = np.mean(y == y_pred)
    mass = corrector.deletion_weights_.mean()
    return (
        {"delta": corrector.delta, "gap": gap, "accuracy": accuracy}
        | rates
        | {"deleted_mass": mass}
    )


def draw_rates(ax, curve):
    """Selection rate of each group over delta."""
    for group, offset in (("Female", -14), ("Male", 6)):
        colour = COLOURS[group]
        ax.plot(curve["delta"], curve[group], "o-", color=colour, markersize=3)
        ax.annotate(
            group,
            (curve["delta"].iloc[1], curve[group].iloc[1]),
            xytext=(4, offset),
            textcoords="offset points",
            color=colour,
        )
    ax.set(xlabel="delta: fraction of the gap to remove", ylabel="selection rate")
    ax.set(ylim=(0, None), title="who is predicted to earn > 50K")


def draw_tradeoff(ax, curve):
    """Accuracy against the gap, with some deltas named."""
    ax.plot(curve["gap"], curve["accuracy"], "o-", color=COLOURS["curve"], markersize=3)
    for row in curve[curve["delta"].isin(NAMED_DELTAS)].itertuples():
        ax.annotate(
            f"delta = {row.delta:g}" if row.delta else "before",
            (row.gap, row.accuracy),
            xytext=(6, -11),
            textcoords="offset points",
        )
    ax.set(xlabel="demographic parity difference", ylabel="accuracy")
    ax.set(xlim=(0, 0.215), ylim=(0.81, 0.86), title="what it costs")


def main(data_home=None):
    parts = load(data_home)
    curve = pd.DataFrame([measure(c, *parts[2]) for c in correct(parts)])
    # white, and not transparent: legible whatever the page is
    plt.rcParams.update({"svg.hashsalt": "softunlearn", "font.size": 10})
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(8.4, 3.4), layout="constrained", facecolor="white"
    )
    figure.suptitle("Adult, held-out rows")
    draw_rates(left, curve)
    draw_tradeoff(right, curve)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(TARGET, metadata={"Date": None})
    print(curve.round(4).to_string(index=False))


if __name__ == "__main__":
    main(*sys.argv[1:2])
