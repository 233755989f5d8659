# SPDX-License-Identifier: BSD-3-Clause
"""Doctests are collected by importing; without torch its folder cannot be."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("skorch") else ["sklearn_softunlearn/models/skorch"]
