# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of the main path on Adult: influences, order, gaps, time and memory.

    python -m benchmarks.studies.backbone [--data-home FOLDER] [--json FILE]

Times are medians over interleaved runs with one BLAS thread, and are to be read as
ratios: absolute times hold on no other machine.
"""

import argparse
import json
import platform
import time
import tracemalloc
import warnings

import numpy as np
import scipy
import sklearn
from fairlearn.metrics import demographic_parity_difference
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.data.adult import AUTHORS_C, authors_adult, one_hot_adult
from benchmarks.peers.corrections import FIRST_ORDER
from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.corrector.stages._preparation import linearize_estimator
from sklearn_softunlearn.influence._first_order import first_order_shift
from sklearn_softunlearn.weights import WeightProblem

DP = "demographic_parity_difference"


def published_influences(data_home):
    """Influences of the first rows in the authors' setting (30162 x 102)."""
    data = authors_adult(data_home)
    base = LogisticRegression(
        C=AUTHORS_C, fit_intercept=False, solver="newton-cholesky", tol=1e-12
    ).fit(data.X, data.y)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(base), delta=0.1, **FIRST_ORDER
    ).fit(
        data.X,
        data.y,
        X_val=data.X_val,
        y_val=data.y_val,
        sensitive_features_val=data.male_val,
    )
    gap = corrector.functional_names_.index("True - False")
    return {
        "validation gap": corrector.report_[DP, "surrogate"].before,
        "influence on summed log loss": (
            corrector.influence_[:4, -1] * len(data.y_val)
        ).tolist(),
        "influence on the gap": corrector.influence_[:4, gap].tolist(),
    }


def order_of_the_update(data_home):
    """Slope of log |corrected - refit| over log t, for deletion weights t * eps."""
    data = one_hot_adult(data_home)
    base = LogisticRegression(solver="newton-cholesky", tol=1e-12)
    corrector = SoftUnlearnCorrector(base, delta=0.5, **FIRST_ORDER).fit(
        data.X_train, data.y_train, sensitive_features=data.sex_train
    )
    eps = corrector.deletion_weights_
    scales = np.geomspace(0.02, 0.3, 5)
    fitted = corrector.base_estimator_
    shift = corrector.estimator_.coef_ - fitted.coef_
    errors = []
    for t in scales:
        refit = LogisticRegression(solver="newton-cholesky", tol=1e-12)
        refit.fit(data.X_train, data.y_train, sample_weight=1 - t * eps)
        errors.append(np.linalg.norm(fitted.coef_ + t * shift - refit.coef_))
    return float(np.polyfit(np.log(scales), np.log(errors), 1)[0])


def corrections(data_home):
    """Gap and accuracy before and after, on held-out rows and as optimised."""
    data = one_hot_adult(data_home)
    rows = []
    for groups, deltas in (("sex", (0.5,)), ("race", (0.25, 0.5))):
        train = getattr(data, f"{groups}_train")
        test = getattr(data, f"{groups}_test")
        for delta in deltas:
            corrector = SoftUnlearnCorrector(
                LogisticRegression(), delta=delta, **FIRST_ORDER
            ).fit(data.X_train, data.y_train, sensitive_features=train)
            gap = [
                demographic_parity_difference(
                    data.y_test, model.predict(data.X_test), sensitive_features=test
                )
                for model in (corrector.base_estimator_, corrector)
            ]
            accuracy = [
                model.score(data.X_test, data.y_test)
                for model in (corrector.base_estimator_, corrector)
            ]
            line = corrector.report_[DP, "surrogate"]
            rows.append(
                {
                    "groups": groups,
                    "delta": delta,
                    "held-out gap before": gap[0],
                    "held-out gap after": gap[1],
                    "held-out gap removed": 1 - gap[1] / gap[0],
                    "accuracy before": accuracy[0],
                    "accuracy lost, points": 100 * (accuracy[0] - accuracy[1]),
                    "surrogate gap before": line.before,
                    "surrogate gap requested": (1 - delta) * line.before,
                    "surrogate gap after": line.after,
                    "missed the request by, share of the gap": (
                        line.after / line.before - (1 - delta)
                    ),
                }
            )
    return rows


