# SPDX-License-Identifier: BSD-3-Clause
"""SoftUnlearnCorrectorCV against GridSearchCV: 20 deltas x 5 folds on Adult.

Run ``python -m benchmarks.studies.tuning [DATA_HOME]``. One BLAS thread, in turns, the
median of the ratios; both score the same folds with the same scorers, and their scores
are compared.
"""

import sys
from time import perf_counter

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from benchmarks.data.adult import one_hot_adult
from sklearn_softunlearn import (
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    fairness_scorer,
)

PARITY = "demographic_parity_difference"
DELTAS = np.linspace(0, 1, 20)
SCORING = {PARITY: fairness_scorer(PARITY), "accuracy": "accuracy"}
ROUNDS = 3


def seconds(search, data):
    start = perf_counter()
    search.fit(data.X_train, data.y_train, sensitive_features=data.sex_train)
    return perf_counter() - start


def compare(model, data):
    corrector = SoftUnlearnCorrector(model)
    ours = SoftUnlearnCorrectorCV(
        corrector, deltas=DELTAS, scoring=SCORING, refit="accuracy"
    )
    theirs = GridSearchCV(
        corrector, {"delta": DELTAS}, scoring=SCORING, refit="accuracy"
    )
    rounds = [(seconds(ours, data), seconds(theirs, data)) for _ in range(ROUNDS)]
    difference = max(
        np.abs(ours.cv_results_[name] - theirs.cv_results_[name]).max()
        for name in ours.cv_results_
        if "_test_" in name
    )
    fit = perf_counter()
    model.fit(data.X_train, data.y_train)
    return rounds, difference, perf_counter() - fit


def main(data_home=None):
    data = one_hot_adult(data_home)
    with threadpool_limits(1), sklearn.config_context(enable_metadata_routing=True):
        for model in (
            LogisticRegression(max_iter=1000),
            LogisticRegression(solver="newton-cholesky"),
        ):
            rounds, difference, fit = compare(model, data)
            ours, theirs = np.median(rounds, axis=0)
            ratio = np.median([there / here for here, there in rounds])
            print(
                f"{model.solver}: base fit {fit:.2f} s; CV {ours:.2f} s = "
                f"{ours / fit:.1f} fits; GridSearchCV {theirs:.2f} s; ratio "
                f"{ratio:.1f}; largest difference of scores {difference:.1e}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:2])
