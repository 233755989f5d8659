# SPDX-License-Identifier: BSD-3-Clause
"""The command line: correct a logistic regression on a table and audit it.

Rule of the room: it has no logic of its own. ``_arguments`` declares an option and its
help, ``_main`` hands it to a parameter of the same meaning, and every number that is
printed comes from a report or an audit. A new option is an ``add_argument``, the
parameter that it becomes, and a line in ``tests/test_cli.py``.
"""

from sklearn_softunlearn.cli._main import main

__all__ = ["main"]
