# SPDX-License-Identifier: BSD-3-Clause
"""The section on nets of the page of benchmarks."""

from benchmarks.reports.markdown import provenance_line, table, times

TEXT = """\
A skorch MLP with one hidden layer, trained for two epochs on simulated rows; every tool
is asked for the influence of all training rows on the mean loss of 256 held-out rows,
in a process of its own with one thread. The unit is one epoch of training the same net:
the whole correction of a net trained for 20 epochs costs a twentieth of the number in
its line. In brackets the memory (MiB) above what the process had needed. What the tools
compute differs, see `benchmarks/studies/nets.py`: with "last layer" the curvature is
exact and the features are fixed; captum's TracInCPFast uses no curvature, the others
approximate that of all parameters. "More than": no answer within the limit, which
includes imports and training. "-": not run. The features of 1e5 rows before a last
layer of p = 1e6 take 15 GB, and the other tools were out of time or memory at a tenth
of that size."""


def section(results):
    """Table of times in epochs, tools by size of the problem."""
    cells = {}
    for found in results["figures"]:
        size = found["n"], found["p"]
        cells.setdefault(found["tool"], {})[size] = _cell(found)
    sizes = list(dict.fromkeys((f["n"], f["p"]) for f in results["figures"]))
    header = ["", *(f"n = {rows:.0e}, p = {p:.0e}" for rows, p in sizes)]
    lines = [
        [tool, *(by_size.get(size, "-") for size in sizes)]
        for tool, by_size in cells.items()
    ]
    return "\n\n".join(
        [
            "## Influences on a net, and those of other packages",
            TEXT,
            table(header, lines).replace("e+0", "e"),
            f"Measured on: {provenance_line(results['provenance'])}",
        ]
    )


def _cell(found):
    if "failed" in found:
        return found["failed"].split(":")[0].replace("|", "/")
    return f"{times(found['epochs'])} ({found['peak_mib']:.0f})"
