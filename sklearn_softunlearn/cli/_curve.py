# SPDX-License-Identifier: BSD-3-Clause
"""The trade-off curve over delta as a picture."""

import os

from sklearn_softunlearn.cli._notices import CommandError, notice, one_line
from sklearn_softunlearn.display import TradeoffDisplay, literal


def save_curve(path, held_out, *, metric, file):
    """Draw accuracy against the metric on the held-out rows, one point per delta."""
    try:
        display = TradeoffDisplay.from_path(
            path, held_out.X, held_out.y, sensitive_features=held_out.groups
        )
    except (TypeError, ValueError) as error:
        # Undefined for every delta, where a group holds no rows that it counts.
        notice(f"no trade-off curve of {metric}: {one_line(error)}")
        return
    os.environ.setdefault("MPLBACKEND", "Agg")  # a file needs no window
    try:
        display.plot()
        shown = f"{held_out.name} by {held_out.groups_name}"
        title = (
            f"{shown}: {len(held_out.y)} held-out rows, positive class "
            f"{held_out.positive}"
        )
        display.figure_.suptitle(literal(title), fontsize="medium")
        display.figure_.savefig(file)
    except ImportError:
        notice("no trade-off curve: matplotlib is not installed (extra 'plot')")
        return
    except (OSError, ValueError) as error:  # ValueError: an unknown file extension
        raise CommandError(f"cannot write {file}: {one_line(error)}") from error
    notice(f"trade-off curve: {file}")
