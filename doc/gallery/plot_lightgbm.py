# SPDX-License-Identifier: BSD-3-Clause
"""
Correct a LightGBM model that is in use
=======================================

A model of LightGBM says who earns more than 50 000 dollars a year. It is fitted, and
selects men far more often than women. We audit it, correct the values of its leaves,
and audit it again. The result is a LightGBM model like the one before: it needs no
groups to predict, and is saved as any other.
"""

# %%
# The model
# ---------
# Adult, as fairlearn serves it, or simulated data where it cannot be had. LightGBM
# takes missing values and categories as they are.

import os

import numpy as np
import pandas as pd
from fairlearn.datasets import fetch_adult
from lightgbm import LGBMClassifier
from sklearn.model_selection import train_test_split

from sklearn_softunlearn.datasets import make_biased_classification

try:
    adult = fetch_adult(data_home=os.environ.get("SOFTUNLEARN_DATA_HOME"))
    X, y = adult.data, (adult.target == ">50K").to_numpy(dtype=int)
    sex = adult.data["sex"].to_numpy(dtype=str)
    print(f"Adult: {X.shape[0]} people, {X.shape[1]} columns")
except OSError as error:
    X, y, group = make_biased_classification(20_000, random_state=0)
    X, sex = pd.DataFrame(X).add_prefix("x"), np.array(["Male", "Female"])[group]
    print(f"SIMULATED data, because Adult is out of reach: {error}")
texts = X.select_dtypes(exclude="number").columns
X = X.astype(dict.fromkeys(texts, "category"))

rest, test = train_test_split(np.arange(len(y)), random_state=0, stratify=y)
train, validation = train_test_split(rest, test_size=0.25, random_state=0)

model = LGBMClassifier(n_estimators=100, num_leaves=31, verbose=-1, n_jobs=1)
model = model.fit(X.iloc[train], y[train])

# %%
# The audit
# ---------
# On rows that the model has not seen, with fairlearn.

from fairlearn.metrics import MetricFrame, demographic_parity_difference, selection_rate
from sklearn.metrics import accuracy_score, log_loss


def audit(estimator):
    """Figures of each group, on the test rows."""
    return MetricFrame(
        metrics={"selection rate": selection_rate, "accuracy": accuracy_score},
        y_true=y[test],
        y_pred=estimator.predict(X.iloc[test]),
        sensitive_features={"sex": sex[test]},
    ).by_group


before = audit(model)
print(before.round(3))

# %%
# The correction
# --------------
# ``FrozenEstimator`` keeps the model as it is and has a copy corrected. ``path`` gives
# corrected models for several values of delta, the fraction of the gap to remove; the
# influences are computed once.

from sklearn.frozen import FrozenEstimator

from sklearn_softunlearn import SoftUnlearnCorrector, TradeoffDisplay

corrector = SoftUnlearnCorrector(
    FrozenEstimator(model), metric="demographic_parity_difference", trees="joint"
)
path = corrector.path(
    X.iloc[train],
    y[train],
    deltas=np.linspace(0.0, 0.7, 8),
    sensitive_features=sex[train],
)

# %%
# What each of them costs on the validation rows, which serve to choose.

display = TradeoffDisplay.from_path(
    path, X.iloc[validation], y[validation], sensitive_features=sex[validation]
).plot()

# %%
# We take the most accurate model whose gap there is at most 0.1.


def accuracy(estimator, rows):
    """Share of right answers."""
    return accuracy_score(y[rows], estimator.predict(X.iloc[rows]))


def gap(estimator, rows):
    """Difference of the selection rates of women and men."""
    return demographic_parity_difference(
        y[rows], estimator.predict(X.iloc[rows]), sensitive_features=sex[rows]
    )


within = [each for each in path if gap(each, validation) <= 0.1]
chosen = max(within, key=lambda each: accuracy(each, validation))
corrected = chosen.estimator_
print(f"delta = {chosen.delta:.1f}, {type(corrected).__name__}")

# %%
# Before and after
# ----------------
# The same audit again, of the corrected model.

both = pd.concat({"before": before, "after": audit(corrected)}, axis=1)
print(both.round(3))

# %%
# And what it costs over all. Log loss pays more than accuracy does: where probabilities
# are used, and not answers, look at them before you decide.

for name, each in (("before", model), ("after", corrected)):
    loss = log_loss(y[test], each.predict_proba(X.iloc[test]))
    print(
        f"{name}: gap {gap(each, test):.3f}, accuracy {accuracy(each, test):.3f}, "
        f"log loss {loss:.3f}"
    )

# %%
# Who is selected, before and after.

ax = both.xs("selection rate", axis=1, level=1).plot.bar(
    rot=0, ylabel="selection rate, test rows", xlabel=""
)
_ = ax.legend(title=None, frameon=False)

# %%
# Into use
# --------
# The corrected model is LightGBM's own. LightGBM saves it, and a program that reads it
# needs this package no more than before.

from lightgbm import Booster

text = corrected.booster_.model_to_string()
booster = Booster(model_str=text)
print(f"{len(text) // 1000} kB, {booster.num_trees()} trees")
same = np.allclose(
    booster.predict(X.iloc[test]), corrected.predict_proba(X.iloc[test])[:, 1]
)
print("the same probabilities:", same)

# %%
# The `study of trees <../benchmarks/trees.html>`_ compares it with reductions,
# thresholds for each group and reweighing, and says where it loses.
