# SPDX-License-Identifier: BSD-3-Clause
"""What a correction of rows in blocks does not do, refused by name before it starts."""

from sklearn_softunlearn.criteria import (
    AdversarialLoss,
    CriterionList,
    NeighborInconsistency,
    resolve_criterion,
)
from sklearn_softunlearn.models import model_class, predictor
from sklearn_softunlearn.updates import InfluenceUpdate, NewtonUpdate, resolve_update

_LOOK_AT_FEATURES = (AdversarialLoss, NeighborInconsistency)
_UPDATES = (InfluenceUpdate, NewtonUpdate)


def check_supported(corrector, estimator):
    """Raise TypeError or ValueError for the first thing that is not supported."""
    _check_model(estimator, corrector)
    for parameter in ("metric", "utility"):
        _check_criterion(getattr(corrector, parameter), parameter)
    if not isinstance(resolve_update(corrector.update), _UPDATES):
        raise ValueError(
            f"update={corrector.update!r} trains on rows in memory. Of rows in blocks "
            "the updates are 'auto', 'influence' and 'newton'; "
            "NewtonUpdate(max_iter=20) goes on until it has retrained."
        )
    if corrector.memory is not None:
        raise ValueError(
            "memory: rows in blocks are not hashed for a cache on disk. Leave memory "
            "out; path(X, y, deltas=...) shares what does not depend on delta."
        )


def _check_model(estimator, corrector):
    last = predictor(estimator)
    made_from = model_class(last, corrector.layer, corrector.trees)
    if getattr(made_from, "takes_row_blocks", False):
        return
    name = type(last).__name__
    if not getattr(made_from, "minimises_objective", True):
        raise ValueError(
            f"estimator: trees='refit' follows the training of {name} over all rows at "
            "once, and the rows are in blocks. Use trees='joint'."
        )
    raise TypeError(
        f"estimator: {name} is a net, which is not corrected on rows in blocks. Use "
        "SoftUnlearnCorrector, for example with a numpy.memmap."
    )


def _check_criterion(given, parameter):
    criterion = resolve_criterion(given, parameter)
    parts = criterion.criteria if isinstance(criterion, CriterionList) else [criterion]
    for part in parts:
        if isinstance(part, _LOOK_AT_FEATURES):
            raise ValueError(
                f"{parameter}: {part.name} looks at the features of all rows at once, "
                "which are in blocks. Use a metric of predictions, labels and groups, "
                "or SoftUnlearnCorrector with rows that fit in memory."
            )
