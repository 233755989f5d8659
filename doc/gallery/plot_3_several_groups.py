# SPDX-License-Identifier: BSD-3-Clause
"""
Several groups at once
======================

With more than two groups the demographic parity difference is the largest of many
gaps. Closing only the worst one stalls as soon as another takes its place, so the
corrector makes every ordered pair of groups a constraint of its own.
"""

# %%
# Adult by race, the model of two columns of numbers and a few of categories.

import os

import numpy as np
import pandas as pd
from fairlearn.datasets import fetch_adult

from sklearn_softunlearn.datasets import make_biased_classification

try:
    adult = fetch_adult(data_home=os.environ.get("SOFTUNLEARN_DATA_HOME"))
    y = (adult.target == ">50K").to_numpy(dtype=int)
    group = adult.data["race"].to_numpy(dtype=str)
    X = pd.get_dummies(adult.data.drop(columns="fnlwgt"), dtype=float)
    print(f"Adult: {len(y)} people")
except OSError as error:
    X, y, group = make_biased_classification(
        20_000, n_groups=5, label_bias=[0, 0.1, 0.2, 0.3, 0.4], random_state=0
    )
    X = pd.DataFrame(X)
    print(f"SIMULATED data, because Adult is out of reach: {error}")
print(pd.Series(group).value_counts())

# %%
# Small groups make large sampling errors. The corrector warns of groups with fewer
# than 30 rows of the kind that the metric counts; these are larger.

from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

X_train, X_test, y_train, y_test, g_train, g_test = train_test_split(
    X, y, group, test_size=0.4, random_state=0
)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

# %%
# One fit, several values of delta.

from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import SoftUnlearnCorrector

corrector = SoftUnlearnCorrector(LogisticRegression(max_iter=1000))
path = corrector.path(
    X_train, y_train, deltas=[0.0, 0.25, 0.5, 0.75], sensitive_features=g_train
)
n_gaps = len(path[-1].functional_names_) - 1
print(f"{n_gaps} ordered pairs of groups; some of them, and their multipliers:")
active = pd.Series(path[-1].multipliers_, path[-1].functional_names_)
print(active[active > 0].sort_values(ascending=False).round(3).to_string())

# %%
# Multipliers above 0 belong to the pairs that bind: more than one of them.
# The selection rates of all groups, on held-out rows:

import matplotlib.pyplot as plt
from fairlearn.metrics import selection_rate

rates = pd.DataFrame(
    {
        f"{each.delta:g}": {
            name: selection_rate(
                y_test[g_test == name], each.predict(X_test[g_test == name])
            )
            for name in np.unique(group)
        }
        for each in path
    }
).T
fig, ax = plt.subplots()
for name, marker in zip(rates, "osD^v", strict=True):
    ax.plot(rates.index, rates[name], marker + "-", label=name)
ax.set(xlabel="delta (fraction of the largest gap to remove)", ylim=(0, None))
ax.set_ylabel("selection rate (fraction of the group)")
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize="small")
plt.show()
