# SPDX-License-Identifier: BSD-3-Clause
"""The trade-off as Markdown, from its results."""

import numpy as np

from benchmarks.data.label_metrics import DP, EO
from benchmarks.reports.markdown import provenance_line, signed, table, times

SHORT = {DP: "demographic parity", EO: "equalized odds"}
DATA = {
    "adult": "Adult, sex",
    "adult_race": "Adult, race",
    "bank_working_age": "Bank, age 25 to 60",
    "credit": "Credit, sex",
    "simulated": "simulated",
}

EXPLANATION = """\
Five data sets, two metrics, {n_seeds} random splits: 50 % of the rows to train, 20 % to
choose, 30 % held out. Every method is a logistic regression on the same features and
has a knob; of its predictors the most accurate one whose gap on the *validation* rows
is within the target is taken, and judged on the *held-out* rows. Randomised predictors
are judged by their expected labels. The rows "calibrated" and "cross-validated" aim at
the target themselves, and nothing is chosen for them.

The best in-processing peer is, for each data set, metric and target, that of
ExponentiatedGradient and GridSearch with the higher mean accuracy, whether it keeps to
the target or not. Differences are paired (same split); the standard error is over
splits.
"""

GLOSSARY = """\
In the tables, "gap +0.010" is how much further the held-out gap is from parity than
that of the peer: read accuracy and gap together. "Higher in" counts the pairs of data
set and metric in which the method was more accurate than the peer, for each target.

| row | what it is |
| --- | --- |
| unconstrained | the base model, whatever its gap |
| GridSearch, ExponentiatedGradient | fairlearn's reductions (in-processing) |
| ThresholdOptimizer | a threshold for each group; needs the group to predict |
| CorrelationRemover | features without their correlation with the group, to a degree |
| reweighing | Kamiran and Calders: weights by group and label, to a degree |
| influence LP, retrained | Li and Liu: smallest sum of weights, then a refit |
| hard deletion, retrained | the k most harmful rows deleted, then a refit |
| OxonFair, groups inferred | thresholds by group, of groups that a model says |
| threshold of the base model | one decision threshold for all, moved |
| ours, exact | the default, along `path` |
| ours, one step | the paper's: soft weights, `update="influence"`, along `path` |
| ours, re-linearised | `InfluenceUpdate(max_iter=10)` |
| ours, Newton step | soft weights, `update="newton"` |
| ours, ... and threshold | with a decision threshold chosen along with delta |
| ours, ..., calibrated | `calibrate="labels"` for each target, on validation rows |
| ours, ..., cross-validated | `SoftUnlearnCorrectorCV` with a `Requirement` |
"""

FRONTIER = """\
A method that ends above the target is more accurate for it. So the same once more at an
*equal gap on the held-out rows*, read off the concave hull of all predictors of a
method there: how good they are when nothing goes wrong in choosing. Splits on which one
of the two does not reach the target with any predictor are left out; the number of
splits that count is in brackets.
"""


PROPERTIES = """\
"Asked less realised" is the mean absolute difference between the gap that a method was
asked for and what it realised, in its own measure on the rows that it was given: the
gap of the probabilities for ours along delta, else that of the labels, or of expected
labels. The least gap in reach is the smallest one of all predictors along the knob,
measured on the held-out rows. "-" is where nothing is asked, or where the figures were
taken over from an earlier run that did not note it.
"""


def section(results, timing):
    """The whole section, as text."""
    explanation = EXPLANATION.format(n_seeds=len(results["seeds"]))
    parts = [
        "## Accuracy at a required gap, against what you might use instead",
        in_short(results, timing),
        explanation,
        "![Accuracy against gap on held-out rows](tradeoff.svg)",
        "### Difference in accuracy to the best in-processing peer, in points",
        against_best(results),
        GLOSSARY,
        FRONTIER,
        on_frontier(results),
        "### What else distinguishes them",
        PROPERTIES,
        properties(results, timing),
        time_note(timing),
        "### Every data set",
        *[every_cell(results, metric) for metric in (DP, EO)],
        f"Measured on: {provenance_line(results['provenance'])}",
    ]
    return "\n\n".join(part.strip() for part in parts)


def in_short(results, timing):
    """What the tables say of the default, in a sentence."""
    method = results["methods"]["ours, exact"]
    found = method["against the best in-processing peer"]
    points = ", ".join(
        f"{signed(100 * accuracy)} ± {100 * error:.2f} at {target:.2f}"
        for target, accuracy, error in zip(
            results["targets"], found["accuracy"], found["standard error"], strict=True
        )
    )
    even = method["against ExponentiatedGradient"]["accuracy on the frontier"]
    at_gap = ", ".join(_points(value) for value in even)
    fits = timing["in fits"]
    cost = fits["ours, exact, of a fitted model"]
    share = cost / fits["ExponentiatedGradient"]
    return (
        "**In short:** with its defaults the corrector differs from "
        f"the best in-processing peer by (points of accuracy, targets) {points}. "
        "The peer need not keep to the target, see the tables of every data set; at an "
        f"equal held-out gap, ours less ExponentiatedGradient is {at_gap}. The "
        f"correction of a fitted model costs {times(cost)} fits of a logistic "
        f"regression, {100 * share:.1f} % of ExponentiatedGradient."
    )


