# SPDX-License-Identifier: BSD-3-Clause
"""What the last step of a Pipeline is fitted on.

Mostly what the steps before it make of the rows again when they predict. But a
cross-fitted encoder or a step that adds noise fits with other numbers, and a sampler
with other rows. Influences are right for those that the fit saw.
"""

from collections.abc import Mapping
from contextlib import contextmanager
from functools import wraps

import numpy as np
from scipy import sparse
from sklearn.base import TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_softunlearn._sklearn_compat import n_rows, safe_indexing
from sklearn_softunlearn.models._composite import unfreeze
from sklearn_softunlearn.models._row_blocks import in_memory, near_rows

_ROWS = 200  # that are tried
_SAME = 1e-6  # of the largest value of a column: what the order of sums may do
_ALIKE = 1e-3
# Of the package category_encoders; those of scikit-learn have a parameter `cv`.
_CROSS_FITTED = ("LeaveOneOutEncoder", "CatBoostEncoder")


def steps_before(estimator):
    """(name, step) of the steps before the predictor inside nested Pipelines."""
    estimator = unfreeze(estimator)
    while isinstance(estimator, Pipeline):
        yield from estimator.steps[:-1]
        estimator = unfreeze(estimator.steps[-1][1])


def check_keeps_rows(estimator):
    """Raise ValueError if a step of a Pipeline trains the next on other rows.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import check_keeps_rows
    >>> check_keeps_rows(make_pipeline(StandardScaler(), LogisticRegression()))
    """
    for name, step in steps_before(estimator):
        if hasattr(step, "fit_resample"):
            raise ValueError(
                f"estimator: the step {name!r} ({type(step).__name__}) of the Pipeline "
                "resamples, so that its last step is trained on other rows than those "
                "that are given, and deletion weights would be of rows that were never "
                "there. (a) Leave the step out, and weight rows or classes instead: "
                "sample_weight, class_weight='balanced'; or (b) resample first, and "
                "correct a Pipeline without this step on the resampled rows and their "
                "sensitive features."
            )


@contextmanager
def recorded_fit(estimator):
    """Record the fit of the last step of nested Pipelines.

    Yields a list that then holds (X, y, fit parameters), or nothing, where there is no
    Pipeline or its last step is frozen.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import recorded_fit
    >>> X, y = np.array([[0.0], [2.0]]), np.array([0, 1])
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    >>> with recorded_fit(pipeline) as seen:
    ...     pipeline = pipeline.fit(X, y)
    ...
    >>> seen[0][0].ravel()  # what the last step was given
    array([-1.,  1.])
    """
    seen, last = [], _fitted_last(estimator)
    if last is None:
        yield seen
        return

    @wraps(last.fit)
    def fit(X, y=None, **params):
        del vars(last)["fit"]
        seen.append((X, y, params))
        return last.fit(X, y, **params)

    # Of this object alone: neither its class nor what is pickled of it changes. A
    # Pipeline has no public way to stop before its last step that keeps callbacks,
    # metadata routing and its own memory.
    vars(last)["fit"] = fit
    try:
        yield seen
    finally:
        vars(last).pop("fit", None)


def _fitted_last(estimator):
    if not isinstance(estimator, Pipeline):
        return None
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return None if isinstance(estimator, FrozenEstimator) else estimator


def same_rows(a, b, tolerance=_SAME):
    """Whether two forms of transformed rows hold the same numbers, or values.

    What cannot be compared is not the same.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.models import same_rows
    >>> same_rows(np.ones((2, 2)), np.ones((2, 2))), same_rows(np.ones(2), np.zeros(2))
    (True, False)
    """
    if type(a) is not type(b) or getattr(a, "shape", None) != getattr(b, "shape", None):
        return False
    if sparse.issparse(a):
        a, b = (sparse.csc_array(x, dtype=float) for x in (a, b))
        scale = abs(a).max(axis=0).toarray()
        return bool(np.all(abs(a - b).max(axis=0).toarray() <= tolerance * scale))
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(
            same_rows(a[name], b[name], tolerance) for name in a
        )
    try:
        a, b = np.asarray(a), np.asarray(b)
    except (TypeError, ValueError):
        return False
    if a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return np.array_equal(a, b)
    scale = np.max(np.abs(np.nan_to_num(a)), axis=0, initial=0.0)
    near = (np.abs(a - b) <= tolerance * scale) | (np.isnan(a) & np.isnan(b))
    return bool(np.all(near))


def cross_fitted_steps(estimator):
    """Names of steps that are known to fit with other numbers than they transform.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import TargetEncoder
    >>> from sklearn_softunlearn.models import cross_fitted_steps
    >>> cross_fitted_steps(make_pipeline(TargetEncoder(), LogisticRegression()))
    ['targetencoder']
    """
    return [name for name, step in steps_before(estimator) if _cross_fits(step)]


def _cross_fits(step):
    parts = [step, *getattr(step, "get_params", dict)().values()]
    return any(
        type(part).__name__ in _CROSS_FITTED
        or (_has_own_fit_transform(part) and "cv" in part.get_params(deep=False))
        for part in parts
    )


def _has_own_fit_transform(step):
    own = getattr(type(step), "fit_transform", TransformerMixin.fit_transform)
    return hasattr(step, "get_params") and own is not TransformerMixin.fit_transform


def unlike_steps(estimator, X, y):
    """Names of steps that fit with other numbers than they transform the rows to.

    Clones are fitted to a sample; a step that fails there is not named.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import unlike_steps
    >>> X, y = np.array([[0.0], [2.0]]), np.array([0, 1])
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> unlike_steps(pipeline, X, y)
    []
    """
    positions = np.unique(np.linspace(0, n_rows(X) - 1, _ROWS).astype(int))
    positions = near_rows(X, positions)
    X, y = in_memory(safe_indexing(X, positions)), y[positions]
    found = []
    for name, step in steps_before(estimator):
        if not hasattr(step, "transform"):  # "passthrough"
            continue
        if _has_own_fit_transform(step) and _differs(step, X, y):
            found.append(name)
        X = step.transform(X)
    return found


def _differs(step, X, y):
    try:
        again = clone(step)
        fitted = again.fit_transform(X, y)
        return not same_rows(fitted, again.transform(X), _ALIKE)
    except Exception:  # whatever a step says of a sample, it is no news
        return False
