# SPDX-License-Identifier: BSD-3-Clause
"""Ensembles of trees: with their structure held, models linear in their leaf values.

Two questions, answered apart. *Where are the leaves?* One file for each library, a
`TreeEnsemble`: which leaf a row falls in, by the library's own predict, which alone
knows about missing values and categories; what the leaves hold; and a copy with other
values. *How does training move the leaf values?* `JointLeaves`: as the optimum of one
objective over all of them; `RefitLeaves`: as training sets them, round after round
(`Rounds`) or tree by tree (`Averages`).

Rule of the room: a new library is one file, and a line in ``_maker._ENSEMBLES``. Its
class never writes into the estimator that it is given::

    class OurTrees(TreeEnsemble):
        def __init__(self, estimator): ...   # layout, values, base, loss, response
        def numbers(self, X): ...            # (n_samples, n_trees)
        def with_values(self, values): ...   # a copy
        def recursion(self, numbers, y, sample_weight): ...  # optional

and a case in ``tests/trees/cases.py``, which holds it to all that is promised.
"""

from sklearn_softunlearn.models.trees._maker import NAMES, TreeLeaves, supported_name

__all__ = ["NAMES", "TreeLeaves", "supported_name"]
