# SPDX-License-Identifier: BSD-3-Clause
from sklearn_softunlearn.display._influence import InfluenceDisplay
from sklearn_softunlearn.display._tradeoff import TradeoffDisplay
from sklearn_softunlearn.display._weights import DeletionWeightsDisplay

__all__ = [
    "DeletionWeightsDisplay",
    "InfluenceDisplay",
    "TradeoffDisplay",
]
