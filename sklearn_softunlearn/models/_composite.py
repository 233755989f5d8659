# SPDX-License-Identifier: BSD-3-Clause
"""The predictor inside a Pipeline or FrozenEstimator, and the way back."""

from collections.abc import Mapping
from copy import copy, deepcopy

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array

from sklearn_softunlearn.models._registry import model_class


def unfreeze(estimator):
    """The estimator inside any number of `FrozenEstimator`."""
    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    return estimator


def predictor(estimator):
    """The last step of nested Pipelines: the part that is corrected."""
    estimator = unfreeze(estimator)
    while isinstance(estimator, Pipeline):
        estimator = unfreeze(estimator.steps[-1][1])
    return estimator


def keeps_target_column(estimator):
    """Whether the predictor's own fit tells y of shape (n, 1) from a vector."""
    last = predictor(estimator)
    return model_class(last).keeps_target_column(last)


def indexable_rows(estimator, X, y):
    """X in a form whose rows can be taken, and y, if need be those that X brings.

    Of a predictor alone: a step before it may take anything that has rows.
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
    """
    # By attribute: torch is loaded by those who use it.
    if isinstance(X, Mapping) or hasattr(X, "dataset"):
        return X
    return check_array(X, input_name=input_name, **options)


def copying_clone(estimator):
    """Clone whose parts copy the rows that they are given.

    With ``copy=False`` a fit overwrites rows that are looked at again afterwards.
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
    """
    last = predictor(estimator)
    return model_class(last, layer).embed(last, transformed(estimator, X))


def transformed(estimator, X):
    """What the predictor inside a fitted estimator is given, for X."""
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
    """
    estimator = unfreeze(estimator)
    if not isinstance(estimator, Pipeline):
        return corrected
    pipeline = copy(estimator)
    name, last = estimator.steps[-1]
    pipeline.steps = [*estimator.steps[:-1], (name, with_predictor(last, corrected))]
    return pipeline


def fit_parameter_name(estimator, parameter):
    """How a fit parameter of the predictor is spelt to a (nested) Pipeline."""
    estimator = unfreeze(estimator)
    if not isinstance(estimator, Pipeline):
        return parameter
    name, last = estimator.steps[-1]
    return f"{name}__{fit_parameter_name(last, parameter)}"
