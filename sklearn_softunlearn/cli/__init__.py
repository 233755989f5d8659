# SPDX-License-Identifier: BSD-3-Clause
"""The command line: correct a logistic regression on a table and audit it."""

from sklearn_softunlearn.cli._main import main

__all__ = ["main"]
