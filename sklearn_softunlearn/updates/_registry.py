# SPDX-License-Identifier: BSD-3-Clause
"""Short names of the updates."""

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.updates._distillation import SCRUB, BadTeacher
from sklearn_softunlearn.updates._fisher import FisherForgetting, NTKForgetting
from sklearn_softunlearn.updates._gradient import (
    FineTune,
    GradientAscent,
    NegativeGradient,
)
from sklearn_softunlearn.updates._hamu import HAMU
from sklearn_softunlearn.updates._influence import InfluenceUpdate
from sklearn_softunlearn.updates._newton import NewtonUpdate
from sklearn_softunlearn.updates._retrain import Retrain

_BY_NAME = {
    "auto": InfluenceUpdate,
    "bad_teacher": BadTeacher,
    "fine_tune": FineTune,
    "fisher": FisherForgetting,
    "gradient_ascent": GradientAscent,
    "hamu": HAMU,
    "influence": InfluenceUpdate,
    "negative_gradient": NegativeGradient,
    "newton": NewtonUpdate,
    "ntk": NTKForgetting,
    "retrain": Retrain,
    "scrub": SCRUB,
}


def resolve_update(update):
    """Update object for a name or an object with an `update` method.

    Raises
    ------
    ValueError
        If the name is not known.

    Examples
    --------
    >>> from sklearn_softunlearn.updates import resolve_update
    >>> resolve_update("newton")
    NewtonUpdate()
    """
    if hasattr(update, "update") and not isinstance(update, dict | type):
        return update
    if isinstance(update, str) and update in _BY_NAME:
        return _BY_NAME[update]()
    others = "an object such as NewtonUpdate(max_iter=100)"
    raise ValueError(unknown_choice("update", update, list(_BY_NAME), others))


def check_update(update, model):
    """Raise ValueError where an update has no meaning for the model.

    Raises
    ------
    ValueError
        If it follows an objective, and training does not minimise one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, _ = make_biased_classification(500, random_state=0)
    >>> fitted = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y)
    >>> from sklearn_softunlearn.models import model_class
    >>> from sklearn_softunlearn.updates import check_update
    >>> from sklearn_softunlearn.updates import resolve_update
    >>> model = model_class(fitted)(fitted, X, y, np.ones(500))
    >>> check_update(resolve_update("newton"), model)  # as it should be
    """
    if model.minimises_objective or not getattr(update, "needs_objective", True):
        return
    raise ValueError(
        f"update={update!r} follows the training objective, and the leaf values of "
        "trees='refit' are no optimum of one. (a) update='influence' or 'retrain', "
        "which is the refit with the structure held; (b) trees='joint'."
    )
