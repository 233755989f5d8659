# SPDX-License-Identifier: BSD-3-Clause
"""Are promises kept? Choices on tables drawn from a population that is known.

    python -m benchmarks.studies.confidence --data-home FOLDER [--choices 1000]

A corrected path is fitted once to one half of a table; the other half is the
population, on which every candidate's metric is known exactly. A table of n rows is
drawn from it with replacement, and the candidate is chosen on these rows: *tested*
(learn then test, confidence 0.95, in the order of the fitted rows) or *plain* (the
most accurate whose metric on the rows is within the limit). A promise is broken where
the metric of the chosen candidate on the population is beyond the limit.

The hardest limit is just within the metric of the candidate that is tested first: any
promise is then broken, and 5 % of the choices may make one.
"""

import argparse
import warnings
from types import SimpleNamespace

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from benchmarks.data.tables import TASKS, TRADEOFF_TASKS, load
from benchmarks.provenance import provenance, write
from sklearn_softunlearn import EvaluationRows, GroupMetric, SoftUnlearnCorrector
from sklearn_softunlearn.confidence import (
    PairedAnswers,
    metric_bound,
    run_in_order,
    safest_first,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.pointwise import AsGivenResponse

LEVEL = 0.95
DELTAS = np.linspace(0, 1, 11)
LABELS = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equal_opportunity_ratio",
    "false_positive_rate_difference",
    "accuracy_score_group_min",
    "accuracy_score_difference",
    "precision_score_difference",
    "f1_score_group_min",
    "balanced_accuracy_score_group_min",
)
NUMBERS = (
    "mean_prediction_difference",
    "mean_squared_error_difference",
    "mean_squared_error_group_max",
    "r2_score_group_min",
)


def classification(task, data_home):
    """Labels of the path on a half, and on the population of the other rows."""
    if task == "three groups":
        X, y, groups = make_biased_classification(
            20_000, n_groups=3, group_weights=[6, 3, 1], random_state=0
        )
        groups, half = groups.astype(str), 8000
        data = SimpleNamespace(
            train=SimpleNamespace(X=X[:half], y=y[:half], groups=groups[:half]),
            test=SimpleNamespace(X=X[half:], y=y[half:], groups=groups[half:]),
        )
    else:
        data = load(task, data_home, 0)
    path = SoftUnlearnCorrector(LogisticRegression(max_iter=1000)).path(
        data.train.X, data.train.y, deltas=DELTAS, sensitive_features=data.train.groups
    )
    classes = (0, 1)

    def answers(part):
        return [np.eye(2)[model.predict(part.X)] for model in path]

    return _Part(data.train, answers, classes), _Part(data.test, answers, classes)


def regression():
    """A number whose mean and spread differ between three groups."""
    rng = np.random.default_rng(0)
    X, _, groups = make_biased_classification(
        20_000, n_groups=3, group_weights=[6, 3, 1], random_state=0
    )
    y = X[:, 0] + 0.5 * groups + (1 + groups) * (rng.exponential(size=len(X)) - 1)
    half = slice(0, 8000), slice(8000, None)
    train, test = (
        SimpleNamespace(X=X[part], y=y[part], groups=groups[part].astype(str))
        for part in half
    )
    path = SoftUnlearnCorrector(Ridge(), metric="mean_prediction_difference").path(
        train.X, train.y, deltas=DELTAS, sensitive_features=train.groups
    )

    def answers(part):
        return [model.predict(part.X)[:, None] for model in path]

    return _Part(train, answers, ()), _Part(test, answers, ())


class _Part:
    """Rows with the answers of all candidates."""

    def __init__(self, part, answers, classes):
        names, codes = np.unique(part.groups, return_inverse=True)
        y = part.y if classes else np.asarray(part.y, dtype=float)
        weight = np.ones(len(y))
        self.rows = EvaluationRows(
            y, weight, None, AsGivenResponse(), codes, tuple(names), classes=classes
        )
        self.answers = answers(part)
        self.classes = classes

    def values(self, criterion):
        """The metric of each candidate."""
        rows = self.rows
        return np.array(
            [criterion.user_value(criterion.hard_value(a, rows), rows)
             for a in self.answers]
        )  # fmt: skip

    def utility(self):
        """Accuracy, or minus the mean squared error, of each candidate."""
        y = self.rows.y
        if self.classes:
            return np.array([np.mean(np.argmax(a, axis=1) == y) for a in self.answers])
        return np.array([-np.mean((a[:, 0] - y) ** 2) for a in self.answers])

    def drawn(self, taken):
        """Answers of each candidate on drawn rows, and their utility."""
        rows = self.rows.take(taken)
        make = PairedAnswers.of_labels if self.classes else PairedAnswers.of_rows
        return [make(rows, [a[taken]]) for a in self.answers]


