# SPDX-License-Identifier: BSD-3-Clause
"""Plots that keep their numbers.

Rule of the room: a display stores arrays, draws them when `plot` is called, sets
``ax_`` and ``figure_`` and returns itself; `frame` gives the numbers as a DataFrame.
Only functions import matplotlib. Constructors that compute start with ``from_``::

    class HistogramDisplay:
        def __init__(self, *, values):
            self.values = np.asarray(values)

        @classmethod
        def from_estimator(cls, corrector):
            return cls(values=corrector.deletion_weights_)

        def frame(self):
            return pd.DataFrame({"value": self.values})

        def plot(self, ax=None):
            self.ax_ = axes_or_new(ax)
            self.figure_ = self.ax_.figure
            self.ax_.hist(self.values)
            return self

What several displays draw (axes, legends, error bars) is in ``_drawing``. Names from
the data and the user pass through `literal` or ``legend_label`` there, or a $ in them
is mathematics.
"""

from sklearn_softunlearn.display._drawing import literal as literal
from sklearn_softunlearn.display._influence import InfluenceDisplay
from sklearn_softunlearn.display._tradeoff import TradeoffDisplay
from sklearn_softunlearn.display._weights import DeletionWeightsDisplay

__all__ = [
    "DeletionWeightsDisplay",
    "InfluenceDisplay",
    "TradeoffDisplay",
]
