# SPDX-License-Identifier: BSD-3-Clause
"""The request that delta stands for, carried out with the settings of a corrector."""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_softunlearn.corrector.inputs._parameters import resolve_weighting
from sklearn_softunlearn.corrector.stages._calibration import (
    label_metric,
    search_request,
    shorter_request,
)
from sklearn_softunlearn.corrector.stages._correction import correct
from sklearn_softunlearn.corrector.stages._exact import exact_options
from sklearn_softunlearn.corrector.stages._exact_weights import report_unmet
from sklearn_softunlearn.corrector.stages._harm import harm_done
from sklearn_softunlearn.corrector.stages._weight_problem import choose_weights
from sklearn_softunlearn.exceptions import UpdateStoppedWarning, warn
from sklearn_softunlearn.influence import first_order_shift, first_order_shifts
from sklearn_softunlearn.updates import UpdateResult, check_update, resolve_update
from sklearn_softunlearn.weights import WeightSolution

# Of what the first request attained: less is not tried before giving up.
_LEAST_SHARE = 1e-3
# What a request does that brings labels to parity and costs more than that is worth.
_COSTS, _USELESS = ("utility", "one class"), -2.0
# Numbers held for the requests that share their passes over the data.
_NUMBERS_AT_ONCE = 2**24


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
    reduced : str
        Why the request is smaller than delta: what delta made worse, "surrogate",
        "labels", "utility" or "one class"; "" where it is not.
    """

    request: float
    solution: WeightSolution
    result: UpdateResult
    shift: np.ndarray
    reduced: str = ""


def carry_out(correctors, prepared):
    """Weights and update for the requests that the correctors' deltas stand for.

    Parameters
    ----------
    correctors : list of SoftUnlearnCorrector
        Their parameters are read. They differ in delta alone, and are in its order.
    prepared : Prepared

    Returns
    -------
    list of Attempt
    """
    done, start = [], None
    raw = prepared.state.model.fitted_raw_prediction
    size = max(1, _NUMBERS_AT_ONCE // raw.size)
    for first in range(0, len(correctors), size):
        part = correctors[first : first + size]
        requests = [_request(corrector, prepared) for corrector in part]
        attempts = _attempts(part[0], prepared, requests, start=start)
        start = attempts[-1].solution
        done += _guarded(part[0], prepared, attempts)
    return done


def _request(corrector, prepared):
    """``delta``, or the request that makes the metric of the labels fall by it."""
    remaining = None
    if corrector.calibrate == "labels" and corrector.delta > 0:
        remaining = label_metric(prepared.state)
    if remaining is None:
        return corrector.delta

    def left(request):
        (tried,) = _attempts(corrector, prepared, [request], on_infeasible="ignore")
        parameters = tried.result.parameters
        ((harm, _),) = _harm(corrector, prepared, parameters[:, None])
        # Labels alone may call a model that tells no classes apart a success.
        return _USELESS if harm in _COSTS else remaining(parameters)

    return search_request(left, corrector.delta)


def _attempts(corrector, prepared, requests, *, start=None, on_infeasible=None):
    """Solve for the weights of increasing requests, and move the parameters."""
    exact = exact_options(corrector, prepared.state)
    if exact is not None:
        say = on_infeasible or corrector.on_infeasible
        return [_exactly(corrector, prepared, exact, each, say) for each in requests]
    state, solutions = prepared.state, []
    for request in requests:
        solution = choose_weights(
            state,
            prepared.first_order.problem,
            resolve_weighting(corrector.weighting),
            delta=request,
            regularization=corrector.regularization,
            on_infeasible=on_infeasible or corrector.on_infeasible,
            start=start,
        )
        solutions.append(solution)
        start = solution
    weights = np.column_stack([solution.weights for solution in solutions])
    shifts = first_order_shifts(state.model, state.solve, weights)
    update = resolve_update(corrector.update)
    check_update(update, state.model)
    return [
        Attempt(
            request, solution, correct(state, solution, shift, update, delta=request),
            shift,
        )
        for request, solution, shift in zip(requests, solutions, shifts.T, strict=True)
    ]  # fmt: skip


def _exactly(corrector, prepared, options, request, on_infeasible):
    """One request solved to the end, or the update of choice with its weights.

    From the fitted model, whatever was solved before: where there is more than one
    local minimum, a path ends where single fits do.
    """
    state = prepared.state
    bounds = corrector.min_weight, corrector.max_weight
    solution, result, shift = prepared.exact.meet(options, request, bounds)
    report_unmet(state, solution, request, on_infeasible)
    if corrector.update != "auto":
        shift = first_order_shift(state.model, state.solve, solution.weights)
        update = resolve_update(corrector.update)
        result = correct(state, solution, shift, update, delta=request)
    return Attempt(request, solution, result, shift)


def _guarded(corrector, prepared, attempts):
    """The attempts, some of them with a smaller request, if that is what is wanted."""
    changed = [
        j
        for j, done in enumerate(attempts)
        if done.solution.constrained and np.any(done.solution.weights)
    ]
    if corrector.calibrate != "safeguard" or not changed:
        return attempts
    parameters = np.column_stack([attempts[j].result.parameters for j in changed])
    attempts = list(attempts)
    judged = _harm(corrector, prepared, parameters)
    for j, harm in zip(changed, judged, strict=True):
        attempts[j] = _safeguarded(corrector, prepared, attempts[j], *harm)
    return attempts


def _harm(corrector, prepared, parameters, strict=False):
    return harm_done(
        prepared.state, parameters, corrector.utility_tol or 0.0, strict=strict
    )


def _safeguarded(corrector, prepared, done, harm, left):
    """The same, or a smaller request if something ended up worse than it was."""
    least, first = _LEAST_SHARE * _attained(done), harm
    while harm:
        # Only the surrogate's fall is known to curve; of the others, half.
        bend = left if harm == "surrogate" else 1.0
        request = shorter_request(_attained(done), bend)
        if request < least:
            _warn_of_harm(corrector, prepared.state.metric.name)
            request = 0.0
        tried = _attempts(corrector, prepared, [request], on_infeasible="ignore")[0]
        done = replace(tried, reduced=first)
        if request == 0.0:
            return done
        parameters = done.result.parameters[:, None]
        strict = first != "surrogate"
        ((harm, left),) = _harm(corrector, prepared, parameters, strict=strict)
    return done


def _attained(done):
    """The request that the weights meet, to first order."""
    infeasible = done.solution.status == "infeasible"
    return done.solution.delta_max if infeasible else done.request


def _warn_of_harm(corrector, name):
    warn(
        f"update={corrector.update!r} makes {name} or the utility worse, however "
        "little is asked: the model is unchanged. An update that trains on makes up "
        "for training that was cut short, too. (a) Train the base model to "
        "convergence; (b) update='influence'; (c) calibrate=None carries the request "
        "out all the same.",
        UpdateStoppedWarning,
    )
