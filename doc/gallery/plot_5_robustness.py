# SPDX-License-Identifier: BSD-3-Clause
"""
A more robust model
===================

The metric need not be about groups. Here it is the loss on adversarial examples:
images changed within a small radius so that the model errs.
"""

# %%
# A linear model that tells digits below 5 from the others. Pixels lie in [0, 1].

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sklearn_softunlearn import AdversarialLoss, SoftUnlearnCorrector

X, y = load_digits(return_X_y=True)
X, y = X / 16, (y >= 5).astype(int)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, random_state=0, stratify=y
)

# %%
# Robustness has a price: ``utility_tol=0.05`` lets the loss rise by 5 %.

EPSILON = 0.03
corrector = SoftUnlearnCorrector(
    LogisticRegression(solver="newton-cholesky"),
    metric=AdversarialLoss(epsilon=EPSILON),
    utility_tol=0.05,
)
path = corrector.path(X_train, y_train, deltas=[0.0, 0.01, 0.02, 0.03])
print(path[-1].report_)

# %%
# "anew" is the honest line: its examples are made against the corrected model. The
# first two lines measure on examples against the old one, which any other model will
# find easier.
#
# On held-out images, with examples made anew against each model:

import matplotlib.pyplot as plt

from sklearn_softunlearn import robustness_scorer

radii = [0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
fig, ax = plt.subplots()
for each, marker in zip(path, "osD^", strict=True):
    robust = [each.score(X_test, y_test)] + [
        robustness_scorer(epsilon=radius)(each, X_test, y_test) for radius in radii[1:]
    ]
    ax.plot(radii, robust, marker + "-", label=f"delta = {each.delta:g}")
ax.axvline(EPSILON, color="grey", linestyle=":", label="radius corrected for")
ax.set(
    xlabel="radius of the perturbation (largest change of a pixel, of 1)",
    ylabel="accuracy under attack (fraction)",
)
ax.legend(loc="lower left")
plt.show()
