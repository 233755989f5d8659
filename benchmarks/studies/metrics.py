# SPDX-License-Identifier: BSD-3-Clause
"""Every group metric of fairlearn on real data: does the one that is named improve?

    python benchmarks/studies/metrics.py --data-home FOLDER [--metric NAME ...]

For each metric and each data set a `LogisticRegression` is corrected with delta = 0.5,
metric and utility measured on the training rows, and fairlearn computes the metric on
held-out rows before and after. Averages over random splits, as many as --splits.
Writes benchmarks/results/metrics.json and doc/metrics.md.
"""

import argparse
import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import fairlearn.metrics as fm
import numpy as np
from fairlearn.datasets import (
    fetch_adult,
    fetch_bank_marketing,
    fetch_credit_card,
)
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_softunlearn import SoftUnlearnCorrector, SoftUnlearnCorrectorCV
from sklearn_softunlearn.exceptions import InfeasibleDeltaWarning, SmallGroupWarning

ROOT = Path(__file__).resolve().parents[2]
DELTA = 0.5
SEARCHED = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
UTILITY_TOL = 0.01
TRANSFORMS = ("_difference", "_ratio", "_group_min", "_group_max")
METRICS = [name for name in dir(fm) if name.endswith(TRANSFORMS)]
OF_SCORES = ("log_loss", "roc_auc")
MIN_GROUP = 0.02  # share of the rows; smaller groups of race are merged


def datasets(data_home):
    """Name, features, 0/1 target and sensitive feature of each data set."""
    adult = fetch_adult(data_home=data_home)
    income = np.asarray(adult.target == ">50K", dtype=int)
    yield "Adult, sex", adult.data, income, np.asarray(adult.data["sex"], str)
    race = merged(np.asarray(adult.data["race"], str))
    yield "Adult, race", adult.data, income, race
    bank = fetch_bank_marketing(data_home=data_home)
    age = bank.data.iloc[:, 0].to_numpy(float)
    subscribed = np.asarray(bank.target.astype(str) == "2", dtype=int)
    yield "Bank, age < 30", bank.data, subscribed, np.where(age < 30, "young", "old")
    credit = fetch_credit_card(data_home=data_home)
    default = np.asarray(credit.target.astype(str) == "1", dtype=int)
    sex = np.asarray(credit.data.iloc[:, 1].astype(float), dtype=int).astype(str)
    yield "Credit, sex", credit.data, default, sex


def merged(groups):
    """Groups smaller than MIN_GROUP become one."""
    values, counts = np.unique(groups, return_counts=True)
    small = values[counts < MIN_GROUP * len(groups)]
    return np.where(np.isin(groups, small), "other", groups)


def split(X, y, groups, seed):
    """Standardised one-hot rows, 70 % to train on."""
    cells = np.char.add(y.astype(str), groups)
    train, test = train_test_split(
        np.arange(len(y)), test_size=0.3, random_state=seed, stratify=cells
    )
    one_hot = make_column_transformer(
        (
            OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder="passthrough",
    )
    encoder = make_pipeline(one_hot, StandardScaler()).fit(X.iloc[train])
    return [
        SimpleNamespace(
            X=encoder.transform(X.iloc[rows]), y=y[rows], groups=groups[rows]
        )
        for rows in (train, test)
    ]


def measured(metric, model, rows):
    """fairlearn's metric, accuracy and log loss of a model."""
    label, score = model.predict(rows.X), model.predict_proba(rows.X)[:, 1]
    predicted = score if metric.startswith(OF_SCORES) else label
    value = getattr(fm, metric)(rows.y, predicted, sensitive_features=rows.groups)
    return float(value), accuracy_score(rows.y, label), log_loss(rows.y, score)


def corrected(metric, base, train):
    """A corrected copy of the base model, and whether delta was out of reach."""
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(base),
        metric=metric,
        delta=DELTA,
        weighting="soft",
        utility_tol=UTILITY_TOL,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InfeasibleDeltaWarning)
        warnings.simplefilter("ignore", SmallGroupWarning)
        corrector.fit(train.X, train.y, sensitive_features=train.groups)
    return corrector, any(w.category is InfeasibleDeltaWarning for w in caught)


