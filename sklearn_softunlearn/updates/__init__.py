# SPDX-License-Identifier: BSD-3-Clause
"""Ways to move the parameters, given deletion weights.

Each update is an object with ``update(model, deletion_weights, shift)`` that returns
new parameters and modifies nothing.
"""

from sklearn_softunlearn.updates._influence import InfluenceUpdate
from sklearn_softunlearn.updates._newton import NewtonUpdate
from sklearn_softunlearn.updates._retrain import Retrain

__all__ = ["InfluenceUpdate", "NewtonUpdate", "Retrain", "resolve_update"]

_BY_NAME = {
    "influence": InfluenceUpdate,
    "newton": NewtonUpdate,
    "retrain": Retrain,
}


def resolve_update(update):
    """Update object for a name or an object with an `update` method.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    if hasattr(update, "update") and not isinstance(update, dict | type):
        return update
    if isinstance(update, str) and update in _BY_NAME:
        return _BY_NAME[update]()
    raise ValueError(
        f"update={update!r} is not known. Give one of {sorted(_BY_NAME)} or an object "
        "such as NewtonUpdate(max_iter=100)."
    )
