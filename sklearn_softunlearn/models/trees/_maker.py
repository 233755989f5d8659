# SPDX-License-Identifier: BSD-3-Clause
"""From a fitted ensemble, of whatever library, to the trained model of its leaves."""

from importlib import import_module

import numpy as np

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.models.trees._joint import JointLeaves
from sklearn_softunlearn.models.trees._refit import RefitLeaves

# By name: whoever has such an estimator has imported its library; nobody else needs to.
_ROOM = "sklearn_softunlearn.models.trees"
_ENSEMBLES = {
    ("sklearn", "HistGradientBoostingClassifier"): "_hist_gradient_boosting",
    ("sklearn", "HistGradientBoostingRegressor"): "_hist_gradient_boosting",
    ("sklearn", "GradientBoostingClassifier"): "_gradient_boosting",
    ("sklearn", "GradientBoostingRegressor"): "_gradient_boosting",
    ("sklearn", "RandomForestClassifier"): "_forest",
    ("sklearn", "RandomForestRegressor"): "_forest",
    ("sklearn", "ExtraTreesClassifier"): "_forest",
    ("sklearn", "ExtraTreesRegressor"): "_forest",
    ("sklearn", "DecisionTreeClassifier"): "_forest",
    ("sklearn", "DecisionTreeRegressor"): "_forest",
    ("lightgbm", "LGBMClassifier"): "_lightgbm",
    ("lightgbm", "LGBMRegressor"): "_lightgbm",
    ("xgboost", "XGBClassifier"): "_xgboost",
    ("xgboost", "XGBRegressor"): "_xgboost",
    ("catboost", "CatBoostClassifier"): "_catboost",
    ("catboost", "CatBoostRegressor"): "_catboost",
}
NAMES = tuple(name for _, name in _ENSEMBLES)
_MODELS = {"joint": JointLeaves, "refit": RefitLeaves}
CHOICES = ("auto", *_MODELS)


def supported_name(estimator):
    """Key of the ensemble that the estimator is or derives from, or None."""
    for kind in type(estimator).__mro__:
        key = kind.__module__.partition(".")[0], kind.__name__
        if key in _ENSEMBLES:
            return key
    return None


class TreeLeaves:
    """Maker of trained models of ensembles, for one choice of how training moves them.

    Parameters
    ----------
    estimator : estimator
        Fitted or not; of a class that `supported_name` knows.
    trees : {"auto", "joint", "refit"}

    Raises
    ------
    ValueError
        If ``trees`` is none of these.
    """

    fits_sample_weight = True
    array_options = {"accept_sparse": "csr", "dtype": np.float64}

    def __init__(self, estimator, trees="auto"):
        if not isinstance(trees, str) or trees not in CHOICES:
            raise ValueError(unknown_choice("trees", trees, CHOICES))
        file = _ENSEMBLES[supported_name(estimator)]
        self._ensemble = import_module(f"{_ROOM}.{file}").Ensemble
        self._model = _MODELS[self._ensemble.default if trees == "auto" else trees]

    @property
    def takes_row_blocks(self):
        """Whether X may be a `RowBlocks`: not where training is followed."""
        return self._model.minimises_objective

    @property
    def minimises_objective(self):
        """Whether the models are the optimum of an objective."""
        return self._model.minimises_objective

    @staticmethod
    def indexable(X, y):
        """The rows as they are: any table that the library takes."""
        return X, y

    def __call__(self, estimator, X, y, sample_weight):
        """The trained model of a fitted ensemble; X as `embed` returns it."""
        return self._model(self._ensemble(estimator), X, y, sample_weight)

    def untrained_on(self, estimator, X, y):
        """The model of a fitted ensemble on rows that it was not trained on."""
        return JointLeaves(self._ensemble(estimator), X, y, np.ones(len(y)))

    def check_rows(self, X):
        """Any rows that the library takes."""

    def keeps_target_column(self, estimator):
        """The libraries want a vector."""
        return False

    def check_fit(self, estimator, X, y):
        """Nothing that the library does not check itself."""

    def embed(self, estimator, X):
        """Indicator of the leaf of each row in each tree."""
        ensemble = self._ensemble(estimator)
        return ensemble.layout.indicator(ensemble.numbers(X))
