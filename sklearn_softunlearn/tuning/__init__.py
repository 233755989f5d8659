# SPDX-License-Identifier: BSD-3-Clause
"""The choice of delta by cross-validation.

Rule of the room: everything that depends on delta is scored on folds that took no part
in the fit, and a choice is a function from ``cv_results_`` to an index. A new rule,
here the smallest delta, is such a function, given as ``refit``::

    def smallest(cv_results):
        return int(np.argmin(cv_results["param_delta"]))

or a condition of `Requirement`: a parameter, a mask over the candidates in
``_requirement``, and the sentence that is said when no candidate fulfils it.
"""

from sklearn_softunlearn.tuning._corrector_cv import SoftUnlearnCorrectorCV
from sklearn_softunlearn.tuning._requirement import Requirement, scores_of

__all__ = ["Requirement", "SoftUnlearnCorrectorCV", "scores_of"]
