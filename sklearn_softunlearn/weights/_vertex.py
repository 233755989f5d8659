# SPDX-License-Identifier: BSD-3-Clause
"""Multipliers of a linear programme from its few undecided rows, by HiGHS.

    max direction.x   s.t.  G x <= b,   lower <= x <= upper

Near the optimal multipliers y, a row far from ``d_i = (G.T y - direction)_i = 0``
stays at the bound that the sign of ``d_i`` asks for; only the others enter the simplex
method. Rows whose sign turns out otherwise join them (sifting).
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import linprog

from sklearn_softunlearn.weights._cut import BoxCut

_FIRST_ROWS, _MOST_ROWS = 1024, 4096
_TOLERANCES = {
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}


def vertex_multipliers(cut, direction, y):
    """Optimal multipliers from nearly optimal ones, their d, and passes over the rows.

    The multipliers are y itself on failure, or if too many rows are near.
    """
    lower, upper = (np.broadcast_to(v, len(direction)) for v in (cut.lower, cut.upper))
    cut = replace(cut, lower=lower, upper=upper)
    d = first = y @ cut.G - direction
    near = np.isinf(lower) | np.isinf(upper)
    size, passes = _FIRST_ROWS, 1
    while True:
        size = min(size, len(d))
        near = near | (np.abs(d) <= np.partition(np.abs(d), size - 1)[size - 1])
        found = _restricted(cut, direction, first, near)
        passes += 2
        if found is not None:
            d = found @ cut.G - direction
            wrong = ~near & np.where(first < 0, d > 0, d < 0)
            if not wrong.any():
                return found, d, passes
            near = near | wrong
        if size == len(d) or np.sum(near) > _MOST_ROWS:
            return y, first, passes
        size *= 4


def _restricted(cut: BoxCut, direction, d, near):
    """Solve with all rows but the near ones at their bound; None on failure."""
    fixed = np.where(near, 0.0, np.where(d < 0, cut.upper, cut.lower))
    result = linprog(
        -direction[near],
        A_ub=cut.G[:, near],
        b_ub=cut.b - cut.G @ fixed,
        bounds=np.column_stack([cut.lower[near], cut.upper[near]]),  # type: ignore[index]
        method="highs",
        options=_TOLERANCES,
    )
    return np.maximum(-result.ineqlin.marginals, 0.0) if result.status == 0 else None
