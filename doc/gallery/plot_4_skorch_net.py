# SPDX-License-Identifier: BSD-3-Clause
"""
A convolutional net in skorch
=============================

Images of digits, in one of two colours. The task is whether the digit is 5 or more; the
colour says so in nine of ten of the high digits and three of ten of the low ones, so
the net learns to look at it. We correct the net's last layer with the digits' colour as
the sensitive feature. This example needs torch and skorch.
"""

# %%
# The images
# ----------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
rng = np.random.default_rng(0)
y = (digits.target >= 5).astype(np.int64)
colour = (rng.random(len(y)) < np.where(y == 1, 0.9, 0.3)).astype(int)
X = np.zeros((len(y), 2, 8, 8), dtype=np.float32)
X[np.arange(len(y)), colour] = digits.images / 16
group = np.where(colour == 1, "blue", "red")

fig, axes = plt.subplots(1, 8, figsize=(6.4, 1.3))
for ax, image, name in zip(axes, X, group, strict=False):
    ax.imshow(image.sum(axis=0), cmap="Reds" if name == "red" else "Blues")
    ax.set_title(name)
    ax.axis("off")
plt.show()

X_train, X_test, y_train, y_test, g_train, g_test = train_test_split(
    X, y, group, test_size=0.4, random_state=0
)

# %%
# The net
# -------

import torch
from skorch import NeuralNetClassifier
from torch import nn

torch.set_num_threads(1)


class SmallCNN(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(32, 2)

    def forward(self, x):
        return self.head(self.body(x))


torch.manual_seed(0)
net = NeuralNetClassifier(
    SmallCNN,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    optimizer__weight_decay=1e-3,
    lr=0.01,
    max_epochs=20,
    train_split=None,
    verbose=0,
)

# %%
# The correction
# --------------
# The labels of these images depend on the colour, so parity of the predictions is not
# what we want. Equalized odds compares digits of the same label. The last layer of a
# net that was stopped early is not at the optimum of its objective, so that the loss
# may even fall when the layer is corrected.

from sklearn_softunlearn import SoftUnlearnCorrector

corrector = SoftUnlearnCorrector(net, metric="equalized_odds_difference", delta=0.3)
corrector.fit(X_train, y_train, sensitive_features=g_train)
print(corrector.report_)

# %%
# On held-out images
# ------------------
# High digits that are found and low digits that are taken for high ones, of each
# colour. Only one in ten of the high digits that the net
# has seen was red.

models = {"before": corrector.base_estimator_, "after": corrector}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2), sharey=True)
for ax, label, title in zip(
    axes, (1, 0), ("high digits (5 to 9)", "low digits (0 to 4)"), strict=True
):
    for i, (name, model) in enumerate(models.items()):
        rates = [
            model.predict(X_test[(g_test == g) & (y_test == label)]).mean()
            for g in ("blue", "red")
        ]
        bars = ax.bar(np.arange(2) + 0.4 * i - 0.2, rates, width=0.36, label=name)
        ax.bar_label(bars, fmt="%.2f", padding=2, fontsize="small")
    ax.set(title=title, xlabel="colour", xticks=[0, 1], xticklabels=["blue", "red"])
axes[0].set(ylabel="predicted to be high (fraction)", ylim=(0, 1.1))
axes[1].legend(loc="upper right")
plt.show()

# %%
# What the net makes of the digit alone is seen by swapping the colours: the answer to
# the same digit should not change.

for name, model in models.items():
    label, swapped = model.predict(X_test), model.predict(X_test[:, ::-1].copy())
    print(
        f"{name:6s}  accuracy {np.mean(label == y_test):.3f}, "
        f"answers changed by swapping the colour: {np.mean(label != swapped):.1%}"
    )

# %%
# Better, and far from good: a net that saw hardly any red high digits cannot be taught
# about them by forgetting others. More data of that kind is the remedy.
