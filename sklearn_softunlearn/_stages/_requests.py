# SPDX-License-Identifier: BSD-3-Clause
"""One request carried out with the settings of a corrector, and which one it is."""

from sklearn_softunlearn._inputs._parameters import resolve_weighting
from sklearn_softunlearn._stages._calibration import label_metric, search_request
from sklearn_softunlearn._stages._correction import choose_weights, correct
from sklearn_softunlearn.updates import resolve_update


def attempt(corrector, prepared, request, *, start=None, on_infeasible=None):
    """Solve for the weights and move the parameters.

    Parameters
    ----------
    corrector : SoftUnlearnCorrector
        Its parameters are read.
    prepared : Prepared
    request : float
        Fraction of the metric, as the weights see it.
    start : WeightSolution, default=None
        Of a smaller request.
    on_infeasible : str, default=None
        Overrules the parameter of the corrector.

    Returns
    -------
    solution : WeightSolution
    result : UpdateResult
    shift : ndarray of shape (n_parameters,)
        First-order change of the parameters.
    """
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
    return solution, *correct(prepared.state, solution, update, delta=request)


def request_for(corrector, prepared):
    """``delta``, or the request that makes the metric of the labels fall by it."""
    remaining = label_metric(prepared.state) if corrector.calibrate else None
    if remaining is None or corrector.delta == 0:
        return corrector.delta

    def left(request):
        _, result, _ = attempt(corrector, prepared, request, on_infeasible="ignore")
        return remaining(result.parameters)

    return search_request(left, corrector.delta)
