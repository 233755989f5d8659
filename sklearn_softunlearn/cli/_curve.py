# SPDX-License-Identifier: BSD-3-Clause
"""The trade-off curve over delta as a picture."""

import os

import numpy as np

from sklearn_softunlearn.cli._model import correct_path
from sklearn_softunlearn.cli._notices import CommandError, notice, one_line
from sklearn_softunlearn.display import TradeoffDisplay

DELTAS = np.linspace(0.0, 1.0, 11)


def save_curve(model, parts, *, metric, path):
    """Draw accuracy against the metric on the held-out rows, one point per delta."""
    train, evaluation, held_out = parts
    correctors = correct_path(model, train, evaluation, metric=metric, deltas=DELTAS)
    try:
        display = TradeoffDisplay.from_path(
            correctors, held_out.X, held_out.y, sensitive_features=held_out.groups
        )
    except (TypeError, ValueError) as error:
        # Undefined for every delta, where a group holds no rows that it counts.
        notice(f"no trade-off curve of {metric}: {one_line(error)}")
        return
    os.environ.setdefault("MPLBACKEND", "Agg")  # a file needs no window
    try:
        display.plot().figure_.savefig(path)
    except ImportError:
        notice("no trade-off curve: matplotlib is not installed (extra 'plot')")
        return
    except (OSError, ValueError) as error:  # ValueError: an unknown file extension
        raise CommandError(f"cannot write {path}: {one_line(error)}") from error
    notice(f"trade-off curve: {path}")
