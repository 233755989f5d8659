# SPDX-License-Identifier: BSD-3-Clause
"""Poisoned labels: with the loss on clean rows as metric, flips get the weight."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from benchmarks.bench_flipped_labels import adult, corrected, digits, flipped


def shares(parts, share):
    """Share of the weight on flips, and average precision of the weights."""
    y_noisy, flips = flipped(parts[0][1], share, seed=0)
    corrector = corrected(parts, y_noisy)
    weights = corrector.deletion_weights_
    line = corrector.report_["loss", "surrogate"]

    assert line.after < line.before
    return np.sum(weights[flips]) / weights.sum(), average_precision_score(
        flips, weights
    )


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_digits(share):
    on_flips, precision = shares(digits(), share)

    assert on_flips > 0.8
    assert precision > 0.9


@pytest.mark.parametrize(
    ("share", "expected"), [(0.05, 0.45), (0.1, 0.65), (0.2, 0.75)]
)
def test_adult(data_home, share, expected):
    """Labels of Adult are noise themselves: one in seven is misjudged by any model."""
    on_flips, precision = shares(adult(data_home), share)

    assert on_flips > expected
    assert precision > expected
