# SPDX-License-Identifier: BSD-3-Clause
from sklearn_softunlearn.display._tradeoff import TradeoffDisplay

__all__ = ["TradeoffDisplay"]
