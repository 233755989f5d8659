# SPDX-License-Identifier: BSD-3-Clause
"""The model that is corrected: one of a few by name, or one from a file."""

from importlib import import_module
from pathlib import Path

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn.cli._notices import CommandError, one_line


def _library(module, name, **options):
    """Makes a classifier of a library that need not be installed."""

    def make():
        try:
            classifier = getattr(import_module(module), name)
        except ImportError as error:
            raise CommandError(
                f"--model {module}: {module} is not installed: pip install {module}"
            ) from error
        return classifier(**options)

    return make


MODELS = {
    "logistic_regression": lambda: LogisticRegression(max_iter=1000),
    # Without early stopping it trains on all rows.
    "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(
        early_stopping=False, random_state=0
    ),
    # Leaves of one row would hold what no weights can change.
    "random_forest": lambda: RandomForestClassifier(
        min_samples_leaf=10, random_state=0
    ),
    "lightgbm": _library("lightgbm", "LGBMClassifier", verbose=-1, random_state=0),
    "xgboost": _library("xgboost", "XGBClassifier", random_state=0),
    "catboost": _library(
        "catboost",
        "CatBoostClassifier",
        iterations=100,  # like the others: its own 1000 have 64000 leaves
        depth=5,
        verbose=0,
        allow_writing_files=False,
        random_state=0,
    ),
}
ENDING = ".skops"
# Plain data of the models that the command line saves; skops knows the other types.
# SECURITY.md lists them.
TRUSTED = (
    "numpy.dtype",
    "collections.OrderedDict",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "catboost.core.CatBoostClassifier",
)


def make_model(name, y):
    """The unfitted classifier of a name in `MODELS`.

    Raises
    ------
    CommandError
        If its library is not installed or does not take these labels.
    """
    if name == "xgboost" and set(y.tolist()) != {0, 1}:
        raise CommandError(
            "--model xgboost: XGBoost takes a target of 0 and 1, not "
            f"{sorted(set(y.tolist()))}. Write the target so, or use another model"
        )
    return MODELS[name]()


def load_model(file, train):
    """A fitted classifier, most often a Pipeline, from a file of skops.

    Raises
    ------
    CommandError
        If the file cannot be read or trusted, or the model is for another table.
    """
    try:
        from skops.io import get_untrusted_types, load
    except ImportError as error:
        raise CommandError(
            f"cannot read {file}: skops is not installed: pip install skops"
        ) from error
    try:
        types = get_untrusted_types(file=Path(file))
        unknown = [each for each in types if each not in TRUSTED]
        if unknown:
            raise CommandError(
                f"cannot read {file}: it holds types that skops does not trust: "
                f"{', '.join(unknown)}. Correct such a model in Python"
            )
        model = load(Path(file), trusted=types)
    except CommandError:
        raise
    except Exception as error:  # of zip, JSON or the types inside
        raise CommandError(f"cannot read {file}: {one_line(error)}") from error
    _check_fits_table(file, model, train)
    return model


def _check_fits_table(file, model, train):
    known = getattr(model, "classes_", None)
    if known is None:
        raise CommandError(f"{file} holds no fitted classifier")
    if set(known.tolist()) != set(train.y.tolist()):
        raise CommandError(
            f"{file} predicts the classes {known.tolist()}, and the target has "
            f"{sorted(set(train.y.tolist()))}"
        )
    names = getattr(model, "feature_names_in_", train.X.columns)
    missing = [name for name in names if name not in train.X.columns]
    if missing:
        raise CommandError(
            f"{file} was trained with columns that the table lacks, or that the "
            f"options leave out: {', '.join(map(str, missing))}"
        )
