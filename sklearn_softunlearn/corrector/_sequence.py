# SPDX-License-Identifier: BSD-3-Clause
"""What comes before delta in a fit, and the fitted attributes that come after it."""

from sklearn_softunlearn._sklearn_compat import check_features
from sklearn_softunlearn.corrector._progress import Progress
from sklearn_softunlearn.corrector.inputs._base_fit import check_estimator, fit_base
from sklearn_softunlearn.corrector.inputs._fit_rows import ROW_ARGUMENTS, rows_of_fit
from sklearn_softunlearn.corrector.inputs._parameters import check_parameters
from sklearn_softunlearn.corrector.stages._outcome import correction_report
from sklearn_softunlearn.corrector.stages._own_word import corrected_estimator
from sklearn_softunlearn.corrector.stages._preparation import prepare
from sklearn_softunlearn.models import first_rows, indexable_rows

# What the influences depend on, so that a path over delta shares them.
_PREPARED_WITH = ("metric", "utility", "curvature", "layer", "trees", "utility_tol",
                  "max_weight", "pos_label", "memory")  # fmt: skip


def prepare_fit(corrector, X, y, *, progress=None, sample_weight=None, **fit_params):
    """Everything that does not depend on delta, a `Prepared`.

    The corrector learns the features of X. ``fit_params`` are all other arguments of
    its fit.
    """
    progress = progress or Progress(corrector)
    check_parameters(corrector)
    estimator = corrector._get_estimator()
    check_estimator(estimator, X)
    X, y = indexable_rows(estimator, X, y)
    check_features(corrector, first_rows(X))
    given = {name: fit_params.pop(name, None) for name in ROW_ARGUMENTS}
    split = rows_of_fit(corrector, estimator, X, y, sample_weight, **given)
    if sample_weight is not None:
        fit_params["sample_weight"] = split.training.sample_weight
    base, inputs = fit_base(corrector, estimator, split.training, fit_params, progress)
    split = split.trained_on(base, inputs)
    options = {name: getattr(corrector, name) for name in _PREPARED_WITH}
    with progress.stage(1) as context, progress.task(context):
        return prepare(base, split, **options)


def adopt(corrector, prepared, done, *, report=True):
    """Set the fitted attributes from an `Attempt` that was carried out."""
    state, solution, result = prepared.state, done.solution, done.result
    corrector.base_estimator_ = prepared.base
    corrector.estimator_ = corrected_estimator(prepared, result.parameters)
    weights = solution.weights
    if result.deletion_weights is not None:
        weights = result.deletion_weights
    corrector.deletion_weights_ = prepared.split.scatter(weights)
    corrector.sample_weight_ = 1.0 - corrector.deletion_weights_
    influence = prepared.split.scatter(state.row_influence), state.factors
    corrector._influence = influence
    corrector.functional_names_ = state.names
    corrector.multipliers_ = solution.multipliers
    corrector.update_result_ = result
    corrector.n_iter_ = result.n_iter
    corrector._first_order, corrector._reach = prepared.first_order, solution.problem
    groups = prepared.groups
    corrector.groups_ = None if groups is None else groups.labels
    if report:
        corrector.report_ = correction_report(prepared, done, corrector)