def simulate(train, population, criterion, n, limits, choices, weighted, seed=0):
    """Share of broken promises, of answers, and the utility, for each limit."""
    rng = np.random.default_rng(seed)
    sign = -1.0 if criterion.more_is_better else 1.0
    truth, utility = population.values(criterion), population.utility()
    order = safest_first(sign * train.values(criterion), train.utility())
    hardest = truth[order[0]] - sign * 1e-9
    limits = {"hardest": hardest} | {f"{v:g}": v for v in limits}
    found = {name: [] for name in limits}
    for _ in range(choices):
        taken = rng.integers(len(population.rows.y), size=n)
        paired = population.drawn(taken)
        if weighted:
            paired = _weighted(population, taken, rng)
        bounds = {}

        def bound_of(k, paired=paired, bounds=bounds):
            if k not in bounds:
                one = paired[k]
                bounds[k] = metric_bound(
                    criterion, one.answers[0], one, LEVEL, 400, rng
                )
            return bounds[k]

        for name, limit in limits.items():
            functional = criterion.functional_value(limit)
            tested = run_in_order(bound_of, order, functional)
            found[name].append(
                _judged(tested.kept, paired, criterion, limit, sign, truth, utility)
            )
    return {name: _summary(found[name], limits[name]) for name in limits}


def _weighted(population, taken, rng):
    rows = population.rows.take(taken)
    rows.sample_weight[:] = rng.exponential(size=len(taken))
    make = PairedAnswers.of_labels if population.classes else PairedAnswers.of_rows
    return [make(rows, [a[taken]]) for a in population.answers]


def _judged(kept, paired, criterion, limit, sign, truth, utility):
    """(any promise broken, answered, utility; of the plain choice the same)."""
    observed = []
    for one in paired:
        value = criterion.hard_value(one.answers[0], one.rows)
        observed.append(criterion.user_value(value, one.rows))
    within = sign * np.array(observed) <= sign * limit
    result = []
    for allowed in (kept, within):
        if not allowed.any():
            result.append((False, False, np.nan))
            continue
        best = int(np.argmax(np.where(allowed, utility, -np.inf)))
        result.append((bool(sign * truth[best] > sign * limit), True, utility[best]))
    return result


def _summary(judged, limit):
    both = {}
    for k, name in enumerate(("tested", "plain")):
        broken, answered, utility = np.array([j[k] for j in judged], dtype=float).T
        some = answered > 0
        both[name] = {
            "broken": round(float(broken.mean()), 4),
            "answered": round(float(some.mean()), 4),
            "utility": round(float(utility[some].mean()), 4) if some.any() else None,
        }
    return {"limit": round(float(limit), 4)} | both


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--choices", type=int, default=1000)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    results = {"provenance": provenance(), "choices": options.choices, "cases": []}
    with threadpool_limits(1):
        for task in ("three groups", "adult", "adult_race"):
            assert task == "three groups" or task in TASKS | TRADEOFF_TASKS
            parts = classification(task, options.data_home)
            for metric in LABELS:
                limits = (0.05, 0.1) if metric.endswith("_difference") else (0.5, 0.7)
                _add(results, task, metric, parts, 2000, limits, options.choices)
            small = ("demographic_parity_difference", "equalized_odds_difference")
            for metric in small:
                _add(results, task, metric, parts, 200, (), options.choices)
                _add(results, task, metric, parts, 2000, (), options.choices, True)
        parts = regression()
        for metric in NUMBERS:
            _add(results, "regression", metric, parts, 1000, (), options.choices // 4)


def _add(results, task, metric, parts, n, limits, choices, weighted=False):
    criterion = GroupMetric(metric)
    found = simulate(*parts, criterion, n, limits, choices, weighted)
    case = {"task": task, "metric": metric, "rows": n, "weighted": weighted,
            "choices": choices, "limits": found}  # fmt: skip
    results["cases"].append(case)
    hardest = found["hardest"]["tested"]["broken"]
    print(f"{task:14}{metric:36}{n:6}{' weighted' * weighted:10}{hardest:.3f}",
          {k: v for k, v in found.items() if k != "hardest"}, flush=True)  # fmt: skip
    write("confidence", results)


if __name__ == "__main__":
    main()
