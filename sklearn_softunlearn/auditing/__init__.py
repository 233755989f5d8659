# SPDX-License-Identifier: BSD-3-Clause
"""The audit: two models on held-out rows, for a reader who writes no code.

``_measure.py`` sequences. A section of the audit is a function that returns plain data
(``_rates.py``, ``_metrics.py``, ``_calibration.py``, ...); the dictionary of all
sections is the audit (``_audit.py``), and ``page/`` turns it into HTML without any
other source.

Rule of the room: nothing is measured in ``page/``, nothing is worded outside it, and a
new key of the dictionary raises the second number of its schema and is documented in
``doc/guide/audit.md``.
"""

from sklearn_softunlearn.auditing._audit import Audit
from sklearn_softunlearn.auditing._measure import audit

__all__ = ["Audit", "audit"]
