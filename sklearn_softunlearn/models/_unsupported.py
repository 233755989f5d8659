# SPDX-License-Identifier: BSD-3-Clause
"""What to say to an estimator that is not read as a trained model, and what to do."""

from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import has_fit_parameter

from sklearn_softunlearn.arguments import class_for_object


def unsupported(estimator, names):
    """Message for an estimator of no supported class.

    Parameters
    ----------
    estimator : object
        What was given.
    names : sequence of str
        Of the supported classes.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_softunlearn.models._unsupported import unsupported
    >>> unsupported(Ridge, ["Ridge"])
    'estimator=Ridge is a class. Give an object, Ridge(...).'
    """
    if isinstance(estimator, type):
        return class_for_object("estimator", estimator)
    what = type(estimator).__name__
    if not hasattr(estimator, "fit"):
        what = f"{estimator!r}, which is no estimator,"
    return (
        f"estimator: {what} is not supported.{_instead(estimator)} Supported are "
        f"{_in_short(names)}; alone, inside a FrozenEstimator, or as the last step of "
        "a Pipeline."
    )


def _in_short(names):
    """The names, those in pairs by their stem, those with a search by the plain one."""
    endings = ("Classifier", "Regressor")
    pairs = {
        name.removesuffix("Classifier")
        for name in names
        if name.replace("Classifier", "Regressor") in names and "Classifier" in name
    }
    single = [
        name
        for name in names
        if not name.endswith("CV")
        and not {name.removesuffix(e) for e in endings} & pairs
    ]
    in_order = dict.fromkeys(name.removesuffix("Classifier") for name in names)
    both = [stem for stem in in_order if stem in pairs]
    text = ", ".join(f"{n} (and {n}CV)" if f"{n}CV" in names else n for n in single)
    return f"{text}, and the classifiers and regressors {', '.join(both)}"


def _instead(estimator):
    """What to do with this estimator, if there is something."""
    # By attribute: a corrector is in a room below this one.
    if hasattr(estimator, "base_estimator_") and hasattr(estimator, "estimator_"):
        return (
            " Give its base_estimator_, the model before the correction, or its "
            "estimator_, the corrected one."
        )
    if hasattr(estimator, "best_estimator_"):
        return " Give its best_estimator_ in a FrozenEstimator."
    if hasattr(estimator, "refit") and hasattr(estimator, "cv"):
        return (
            " Fit the search first, and give its best_estimator_ in a FrozenEstimator."
        )
    if not _learns_from_weights(estimator):
        return ""
    return (
        " But it takes sample_weight, so it can learn from the rows as a supported "
        f"model weighs them: SurrogateWeights({type(estimator).__name__}(...)).fit(X, "
        "y, sensitive_features=...)."
    )


def _learns_from_weights(estimator):
    """Whether it is a classifier or regressor whose fit takes weights of the rows."""
    if not (hasattr(estimator, "fit") and hasattr(estimator, "__sklearn_tags__")):
        return False
    learns = is_classifier(estimator) or is_regressor(estimator)
    if type(estimator).__module__.startswith("sklearn_softunlearn."):
        return False  # a corrector: nobody wants to correct it once more
    return learns and has_fit_parameter(estimator, "sample_weight")
