# SPDX-License-Identifier: BSD-3-Clause
"""Scores of the folds in the shape of `GridSearchCV.cv_results_`."""

import numpy as np
from scipy.stats import rankdata


def cv_results(params, scores, fit_times, score_times):
    """Table of all candidates.

    Parameters
    ----------
    params : list of dict
        Parameters of each candidate.
    scores : dict of str to ndarray of shape (n_folds, n_candidates)
        Scores of each scorer.
    fit_times : ndarray of shape (n_folds,)
        Seconds of the path of each fold, which fits all candidates at once.
    score_times : ndarray of shape (n_folds, n_candidates)

    Returns
    -------
    dict of str to array
        Columns of the names and in the order that `GridSearchCV` gives them.
    """
    # A candidate's share of what its fold shared among all.
    share = np.repeat(fit_times[:, None] / len(params), len(params), axis=1)
    table = _moments("fit_time", share) | _moments("score_time", score_times)
    for name in params[0]:
        values = [each[name] for each in params]
        table[f"param_{name}"] = np.ma.masked_array(values, mask=[False] * len(values))
    table["params"] = params
    for name, values in scores.items():
        for fold, row in enumerate(values):
            table[f"split{fold}_test_{name}"] = row
        table |= _moments(f"test_{name}", values)
        table[f"rank_test_{name}"] = _ranks(table[f"mean_test_{name}"])
    return table


def _moments(name, values):
    return {f"mean_{name}": values.mean(axis=0), f"std_{name}": values.std(axis=0)}


def _ranks(means):
    if np.isnan(means).all():
        return np.ones(len(means), dtype=np.int32)
    # Candidates whose score is not defined come last.
    worst = np.nan_to_num(means, nan=np.nanmin(means) - 1)
    return rankdata(-worst, method="min").astype(np.int32, copy=False)
