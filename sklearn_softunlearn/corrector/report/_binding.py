# SPDX-License-Identifier: BSD-3-Clause
"""Which constraint keeps a request out of reach, and the remedies that can help."""

import numpy as np

from sklearn_softunlearn.weights import ExactSolution

# Without any protection of the utility, so much more must be within reach.
_HELPS = 1.05
# Of the metric: by how much a request may be missed without a word.
_MISSED = 5e-3


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


_UNMET = {
    "bounds of the weights": "no weights between min_weight and max_weight explain it "
    "({lower} rows are at min_weight, {upper} at max_weight). (a) Lower min_weight, "
    "so that rows may count more; (b) raise max_weight if it is below 1; (c) lower "
    "delta.",
    "out of reach": "no parameters that were found meet it. (a) Lower delta; "
    "(b) measure on other rows.",
    "utility": "no parameters that were found meet it within utility_tol. (a) Raise "
    "utility_tol; (b) lower delta.",
    "not converged": "the search of the parameters stopped early. (a) Raise max_iter, "
    "weighting=ExactDeletion(max_iter=...); (b) scale the features; (c) lower delta.",
}


def unmet_note(state, solution, delta):
    """Why exact weights did not meet a request, and what to do; None if they did."""
    if not isinstance(solution, ExactSolution) or solution.status == "optimal":
        return None
    if solution.delta_max >= delta - _MISSED:
        return None
    bound = solution.bounded and solution.status == "out of reach"
    why = _UNMET["utility" if bound else solution.status].format(
        lower=solution.at_lower, upper=solution.at_upper
    )
    return (
        f"delta={delta:g} is out of reach of exact weights: {solution.delta_max:.4g} "
        f"of {state.metric.name} was removed, since {why}"
    )


def _share(delta):
    return "all" if delta >= 1.0 else f"{delta:.4g}"
