# SPDX-License-Identifier: BSD-3-Clause
"""Write the measured part of doc/weights.md from benchmarks/results/weights.json.

python -m benchmarks.reports.weights
"""

from benchmarks.provenance import RESULTS, read
from benchmarks.reports.markdown import number, table, times

PAGE = RESULTS.parents[1] / "doc" / "weights.md"
START, END = "<!-- measured -->", "<!-- end of measured -->"


def section(found):
    """Tables of times, passes and accuracy."""
    sizes = [key for key in found if key.startswith("n=")]
    solvers = list(dict.fromkeys(s for key in sizes for s in found[key]["solvers"]))
    against = [_against(key, found[key], solvers) for key in sizes]
    hard = [
        [key.removeprefix("hard cases n="), *_hard(found[key])]
        for key in found
        if key.startswith("hard cases")
    ]
    worst = max(found[key]["ours"]["violation"] for key in sizes)
    groups, path = found["5 groups, n=34189"], found["path n=100000"]
    accuracy = number(groups["residual"], 1)
    header = ["n", "problems", "median", "90 %", "99 %", "most", "largest residual"]
    return f"""\
{table(["n", "ours", "passes", "streams", *solvers], against)}

"Streams" is our time in units of reading the influences once; the other columns are
time of the solver / our time. A dash: not run at this size, or no answer within the
time. Our constraint violations are at most {number(worst, 2)}, relative. The largest
difference of a weight from ours, over all sizes:
{_differences(found, sizes, solvers)}.

Five groups, all 20 ordered pairs and a utility (n = 34189,
m = {groups["constraints"]}): {number(groups["ms"])} ms, {groups["passes"]} passes,
residual {accuracy}; `delta_max` {number(groups["delta_max ms"])} ms. A path
of 20 requests at n = 1e5: {number(path["path ms per delta"])} ms for each, cold
{number(path["cold ms per delta"])} ms.

Hard cases (nine kinds of influences, requests from 0 to beyond the largest attainable,
regularization from 1 to the linear programme; passes over the rows):

{table(header, hard)}"""


def _against(key, found, solvers):
    ours = found["ours"]
    ratios = [_ratio(found["solvers"].get(name)) for name in solvers]
    return [
        f"{float(key.removeprefix('n=')):.0e}".replace("e+0", "e"),
        f"{number(ours['ms'], 2)} ms",
        number(ours["passes"]),
        number(ours["streams"]),
        *ratios,
    ]


def _ratio(solver):
    if solver is None or solver["failed"] == solver["of"]:
        return "-"
    return times(solver["ratio"])


def _hard(found):
    passes = [number(found["passes"][q]) for q in ("50", "90", "99", "100")]
    return [found["cases"], *passes, number(found["residual"], 1)]


def _differences(found, sizes, solvers):
    parts = []
    for name in solvers:
        runs = [found[key]["solvers"].get(name) for key in sizes]
        largest = [run["weight"] for run in runs if run and run["weight"] is not None]
        if largest:
            parts.append(f"{name} {number(max(largest), 1)}")
    return ", ".join(parts)


def main():
    text = PAGE.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{section(read('weights'))}\n\n{END}{after}")
    print(PAGE)


if __name__ == "__main__":
    main()
