# SPDX-License-Identifier: BSD-3-Clause
"""A metric or utility as a number of a fitted model on given rows."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import get_scorer, get_scorer_names

from sklearn_softunlearn.confidence import model_intervals
from sklearn_softunlearn.criteria import AdversarialLoss, MeanLoss, usual_score
from sklearn_softunlearn.scoring import (
    counted_score,
    loss_name,
    metric_scorer,
    with_groups,
)


@dataclass(frozen=True)
class Measure:
    """A scorer without the sign that makes greater better."""

    name: str
    scorer: object
    sign: int = 1
    takes_groups: bool = False

    def __call__(self, model, X, y, sensitive_features):
        """Value for a fitted model on the rows of X."""
        groups = {"sensitive_features": sensitive_features} if self.takes_groups else {}
        return self.sign * self.scorer(model, X, y, **groups)

    def intervals(self, models, rows, level, n_bootstrap, rng):
        """Ends of the interval of each model, of shape (n_models, 2); None without.

        ``rows`` has X, y and the sensitive features. See `model_intervals`.
        """
        if n_bootstrap == 0:
            return None
        X, y, sensitive_features = rows
        groups = {"sensitive_features": sensitive_features} if self.takes_groups else {}
        counted = counted_score(self.scorer, models[0], X, y, **groups)
        if counted is None or (n_bootstrap is None and not counted.of_labels):
            return None
        answers = [counted.answers(model, X) for model in models]
        found = model_intervals(
            counted.criterion, counted.rows, answers, 0,
            level=level, n_bootstrap=n_bootstrap, rng=rng,
        )  # fmt: skip
        if found is None:
            return None
        shown = found.times(self.sign * counted.sign)
        return np.column_stack([shown.low, shown.high])


def as_measure(given, corrector):
    """Measure of what a corrector takes for a metric, or of a scorer's name.

    Parameters
    ----------
    given : str, callable or Criterion
    corrector : SoftUnlearnCorrector
        What the models are like.
    """
    name, kind = given, is_classifier(corrector)
    probabilities = hasattr(corrector, "predict_proba")
    if isinstance(given, MeanLoss) or (isinstance(given, str) and given == "loss"):
        name = loss_name(kind, probabilities)
        if name == "zero_one_loss":
            scorer = metric_scorer("loss", probabilities=False)
            return Measure("zero-one loss", scorer, sign=-1)
        name = f"neg_{name}"
    if isinstance(name, str) and name in get_scorer_names():
        negated = name.startswith("neg_")
        plain = name.removeprefix("neg_")
        return Measure(plain, get_scorer(name), sign=-1 if negated else 1)
    ids = getattr(corrector, "sensitive_feature_ids", None)
    options = {"greater_is_better": True, "sensitive_feature_ids": ids}
    scorer = metric_scorer(
        given, classification=kind, probabilities=probabilities, **options
    )
    if isinstance(given, AdversarialLoss):
        return Measure("adversarial loss", scorer, sign=-1)
    return Measure(scorer.name, scorer, takes_groups=True)


def measures_of(metric, utility, corrector, sensitive_features):
    """Measures of a metric and a utility, for models like a corrector.

    Parameters
    ----------
    metric, utility : str, callable, Criterion or None
        None takes the metric of the corrector, and its accuracy or R^2.
    corrector : SoftUnlearnCorrector
        Fitted or not.
    sensitive_features : array-like or None
        Those of the rows that will be measured.

    Raises
    ------
    ValueError
        If one of them compares groups and there are none.
    """
    ids = getattr(corrector, "sensitive_feature_ids", None)
    kind = is_classifier(corrector)
    metric = corrector.metric if metric is None else metric
    utility = usual_score(kind) if utility is None else utility
    measures = [as_measure(each, corrector) for each in (metric, utility)]
    compared = [measure.name for measure in measures if measure.takes_groups]
    if compared and sensitive_features is None and ids is None:
        raise ValueError(
            f"{compared[0]} compares groups: give sensitive_features=..., those of the "
            "rows that are measured."
        )
    return measures


def point(measures, model, rows):
    """Values of the measures for a fitted model, a tuple.

    ``rows`` has X, y and the sensitive features.
    """
    return tuple(measure(model, *rows) for measure in measures)


def points_of_others(measures, others, rows, random_state):
    """Values of the measures for models that are no correctors, by name.

    ``others`` is a dict of fitted models, or of their values, which are kept.
    """
    return {
        name: model
        if isinstance(model, tuple)
        else _point_of_other(measures, name, model, rows, random_state)
        for name, model in (others or {}).items()
    }


def _point_of_other(measures, name, model, rows, random_state):
    """Values of the measures for a model that is no corrector.

    Raises
    ------
    ValueError
        If it cannot be measured, with its name.
    """
    _, y, sensitive_features = rows
    try:
        plain = with_groups(model, y, sensitive_features, random_state)
        return point(measures, plain, rows)
    except (AttributeError, TypeError, ValueError) as error:
        wanted = " and ".join(measure.name for measure in measures)
        raise ValueError(
            f"others[{name!r}] ({type(model).__name__}) cannot be measured by "
            f"{wanted}: {error} Mitigators of fairlearn predict labels only, without "
            "probabilities or scores: leave them out, or measure labels."
        ) from error
