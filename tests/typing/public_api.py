# SPDX-License-Identifier: BSD-3-Clause
"""What a user writes, read by the type checker and never run.

A line that must not pass carries ``type: ignore``, which the checker refuses where it
is not needed (``warn_unused_ignores``).
"""

from typing import assert_type

import numpy as np
import pandas as pd

from sklearn_softunlearn import (
    Cholesky,
    GroupMetric,
    NewtonUpdate,
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    TradeoffDisplay,
    WeightSolution,
    audit,
    influence,
    solve_weights,
)
from sklearn_softunlearn.auditing import Audit
from sklearn_softunlearn.inspection import RowInfluence

X, y, group = np.zeros((4, 2)), np.array([0, 1, 0, 1]), ["a", "a", "b", "b"]

assert_type(influence(None, X, y, metric=GroupMetric()), RowInfluence)
assert_type(audit(None, X, y, sensitive_features=group), Audit)
assert_type(solve_weights([-1.0, 0.5], delta=0.1), WeightSolution)
assert_type(
    TradeoffDisplay(delta=[0.0], metric=[0.1], utility=[0.9]).plot(), TradeoffDisplay
)
frame: pd.DataFrame = audit(None, X, y).frame()
NewtonUpdate(max_iter=5, curvature=Cholesky(damping=1e-3))
NewtonUpdate(max_iter="five")  # type: ignore[arg-type]
solve_weights([-1.0], delta=0.1, on_infeasible=None)  # type: ignore[arg-type]
audit(None, X)  # type: ignore[call-arg]

corrector = SoftUnlearnCorrector(
    None, metric=GroupMetric(), delta=0.5, utility=["loss"]
)
assert_type(corrector.fit(X, y, sensitive_features=group), SoftUnlearnCorrector)
assert_type(corrector.path(X, y, deltas=[0.1, 0.2]), list[SoftUnlearnCorrector])
assert_type(corrector.delta_max_, float)
assert_type(corrector.score(X, y), float)
search = SoftUnlearnCorrectorCV(corrector, deltas=5, refit=Requirement())
assert_type(search.fit(X, y, X_val=X, y_val=y), SoftUnlearnCorrectorCV)
SoftUnlearnCorrector(delta="half")  # type: ignore[arg-type]
SoftUnlearnCorrectorCV(test_size="half")  # type: ignore[arg-type]
corrector.fit(X)  # type: ignore[call-arg]
corrector.path(X, y)  # type: ignore[call-arg]
