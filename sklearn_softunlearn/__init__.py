# SPDX-License-Identifier: BSD-3-Clause
"""Soft-weighted machine unlearning for scikit-learn estimators."""

from sklearn_softunlearn._corrector import SoftUnlearnCorrector

__all__ = ["SoftUnlearnCorrector"]
__version__ = "0.1.0.dev0"
