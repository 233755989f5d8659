# SPDX-License-Identifier: BSD-3-Clause
"""Accuracy or loss on adversarial examples, as a scorer."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn._sklearn_compat import check_sample_weight, n_rows
from sklearn_softunlearn.arguments import label_vector, unknown_choice
from sklearn_softunlearn.corrector import (
    AttackedModel,
    CorrectedEstimatorMixin,
    check_attackable,
    encode_target,
)
from sklearn_softunlearn.criteria import AdversarialLoss
from sklearn_softunlearn.models import (
    checked_array,
    embed,
    model_class,
    predictor,
    transformed,
    with_predictor,
)

_MEASURES = ("accuracy", "loss")


def robustness_scorer(
    measure: str = "accuracy", **attack_params: Any
) -> Callable[..., Any]:
    """Make a scorer of a classifier's robustness to adversarial examples.

    The examples are made anew against each estimator that is scored, from the rows
    that it is scored on.

    Parameters
    ----------
    measure : {"accuracy", "loss"}, default="accuracy"
        Share of the examples that are classified correctly, or minus their mean
        training loss.
    **attack_params : dict
        Parameters of `AdversarialLoss`: epsilon, norm, attack, bounds, ... With
        ``epsilon=0`` the rows are left as they are.

    Returns
    -------
    scorer : callable
        Call it as ``scorer(estimator, X, y, *, sample_weight=None)``; it returns a
        float, greater for more robust estimators. The estimator is a
        `SoftUnlearnCorrector` or any classifier that it can correct, alone or as the
        last step of a Pipeline; others raise a TypeError.

    Raises
    ------
    ValueError
        If the measure is not known.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_softunlearn import (
    ...     AdversarialLoss, SoftUnlearnCorrector, robustness_scorer)
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(
    ...     metric=AdversarialLoss(epsilon=0.2), utility_tol=0.05)
    >>> search = GridSearchCV(corrector, {"delta": [0.0, 0.02]}, cv=2,
    ...                       scoring=robustness_scorer("loss", epsilon=0.2))
    >>> search.fit(X, y).best_params_
    {'delta': 0.02}
    """
    if measure not in _MEASURES:
        raise ValueError(unknown_choice("measure", measure, _MEASURES))
    return _RobustnessScorer(measure, AdversarialLoss(**attack_params))


class _RobustnessScorer:
    """Callable of an estimator and rows; see `robustness_scorer`."""

    def __init__(self, measure, attack):
        self._measure, self._attack = measure, attack

    def __repr__(self):
        return f"robustness_scorer({self._measure!r}, {self._attack!r})"

    def __call__(self, estimator, X, y, *, sample_weight=None):
        """Robust accuracy, or minus the adversarial loss, of the estimator."""
        last = predictor(estimator)
        if isinstance(last, CorrectedEstimatorMixin):
            estimator = with_predictor(estimator, last.estimator_)
            last = predictor(estimator)
        maker = model_class(last)
        if not is_classifier(last):
            raise TypeError(
                f"robustness_scorer counts labels, and {type(last).__name__} is no "
                "classifier. For a regression read the report of AdversarialLoss."
            )
        codes = encode_target(label_vector(y, "y"), np.asarray(last.classes_), "y")
        weight = check_sample_weight(sample_weight, codes)
        rows = checked_array(embed(estimator, X), **maker.array_options)
        if len(codes) != n_rows(rows):
            raise ValueError(
                f"y has {len(codes)} values where X has {n_rows(rows)} rows."
            )
        model = maker.untrained_on(last, rows, codes)
        inputs = checked_array(transformed(estimator, X), **maker.array_options)
        check_attackable(inputs)
        target = AttackedModel(model, codes, model.loss)
        raw = model.raw_prediction(model.rows_of(self._attack.perturb(inputs, target)))
        return float(np.average(self._scores(model, codes, raw), weights=weight))

    def _scores(self, model, codes, raw):
        if self._measure == "loss":
            return -model.loss.value(codes, raw)
        return model.response.hard(raw)[np.arange(len(codes)), codes]
