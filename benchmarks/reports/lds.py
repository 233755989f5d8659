# SPDX-License-Identifier: BSD-3-Clause
"""The section on the linear datamodeling score of the page of benchmarks."""

from benchmarks.reports.markdown import provenance_line, table

TEXT = """\
Nets trained anew on {subsets} random halves of their rows, {seeds} seeds each: the
score of a test row is the rank correlation, over the halves, of its log odds (mean of
the seeds) with the sum of the attributions of the rows in the half (Park et al.
2023). Mean over 100 test rows and three attributed nets, and in brackets the standard
error over the test rows, which share the halves. "Other seeds" correlates the
retrained nets of one seed with those of the other two: what chance in training leaves
to foretell. "Gradients alone" takes the identity for the curvature. "-": not run, or
it failed."""


def section(results):
    """Table of scores, tools by problem."""
    problems = list(dict.fromkeys(line["problem"] for line in results["scores"]))
    cells = {}
    for line in results["scores"]:
        cells.setdefault(line["tool"], {})[line["problem"]] = _cell(line)
    lines = [
        [tool, *(by_problem.get(name, "-") for name in problems)]
        for tool, by_problem in cells.items()
    ]
    text = TEXT.format(subsets=results["subsets"], seeds=results["seeds"])
    return "\n\n".join(
        [
            "## Influences on nets against training on halves of the rows",
            text,
            table(["", *problems], lines),
            f"Measured on: {provenance_line(results['provenance'])}",
        ]
    )


def _cell(line):
    if "failed" in line:
        return "-"
    return f"{line['score']:.2f} ({line['standard error']:.2f})"
