# SPDX-License-Identifier: BSD-3-Clause
"""From a fitted estimator to the trained model that represents it."""

from sklearn import linear_model, neural_network, svm

from sklearn_softunlearn.models._glm import TweedieModel
from sklearn_softunlearn.models._huber import HuberModel
from sklearn_softunlearn.models._lasso import ElasticNetModel
from sklearn_softunlearn.models._logistic import LogisticModel
from sklearn_softunlearn.models._mlp import MLPModel
from sklearn_softunlearn.models._ridge import (
    LinearRegressionModel,
    RidgeClassifierModel,
    RidgeModel,
)
from sklearn_softunlearn.models._sgd import SGDClassifierModel, SGDRegressorModel
from sklearn_softunlearn.models._svc import LinearSVCModel
from sklearn_softunlearn.models._unsupported import unsupported
from sklearn_softunlearn.models.trees import NAMES as TREES
from sklearn_softunlearn.models.trees import TreeLeaves, supported_name

_MODELS = {
    linear_model.LogisticRegression: LogisticModel,
    linear_model.LogisticRegressionCV: LogisticModel,
    linear_model.RidgeClassifier: RidgeClassifierModel,
    linear_model.RidgeClassifierCV: RidgeClassifierModel,
    svm.LinearSVC: LinearSVCModel,
    linear_model.SGDClassifier: SGDClassifierModel,
    neural_network.MLPClassifier: MLPModel,
    linear_model.LinearRegression: LinearRegressionModel,
    linear_model.Ridge: RidgeModel,
    linear_model.RidgeCV: RidgeModel,
    linear_model.Lasso: ElasticNetModel,
    linear_model.LassoCV: ElasticNetModel,
    linear_model.ElasticNet: ElasticNetModel,
    linear_model.ElasticNetCV: ElasticNetModel,
    linear_model.SGDRegressor: SGDRegressorModel,
    linear_model.HuberRegressor: HuberModel,
    linear_model.PoissonRegressor: TweedieModel,
    linear_model.GammaRegressor: TweedieModel,
    linear_model.TweedieRegressor: TweedieModel,
    neural_network.MLPRegressor: MLPModel,
}
# Subclasses of a supported class with another objective.
_UNSUPPORTED_SUBCLASSES = (
    linear_model.MultiTaskElasticNet,
    linear_model.MultiTaskLasso,
)
_SKORCH_NETS = (
    "NeuralNetClassifier",
    "NeuralNetBinaryClassifier",
    "NeuralNetRegressor",
)


def model_class(estimator, layer="last", trees="auto"):
    """What makes the trained model of estimators like this one, fitted or not.

    Parameters
    ----------
    estimator : estimator
    layer : "last", "all", "lora" or list of str, default="last"
        Which parameters of a skorch net are corrected; not used for others.
    trees : {"auto", "joint", "refit"}, default="auto"
        How training moves the leaf values of trees; not used for others.

    Returns
    -------
    A subclass of `TrainedModel`, or for nets and trees an object that is called like
    one.

    Raises
    ------
    TypeError
        If the estimator is of no supported class.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.models import model_class
    >>> model_class(LogisticRegression()).__name__
    'LogisticModel'
    """
    if _is_skorch_net(estimator):
        # Here and not above: torch is loaded by those who use it.
        from sklearn_softunlearn.models.skorch import NetLayer

        return NetLayer(layer)
    if supported_name(estimator):
        return TreeLeaves(estimator, trees)
    for supported, model in _MODELS.items():
        if isinstance(estimator, supported) and not isinstance(
            estimator, _UNSUPPORTED_SUBCLASSES
        ):
            return model
    names = [*(each.__name__ for each in _MODELS), *TREES, *_SKORCH_NETS]
    raise TypeError(unsupported(estimator, names))


def _is_skorch_net(estimator):
    # By name: whoever has a net has imported skorch, nobody else needs to.
    return any(
        kind.__module__.partition(".")[0] == "skorch" and kind.__name__ in _SKORCH_NETS
        for kind in type(estimator).__mro__
    )
