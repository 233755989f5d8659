# SPDX-License-Identifier: BSD-3-Clause
"""Doctests are collected by importing, which not every file is for.

Without torch or Dask its folder cannot be imported; what a type checker reads is not to
run.
"""

from importlib.util import find_spec

collect_ignore = ["tests/typing"]
if not find_spec("skorch"):
    collect_ignore.append("sklearn_softunlearn/models/skorch")
if not find_spec("distributed"):
    collect_ignore += ["sklearn_softunlearn/dask", "tests/row_blocks/same.py"]
