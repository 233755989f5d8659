# SPDX-License-Identifier: BSD-3-Clause
"""Calls side by side, and calls that are remembered: what joblib leaves to its user.

Rule of the room: joblib schedules and caches, this room says what it does not know: the
configuration and filters that workers need, and whether a user's own code is still the
code that a cache was filled with. Calls are made with ``run_parallel(function,
arguments, n_jobs=...)``; a cached function takes ``code_key(...)`` of the objects whose
code matters as an argument of its own.
"""

from sklearn_softunlearn.calls._code_key import code_key, remedy_for_names
from sklearn_softunlearn.calls._parallel import run_parallel

__all__ = ["code_key", "remedy_for_names", "run_parallel"]
