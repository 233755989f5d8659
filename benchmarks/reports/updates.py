# SPDX-License-Identifier: BSD-3-Clause
"""Fill the tables and draw the pictures of the page of updates.

    python -m benchmarks.reports.updates [--page FILE] [--results FILE]

Tables stand between comments ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` and are
computed from ``benchmarks/results/updates.json``; what stands around them is written by
hand.
"""

import argparse
from pathlib import Path

from benchmarks.provenance import RESULTS
from benchmarks.reports.markdown import number, provenance_line, table
from benchmarks.reports.update_cells import read_summary
from benchmarks.reports.update_plots import draw

PAGE = RESULTS.parents[1] / "doc" / "updates.md"
TITLES = {
    "influence": "influence (IF)",
    "gradient_ascent": "gradient ascent (GA)",
    "fine_tune": "fine-tuning (FT)",
    "fisher": "Fisher",
    "ntk": "NTK",
    "scrub": "SCRUB",
    "hamu": "HAMU",
    "retrain": "retraining",
}
METRICS = {
    "demographic_parity_difference": "demographic parity difference",
    "equal_opportunity_difference": "equal opportunity difference",
    "adversarial_loss": "adversarial loss, attacked anew",
}
MODELS = {"LR": "logistic regression", "MLP": "MLP, last layer"}


def certainly(cells, name):
    """Where a change is negative by more than two standard errors."""
    return cells[name] < -2 * cells[f"{name} se"]


def with_verdicts(cells):
    """The cells with what is counted in them."""
    metric_sure = certainly(cells, "metric change")
    lower = cells["metric change"] < 0
    return cells.assign(
        lower=lower,
        surely_lower=metric_sure,
        free=lower & (cells["loss change"] < 0),
        surely_free=metric_sure & certainly(cells, "loss change"),
        cost=100 * cells["loss change"] / cells["loss before"],
    )


def _order(updates):
    return updates.map(list(TITLES).index)


def overview(cells):
    """One row for each update and weighting, over all settings."""
    header = ["update", "weights", "realised", "metric lower", "free lunch"]
    header += ["log loss", "time, LR", "time, MLP"]
    rows = []
    for (update, weights), own in cells.groupby(["update", "weighting"], sort=False):
        fits = own.groupby("model")["base fits"].median()
        low, high = own["realised"].min(), own["realised"].max()
        rows.append(
            [
                TITLES[update],
                weights,
                f"{own['realised'].median():.2f} ({low:.2f} to {high:.2f})",
                f"{own['lower'].sum()} ({own['surely_lower'].sum()})",
                f"{own['free'].sum()} ({own['surely_free'].sum()})",
                f"{own['cost'].median():+.1f} %",
                number(fits["LR"], 2),
                number(fits["MLP"], 2),
            ]
        )
    return table(header, rows)


def soft_against_hard(cells, by, titles):
    """How often soft weights leave less than hard ones, and the other way round."""
    header = [by, "settings"]
    header += [
        f"{name}: {who}" for name in ("metric", "loss") for who in ("soft", "hard")
    ]
    rows = []
    soft = cells[cells["weighting"] == "soft"]
    for key, own in soft.groupby(by, sort=False):
        rows.append([titles.get(key, key), len(own), *_wins(own)])
    rows.append(["**all**", len(soft), *_wins(soft)])
    return table(header, rows)


def _wins(cells):
    for name in ("metric", "loss"):
        difference, error = cells[f"{name} less hard"], cells[f"{name} less hard se"]
        for sign in (-1, 1):
            better = sign * difference > 0
            sure = sign * difference > 2 * error
            yield f"{better.sum()} ({sure.sum()})"


def verdict(cells):
    """The claims of the paper, counted."""
    return "\n".join(
        f"- {sentence}"
        for sentence in (_better(cells), _cheaper(cells), _free(cells), _anew(cells))
    )


def _better(cells):
    soft = cells[cells["weighting"] == "soft"]
    counts = []
    for sign in (-1, 1):
        differences = [sign * soft[f"{name} less hard"] for name in ("metric", "loss")]
        errors = [2 * soft[f"{name} less hard se"] for name in ("metric", "loss")]
        better = (differences[0] > 0) & (differences[1] > 0)
        sure = (differences[0] > errors[0]) & (differences[1] > errors[1])
        counts.append(f"{better.sum()} ({sure.sum()})")
    return (
        "Soft weights left both the metric and the log loss lower than hard ones in "
        f"{counts[0]} of {len(soft)} comparisons, hard weights in {counts[1]}; in "
        "brackets, beyond two standard errors."
    )


