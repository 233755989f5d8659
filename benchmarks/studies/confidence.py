# SPDX-License-Identifier: BSD-3-Clause
"""Are promises kept? Choices on tables drawn from a population that is known.

    python -m benchmarks.studies.confidence --data-home FOLDER [--choices 1000]

A corrected path is fitted once to one part of a table; the rest is the population, on
which every candidate's metric is known exactly. A table of n rows is drawn from it with
replacement, and a candidate is chosen on these rows: *tested* (learn then test,
confidence 0.95, in the order of the fitted rows) or *plain* (the most accurate whose
metric on the rows is within the limit). A plain choice is broken where the metric of
the chosen candidate on the population is beyond the limit; tests where that of *any*
candidate is that they let pass.

The hardest limit is just within the metric of the candidate that is tested first: every
promise is then broken, and 5 % of the choices may make one.

Others lie between there and the metric of the model before correction: half of the way,
and three quarters.

Cross-fitted promises, those of `SoftUnlearnCorrectorCV` without ``test_size``, are
about the models of the folds. Every choice fits all of them again, and what was
promised is compared with the metric of these models on the population, and with that of
the model that is returned, which is fitted to all rows.
"""

import argparse
import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from benchmarks.data.tables import load
from benchmarks.provenance import provenance, write
from sklearn_softunlearn import (
    EvaluationRows,
    GroupMetric,
    Requirement,
    SoftUnlearnCorrector,
    SoftUnlearnCorrectorCV,
)
from sklearn_softunlearn.confidence import (
    Means,
    PairedAnswers,
    metric_bound,
    run_in_order,
    safest_first,
)
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.pointwise import AsGivenResponse

LEVEL = 0.95
DELTAS = np.linspace(0, 1, 11)
WAY = {"hardest": 0.0, "half": 0.5, "three quarters": 0.75}
DP, EO = "demographic_parity_difference", "equalized_odds_difference"
LABELS = (
    DP,
    "demographic_parity_ratio",
    EO,
    "equal_opportunity_difference",
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
    "mean_absolute_error_difference",
    "mean_absolute_error_group_max",
    "r2_score_group_min",
)
SQUARES = (
    "mean_squared_error_difference",
    "mean_squared_error_group_max",
    "root_mean_squared_error_group_max",
)
# Target and predictions are clipped: no squared error is beyond that of the ends.
ENDS = (-4.0, 12.0)
_SQUARED = (0.0, (ENDS[1] - ENDS[0]) ** 2)
SCORES = ("log_loss_group_max", "log_loss_difference", "roc_auc_score_group_min")
FOLDS = 5
# Metric, threshold, limits, share of the choices: each fits dozens of models.
CROSS_FITTED = (
    (DP, None, (0.045, 0.08), 0.3),
    (DP, "tuned", (0.04, 0.08), 0.15),
    (EO, None, (0.11, 0.17), 0.15),
)


def simulated(n=20_000):
    """Three groups, the smallest a tenth of the rows."""
    X, y, groups = make_biased_classification(
        n, n_groups=3, group_weights=[6, 3, 1], random_state=0
    )
    return X, y, groups


def _halves(X, y, groups, n_train=8000):
    train, rest = slice(0, n_train), slice(n_train, None)
    return SimpleNamespace(
        train=SimpleNamespace(X=X[train], y=y[train], groups=groups[train].astype(str)),
        test=SimpleNamespace(X=X[rest], y=y[rest], groups=groups[rest].astype(str)),
    )


def classification(task, data_home, kind="labels"):
    """Labels, or probabilities, of the path on a part, and on the population."""
    data = _halves(*simulated()) if task == "three groups" else load(task, data_home, 0)
    path = _corrector().path(
        data.train.X, data.train.y, deltas=DELTAS, sensitive_features=data.train.groups
    )

    def answers(part):
        if kind == "labels":
            return [np.eye(2)[model.predict(part.X)] for model in path]
        return [model.predict_proba(part.X) for model in path]

    return tuple(Known(p, answers(p), kind) for p in (data.train, data.test))


def regression():
    """A number whose mean and spread differ between three groups, in a known range."""
    rng = np.random.default_rng(0)
    X, _, groups = simulated()
    y = X[:, 0] + 0.5 * groups + (1 + groups) * (rng.exponential(size=len(X)) - 1)
    data = _halves(X, np.clip(y, *ENDS), groups)
    path = SoftUnlearnCorrector(
        Ridge(), metric="mean_prediction_difference", weighting="soft"
    ).path(
        data.train.X, data.train.y, deltas=DELTAS, sensitive_features=data.train.groups
    )

    def answers(part):
        return [np.clip(model.predict(part.X), *ENDS)[:, None] for model in path]

    return tuple(Known(p, answers(p), "numbers") for p in (data.train, data.test))


