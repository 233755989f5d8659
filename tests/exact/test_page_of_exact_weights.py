# SPDX-License-Identifier: BSD-3-Clause
"""The table of the guide's page on exact weights."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.datasets import make_biased_classification

PAGE = Path(__file__).parents[2] / "doc" / "guide" / "exact_weights.md"


def rows_of_the_page():
    lines = re.findall(r"^\| (0\.\d+) \|(.*)\|$", PAGE.read_text(), flags=re.M)
    return [(float(asked), cells.split("|")) for asked, cells in lines]


@pytest.mark.filterwarnings("ignore::sklearn_softunlearn.exceptions.CorrectionWarning")
@pytest.mark.parametrize(("asked", "cells"), rows_of_the_page())
def test_the_table_is_what_comes_out(asked, cells):
    X, y, group = make_biased_classification(5000, random_state=0)
    model = LogisticRegression(tol=1e-8, max_iter=1000)
    for column, weighting in enumerate(("soft", "exact")):
        corrector = SoftUnlearnCorrector(model, delta=asked, weighting=weighting)
        corrector.fit(X, y, sensitive_features=group)
        gap = corrector.report_["demographic_parity_difference", "surrogate"]
        loss = corrector.report_["loss", "surrogate"].after
        refitted = model.fit(X, y, sample_weight=corrector.sample_weight_)
        off = np.max(np.abs(refitted.coef_ - corrector.estimator_.coef_))

        assert gap.after / gap.before == pytest.approx(float(cells[column]), abs=6e-4)
        assert loss == pytest.approx(float(cells[2 + column]), abs=6e-5)
        shown = float(re.search(r"\d+e-\d+", cells[4 + column])[0])
        # Of exact weights it is the tolerance of the solver that is seen.
        assert off <= 1e-6 if weighting == "exact" else 0.5 < off / shown < 2.0


def test_the_table_has_its_rows():
    assert [asked for asked, _ in rows_of_the_page()] == [0.3, 0.5, 0.8, 0.95]
