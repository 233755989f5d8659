# SPDX-License-Identifier: BSD-3-Clause
"""
Text, with sparse features
==========================

Comments are reviewed in the order of their predicted toxicity. Do harmless comments
that mention a social group get other scores than those that mention none? The features
are words (TF-IDF), sparse, and stay sparse.
"""

# %%
# 1492 comments from talk pages of Wikipedia, or simulated sentences where the file
# is absent. (The language of the real ones is offensive in places; none is shown.)

import os
from pathlib import Path

import numpy as np
import pandas as pd

home = Path(os.environ.get("SOFTUNLEARN_DATA_HOME", "."))
path = home / "text" / "wikipedia_comments.csv.gz"


def simulated_comments(n=1500, seed=0):
    """Sentences of random words; some rude, some that name a group."""
    rng = np.random.default_rng(seed)
    toxic = rng.random(n) < 0.4
    mention = rng.random(n) < np.where(toxic, 0.6, 0.2)
    words = [
        [f"word{i}" for i in rng.integers(0, 400, 20)]
        + [f"rude{i}" for i in rng.integers(0, 15, 2 if is_toxic else 0)]
        + [f"identity{i}" for i in rng.integers(0, 5, 1 if mentions else 0)]
        for is_toxic, mentions in zip(toxic, mention, strict=True)
    ]
    return pd.DataFrame(
        {
            "text": [" ".join(sentence) for sentence in words],
            "toxic": toxic,
            "identity_mention": np.where(mention, "yes", "no"),
        }
    )


comments = pd.read_csv(path) if path.exists() else simulated_comments()
print("Wikipedia comments" if path.exists() else "SIMULATED sentences")
y = comments["toxic"].to_numpy(dtype=int)
mention = comments["identity_mention"].to_numpy(dtype=str)
print(pd.crosstab(mention, y, rownames=["mentions a group"], colnames=["toxic"]))

# %%
# A Pipeline inside the corrector
# -------------------------------
# Its transformers embed the text, its last step is corrected. The metric compares
# harmless comments only. Its smooth surrogate is the gap between their mean predicted
# probabilities, which is what we are after; there is no need to think of labels.

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_softunlearn import SoftUnlearnCorrector

texts = comments["text"].to_numpy(dtype=object)
t_train, t_test, y_train, y_test, m_train, m_test = train_test_split(
    texts, y, mention, test_size=0.4, random_state=0, stratify=2 * y + (mention == "no")
)
corrector = SoftUnlearnCorrector(
    make_pipeline(
        TfidfVectorizer(min_df=3, sublinear_tf=True),
        LogisticRegression(class_weight="balanced", solver="newton-cholesky"),
    ),
    metric="false_positive_rate_difference",
    utility_tol=0.05,
)
deltas = [0.0, 0.25, 0.5, 0.75]
correctors = corrector.path(t_train, y_train, deltas=deltas, sensitive_features=m_train)
features = correctors[0].estimator_[0].transform(t_train)
print(f"{features.shape[0]} texts, {features.shape[1]} words, ", end="")
print(f"{features.nnz / np.prod(features.shape):.1%} of the entries not zero")
print(correctors[2].report_)

# %%
# The surrogate halves. The gap between labels is another number: at the threshold of
# 0.5 hardly any harmless comment of the training rows is flagged, so that there was
# almost none to close. Where labels are what counts, see the advice in such a report.
#
# On held-out comments
# --------------------
# A few hundred comments make noisy means: the bars are one standard error.

import matplotlib.pyplot as plt
from sklearn.metrics import roc_auc_score

scores = [each.predict_proba(t_test)[:, 1] for each in correctors]
fig, ax = plt.subplots()
for answer, label, marker in (
    ("yes", "harmless, mentions a social group", "o"),
    ("no", "harmless, mentions none", "s"),
):
    shown = [score[(m_test == answer) & (y_test == 0)] for score in scores]
    mean = [score.mean() for score in shown]
    error = [score.std() / np.sqrt(len(score)) for score in shown]
    ax.errorbar(deltas, mean, error, marker=marker, capsize=3, label=label)
ax.set(
    xlabel="delta (fraction of the gap to remove)",
    ylabel="mean predicted probability\nof being toxic",
)
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize="small")
plt.show()

# %%
# Whether toxic comments still come first: the area under the ROC curve.

for delta, score in zip(deltas, scores, strict=True):
    print(f"delta = {delta:.2f}: {roc_auc_score(y_test, score):.3f}")
