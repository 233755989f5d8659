# SPDX-License-Identifier: BSD-3-Clause
"""Peers of other packages and papers, in the form of `benchmarks.peers.mitigations`."""

from functools import partial

import numpy as np

from benchmarks.data.label_metrics import DP
from benchmarks.peers.corrections import path
from benchmarks.peers.mitigations import Predictor, logistic


def infinitesimal_jackknife(train, val, metric, deltas):
    """Rows dropped by their influence on the gap, in one step without a refit.

    Sattigeri et al., "Fair Infinitesimal Jackknife" (NeurIPS 2022, arXiv:2212.06803),
    written from its formula: the most harmful rows are dropped whole, and the
    parameters move by the sum of their influences. How many is the knob.
    """
    return path(
        train,
        val,
        metric,
        deltas,
        weighting="hard",
        update="influence",
        calibrate=None,
    )


def oxonfair(train, val, metric, bounds):
    """A threshold for each group on validation rows (Delaney et al., 2024).

    It needs the groups to predict.
    """
    from oxonfair import DataDict, FairPredictor, group_metrics

    if metric != DP:
        raise ValueError("OxonFair is asked for demographic parity here.")
    model = logistic().fit(train.X, train.y)
    names, codes = np.unique(val.groups, return_inverse=True)
    for bound in bounds:
        method = FairPredictor(model, DataDict(val.y, val.X, codes))
        method.fit(group_metrics.accuracy, group_metrics.demographic_parity, bound)
        yield Predictor(partial(_thresholded, method, names), needs_groups=True)


def _thresholded(method, names, X, groups):
    from oxonfair import DataDict

    codes = np.searchsorted(names, groups)
    unknown = np.zeros(len(codes), dtype=int)  # the labels, which it does not use
    return method.predict(DataDict(unknown, X, codes))
