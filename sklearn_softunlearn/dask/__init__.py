# SPDX-License-Identifier: BSD-3-Clause
"""Corrections of models whose rows do not fit in memory, with Dask.

X stays in its blocks: everything that a correction needs of it is a map of its rows or
a sum over them, and `models.RowBlocks` is the seam at which the same NumPy functions
run block by block. What each row is besides its features, a few numbers, is in memory.

Rule of the room: no mathematics. ``_rows.py`` maps and adds, ``_computing.py`` knows
schedulers, ``_collections.py`` takes what a user has, and the corrector hands it on to
the one that works in memory.
"""

from sklearn_softunlearn.dask._corrector import DaskSoftUnlearnCorrector

__all__ = ["DaskSoftUnlearnCorrector"]
