# SPDX-License-Identifier: BSD-3-Clause
"""skorch nets as trained models: the only folder that imports torch."""

from sklearn_softunlearn.models.skorch._layer import NetLayer

__all__ = ["NetLayer"]