def times(data_home, repeats):
    """Parts of a correction in units of the lbfgs fit that it corrects."""
    data = one_hot_adult(data_home)
    X, y, sex = data.X_train, data.y_train, data.sex_train
    base = LogisticRegression().fit(X, y)
    frozen = SoftUnlearnCorrector(FrozenEstimator(base), **FIRST_ORDER)
    fitted = frozen.fit(X, y, sensitive_features=sex)
    stages = _Stages(X, y, sex, base)
    parts = {
        "lbfgs fit": lambda: LogisticRegression().fit(X, y),
        "newton-cholesky fit": lambda: LogisticRegression(solver="newton-cholesky").fit(
            X, y
        ),
        "correction, all of fit(FrozenEstimator)": lambda: frozen.fit(
            X, y, sensitive_features=sex
        ),
        "influence": stages.influence,
        "of which the Hessian": stages.hessian,
        "weights": stages.weights,
        "update": stages.update,
        "one pass X @ v": lambda: X @ base.coef_[0],
        "fairlearn's own metric, for scale": lambda: demographic_parity_difference(
            y, fitted.predict(X), sensitive_features=sex
        ),
    }
    seconds = {name: [] for name in parts}
    with threadpool_limits(1):
        for _ in range(repeats):
            for name, run in parts.items():
                start = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - start)
    fit = np.array(seconds["lbfgs fit"])
    return {
        "shape": list(X.shape),
        "lbfgs iterations": int(base.n_iter_[0]),
        "median seconds of the lbfgs fit": float(np.median(fit)),
        "median ratio to the lbfgs fit": {
            name: float(np.median(np.array(values) / fit))
            for name, values in seconds.items()
        },
    }


class _Stages:
    """The three stages on their own, without checks of the input and the report."""

    def __init__(self, X, y, sex, base):
        from sklearn_softunlearn.corrector.inputs._evaluation import make_table

        self.base = base
        self.table = make_table(X, y, sex, None, None, "")
        self.influence()
        self.weights()

    def influence(self):
        self.state, _ = linearize_estimator(
            self.base,
            self.table,
            self.table,
            metric=DP,
            utility="loss",
            curvature="auto",
        )

    def hessian(self):
        model = self.state.model
        model.gram(model.loss_curvature(model.row_weight))

    def weights(self):
        metric = np.arange(self.state.value.size) < self.state.n_metric
        gap = np.max(self.state.value[metric])
        slack = np.where(metric, gap - self.state.value, 0.0)
        problem = WeightProblem(self.state.influence, slack, np.where(metric, gap, 0.0))
        self.eps = problem.solve(0.5).weights

    def update(self):
        first_order_shift(self.state.model, self.state.solve, self.eps)


def memory(data_home):
    """Peak of the correction's own allocations, in copies of X."""
    data = one_hot_adult(data_home)
    base = LogisticRegression().fit(data.X_train, data.y_train)
    corrector = SoftUnlearnCorrector(FrozenEstimator(base), **FIRST_ORDER)
    tracemalloc.start()
    corrector.fit(data.X_train, data.y_train, sensitive_features=data.sex_train)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / data.X_train.nbytes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home")
    parser.add_argument("--json")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results = {
        "machine": f"{platform.processor() or platform.machine()}, 1 BLAS thread",
        "versions": {
            "python": platform.python_version(),
            **{m.__name__: m.__version__ for m in (np, scipy, sklearn)},
        },
        "authors' Adult": published_influences(options.data_home),
        "order of the influence update": order_of_the_update(options.data_home),
        "corrections": corrections(options.data_home),
        "time": times(options.data_home, options.repeats),
        "peak memory, copies of X": memory(options.data_home),
    }
    text = json.dumps(results, indent=2)
    print(text)
    if options.json:
        with open(options.json, "w") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
