# SPDX-License-Identifier: BSD-3-Clause
"""The section on what influences and corrections of text models cost."""

from benchmarks.reports.markdown import provenance_line, table

TEXT = """\
A BERT of random configuration on {rows} rows of 64 tokens. The unit is one epoch of
training all parameters with the same batches. "-": not done within the limit of a
case, 45 seconds up to p = 1e5 and 60 above. Conjugate gradients over all parameters,
or over the factors of LoRA, did not end in it at any size but one."""
_EPOCHS = ("influences, epochs", "correction, epochs")


def section(results):
    """Table of epochs and memory, cases by number of parameters."""
    figures = results["figures"]
    heads = ["p", "corrected", "which", "influences", "correction", "memory, MiB"]
    lines = [
        [
            f"{line['p']:.0e}",
            f"{line['corrected']}" if "corrected" in line else "-",
            line["case"],
            *(f"{line[name]:.1f}" if name in line else "-" for name in _EPOCHS),
            _memory(line),
        ]
        for line in figures
    ]
    rows = f"{figures[0]['n']:.0e}"
    return "\n\n".join(
        [
            "## What text models cost",
            TEXT.format(rows=rows),
            table(heads, lines),
            f"Measured on: {provenance_line(results['provenance'])}",
        ]
    )


def _memory(line):
    found = [line[name] for name in line if name.endswith("MiB")]
    return f"{max(found):.0f}" if found else "-"
