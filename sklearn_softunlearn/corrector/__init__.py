# SPDX-License-Identifier: BSD-3-Clause
"""`SoftUnlearnCorrector`: the three stages, one after the other.

The facade only sequences. ``inputs/`` checks and encodes what the user gave and fits
the base model; ``stages/`` goes from a fitted model to influences, weights and moved
parameters; ``report/`` says what was asked, predicted and realised.

Rule of the room: a constructor parameter is checked in ``inputs/``, used in
``stages/`` and spoken of in ``report/``. A new note of the report, for example, is a
function of ``report/_signatures.py`` that looks at arrays and returns a sentence or
None, and a line in the list that `failure_notes` goes through.
"""

from sklearn_softunlearn.corrector._corrector import (
    SoftUnlearnCorrector,
)
from sklearn_softunlearn.corrector._prediction import (
    CorrectedEstimatorMixin,
    take_input_tags,
)
from sklearn_softunlearn.corrector._progress import (
    STAGES,
    Progress,
)
from sklearn_softunlearn.corrector.inputs._evaluation import (
    make_table,
    rows_of,
    split_rows,
    validation_table,
)
from sklearn_softunlearn.corrector.inputs._fit_rows import (
    ValidationData,
    group_rule,
)
from sklearn_softunlearn.corrector.inputs._groups import (
    columns_of,
)
from sklearn_softunlearn.corrector.inputs._order import (
    check_same_order,
)
from sklearn_softunlearn.corrector.inputs._parameters import (
    check_parameters,
    resolve_weighting,
)
from sklearn_softunlearn.corrector.inputs._regroup import (
    learn_groups,
    regrouped,
)
from sklearn_softunlearn.corrector.inputs._targets import (
    check_target,
    encode_target,
    encoded_target,
)
from sklearn_softunlearn.corrector.report._report import (
    CorrectionReport,
    ReportHTMLMixin,
    ReportLine,
)
from sklearn_softunlearn.corrector.report._signatures import (
    warn_of,
)
from sklearn_softunlearn.corrector.stages._attacked_rows import (
    AttackedModel,
    check_attackable,
)
from sklearn_softunlearn.corrector.stages._preparation import (
    linearize_estimator,
)

__all__ = [
    "STAGES",
    "AttackedModel",
    "CorrectedEstimatorMixin",
    "CorrectionReport",
    "Progress",
    "ReportHTMLMixin",
    "ReportLine",
    "SoftUnlearnCorrector",
    "ValidationData",
    "check_attackable",
    "check_parameters",
    "check_same_order",
    "check_target",
    "columns_of",
    "encode_target",
    "encoded_target",
    "group_rule",
    "learn_groups",
    "linearize_estimator",
    "make_table",
    "regrouped",
    "resolve_weighting",
    "rows_of",
    "split_rows",
    "take_input_tags",
    "validation_table",
    "warn_of",
]
