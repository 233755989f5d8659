# SPDX-License-Identifier: BSD-3-Clause
"""Which constraint keeps a request out of reach, and the remedies that can help."""

import numpy as np

# Without any protection of the utility, so much more must be within reach.
_HELPS = 1.05


def what_binds(problem):
    """What binds at the largest attainable request, with the remedies that help.

    The utility binds if noticeably more is within reach without its protection; else
    the bounds of the weights do, and ``utility_tol`` cannot help.

    Parameters
    ----------
    problem : WeightProblem

    Returns
    -------
    str
    """
    attained, free = problem.delta_max, problem.delta_max_unprotected
    remedies = ["Lower delta to that"]
    if np.min(problem.upper) < 1.0:
        remedies.append("raise max_weight")
    if free > _HELPS * attained:
        remedies.append("raise utility_tol")
        bound = (
            "What binds is the utility: without its protection "
            f"{_share(free)} could be removed."
        )
    else:
        bound = (
            "What binds is how much the weights may be: without any protection of the "
            f"utility it would be {_share(free)}."
        )
    if len(remedies) == 1:
        return f"{bound} {remedies[0]}."
    lettered = zip("abc", remedies, strict=False)
    return f"{bound} {'; '.join(f'({x}) {each}' for x, each in lettered)}."


def _share(delta):
    return "all" if delta >= 1.0 else f"{delta:.4g}"
