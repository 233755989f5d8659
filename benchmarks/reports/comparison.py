# SPDX-License-Identifier: BSD-3-Clause
"""The page that compares: the paper's figures, other methods, and what each can do."""

from benchmarks.provenance import read
from benchmarks.reports.markdown import number, provenance_line, signed, table
from benchmarks.reports.tradeoff import DATA

HEAD = """\
# The paper, other methods, and this package

This page is generated (`python -m benchmarks.reports`) from `benchmarks/results`.
Figures of the paper are quoted as they were noted when its pages and the arrays that
its authors released were read; ours are measured with the code of this package.
"""

_PROPERTIES = (
    "", "trees", "numbers", "several groups", "groups to predict", "same answer",
    "intervals",
)  # fmt: skip
_ROWS = (
    ("this package", "leaf values", "yes", "yes", "no", "yes", "yes"),
    ("the paper's released code", "no", "no", "no", "no", "yes", "-"),
    ("Li and Liu, linear programme", "no", "no", "no", "no", "yes", "-"),
    ("infinitesimal jackknife", "no", "no", "no", "no", "yes", "-"),
    ("ExponentiatedGradient", "yes", "a bound", "yes", "no", "no", "of metrics"),
    ("ThresholdOptimizer", "yes", "no", "yes", "yes", "no", "of metrics"),
    ("OxonFair", "yes", "no", "yes", "yes, or guessed", "yes", "-"),
)

PROPERTIES = """\
## What each can do

As far as we know them, not tried one by one; a dash means that we know of nothing.

{table}

- *Trees*: ours corrects the leaf values and holds the structure; the others that say
  yes take any classifier. *Numbers*: regression; of fairlearn's reductions, a bound on
  the loss of each group.
- *Groups to predict*: whether `predict` must be given them; OxonFair can guess them.
- *Same answer*: whether the same row gets the same answer each time.
- *Intervals*: ours are those of both models and of the change; `MetricFrame` of
  fairlearn has those of metrics.
- All of them hold their rows in memory, the last two only scores and labels.

Not compared: holisticai. Version 1.0.14 installs; its mitigations import jax, which it
does not bring.
"""

WEIGHTS = """\
## Weights: a box, and what was released

The paper's problem keeps weights in a box, and its closed form, by cases, does not
enforce it. The weights in the released files of Adult go from {low} to {high}: they
have two signs, and some are far outside of any box. Here a *soft* weight lies in [0, 1]
and an *exact* one in [-1, 1], and every answer says by how much a bound is violated (at
most by rounding). `upper` and `lower` of the [weight problem](../weights.md) take other
bounds, or none, and then the closed forms of the paper are met.
"""

FROZEN = """\
## Robustness: frozen and fresh attacks

The paper measures robustness on adversarial examples that were made against the
*original* model and stay as they are (frozen). In its table the accuracy under attack
before a correction is exactly 100 minus the clean accuracy: every example was pushed
over the boundary of that model, and any other model finds them easier. What is gained
when the attack is made anew against the corrected model (fresh) is less:
"""

FROZEN_AFTER = """\
Accuracy on held-out rows of a logistic regression, in percent, with soft weights;
`benchmarks/studies/robustness.py` has the radii. The gain on fresh examples is below
that on frozen ones in {less} of {n} lines, and a loss in {lost}.
"""

HAMU = """\
## HAMU

The step of `HAMU` equals that of the implementation that its authors released on all
108 of 120 random problems that can be solved. Where the requirement is out of reach,
theirs returns `B / |g_f|^2 g_f`, which is longer than the radius; ours keeps the radius
and returns the largest improvement within it. `tests/updates/test_hamu.py` compares
them.
"""


def page():
    """Text of the page; parts whose study has not been run are left out."""
    paper, claims = read("paper"), read("claims")
    parts = [HEAD]
    if claims:
        parts.append(_figures(paper, claims["effects"]["found"]))
    parts.append(WEIGHTS.format(low=paper["weights"][0], high=paper["weights"][1]))
    if robustness := read("robustness"):
        parts.append(_robustness(robustness))
    if comparison := read("comparison"):
        parts.append(_methods(comparison))
    properties = PROPERTIES.format(table=table(_PROPERTIES, _ROWS).replace("-:", "-"))
    return "\n".join(part.strip() + "\n" for part in [*parts, properties, HAMU])