def _cheaper(cells):
    keys = ["metric", "model", "task", "update"]
    rise = cells.pivot(index=keys, columns="weighting", values="loss change")
    rise = rise[rise["hard"] > 0]
    ratio = (rise["soft"] / rise["hard"]).groupby("update").median()
    return (
        "Where hard weights raised the log loss, soft ones raised it by "
        f"{ratio.min():.0%} to {ratio.max():.0%} of that (medians over settings, the "
        "range is over updates)."
    )


def _free(cells):
    soft = cells["weighting"] == "soft"
    return (
        f"The metric fell on held-out rows in {cells['lower'].sum()} of {len(cells)} "
        f"cells, and was a free lunch in {cells['free'].sum()} "
        f"({cells['surely_free'].sum()} beyond two standard errors), "
        f"{(cells['free'] & soft).sum()} of them with soft weights."
    )


def _anew(cells):
    attacked = cells[cells["metric"] == "adversarial_loss"]
    fixed = attacked[attacked["realised"] > 0]
    return (
        "The loss on adversarial examples that were made against the original model "
        f"fell in {len(fixed)} of {len(attacked)} cells on the rows that chose the "
        f"weights; attacked anew on held-out rows, in {fixed['lower'].sum()} of these."
    )


def details(cells):
    """One table for each metric and model, with a column for each data set."""
    parts = []
    for (metric, model), own in cells.groupby(["metric", "model"], sort=False):
        title = f"{METRICS[metric]}, {MODELS[model]}"
        parts.append(f"### {title[0].upper()}{title[1:]}\n\n{_detail(own, metric)}")
    return "\n\n".join(parts)


def _detail(cells, metric):
    unit = _unit(metric)
    tasks = list(dict.fromkeys(cells["task"]))
    before = cells.groupby("task")[["delta", "metric before", "loss before"]].first()
    rows = [
        ["request", "", *(f"{before.loc[task, 'delta']:.2f}" for task in tasks)],
        ["before", ""]
        + [
            f"{unit * before.loc[task, 'metric before']:.1f}, "
            f"{1000 * before.loc[task, 'loss before']:.0f}"
            for task in tasks
        ],
    ]
    for (update, weights), own in cells.groupby(["update", "weighting"], sort=False):
        own = own.set_index("task")
        changes = [_change(own.loc[task], unit) for task in tasks]
        rows.append([TITLES[update], weights, *changes])
    return table(["update", "weights", *tasks], rows)


def _change(cell, unit):
    changes = unit * cell["metric change"], 1000 * cell["loss change"]
    # Adding 0 makes -0.0 positive.
    text = ", ".join(f"{round(change, 1) + 0.0:+.1f}" for change in changes)
    return f"**{text}**" if cell["free"] else text


def _unit(metric):
    """Gaps in percentage points, losses in thousandths."""
    return 1000 if metric == "adversarial_loss" else 100


def measured(cells, content):
    """How the numbers came about."""
    failures = int(cells["failures"].sum())
    requests = cells.groupby(["task", "model", "metric"])["delta"].first()
    return (
        f"Measured on {content['date']}: {cells['seeds'].sum()} corrections, "
        f"{failures} of which ended in an error, in {len(cells)} cells of "
        f"{cells['seeds'].max()} seeds. In {(requests < 0.25).sum()} of the "
        f"{len(requests)} settings half of the metric was out of reach on average, so "
        f"that the request was less than a quarter of it. "
        f"{provenance_line(content['provenance'])}"
    )


def filled(text, blocks):
    """A page with the text between its comments replaced."""
    for name, block in blocks.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"The page has no place for {name}.")
        text = f"{before}{begin}\n{block}\n{end}{after}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--results", type=Path, default=RESULTS / "updates.json")
    options = parser.parse_args()
    cells, content = read_summary(options.results)
    cells = with_verdicts(cells.sort_values("update", key=_order, kind="stable"))
    blocks = {
        "measured": measured(cells, content),
        "verdict": verdict(cells),
        "overview": overview(cells),
        "soft against hard by metric": soft_against_hard(cells, "metric", METRICS),
        "soft against hard by update": soft_against_hard(cells, "update", TITLES),
        "details": details(cells),
    }
    options.page.write_text(filled(options.page.read_text(), blocks))
    for model in MODELS:
        path = options.page.with_name(f"updates_{model.lower()}.svg")
        draw(cells[cells["model"] == model], path, TITLES)


if __name__ == "__main__":
    main()
