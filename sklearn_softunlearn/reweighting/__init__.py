# SPDX-License-Identifier: BSD-3-Clause
"""Models that cannot be corrected learn from the weights of one that can.

Rule of the room: what is refitted is a black box, of which nothing is known but ``fit``
with sample weights and what it predicts. So nothing is promised of it here; what the
weights realise is measured.
"""

from sklearn_softunlearn.reweighting._surrogate_weights import SurrogateWeights

__all__ = ["SurrogateWeights"]
