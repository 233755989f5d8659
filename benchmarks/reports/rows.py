# SPDX-License-Identifier: BSD-3-Clause
"""The page of the study of rows in blocks, and what it says of more of them."""

import numpy as np

from benchmarks.provenance import read
from benchmarks.reports.markdown import number, provenance_line, table, times

HEAD = """\
# Rows that do not fit in memory

This page is generated (`python -m benchmarks.reports`) from `benchmarks/results`;
`python -m benchmarks rows` measures again. A logistic regression, trained on the first
{block} rows, is corrected on rows of {features} features in float32, in files of
{block}, by [`DaskSoftUnlearnCorrector`](../howto/larger_than_memory.md). Workers are
processes with one thread and {limit} of memory. That the model was trained on a sample
costs one pass: the check of its training finds that it has not converged.
"""
BUSY = """\
The two processors were shared with other work: another run of this study, on a busier
machine, took up to ten times as many seconds, with the same passes, bytes and memory.
*A pass* is the mean over the passes of a correction, as the client sees it, in readings
of all blocks by the same workers; the files are in the page cache, so that the unit is
a short one. The aim was six passes for the first order.
"""
PAPER = """\
## On paper: {workers} workers, 1e9 rows

First order, from the figures above. Not measured. Assumed: cores like these; time,
bytes and memory in proportion to the rows, as between {rows} and {large} rows for the
memory; blocks that the workers read at 1 GB/s each; 10 Gbit/s for the client.
"""
N_ROWS, N_WORKERS = 1e9, 100
READ, NETWORK = 1e9, 1.25e9  # bytes per second, of a worker and of the client


def page():
    """Text of the page; None if the study was not run."""
    results = read("rows")
    if results is None:
        return None
    head = HEAD.format(
        block=results["block"],
        features=results["features"],
        limit=results["memory limit"],
    )
    parts = [head, _on_workers(results), BUSY, _scaling(results), _in_memory(results),
             _on_paper(results)]  # fmt: skip
    parts.append(f"Measured on: {provenance_line(results['provenance'])}")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _on_workers(results):
    header = ["", "workers", "passes over X", "seconds", "a pass, in readings",
              "peak of a worker, MiB", "of the client", "bytes for each row: client",
              "scheduler", "workers"]  # fmt: skip
    lines = []
    for case in (results[k] for k in ("large", "exact", "two workers", "one worker")):
        each = case["seconds in passes"] / case["passes"]
        lines.append(
            [
                f"{case['rows']:.0e} rows, {case['weights']}",
                case["workers"],
                f"{case['passes']:.1f}",
                f"{case['seconds']:.0f}",
                times(each / case["seconds of reading"]),
                f"{max(case['peak MiB of workers']):.0f}",
                f"{case['peak MiB of the client']:.0f}",
                *(
                    f"{case['bytes written by'][who] / case['rows']:.0f}"
                    for who in ("client", "scheduler", "workers")
                ),
            ]
        )
    return table(header, lines)


def _scaling(results):
    one, two = results["one worker"], results["two workers"]
    busy = [
        case["processor seconds of workers"] / case["rows"] * 1e6 for case in (one, two)
    ]
    return (
        "## One worker and two\n\n"
        "With as many rows for each worker, the processor seconds of workers for 1e6 "
        f"rows are {busy[0]:.1f} with one and {busy[1]:.1f} with two "
        f"({times(busy[1] / busy[0])} times). The seconds of the whole correction were "
        f"{one['seconds']:.0f} and {two['seconds']:.0f}, on two busy "
        "processors, which client and scheduler need, too."
    )


def _in_memory(results):
    found = results["in memory"]
    alone, threads = (
        found[f"processor time, {what} / array"] for what in ("blocks", "two threads")
    )
    return (
        "## Blocks against one array\n\n"
        f"{found['rows']:.0e} rows in memory, first order, by turns, {len(alone)} "
        "times. Processor time of blocks, as a multiple of that of "
        f"`SoftUnlearnCorrector`: {_spread(alone)} one block after the other, "
        f"{_spread(threads)} in two threads (median, least and largest). "
        "The aim was at most 1.3."
    )


def _spread(values):
    return f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _on_paper(results):
    estimate = on_paper(results)
    lines = [[what, number(value)] for what, value in estimate.items()]
    large = f"{results['large']['rows']:.0e}"
    return "\n\n".join(
        [
            PAPER.format(
                workers=N_WORKERS,
                large=large,
                rows=f"{results['two workers']['rows']:.0e}",
            ),
            table(["", ""], lines),
            "So the client, and not the workers, would be the limit: it holds what a "
            "row is besides its features, and solves for the weights. See the "
            "[decision](../decisions/state-of-rows-in-blocks.md).",
        ]
    )


def on_paper(results):
    """Figures for many rows, in proportion to those measured."""
    large, two = results["large"], results["two workers"]
    rows, passes = two["rows"], large["passes"]
    memory = (large["peak MiB of the client"] - two["peak MiB of the client"]) / (
        large["rows"] - rows
    )
    sent = large["bytes written by"]
    through = (sent["client"] + sent["scheduler"]) / large["rows"]
    own = two["processor seconds of client and scheduler"]
    of_workers = two["processor seconds of workers"] / rows * N_ROWS / N_WORKERS
    one_pass = 4 * results["features"] * N_ROWS / N_WORKERS
    return {
        "computing of a worker, minutes": of_workers / 60,
        f"reading of a worker, {passes:.0f} passes, minutes": passes
        * one_pass
        / READ
        / 60,
        "computing of client and scheduler, minutes": own / rows * N_ROWS / 60,
        "sent by client and scheduler, minutes": through * N_ROWS / NETWORK / 60,
        "the same, GB": through * N_ROWS / 1e9,
        "memory of the client, GB": memory * 2**20 * N_ROWS / 1e9,
    }