def _corrector():
    return SoftUnlearnCorrector(LogisticRegression(max_iter=1000), weighting="soft")


class Known:
    """Rows with what all candidates say of them; metrics of them are the truth."""

    def __init__(self, part, answers, kind, uneven=False):
        names, codes = np.unique(part.groups, return_inverse=True)
        classes = () if kind == "numbers" else (0, 1)
        y = part.y if classes else np.asarray(part.y, dtype=float)
        weight = np.ones(len(y))
        if uneven:  # weights that go with group and label
            rng = np.random.default_rng(1)
            weight = rng.exponential(size=len(y)) * (1 + part.y) * (1 + codes)
        self.part, self.answers, self.kind = part, answers, kind
        self.rows = EvaluationRows(
            y, weight, None, AsGivenResponse(), codes, tuple(names), classes=classes
        )

    def uneven(self):
        """The same with weights."""
        return Known(self.part, self.answers, self.kind, uneven=True)

    def values(self, criterion):
        """The metric of each candidate."""
        return np.array([_value(criterion, a, self.rows) for a in self.answers])

    def utility(self, taken=slice(None)):
        """Share of right labels, or minus the mean squared error, of each candidate."""
        y, weight = self.rows.y[taken], self.rows.sample_weight[taken]
        answers = [a[taken] for a in self.answers]
        if self.kind == "numbers":
            return np.array(
                [-np.average((a[:, 0] - y) ** 2, weights=weight) for a in answers]
            )
        right = [np.argmax(a, axis=1) == y for a in answers]
        return np.array([np.average(r, weights=weight) for r in right])

    def drawn(self, taken, k):
        """What candidate k says of drawn rows."""
        make = PairedAnswers.of_labels if self.kind == "labels" else None
        make = PairedAnswers.of_rows if make is None else make
        return make(self.rows.take(taken), [self.answers[k][taken]])


def _value(criterion, answers, rows):
    return criterion.user_value(criterion.hard_value(answers, rows), rows)


def simulate(train, population, metric, n, choices, value_range=None, seed=0):
    """Broken promises, answers, and the utility, of both choices for each limit."""
    rng = np.random.default_rng(seed)
    criterion = GroupMetric(metric)
    sign = -1.0 if criterion.more_is_better else 1.0
    truth, utility = population.values(criterion), population.utility()
    order = safest_first(sign * train.values(criterion), train.utility())
    safest, before = truth[order[0]], truth[0]
    limits = {name: safest + part * (before - safest) for name, part in WAY.items()}
    limits["hardest"] -= sign * 1e-9
    means, found = Means(400, rng, value_range), {name: [] for name in limits}
    for _ in range(choices):
        taken = rng.integers(len(population.rows.y), size=n)
        drawn = [population.drawn(taken, k) for k in range(len(truth))]
        seen = np.array([_value(criterion, d.answers[0], d.rows) for d in drawn])
        measured, bounds = population.utility(taken), {}

        def bound_of(k, drawn=drawn, bounds=bounds):
            if k not in bounds:
                one = drawn[k]
                answers = one.answers[0]
                bounds[k] = metric_bound(criterion, answers, one, LEVEL, means)
            return bounds[k]

        for name, limit in limits.items():
            functional = criterion.functional_value(limit)
            kept = run_in_order(bound_of, order, functional).kept
            beyond = sign * truth > sign * limit
            found[name].append(
                _judged(kept, sign * seen <= sign * limit, measured, beyond, utility)
            )
    return {name: _summary(found[name], limits[name]) for name in limits}


def _judged(kept, within, measured, beyond, utility):
    """(broken, answered, utility) of the tests and of the plain choice."""
    judged = []
    for allowed, all_of_them in ((kept, True), (within, False)):
        if not allowed.any():
            judged.append((False, False, np.nan))
            continue
        best = int(np.argmax(np.where(allowed, measured, -np.inf)))
        broken = beyond[allowed].any() if all_of_them else beyond[best]
        judged.append((bool(broken), True, utility[best]))
    return judged


def _summary(judged, limit):
    judged = np.array(judged, dtype=float)
    found = {"limit": round(float(limit), 4)}
    for k, name in enumerate(("tested", "plain")):
        broken, answered, _ = judged[:, k].T
        found[name] = {
            "broken": round(float(broken.mean()), 4),
            "answered": round(float(answered.mean()), 4),
        }
    both = judged[:, :, 1].all(axis=1)
    if both.any():
        utility = judged[both][:, :, 2].mean(axis=0)
        found["utility where both answer"] = np.round(utility, 5).tolist()
    return found


