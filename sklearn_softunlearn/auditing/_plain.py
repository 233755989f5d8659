# SPDX-License-Identifier: BSD-3-Clause
"""Values of any kind as JSON knows them."""

import math
from numbers import Integral, Real

_LONGEST = 300


def plain(value):
    """Numbers, strings, lists and dicts; None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    # numpy's are registered as these, except for its bool
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return plain(value.item())
    return str(value)


def short(value):
    """Representation on one line, cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
