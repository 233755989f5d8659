# SPDX-License-Identifier: BSD-3-Clause
"""Data for examples and tests: simulated with known label bias, and images.

Rule of the room: ``make_*`` simulates with a ``random_state`` and needs no network, and
what was planted can be returned with the data, so that a test can find it again;
``fetch_*`` downloads once, into ``data_home``, and imports what it needs inside the
function. A new member::

    def make_biased_regression(n_samples=1000, *, bias=0.3, random_state=None):
        rng = check_random_state(random_state)
        ...
        return X, y, group

has a test that the bias is the one that was asked for.
"""

from sklearn_softunlearn.datasets._biased import make_biased_classification
from sklearn_softunlearn.datasets._images import fetch_celeba, fetch_cifar10

__all__ = ["fetch_celeba", "fetch_cifar10", "make_biased_classification"]