def searched(metric, train):
    """A corrected model whose delta five folds of the training rows have chosen."""
    corrector = SoftUnlearnCorrector(
        LogisticRegression(solver="newton-cholesky"),
        metric=metric,
        weighting="soft",
        utility_tol=UTILITY_TOL,
    )
    search = SoftUnlearnCorrectorCV(corrector, deltas=SEARCHED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(train.X, train.y, sensitive_features=train.groups)


def add_searched(records, data_home):
    """Search delta for the cells that did not improve."""
    lost = {
        (found[0]["metric"], found[0]["dataset"])
        for found in cells(records).values()
        if summary(found).gain <= 0
    }
    for name, X, y, groups in datasets(data_home):
        for record in records:
            if record["dataset"] == name and (record["metric"], name) in lost:
                train, test = split(X, y, groups, record["seed"])
                search = searched(record["metric"], train)
                after = measured(record["metric"], search, test)[0]
                record["searched"] = [record["test_metric"][0], after]
                record["delta"] = search.delta_


def cells(records):
    """Records by metric and data set."""
    found = {}
    for record in records:
        found.setdefault((record["metric"], record["dataset"]), []).append(record)
    return found


def benchmark(metrics, data_home, n_splits):
    """One record for each metric, data set and split."""
    for name, X, y, groups in datasets(data_home):
        for seed in range(n_splits):
            train, test = split(X, y, groups, seed)
            base = LogisticRegression(solver="newton-cholesky").fit(train.X, train.y)
            for metric in metrics:
                corrector, infeasible = corrected(metric, base, train)
                record = {"dataset": name, "metric": metric, "seed": seed}
                for part, rows in (("train", train), ("test", test)):
                    before = measured(metric, base, rows)
                    after = measured(metric, corrector, rows)
                    for key, b, a in zip(
                        ("metric", "accuracy", "log_loss"), before, after, strict=True
                    ):
                        record[f"{part}_{key}"] = [b, a]
                mass = float(corrector.deletion_weights_.mean())
                yield record | {"infeasible": infeasible, "deleted": mass}


def improvement(metric, before, after):
    """How much nearer to its optimum a metric came; negative: further away."""
    larger_is_better = metric.endswith(("_ratio", "_group_min"))
    return after - before if larger_is_better else before - after


def summary(records):
    """Means over splits of a metric on one data set."""
    metric = records[0]["metric"]
    before, after = np.mean([r["test_metric"] for r in records], axis=0)
    gains = [improvement(metric, *r["test_metric"]) for r in records]
    accuracy = [r["test_accuracy"][1] - r["test_accuracy"][0] for r in records]
    return SimpleNamespace(
        before=before,
        after=after,
        gain=np.mean(gains),
        improved=sum(gain > 0 for gain in gains),
        n_splits=len(gains),
        infeasible=any(r["infeasible"] for r in records),
        accuracy=np.mean(accuracy),
    )


def paired(metric, records, key):
    """Mean gain of a metric over splits, and its standard error."""
    gains = [improvement(metric, *r[key]) for r in records]
    return np.mean(gains), np.std(gains, ddof=1) / np.sqrt(len(gains))


def cell(records):
    """A summary as a cell of the table; what got worse is bold."""
    s = summary(records)
    text = f"{s.before:.3f} -> {s.after:.3f}{'*' if s.infeasible else ''}"
    text = text if s.gain > 0 else f"**{text}**"
    return f"{text} ({s.improved}/{s.n_splits}, {100 * s.accuracy:+.1f})"


def table(records):
    """Markdown table, one row for each metric and one column for each data set."""
    names = list(dict.fromkeys(r["dataset"] for r in records))
    metrics = list(dict.fromkeys(r["metric"] for r in records))
    lines = [f"| metric | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    found = cells(records)
    for metric in metrics:
        shown = (cell(found[metric, name]) for name in names)
        lines.append(f"| {metric} | {' | '.join(shown)} |")
    return "\n".join(lines)


def losses(records):
    """Markdown table of the cells that did not improve, and counts for the text."""
    lines = [
        "| metric | data | training rows | held-out rows | loss | delta searched | "
        "held-out rows | loss |",
        "| --- " * 8 + "|",
    ]
    n_trained = n_clear = n_clear_searched = 0
    for (metric, name), found in cells(records).items():
        gain, error = paired(metric, found, "test_metric")
        if gain > 0:
            continue
        by_search = paired(metric, found, "searched")
        train, test, after = (
            np.mean([r[key] for r in found], axis=0)
            for key in ("train_metric", "test_metric", "searched")
        )
        n_trained += improvement(metric, *train) > 0
        n_clear += -gain > 2.0 * error
        n_clear_searched += -by_search[0] > 2.0 * by_search[1]
        delta = np.mean([r["delta"] for r in found])
        shown = [f"{a:.4f} -> {b:.4f}" for a, b in (train, test, after)]
        loss = [f"{-a:.4f} +- {b:.4f}" for a, b in ((gain, error), by_search)]
        lines.append(
            f"| {metric} | {name} | {shown[0]} | {shown[1]} | {loss[0]} | {delta:.2f} "
            f"| {shown[2]} | {loss[1]} |"
        )
    counts = (len(lines) - 2, n_clear, n_clear_searched, n_trained)
    return "\n".join(lines), counts


def page(records):
    """The table with what it says, for doc/metrics.md."""
    n_splits = len({r["seed"] for r in records})
    lost, (n_lost, n_clear, n_clear_searched, n_trained) = losses(records)
    n_cells = len(cells(records))
    return f"""# Which metrics improve on held-out rows when they are named

`SoftUnlearnCorrector(LogisticRegression(), metric=..., delta={DELTA:g},
weighting="soft", utility_tol={UTILITY_TOL:g})`, metric and utility measured on the
training rows. Each
cell: the metric as fairlearn computes it on held-out rows, before and after, mean of
{n_splits} random splits (70 % to train); in brackets the number of splits on which it
improved, and the change of accuracy in percentage points. **Bold**: it did not
improve on average. `*`: delta was out of reach on some split, so the largest
attainable improvement was used. Groups of race below {100 * MIN_GROUP:g} % are merged.

{table(records)}

## What did not improve

{n_lost} of {n_cells} cells, {n_clear} of them by more than two standard errors of the
paired difference. {n_trained} did improve on the training rows, where the metric was
measured. The last columns: `SoftUnlearnCorrectorCV` chooses delta among
{", ".join(f"{delta:g}" for delta in SEARCHED)} by five folds of the training rows;
{n_clear_searched} lose more than two standard errors then.

{lost}

- The loss of the worst group, and with it errors, can hardly fall: the model minimises
  the loss of these very rows. What is gained on them, often a few units of the fourth
  digit, need not carry over; for a small group it is what its own parameters would
  gain by fitting its noise. Asking for less (a smaller delta) loses less.
- Differences of accuracy, precision and R2 hinge on the few rows near the decision
  boundary of the smaller group. Their surrogate is sharper than that of rates
  (`sharpness` of `GroupMetric`), since with the mean probability it improved while the
  labels did not; what is left is the noise of small groups.
- `SoftUnlearnCorrectorCV` shows what carries over to held-out rows before a delta is
  chosen. `calibrate="labels"` keeps the labels of the evaluation rows from harm, not
  those of others.

Written by `python -m benchmarks metrics`.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--metric", nargs="*", default=METRICS)
    parser.add_argument("--splits", type=int, default=10)
    options = parser.parse_args()
    records = list(benchmark(options.metric, options.data_home, options.splits))
    add_searched(records, options.data_home)
    print(table(records))
    print(losses(records)[0])
    if options.metric == METRICS:
        results = ROOT / "benchmarks" / "results"
        results.mkdir(exist_ok=True)
        lines = ",\n".join(json.dumps(record) for record in records)
        (results / "metrics.json").write_text(f"[\n{lines}\n]\n")
        (ROOT / "doc" / "metrics.md").write_text(page(records))


if __name__ == "__main__":
    main()
