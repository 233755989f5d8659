# SPDX-License-Identifier: BSD-3-Clause
"""The two models that are compared, from what the user gave."""

from dataclasses import dataclass
from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn.corrector import CorrectedEstimatorMixin, columns_of
from sklearn_softunlearn.models import predictor, transformed, with_predictor


@dataclass(frozen=True)
class Subject:
    """A model before and after, and the corrector in between, if there is one.

    Attributes
    ----------
    before, after : fitted estimator
    corrector : SoftUnlearnCorrector, SoftUnlearnCorrectorCV or None
    """

    before: Any
    after: Any
    corrector: Any = None

    @property
    def title(self):
        """What is audited, in words."""
        if self.corrector is None:
            return name_of(self.after)
        return f"a corrected {name_of(self.before)}"

    def setting(self, name):
        """A parameter of the corrector; None without one."""
        inner = getattr(self.corrector, "corrector_", self.corrector)
        return getattr(inner, name, None)

    def features(self, X, given):
        """Sensitive features of X: those given, else the columns of the corrector."""
        ids = self.setting("sensitive_feature_ids")
        if given is not None or ids is None:
            return given
        return columns_of(transformed(self.after, X), ids)


def subject_of(estimator, before=None):
    """The models to compare.

    Parameters
    ----------
    estimator : fitted estimator, or a tuple (before, after) of two
        A corrector, alone, as the last step of a Pipeline or as the ``best_estimator_``
        of a search, knows its base model; of any other model ``before`` is needed.
    before : fitted estimator, default=None

    Raises
    ------
    ValueError
        If it is not clear what the model is to be compared with.
    NotFittedError
        If a corrector is not fitted.
    """
    if isinstance(estimator, tuple):
        if len(estimator) != 2 or before is not None:
            raise ValueError(
                "estimator is a tuple: give exactly two fitted models, (before, after),"
                " and leave before=... out."
            )
        before, estimator = estimator
    after = getattr(estimator, "best_estimator_", estimator)
    corrector = _corrector_in(after)
    if corrector is not None:
        check_is_fitted(corrector, "base_estimator_")
    if before is None and corrector is None:
        raise ValueError(
            f"estimator is a {type(after).__name__}, which does not say what it was "
            "before. Give before=..., a fitted model to compare it with, or a fitted "
            "SoftUnlearnCorrector."
        )
    if before is None:
        before = with_predictor(after, corrector.base_estimator_)
    return Subject(before, after, corrector)


def name_of(model):
    """Class of a model; in a Pipeline, of its last step."""
    return type(predictor(model)).__name__


def _corrector_in(estimator):
    last = predictor(estimator)
    return last if isinstance(last, CorrectedEstimatorMixin) else None