def against_best(results):
    """Mean differences, standard errors, gaps and how many cells are won."""
    rows = []
    for name, method in results["methods"].items():
        found = method["against the best in-processing peer"]
        cells = [
            f"{signed(100 * accuracy)} ± {100 * error:.2f} (gap {signed(gap, 3)})"
            for accuracy, error, gap in zip(
                found["accuracy"], found["standard error"], found["gap"], strict=True
            )
        ]
        won = "/".join(map(str, found["cells with higher accuracy"]))
        rows.append([name, *cells, f"{won} of {found['cells']}"])
    header = ["method", *map(_target, results["targets"]), "higher in (by target)"]
    return table(header, rows)


def _target(target):
    return f"gap at most {target:.2f}"


def on_frontier(results):
    """Differences at equal gap on held-out rows, to ExponentiatedGradient."""
    rows = []
    for name, method in results["methods"].items():
        found = method["against ExponentiatedGradient"]
        pairs = zip(
            found["accuracy on the frontier"], found["frontier pairs"], strict=True
        )
        rows.append([name] + [f"{_points(value)} ({n})" for value, n in pairs])
    header = ["method, less ExponentiatedGradient"]
    return table(header + [f"at gap {t:.2f}" for t in results["targets"]], rows)


def _points(share):
    return "-" if share is None else signed(100 * share)


def properties(results, timing):
    """Time, groups at predict, determinism, and how the gap generalises."""
    rows = []
    for name, method in results["methods"].items():
        cells = [cell for cell in results["cells"] if cell["method"] == name]
        random = method["random labels"]
        rows.append(
            [
                name,
                _time(timing, name),
                f"{times(method['time'])} ({method['predictors']:.0f})",
                "yes" if method["needs groups"] else "no",
                f"no, {random:.1%} of rows" if random > 0 else "yes",
                _missed(method),
                _least(cells),
                signed(_growth(cells), 3),
                f"{_kept(cells, results['targets']):.0%}",
            ]
        )
    header = [
        "method",
        "time of one model",
        "of the whole knob (models)",
        "groups at predict",
        "deterministic",
        "asked less realised",
        "least gap in reach",
        "gap, held-out less training",
        "held-out gap within the target",
    ]
    return table(header, rows)


def _time(timing, name):
    return times(timing["in fits"][name]) if name in timing["in fits"] else "-"


def _missed(method):
    off = method.get("asked less realised")
    return "-" if off is None else f"{off:.4f}"


def _least(cells):
    found = [np.mean(cell["least gap"]) for cell in cells if "least gap" in cell]
    return f"{np.mean(found):.3f}" if found else "-"


def _growth(cells):
    return float(
        np.mean([np.array(c["gap"]) - np.array(c["gap, training rows"]) for c in cells])
    )


def _kept(cells, targets):
    return float(np.mean([np.array(c["gap"]) <= np.array(targets) for c in cells]))


def time_note(timing):
    """Times of corrections of a fitted model, beside ExponentiatedGradient's."""
    fits = timing["in fits"]
    peer = fits["ExponentiatedGradient"]
    given = {n.removesuffix(", of a fitted model"): v for n, v in fits.items()
             if n.endswith("of a fitted model")}  # fmt: skip
    listed = "; ".join(
        f"{name} {times(value)} ({value / peer:.1%} of ExponentiatedGradient)"
        for name, value in given.items()
    )
    return (
        "Times are multiples of one `LogisticRegression` fit (lbfgs) on "
        f"{timing['rows']} rows and {timing['features']} features, its own base fit "
        f"included. Correcting a model that is fitted already takes: {listed}."
    )


def every_cell(results, metric):
    """Mean accuracy and gap for each data set, method and target."""
    n = len(results["targets"])
    rows = [
        [DATA[cell["task"]], cell["method"]]
        + [
            f"{np.mean(cell['accuracy'], axis=0)[j]:.4f} "
            f"({np.mean(cell['gap'], axis=0)[j]:.3f})"
            for j in range(n)
        ]
        for task in DATA
        for cell in results["cells"]
        if cell["metric"] == metric and cell["task"] == task
    ]
    header = ["data", "method", *map(_target, results["targets"])]
    title = f"Mean accuracy and, in brackets, mean held-out gap: {SHORT[metric]}."
    return f"{title}\n\n{table(header, rows)}"
