# SPDX-License-Identifier: BSD-3-Clause
"""
Audit and correct a model on Adult
==================================

A model predicts who earns more than 50 000 dollars a year. It selects men far more
often than women. We measure this with fairlearn, correct the model without retraining
it, and measure again on rows that neither the model nor the correction has seen.
"""

# %%
# The data
# --------
# Adult, as fairlearn serves it, or simulated data where it cannot be had.

import os

import numpy as np
import pandas as pd
from fairlearn.datasets import fetch_adult

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

# %%
# Three parts: to train on, to measure the correction on, and to judge it with.

from sklearn.model_selection import train_test_split

rest, test = train_test_split(np.arange(len(y)), random_state=0, stratify=y)
train, validation = train_test_split(rest, test_size=0.25, random_state=0)

# %%
# The model and its audit
# -----------------------
# Influences are taken at the optimum of the training objective. Newton's method
# reaches it; with other solvers a warning says if the model is too far from it.

from fairlearn.metrics import MetricFrame, selection_rate
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

encoder = make_column_transformer(
    (StandardScaler(), make_column_selector(dtype_include="number")),
    (
        OneHotEncoder(handle_unknown="ignore", min_frequency=20),
        make_column_selector(dtype_exclude="number"),
    ),
)
model = make_pipeline(encoder, LogisticRegression(solver="newton-cholesky"))
model.fit(X.iloc[train], y[train])


def audit(estimator):
    """Held-out accuracy and selection rate of each group."""
    return MetricFrame(
        metrics={"selection rate": selection_rate, "accuracy": accuracy_score},
        y_true=y[test],
        y_pred=estimator.predict(X.iloc[test]),
        sensitive_features=sex[test],
    )


print(audit(model).by_group.round(3))

# %%
# The correction
# --------------
# ``FrozenEstimator`` keeps the model as it is and has a copy corrected. The
# validation rows, not the training rows, say what the gap is.

from sklearn.frozen import FrozenEstimator

from sklearn_softunlearn import SoftUnlearnCorrector

corrector = SoftUnlearnCorrector(FrozenEstimator(model), delta=0.7)
rows = {
    "sensitive_features": sex[train],
    "X_val": X.iloc[validation],
    "y_val": y[validation],
    "sensitive_features_val": sex[validation],
}
corrector.fit(X.iloc[train], y[train], **rows)
print(corrector.report_)

# %%
# The held-out audit is what counts. Prediction needs no sensitive features.

print(audit(corrector).by_group.round(3))

# %%
# Which rows were deleted, and how much
# -------------------------------------
# Is a group being silenced? The bars show the share of each group and label that the
# deletion weights take away. Rows whose deletion would widen the gap lose nothing.

from sklearn_softunlearn import DeletionWeightsDisplay

weights = DeletionWeightsDisplay.from_estimator(
    corrector, X.iloc[train], y[train], sensitive_features=sex[train]
).plot()

# %%
# The answer in numbers, with one row for each group and each label:


def share_deleted(corrector):
    """Part of each group and label that was deleted, without what was added."""
    rows = pd.DataFrame({"sex": sex[train], "label": y[train]})
    rows["deleted"] = np.maximum(corrector.deletion_weights_, 0)
    return rows.groupby(["sex", "label"])["deleted"].mean()


print(share_deleted(corrector).round(2))

# %%
# One line is far above the others: the model unlearns most of what these people teach,
# and in this sense they are silenced. Whether that is acceptable is for you to say.
# With ``max_weight`` no row loses more than a fifth. Others have to help, and much less
# of the gap can be had; the warning and the report say how much.

capped = SoftUnlearnCorrector(FrozenEstimator(model), delta=0.7, max_weight=0.2)
capped.fit(X.iloc[train], y[train], **rows)
print(share_deleted(capped).round(2))
print(capped.report_)

# %%
# What other values of delta would have cost
# ------------------------------------------
# All of them from the one fit of the model.

from sklearn_softunlearn import TradeoffDisplay

path = corrector.path(X.iloc[train], y[train], deltas=np.linspace(0, 0.8, 9), **rows)
tradeoff = TradeoffDisplay.from_path(
    path, X.iloc[test], y[test], sensitive_features=sex[test]
).plot()
