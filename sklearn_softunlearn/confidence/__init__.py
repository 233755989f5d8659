# SPDX-License-Identifier: BSD-3-Clause
"""How far a number measured on some rows can be trusted on others.

Rule of the room: functions of arrays of counts, means and labels, which know no model
and no search. A new kind of metric has an interval as soon as its criterion has
``reweighted``, the metric under many weightings of the rows at once.
"""

from sklearn_softunlearn.confidence._bounds import (
    loss_bound,
    metric_bound,
    nothing_lost,
)
from sklearn_softunlearn.confidence._choice import (
    TestedModels,
    learn_then_test,
    promised,
)
from sklearn_softunlearn.confidence._intervals import (
    bootstrap_intervals,
    check_level,
    check_n_bootstrap,
    check_value_range,
    generator,
    lines_of,
)
from sklearn_softunlearn.confidence._limits import Means
from sklearn_softunlearn.confidence._models import (
    ModelIntervals,
    model_intervals,
    values_of_models,
)
from sklearn_softunlearn.confidence._resampling import (
    PairedAnswers,
    functionals_of_draws,
    interval,
)
from sklearn_softunlearn.confidence._testing import run_in_order, safest_first

__all__ = [
    "Means",
    "ModelIntervals",
    "PairedAnswers",
    "TestedModels",
    "bootstrap_intervals",
    "check_level",
    "check_n_bootstrap",
    "check_value_range",
    "functionals_of_draws",
    "generator",
    "interval",
    "learn_then_test",
    "lines_of",
    "loss_bound",
    "metric_bound",
    "model_intervals",
    "nothing_lost",
    "promised",
    "run_in_order",
    "safest_first",
    "values_of_models",
]
