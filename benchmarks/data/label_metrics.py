# SPDX-License-Identifier: BSD-3-Clause
"""Accuracy and gaps of labels, or of probabilities of labels.

A randomised predictor gives each row a probability of the label 1; its expected
accuracy and rates are means of these. For labels 0 and 1 all three functions equal
those of scikit-learn and fairlearn.
"""

import numpy as np

DP = "demographic_parity_difference"
EO = "equalized_odds_difference"


def accuracy(y, label):
    """Share of rows whose label is right."""
    return float(np.mean(np.where(y == 1, label, 1.0 - label)))


def gap(label, groups):
    """Largest difference between groups in the share of label 1."""
    _, codes = np.unique(groups, return_inverse=True)
    rates = np.bincount(codes, label) / np.bincount(codes)
    return float(np.max(rates) - np.min(rates))


def violation(metric, y, label, groups):
    """Demographic parity or equalized odds difference."""
    if metric == DP:
        return gap(label, groups)
    return max(gap(label[y == value], groups[y == value]) for value in (0, 1))


def calibration_error(y, score, n_bins=10):
    """Mean distance of the share of label 1 from the mean score, bins of equal size."""
    parts = np.array_split(np.argsort(score, kind="stable"), n_bins)
    distances = [abs(np.mean(y[part]) - np.mean(score[part])) for part in parts]
    return float(np.average(distances, weights=[len(part) for part in parts]))
