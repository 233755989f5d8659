# SPDX-License-Identifier: BSD-3-Clause
"""Influences of a fitted estimator, and how well they foretell actual retraining."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from sklearn_softunlearn.corrector import (
    linearize_estimator,
    make_table,
    validation_table,
)
from sklearn_softunlearn.criteria import Criterion, criterion_name, resolve_criterion
from sklearn_softunlearn.inspection._changes import (
    by_refits,
    from_optimum,
    with_leverage,
)
from sklearn_softunlearn.inspection._joined import JoinedCriteria, NoCriterion
from sklearn_softunlearn.inspection._results import LeaveOneOut, RowInfluence
from sklearn_softunlearn.models import (
    check_keeps_rows,
    model_class,
    predictor,
    unfreeze,
)


def influence(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    metric: str | Callable | Criterion | Sequence = "demographic_parity_difference",
    utility: str | Callable | Criterion | Sequence | None = None,
    sensitive_features: Any = None,
    sample_weight: ArrayLike | None = None,
    X_val: Any = None,
    y_val: ArrayLike | None = None,
    sensitive_features_val: Any = None,
    sample_weight_val: ArrayLike | None = None,
    sensitive_feature_ids: Any = None,
    leverage: bool = False,
    curvature: Any = "auto",
    layer: str | Sequence[str] = "last",
    trees: str = "auto",
) -> RowInfluence:
    """Influence of deleting each training row of a fitted estimator.

    With ``v = H^-1 grad F`` and the leverage h_i of row i, the change of a functional
    F (a gap between two groups, a loss) that deletion of the row causes is::

        a_i = s_i * < J_i v , dloss_i >          to first order
        a_i / (1 - h_i)                          with ``leverage=True``

    The second is exact for one Newton step, also for rows that the model depends on
    heavily; for k raw outputs it solves a k x k system for each row.

    Parameters
    ----------
    estimator : fitted estimator
        Of a kind that `SoftUnlearnCorrector` accepts.
    X, y, sample_weight
        The very rows that the estimator was trained with.
    metric : str, callable or Criterion, default="demographic_parity_difference"
        As in `SoftUnlearnCorrector`.
    utility : str, callable or Criterion, default=None
        A second criterion. None measures the metric alone.
    sensitive_features : array-like, default=None
        Sensitive group of each row, for a metric that compares groups.
    X_val, y_val, sensitive_features_val, sample_weight_val : default=None
        Rows to measure on. None measures on the training rows.
    sensitive_feature_ids : str, int or list of these, default=None
        Columns of X that hold the sensitive features, instead of the argument.
    leverage : bool, default=False
        Whether to return the leverage-exact influences. Costs n * p**2 operations for
        n rows and p parameters, and no array of shape (n, p, p).
    curvature : str or object, default="auto"
        As in `SoftUnlearnCorrector`.
    layer : {"last", "all", "lora"} or list of str, default="last"
        Parameters of a skorch net, as in `SoftUnlearnCorrector`.
    trees : {"auto", "joint", "refit"}, default="auto"
        How training moves the leaves of trees, as in `SoftUnlearnCorrector`.

    Returns
    -------
    RowInfluence
        ``values`` has one column for each functional, those of the metric first: of a
        gap one for each direction. ``direction`` names the one that exists.

    Raises
    ------
    ValueError
        If the data do not allow the metric to be measured.
    TypeError
        If the estimator is of an unsupported class.

    See Also
    --------
    leave_one_out : Compare with actual retraining.

    Notes
    -----
    The penalty is held, in the units of the summed loss. `Lasso`, `ElasticNet`, the
    generalised linear models and SGD minimise a *mean* loss plus ``alpha`` times a
    penalty: a refit with other weights, of sum S' instead of S, agrees with the
    influences if it is given ``alpha * S / S'``. `leave_one_out` accounts for it.

    References
    ----------
    .. [1] P. W. Koh, P. Liang, "Understanding Black-box Predictions via Influence
       Functions", ICML 2017.
    .. [2] R. D. Cook, S. Weisberg, "Residuals and Influence in Regression", 1982.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn import influence
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> model = LogisticRegression().fit(X, y)
    >>> found = influence(model, X, y, sensitive_features=group, utility="loss")
    >>> found.names
    ['demographic_parity_difference: 0 - 1', 'demographic_parity_difference: 1 - 0',
     'loss']
    >>> found.values.shape
    (1000, 3)

    The gap that exists is that of group 0, and these rows lower it most:

    >>> found.direction
    'demographic_parity_difference: 0 - 1'
    >>> found.of().argsort()[:3].shape
    (3,)
    """
    criteria = [metric] if utility is None else [metric, utility]
    state = linearized(
        estimator,
        _tables(estimator, X, y, sensitive_features, sample_weight, X_val, y_val,
                sensitive_features_val, sample_weight_val, sensitive_feature_ids),
        criteria,
        curvature,
        layer,
        trees,
    )  # fmt: skip
    if not leverage:
        return RowInfluence(state.influence, state.names, state.value)
    values, row_leverage = with_leverage(state, np.arange(len(state.influence)))
    return RowInfluence(values, state.names, state.value, row_leverage)


def leave_one_out(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    criteria: Sequence[Any] = ("demographic_parity_difference", "loss"),
    *,
    indices=None,
    sensitive_features=None,
    sample_weight=None,
    X_val=None,
    y_val=None,
    sensitive_features_val=None,
    sample_weight_val=None,
    sensitive_feature_ids=None,
    curvature="auto",
    trees="auto",
    n_jobs=None,
):
    """Retrain without single rows, and compare with the influences of these rows.

    Retraining starts at the leverage-exact step and iterates Newton's method on
    the objective without the row, until the parameters are right to eight digits of
    their change. It costs two to six passes over the data, mostly; more where a
    coefficient under an l1 penalty enters or leaves the model.

    Parameters
    ----------
    estimator : fitted estimator
        Of a kind that `SoftUnlearnCorrector` accepts, with a convex objective, or
        trees.
    X, y, sample_weight
        The very rows that the estimator was trained with.
    criteria : str, callable, Criterion, or list of these
        What to measure. Of a criterion with several functionals, such as the gaps
        between several groups, the one that is largest before deletion.
    indices : array-like of int, default=None
        Positions of the rows to delete, one at a time. None takes all rows.
    sensitive_features, X_val, y_val, sensitive_features_val, sample_weight_val, \
            sensitive_feature_ids, curvature, trees
        As in `influence`.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    LeaveOneOut
        Its method `agreement` gives correlations and slopes, `frame` all numbers.

    Raises
    ------
    ValueError
        If an index is out of range, or the data do not allow to measure a criterion.

    Notes
    -----
    Changes are measured from the exact optimum with all rows, to which the given
    estimator is polished first: at the tolerance of a solver, its distance from the
    optimum may be larger than the effect of a row. The loss of the training rows
    themselves is flat at the optimum, so that its changes are of second order and no
    estimate correlates with them: measure the loss on other rows.

    ``actual`` is what a fit to the other rows gives. Where the estimator minimises a
    *mean* loss plus a penalty (`Lasso`, `ElasticNet`, the generalised linear models,
    SGD, the weight decay of a net), that fit has one row less to set against the same
    penalty, and the estimates hold this too: they are the influences of `influence`,
    which keep the penalty in the units of the summed loss, plus the effect of the
    penalty, which is nearly the same for all rows.

    Under an l1 penalty retraining is that of all coefficients: zeros may become
    active, and active ones zero. The three estimates stay on the active set of the
    model, and so miss the part of the change that such a coefficient has.

    Trees with ``trees="refit"`` (the default of forests) are refitted without the row,
    their structure held. They have no Hessian, hence no leverage.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn import leave_one_out
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> model = LogisticRegression().fit(X, y)
    >>> rows = leave_one_out(
    ...     model, X, y, indices=range(20), sensitive_features=group
    ... )
    >>> rows.actual.shape
    (20, 2)
    >>> bool(rows.agreement()["pearson"][0] > 0.99)
    True
    """
    if isinstance(criteria, str) or not isinstance(criteria, list | tuple):
        criteria = [criteria]
    state = linearized(
        estimator,
        _tables(estimator, X, y, sensitive_features, sample_weight, X_val, y_val,
                sensitive_features_val, sample_weight_val, sensitive_feature_ids),
        list(criteria),
        curvature,
        trees=trees,
    )  # fmt: skip
    rows = _checked_indices(indices, len(state.influence))
    worst = state.metric.criterion.largest(state.value, state.rows)
    changes = by_refits if hasattr(state.solve, "pull") else from_optimum
    # Many small products: threads of the BLAS would only wait for each other.
    with threadpool_limits(1, user_api="blas"):
        found, leverage = changes(state, rows, n_jobs)
    changed: dict[str, Any] = {
        name: None if each is None else each[:, worst] for name, each in found.items()
    }
    return LeaveOneOut(
        indices=rows,
        names=[state.names[j] for j in worst],
        current=state.value[worst],
        leverage=leverage,
        **changed,
    )


def _tables(estimator, X, y, groups, weight, X_val, y_val, groups_val, weight_val, ids):
    training = make_table(X, y, groups, weight, ids, "", estimator)
    validation = validation_table(X_val, y_val, groups_val, weight_val, ids, estimator)
    return training, training if validation is None else validation


def linearized(estimator, tables, criteria, curvature, layer="last", trees="auto"):
    """Linearisation with all criteria as the metric and nothing as utility."""
    model_class(
        predictor(estimator), layer, trees
    )  # refuses an unsupported class by name
    check_keeps_rows(estimator)
    check_is_fitted(unfreeze(estimator))
    resolved = [resolve_criterion(given, "criteria") for given in criteria]
    titles = [criterion_name(given) for given in criteria]
    state, _ = linearize_estimator(
        estimator,
        *tables,
        metric=JoinedCriteria(resolved, titles),
        utility=NoCriterion(),
        curvature=curvature,
        layer=layer,
        trees=trees,
    )
    return state


def _checked_indices(indices, n_samples):
    rows = np.arange(n_samples) if indices is None else np.asarray(indices)
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError("indices must be a list of row positions (integers).")
    if rows.size and not (rows.min() >= 0 and rows.max() < n_samples):
        raise ValueError(
            f"indices has positions from {rows.min()} to {rows.max()} where X has "
            f"{n_samples} rows. Give positions from 0 to {n_samples - 1}."
        )
    return rows