def _figures(paper, effects):
    theirs, ours = (
        paper["spearman of effects"],
        effects["spearman of effects, all rows"],
    )
    agreement = {
        r["criterion"]: r["spearman"]
        for r in effects["agreement"]
        if r["estimate"] == "first_order"
    }
    estimated = [agreement[name] for name in ("gap", "loss", "adversarial loss")]
    rows = [
        ["metric and utility, demographic parity", theirs["demographic parity"],
         signed(ours["gap"], 3)],
        ["metric and utility, adversarial loss", theirs["adversarial loss"],
         signed(ours["adversarial loss"], 3)],
        ["metric and utility, equal opportunity", theirs["equal opportunity"], "-"],
        ["estimated and actual influence, three functionals",
         " / ".join(f"{x:.3f}" for x in paper["estimates against actual"]),
         " / ".join(f"{x:.3f}" for x in estimated)],
    ]  # fmt: skip
    return (
        "## The paper's figures on Adult\n\n"
        "Spearman correlations over single rows.\n\n"
        + table(["", "the paper's arrays", "ours"], rows)
        + f"\n\nOurs: {effects['rows in all']} rows, prepared as the authors do it, of "
        f"which {effects['rows retrained']} were left out one by one. Our adversarial "
        "loss is that of one-step examples of a fixed radius, theirs that of DeepFool, "
        "and the two do not agree in sign. The other claims of the paper are "
        "[checked one by one](index.md#the-papers-claims)."
    )


def _robustness(rows):
    frozen, fresh = "robust accuracy, fixed examples", "robust accuracy, anew"
    base = {r["data"]: r for r in rows if r["delta"] == 0}
    lines, gains, less = [], [], 0
    for r in (r for r in rows if r["delta"] > 0):
        before = base[r["data"]]
        gains.append(r[fresh] - before[fresh])
        less += gains[-1] < r[frozen] - before[frozen] - 1e-9
        lines.append(
            [r["data"], r["delta"], f"{100 * before['accuracy']:.1f}",
             signed(100 * (r["accuracy"] - before["accuracy"])),
             f"{100 * before[frozen]:.1f}", signed(100 * (r[frozen] - before[frozen])),
             signed(100 * gains[-1])]
        )  # fmt: skip
    header = ["data", "delta", "clean", "change", "under attack", "frozen", "fresh"]
    lost = sum(gain < 0 for gain in gains)
    after = FROZEN_AFTER.format(lost=lost, less=less, n=len(gains))
    return f"{FROZEN}\n{table(header, lines)}\n\n{after}"


def _error(record):
    error = record["accuracy, standard error"]
    return "" if error is None else f" ± {100 * error:.2f}"


def _methods(comparison):
    found = comparison["found"]
    targets = list(dict.fromkeys(r["target"] for r in found))
    parts = [
        "## Beside other methods\n\nHeld-out accuracy (and demographic parity "
        "difference), in percent, means over random splits. Of the models "
        "along its knob the most accurate one is taken whose gap on validation rows is "
        "within the target. Read accuracy and gap together: a method that misses the "
        "target may be more accurate for it. All are logistic regressions. "
        "`benchmarks/studies/comparison.py` has the knobs.\n"
    ]
    for task in dict.fromkeys(r["task"] for r in found):
        methods = dict.fromkeys(r["method"] for r in found if r["task"] == task)
        lines = []
        for method in methods:
            own = [r for r in found if (r["task"], r["method"]) == (task, method)]
            cells = [
                f"{100 * r['accuracy']:.2f}{_error(r)} ({100 * r['gap']:.1f})"
                for r in own
            ]
            time = f"{number(own[0]['time'])}"
            lines.append([method, *cells, time])
        header = ["", *(f"gap at most {100 * t:g}" for t in targets), "time, in fits"]
        splits = own[0]["splits"]
        single = "one split only: differences below half a point are noise"
        title = f"{DATA[task]} ({single if splits == 1 else f'{splits} splits'})"
        parts.append(f"### {title}\n\n{table(header, lines)}\n")
    parts.append(
        "Time is that of all predictors along the knob, in fits of the same model. "
        "ThresholdOptimizer and OxonFair need the groups to predict.\n\n"
        f"Measured on: {provenance_line(comparison['provenance'])}"
    )
    return "\n".join(parts)
