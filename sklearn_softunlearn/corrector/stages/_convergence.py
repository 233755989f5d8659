# SPDX-License-Identifier: BSD-3-Clause
"""Whether the base model is near enough to the optimum that influences assume."""

import numpy as np

from sklearn_softunlearn.corrector.stages._linearization import OPTIMUM
from sklearn_softunlearn.exceptions import BaseNotConvergedWarning, warn
from sklearn_softunlearn.updates import is_optimal

# Share of the metric, or of the utility, by which an answer may be off unsaid.
_MATTERS = 0.01
# Of a step that is halved: when it lowers the objective enough, and when to stop.
_LEAST_GAIN = 0.5
_SHORTEST = 2.0**-10


def warn_of_steps(names):
    """Warn that steps of a Pipeline fitted its last step on unknown numbers."""
    named = ", ".join(map(repr, names))
    warn(
        f"The step {named} of the fitted Pipeline trains its last step with other "
        "numbers than it transforms the same rows to (it is cross-fitted, or draws at "
        "random), so influences are not those of what the model was trained on. (a) "
        "Give the Pipeline unfitted: fit trains it and uses what its last step is "
        "fitted on; or (b) correct the last step alone, on what it was fitted to.",
        BaseNotConvergedWarning,
    )


def warn_if_unconverged(state, causes=list):
    """Warn if the optimum of the training objective would give another answer.

    Parameters
    ----------
    state : Linearization
    causes : callable
        Returns names of steps of a Pipeline because of which it may do so.
    """
    model = state.model
    if not model.minimises_objective:
        return _warn_if_trained_elsewhere(state, causes)
    gradient = model.objective_gradient(model.row_weight)
    # Where solving takes iterations, a few are enough.
    solve = getattr(state.solve, "roughly", state.solve)
    step = solve(gradient[:, None])
    gain = 0.5 * gradient @ step[:, 0]
    size = max(model.objective(model.row_weight), np.finfo(float).tiny)
    share, enough = gain / size, model.converged_share
    if share > enough and _matters(state, step) and _reached(state, step, gain):
        if named := causes():
            return warn_of_steps(named)
        warn(
            "The base model has not converged: the gradient of its training objective "
            f"has norm {np.linalg.norm(gradient):.3g}, and one Newton step would lower "
            f"the objective by {share:.1e} of its value. Influences assume the "
            f"optimum. (a) Scale the features; (b) {model.convergence_advice}. For a "
            "FrozenEstimator: pass fit the very rows and sample weights that the model "
            "was trained with.",
            BaseNotConvergedWarning,
        )
    elif share <= enough and not is_optimal(
        model, model.row_weight, model.parameters, 2.0 * enough * size
    ):
        warn(
            "The base model has not converged: a coefficient that is zero should not "
            "be, or one has the wrong sign. Influences are those on the active set. "
            f"(a) Scale the features; (b) {model.convergence_advice}.",
            BaseNotConvergedWarning,
        )


def _warn_if_trained_elsewhere(state, causes):
    """Warn if training on these rows does not lead to the fitted parameters."""
    gap = state.model.training_gap()
    if gap > _MATTERS:
        if named := causes():
            return warn_of_steps(named)
        warn(
            "Training on these rows with this structure does not give the fitted leaf "
            f"values: predictions differ by {gap:.2%} of their spread. Influences are "
            "those of training on all rows. (a) Without early stopping, and without "
            "drawing rows (subsample, bagging), they are exact; (b) trees='joint' "
            "holds the fitted leaf values for an optimum. For a FrozenEstimator: pass "
            "fit the very rows and sample weights that the model was trained with.",
            BaseNotConvergedWarning,
        )


def _reached(state, step, gain):
    """Whether a part of the step that lowers the objective as foretold matters, too.

    Where classes are nearly apart, a whole Newton step goes so far beyond the optimum
    that functionals move which would not move on the way to it.
    """
    model, size = state.model, 1.0
    before = model.objective(model.row_weight)
    while size > _SHORTEST:
        after = model.objective(model.row_weight, model.parameters - size * step[:, 0])
        if before - after >= _LEAST_GAIN * size * gain:
            break
        size /= 2.0
    return size == 1.0 or _matters(state, size * step)


def _matters(state, step):
    """Whether a Newton step to the optimum changes what is corrected or protected.

    Where classes are nearly apart, the objective is so small that lbfgs stops at a
    share of it that would be large elsewhere, and no functional moves.
    """
    raw = state.raw_prediction
    moved = raw - state.model.jvp(state.X, step)[:, :, 0]
    constant = np.broadcast_to(np.mean(raw, axis=0), raw.shape)
    criteria = (state.metric.criterion, state.utility.criterion)
    before, after, at_constant = (
        [criterion.value(each, state.rows) for criterion in criteria]
        for each in (raw, moved, constant)
    )
    scales = (
        max(state.metric_value, OPTIMUM),
        np.maximum(np.abs(before[1]), np.abs(at_constant[1])),
    )
    changes = [
        np.max(np.abs(b - a) / scale, initial=0.0)
        for a, b, scale in zip(before, after, scales, strict=True)
    ]
    return not max(changes) <= _MATTERS  # a NaN matters
