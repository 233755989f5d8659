# SPDX-License-Identifier: BSD-3-Clause
"""Poisoned labels: with the loss on clean rows as metric, flips get the weight."""

import pytest
from sklearn.metrics import average_precision_score

from benchmarks.studies.flipped_labels import (
    adult,
    corrected,
    digits,
    flipped,
    share_on_flips,
)

SHARES = [0.05, 0.1, 0.2]


def found(parts, share, weighting, seed=0):
    """Share of the weight on flips, and average precision of the weights."""
    y_noisy, flips = flipped(parts[0][1], share, seed)
    corrector = corrected(parts, y_noisy, weighting)
    line = corrector.report_["loss", "surrogate"]

    assert line.after < line.before
    return share_on_flips(corrector, flips), average_precision_score(
        flips, corrector.deletion_weights_
    )


@pytest.mark.parametrize("share", SHARES)
def test_digits(share):
    on_flips, precision = found(digits(), share, "soft")

    assert on_flips > 0.8
    assert precision > 0.9


@pytest.mark.parametrize(
    ("share", "expected"), zip(SHARES, [0.45, 0.65, 0.75], strict=True)
)
def test_soft_weights_spread_over_all_that_helps(data_home, share, expected):
    """Labels of Adult are noise themselves: one in seven is misjudged by any model."""
    on_flips, precision = found(adult(data_home), share, "soft")

    assert on_flips > expected
    assert precision > expected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", SHARES)
def test_sparse_weights_are_mostly_on_flips(data_home, share, seed):
    on_flips, _ = found(adult(data_home), share, "sparse", seed)

    assert on_flips > 0.8


@pytest.mark.parametrize("share", SHARES)
def test_sparse_weights_of_digits_are_on_flips_alone(share):
    on_flips, _ = found(digits(), share, "sparse")

    assert on_flips > 0.95
