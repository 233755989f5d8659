# SPDX-License-Identifier: BSD-3-Clause
"""``python -m sklearn_softunlearn``: correct a model, print the audit."""

import sys

from sklearn_softunlearn.cli import main

if __name__ == "__main__":
    sys.exit(main())
