# SPDX-License-Identifier: BSD-3-Clause
"""
Find poisoned labels
====================

With the loss on a few clean rows as the metric, the rows whose deletion lowers it are
those with wrong labels. The deletion weights find them, about as well as the training
loss does, and the correction undoes part of the damage.
"""

# %%
# A tenth of the labels of the training digits is replaced by another digit. A
# quarter of the data is known to be clean, another one judges the result.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

X, y = load_digits(return_X_y=True)
X_train, X_rest, y_train, y_rest = train_test_split(
    X, y, test_size=0.5, random_state=0, stratify=y
)
scaler = StandardScaler().fit(X_train)
X_train, X_rest = scaler.transform(X_train), scaler.transform(X_rest)
X_clean, X_test, y_clean, y_test = train_test_split(
    X_rest, y_rest, test_size=0.5, random_state=0, stratify=y_rest
)
rng = np.random.default_rng(0)
flipped = rng.random(len(y_train)) < 0.1
y_noisy = np.where(flipped, (y_train + rng.integers(1, 10, len(y_train))) % 10, y_train)

# %%
# Which rows should go is the question, so the weights are soft, as in the paper: each
# row is deleted in part, in proportion to what it does. Of those weights ``delta_max_``
# is the largest attainable improvement. A quarter of it is asked for: close to the
# limit all weights are 0 or 1 and rank nothing.

from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import SoftUnlearnCorrector

model = LogisticRegression(C=0.01, max_iter=1000).fit(X_train, y_noisy)
corrector = SoftUnlearnCorrector(
    FrozenEstimator(model),
    metric="loss",
    delta=0.0,
    weighting="soft",
    update="influence",
)
corrector.fit(X_train, y_noisy, X_val=X_clean, y_val=y_clean)
print(f"largest attainable delta: {corrector.delta_max_:.2f}")
corrector.set_params(delta=corrector.delta_max_ / 4)
corrector.fit(X_train, y_noisy, X_val=X_clean, y_val=y_clean)
print(corrector.report_)

# %%
# How well do the weights find the wrong labels?

import matplotlib.pyplot as plt
from sklearn.metrics import PrecisionRecallDisplay

weights = corrector.deletion_weights_
own_loss = -np.log(model.predict_proba(X_train)[np.arange(len(y_noisy)), y_noisy])
fig, ax = plt.subplots()
for name, score in (("deletion weight", weights), ("training loss", own_loss)):
    PrecisionRecallDisplay.from_predictions(flipped, score, name=name, ax=ax)
ax.set(
    xlabel="recall (fraction of the wrong labels found)",
    ylabel="precision (fraction of the found\nthat are wrong)",
    aspect="auto",
)
ax.legend(loc="lower left")
plt.show()

# %%
# Here the training loss of a row finds wrong labels at least as well: it needs no
# clean rows, and no correction. What the weights know besides is the effect of a row
# on the clean rows, and they correct the model.
#
# The images with the largest weights, with the labels that they were given:

fig, axes = plt.subplots(1, 8, figsize=(6.4, 1.5))
for ax, row in zip(axes, np.argsort(-weights), strict=False):
    ax.imshow(scaler.inverse_transform(X_train[[row]]).reshape(8, 8), cmap="Greys")
    ax.set_title(f"'{y_noisy[row]}'\nis {y_train[row]}", fontsize="small")
    ax.axis("off")
plt.show()

# %%
# Soft weights give every row that helps a part. If the question is *which rows are
# wrong*, sparse weights are the better answer: as little as possible in total.

sparse = SoftUnlearnCorrector(
    FrozenEstimator(model),
    metric="loss",
    delta=corrector.delta,
    weighting="sparse",
    update="influence",
).fit(X_train, y_noisy, X_val=X_clean, y_val=y_clean)
for name, fitted in (("soft", corrector), ("sparse", sparse)):
    weights = fitted.deletion_weights_
    on_flips = weights[flipped].sum() / weights.sum()
    print(f"{name}: {(weights > 0).sum()} rows, {on_flips:.0%} of the weight on flips")

# %%
# Held-out accuracy before and after, on clean labels:

print(f"before {model.score(X_test, y_test):.3f}")
print(f"after  {corrector.score(X_test, y_test):.3f}")
