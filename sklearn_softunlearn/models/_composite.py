# SPDX-License-Identifier: BSD-3-Clause
"""The predictor inside a Pipeline or FrozenEstimator, and the way back."""

from collections.abc import Mapping
from copy import copy, deepcopy
from functools import partial

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array

from sklearn_softunlearn.arguments import named
from sklearn_softunlearn.models._registry import model_class
from sklearn_softunlearn.models._row_blocks import in_each_block


def unfreeze(estimator):
    """The estimator inside any number of `FrozenEstimator`.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.models import unfreeze
    >>> unfreeze(FrozenEstimator(LogisticRegression()))
    LogisticRegression()
    """
    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    return estimator


def predictor(estimator):
    """The last step of nested Pipelines: the part that is corrected.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import predictor
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    >>> predictor(FrozenEstimator(pipeline))
    LogisticRegression()
    """
    estimator = unfreeze(estimator)
    while isinstance(estimator, Pipeline):
        estimator = unfreeze(estimator.steps[-1][1])
    return estimator


def keeps_target_column(estimator):
    """Whether the predictor's own fit tells y of shape (n, 1) from a vector.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.models import keeps_target_column
    >>> keeps_target_column(LogisticRegression())
    False
    """
    last = predictor(estimator)
    return model_class(last).keeps_target_column(last)


def indexable_rows(estimator, X, y):
    """X in a form whose rows can be taken, and y, if need be those that X brings.

    Of a predictor alone: a step before it may take anything that has rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.models import indexable_rows
    >>> X, y = indexable_rows(LogisticRegression(), np.eye(2), np.array([0, 1]))
    >>> X.shape, y.shape
    ((2, 2), (2,))
    """
    last = predictor(estimator)
    return model_class(last).indexable(X, y) if last is unfreeze(estimator) else (X, y)


def checked_array(X, input_name="X", **options):
    """An array as scikit-learn checks it; rows of another form as they are.

    Parameters
    ----------
    X : what `embed` returns
    input_name : str
    **options : dict
        Of scikit-learn's check_array.

    Examples
    --------
    >>> from sklearn_softunlearn.models import checked_array
    >>> checked_array([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    """
    # By attribute: torch is loaded by those who use it.
    if isinstance(X, Mapping) or hasattr(X, "dataset"):
        return X
    with named(input_name):
        return in_each_block(X, partial(check_array, input_name=input_name, **options))


def copying_clone(estimator):
    """Clone whose parts copy the rows that they are given.

    With ``copy=False`` a fit overwrites rows that are looked at again afterwards.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import copying_clone
    >>> copying_clone(StandardScaler(copy=False)).copy
    True
    """
    cloned = clone(estimator)
    if not isinstance(cloned, FrozenEstimator):
        cloned.set_params(**dict.fromkeys(_overwriting(cloned), True))
    return cloned


def _overwriting(estimator):
    """Names of the parameters by which parts overwrite the rows they are given."""
    named = estimator.get_params(deep=True).items()
    copies = {"copy", "copy_X", "copy_x"}
    return [k for k, v in named if v is False and k.rpartition("__")[2] in copies]


def embed(estimator, X, layer="last"):
    """What the corrected part of a fitted estimator sees of X.

    Behind the transformers of Pipelines, and the hidden layers of a net of which the
    last layer is corrected.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import embed
    >>> X, y = np.array([[0.0], [2.0]]), np.array([0, 1])
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> embed(pipeline, X)
    array([[-1.],
           [ 1.]])
    """
    last = predictor(estimator)
    of_rows = partial(model_class(last, layer).embed, last)
    return in_each_block(transformed(estimator, X), of_rows)


def transformed(estimator, X):
    """What the predictor inside a fitted estimator is given, for X.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import transformed
    >>> X, y = np.array([[0.0], [2.0]]), np.array([0, 1])
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> transformed(pipeline, X)
    array([[-1.],
           [ 1.]])
    """
    return in_each_block(X, partial(_transformed, estimator))


def _transformed(estimator, X):
    estimator = unfreeze(estimator)
    if isinstance(estimator, Pipeline) and _overwriting(estimator):
        X = deepcopy(X)
    while isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        estimator = unfreeze(estimator.steps[-1][1])
    return X


def with_predictor(estimator, corrected):
    """Shallow copy of a fitted estimator whose predictor is another object.

    The fitted transformers are shared with the original, which is not modified.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import with_predictor
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    >>> with_predictor(pipeline, LogisticRegression(C=0.5))[-1]
    LogisticRegression(C=0.5)
    """
    estimator = unfreeze(estimator)
    if not isinstance(estimator, Pipeline):
        return corrected
    pipeline = copy(estimator)
    name, last = estimator.steps[-1]
    pipeline.steps = [*estimator.steps[:-1], (name, with_predictor(last, corrected))]
    return pipeline


def fit_parameter_name(estimator, parameter):
    """How a fit parameter of the predictor is spelt to a (nested) Pipeline.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_softunlearn.models import fit_parameter_name
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    >>> fit_parameter_name(pipeline, "sample_weight")
    'logisticregression__sample_weight'
    """
    estimator = unfreeze(estimator)
    if not isinstance(estimator, Pipeline):
        return parameter
    name, last = estimator.steps[-1]
    return f"{name}__{fit_parameter_name(last, parameter)}"
