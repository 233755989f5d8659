# SPDX-License-Identifier: BSD-3-Clause
"""Data for examples and tests: simulated with known label bias, and face images."""

from sklearn_softunlearn.datasets._biased import make_biased_classification
from sklearn_softunlearn.datasets._images import fetch_celeba, fetch_cifar10

__all__ = ["fetch_celeba", "fetch_cifar10", "make_biased_classification"]
