# SPDX-License-Identifier: BSD-3-Clause
"""The section on what is asked and what is realised, and at what cost."""

import numpy as np

from benchmarks.reports.markdown import provenance_line, table, times
from benchmarks.reports.tradeoff import DATA, SHORT

METHODS = {
    "exact": "exact (default)",
    "first order": "first order, utility held",
    "no bound": "first order, utility free",
}
REALISED = """\
Delta from 0.05 to 0.95 ({deltas}), on the rows that it was asked for. "Missed" is the
distance of what is left of the surrogate from 1 - delta: mean, and largest in brackets.
"Loss" is the rise of the training loss at delta = 0.5. "Retrained" is the largest
difference of a coefficient, relative to the largest coefficient, when the model is
trained again with the weights (newton-cholesky, tolerance 1e-10): the largest over
delta."""
COST = """\
Multiples of one fit of the model with its own solver, processor time with one thread;
memory is the largest sum of NumPy's allocations during `fit`, in copies of X."""
SEARCH = """\
`SoftUnlearnCorrectorCV` beside `GridSearchCV` over the same 20 deltas, folds and
scorers on Adult."""


def section(realised, cost, search):
    """The whole section, as text; parts that have not been run are left out."""
    parts = ["## Asked and realised"]
    if realised:
        deltas = sorted({each["delta"] for each in realised["records"]})
        parts += [
            REALISED.format(deltas=", ".join(map(str, deltas))),
            _realised(realised["records"]),
            f"Measured on: {provenance_line(realised['provenance'])}",
        ]
    if cost:
        parts += ["### Cost of exact weights", COST, _cost(cost["records"])]
    if search:
        parts += [SEARCH, _search(search["records"])]
    return "\n\n".join(parts)


def _realised(records):
    header = ["data", "metric", "weights", "missed", "loss", "retrained", "fits"]
    rows = []
    for task, metric in dict.fromkeys((r["task"], r["metric"]) for r in records):
        for method, name in METHODS.items():
            key = task, metric, method
            found = [r for r in records if (r["task"], r["metric"], r["method"]) == key]
            rows.append([DATA[task], SHORT[metric], name, *_figures(found)])
    return table(header, rows)


def _figures(found):
    missed = [abs(each["left"] - (1.0 - each["delta"])) for each in found]
    (half,) = (each for each in found if each["delta"] == 0.5)
    return [
        f"{np.mean(missed):.4f} ({np.max(missed):.4f})",
        f"{half['loss_after'] - half['loss_before']:.4f}",
        f"{max(each['refit'] for each in found):.0e}",
        times(float(np.median([each["fits"] for each in found]))),
    ]


def _cost(records):
    rows = [
        [
            each["case"],
            f"{each['rows']} x {each['columns']}",
            each["solver"],
            times(each["fits"]),
            f"{each['fit']:.2g} s",
            f"{each['copies of X']:.2f}",
        ]
        for each in records
    ]
    header = ["case", "X", "solver of the base", "fits", "one fit", "copies of X"]
    return table(header, rows)


def _search(records):
    rows = [
        [
            f"{each['solver']}, {each['weights']}",
            times(each["fits"]),
            times(each["ratio"]),
            f"{each['difference of scores']:.0e}",
        ]
        for each in records
    ]
    header = ["base, weights", "fits", "times as fast", "largest difference of scores"]
    return table(header, rows)
