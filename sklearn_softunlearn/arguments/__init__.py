# SPDX-License-Identifier: BSD-3-Clause
"""What a user passes, in plain form; what cannot be read is refused by its name.

Rule of the room: a function takes a value and the name of its argument, and returns
arrays or raises ValueError or TypeError with that name and what to do. Nothing here
knows a model or a metric. A new container of columns is a branch of `_named` in
``_values``, and one line in the containers of ``tests/test_fuzzed_inputs.py``; a choice
from a list says `unknown_choice` of what is not in it::

    if name not in KINDS:
        raise ValueError(unknown_choice("kind", name, KINDS))
"""

from sklearn_softunlearn.arguments._choices import (
    class_for_object,
    closest,
    did_you_mean,
    unknown_choice,
)
from sklearn_softunlearn.arguments._values import (
    check_real,
    check_unmasked,
    columns_in,
    group_codes,
    group_frame,
    label_vector,
    named,
    real_array,
)

__all__ = [
    "check_real",
    "check_unmasked",
    "class_for_object",
    "closest",
    "columns_in",
    "did_you_mean",
    "group_codes",
    "group_frame",
    "label_vector",
    "named",
    "real_array",
    "unknown_choice",
]
