# SPDX-License-Identifier: BSD-3-Clause
"""The request that delta stands for, carried out with the settings of a corrector."""

from dataclasses import dataclass

import numpy as np

from sklearn_softunlearn._inputs._parameters import resolve_weighting
from sklearn_softunlearn._stages._calibration import (
    label_metric,
    search_request,
    shorter_request,
    surrogate_metric,
)
from sklearn_softunlearn._stages._correction import choose_weights, correct
from sklearn_softunlearn.updates import UpdateResult, resolve_update
from sklearn_softunlearn.weights import WeightSolution

_MAX_REDUCTIONS = 6


@dataclass(frozen=True)
class Attempt:
    """One request carried out.

    Attributes
    ----------
    request : float
        Fraction of the metric, as the weights see it.
    solution : WeightSolution
    result : UpdateResult
    shift : ndarray of shape (n_parameters,)
        First-order change of the parameters.
    reduced : bool
        Whether the request is smaller than delta, since delta did harm.
    """

    request: float
    solution: WeightSolution
    result: UpdateResult
    shift: np.ndarray
    reduced: bool = False


def carry_out(corrector, prepared, start=None):
    """Weights and update for the request that the corrector's delta stands for.

    Parameters
    ----------
    corrector : SoftUnlearnCorrector
        Its parameters are read.
    prepared : Prepared
    start : WeightSolution, default=None
        Of a smaller request.

    Returns
    -------
    Attempt
    """
    request = corrector.delta
    if corrector.calibrate == "labels":
        request = _request_for_labels(corrector, prepared)
    done = _attempt(corrector, prepared, request, start=start)
    soft = resolve_weighting(corrector.weighting) is None
    guarded = corrector.calibrate == "safeguard" and soft
    if guarded and np.any(done.solution.weights):
        return _safeguarded(corrector, prepared, done)
    return done


def _attempt(
    corrector, prepared, request, *, start=None, on_infeasible=None, reduced=False
):
    """Solve for the weights and move the parameters."""
    solution = choose_weights(
        prepared.state,
        prepared.problem,
        resolve_weighting(corrector.weighting),
        delta=request,
        regularization=corrector.regularization,
        on_infeasible=on_infeasible or corrector.on_infeasible,
        start=start,
    )
    update = resolve_update(corrector.update)
    result, shift = correct(prepared.state, solution, update, delta=request)
    return Attempt(request, solution, result, shift, reduced)


def _request_for_labels(corrector, prepared):
    """The request that makes the metric of the labels fall by delta."""
    remaining = label_metric(prepared.state)
    if remaining is None or corrector.delta == 0:
        return corrector.delta

    def left(request):
        done = _attempt(corrector, prepared, request, on_infeasible="ignore")
        return remaining(done.result.parameters)

    return search_request(left, corrector.delta)


def _safeguarded(corrector, prepared, done):
    """The same, or a smaller request if the surrogate ended up worse than it was."""
    remaining = surrogate_metric(prepared.state)
    for _ in range(_MAX_REDUCTIONS):
        left = remaining(done.result.parameters)
        if not left > 1.0:
            return done
        attained = done.request
        if done.solution.status == "infeasible":
            attained = done.solution.delta_max
        request = shorter_request(attained, left)
        done = _attempt(
            corrector, prepared, request, on_infeasible="ignore", reduced=True
        )
    return done
