# SPDX-License-Identifier: BSD-3-Clause
"""SoftUnlearnCorrectorCV against GridSearchCV: 20 deltas x 5 folds on Adult.

    python -m benchmarks tuning [--data-home FOLDER]

Processor time with one BLAS thread, in turns, the median of the ratios; both score the
same folds with the same scorers, and their scores are compared.
"""

import argparse
import warnings
from time import process_time

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from benchmarks.data.adult import one_hot_adult
from benchmarks.peers.corrections import FIRST_ORDER
from benchmarks.provenance import provenance, write
from sklearn_softunlearn import (
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
    fairness_scorer,
)

PARITY = "demographic_parity_difference"
DELTAS = np.linspace(0, 1, 20)
SCORING = {PARITY: fairness_scorer(PARITY), "accuracy": "accuracy"}
WEIGHTS = {"exact": {}, "first order": FIRST_ORDER}


def seconds(search, data):
    """Processor time of a search."""
    start = process_time()
    search.fit(data.X_train, data.y_train, sensitive_features=data.sex_train)
    return process_time() - start


def compare(corrector, data, n_rounds):
    """Times of both searches, and how far their scores are apart."""
    options = {"scoring": SCORING, "refit": "accuracy"}
    ours = SoftUnlearnCorrectorCV(corrector, deltas=DELTAS, **options)
    theirs = GridSearchCV(corrector, {"delta": DELTAS}, **options)
    rounds = [(seconds(ours, data), seconds(theirs, data)) for _ in range(n_rounds)]
    difference = max(
        np.abs(ours.cv_results_[name] - theirs.cv_results_[name]).max()
        for name in ours.cv_results_
        if "_test_" in name and name in theirs.cv_results_
    )
    return rounds, float(difference)


def records(data, n_rounds):
    """One record for each solver of the base model and kind of weights."""
    for solver in ("lbfgs", "newton-cholesky"):
        model = LogisticRegression(max_iter=1000, solver=solver)
        start = process_time()
        model.fit(data.X_train, data.y_train)
        fit = process_time() - start
        for name, options in WEIGHTS.items():
            corrector = SoftUnlearnCorrector(model, **options)
            rounds, difference = compare(corrector, data, n_rounds)
            yield {
                "solver": solver,
                "weights": name,
                "fits": float(np.median([here for here, _ in rounds]) / fit),
                "ratio": float(np.median([there / here for here, there in rounds])),
                "difference of scores": difference,
            }


def main():
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data, found = one_hot_adult(options.data_home), []
    warnings.simplefilter("ignore")
    with threadpool_limits(1), sklearn.config_context(enable_metadata_routing=True):
        for record in records(data, options.rounds):
            print(record, flush=True)
            found.append(record)
    print(write("tuning", {"provenance": provenance(), "records": found}))


if __name__ == "__main__":
    main()