def cross_fitted(metric, n, limits, choices, threshold=None, seed=0):
    """Promises of `SoftUnlearnCorrectorCV`, of the models of the folds."""
    rng = np.random.default_rng(seed)
    X, y, groups = simulated(60_000)
    names, codes = np.unique(groups, return_inverse=True)
    rows = EvaluationRows(
        y, np.ones(len(y)), None, AsGivenResponse(), codes,
        tuple(map(str, names)), classes=(0, 1),
    )  # fmt: skip
    criterion, found = GroupMetric(metric), {f"{v:g}": [] for v in limits}
    for _ in range(choices):
        taken = rng.integers(len(y), size=n)
        table = X[taken], y[taken], groups[taken]
        splits = list(StratifiedKFold(FOLDS).split(table[0], table[1]))
        for limit in limits:
            search = _searched(table, splits, metric, limit, threshold)
            answered = bool(search.cv_results_["kept"].any())
            final = _labels(search.estimator_, X, 0.0)
            of_folds = _of_folds(search, table, splits, X) if answered else final
            found[f"{limit:g}"].append(
                (
                    answered,
                    answered and _value(criterion, of_folds, rows) > limit,
                    answered and _value(criterion, final, rows) > limit,
                )
            )
    names = ("answered", "broken", "returned model beyond")
    return {
        limit: {"limit": float(limit)}
        | dict(zip(names, np.mean(each, axis=0).round(4).tolist(), strict=True))
        for limit, each in found.items()
    }


def _searched(table, splits, metric, limit, threshold):
    corrector = _corrector().set_params(metric=metric)
    X, y, groups = table
    return SoftUnlearnCorrectorCV(
        corrector, deltas=DELTAS[::2], cv=splits, threshold=threshold,
        refit=Requirement(metric_at_most=limit, confidence=LEVEL),
    ).fit(X, y, sensitive_features=groups)  # fmt: skip


def _of_folds(search, table, splits, X):
    """Mean of the labels that the models of the folds give, with what was chosen."""
    labels = []
    for train, _ in splits:
        model = search.corrector_.__class__(**search.corrector_.get_params(deep=False))
        model.set_params(delta=search.delta_)
        model.fit(table[0][train], table[1][train], sensitive_features=table[2][train])
        labels.append(_labels(model, X, getattr(search, "threshold_", 0.0)))
    return np.mean(labels, axis=0)


def _labels(model, X, threshold):
    if threshold == 0.0:
        return np.eye(2)[model.predict(X)]
    return np.eye(2)[(model.decision_function(X) > threshold).astype(int)]


def cases(options):
    """(what is drawn, function that finds) of all cases."""
    home, choices = options.data_home, options.choices
    parts = regression()
    for metric in NUMBERS:
        yield _case("regression", metric, 1000, choices, parts)
    for metric in SQUARES:
        for n in (1000, 4000):
            yield _case(
                "regression", metric, n, choices, parts, "range known", _SQUARED
            )
    for task in ("three groups", "adult", "adult_race"):
        parts = classification(task, home)
        for metric in LABELS:
            yield _case(task, metric, 2000, choices, parts)
        for metric in (DP, EO):
            yield _case(task, metric, 200, choices, parts)
            uneven = tuple(part.uneven() for part in parts)
            yield _case(task, metric, 2000, choices, uneven, "uneven weights")
    parts = classification("three groups", home, "scores")
    for metric in SCORES:
        yield _case("three groups", metric, 1000, choices, parts)
    for metric, threshold, limits, share in CROSS_FITTED:
        n_choices = max(int(share * choices), 1)
        special = "cross-fitted" + (", threshold tuned" if threshold else "")
        yield (
            _known("three groups", metric, 3000, n_choices, special),
            partial(cross_fitted, metric, 3000, limits, n_choices, threshold),
        )


def _case(task, metric, n, choices, parts, special="", value_range=None):
    find = partial(simulate, *parts, metric, n, choices, value_range)
    return _known(task, metric, n, choices, special), find


def _known(task, metric, n, choices, special):
    return {
        "task": task, "metric": metric, "rows": n, "choices": choices,
        "special": special,
    }  # fmt: skip


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--choices", type=int, default=1000)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    results = {"provenance": provenance(), "level": LEVEL, "cases": []}
    with threadpool_limits(1):
        for known, find in cases(options):
            results["cases"].append(known | {"limits": find()})
            print(results["cases"][-1], flush=True)
            write("confidence", results)


if __name__ == "__main__":
    main()
