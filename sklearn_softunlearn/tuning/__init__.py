# SPDX-License-Identifier: BSD-3-Clause
"""The choice of delta by cross-validation."""

from sklearn_softunlearn.tuning._corrector_cv import SoftUnlearnCorrectorCV
from sklearn_softunlearn.tuning._requirement import Requirement

__all__ = ["Requirement", "SoftUnlearnCorrectorCV"]
