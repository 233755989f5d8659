# SPDX-License-Identifier: BSD-3-Clause
"""
Choose delta by a grid search
=============================

How much of a gap should be removed? With several scores in one search, cross-validation
shows what each ``delta`` costs. ``SoftUnlearnCorrectorCV`` does the same with one base
fit for each fold instead of one for each fold and delta.
"""

# %%
# Simulated data: positives of group 1 are recorded as negatives in four of ten cases.

import pandas as pd

from sklearn_softunlearn.datasets import make_biased_classification

X, y, group = make_biased_classification(4000, label_bias=0.4, random_state=0)

# %%
# GridSearchCV
# ------------
# With metadata routing, sensitive features are passed to ``fit`` once and reach the
# corrector and the scorer. No request has to be set.

import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_softunlearn import SoftUnlearnCorrector, fairness_scorer

deltas = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
search = GridSearchCV(
    make_pipeline(StandardScaler(), SoftUnlearnCorrector()),
    {"softunlearncorrector__delta": deltas},
    scoring={
        "accuracy": "accuracy",
        "gap": fairness_scorer("demographic_parity_difference"),
    },
    refit="gap",
)
with sklearn.config_context(enable_metadata_routing=True):
    search.fit(X, y, sensitive_features=group)

columns = ["mean_test_gap", "mean_test_accuracy"]
results = pd.DataFrame(search.cv_results_)
print(results.set_index("param_softunlearncorrector__delta")[columns].round(3))

# %%
# Scores are to be large, so the gap has a minus sign in the table. The display turns
# it round; bars are standard deviations over the five folds.

from sklearn_softunlearn import TradeoffDisplay

display = TradeoffDisplay.from_cv_results(
    search.cv_results_,
    metric_key="gap",
    utility_key="accuracy",
    metric_name="demographic_parity_difference",
).plot()

# %%
# A requirement instead of a best score
# -------------------------------------
# The smallest gap is rarely what is wanted: a requirement can be stated instead. Here,
# a gap of at most 0.1, and the best accuracy within it.

from sklearn_softunlearn import Requirement, SoftUnlearnCorrectorCV

chosen = SoftUnlearnCorrectorCV(
    make_pipeline(StandardScaler(), LogisticRegression()),
    deltas=21,
    refit=Requirement(metric_at_most=0.1),
).fit(X, y, sensitive_features=group)
print(f"delta = {chosen.delta_:.2f}")
print(chosen.report_)
