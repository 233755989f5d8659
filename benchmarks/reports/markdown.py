# SPDX-License-Identifier: BSD-3-Clause
"""Small pieces of Markdown: tables and numbers."""

import math


def table(header, rows):
    """A pipe table; the first column is text, numbers are to the right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value, digits=3):
    """A number with so many significant digits; a dash for none."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.{digits}g}"


def signed(value, decimals=2):
    """A number with its sign, as for differences."""
    return "-" if not math.isfinite(value) else f"{value:+.{decimals}f}"


def times(value):
    """A ratio."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.0f}"


def provenance_line(provenance):
    """Machine and versions in a sentence."""
    versions = ", ".join(
        f"{name} {version}" for name, version in provenance["versions"].items()
    )
    return f"{provenance['machine']}; Python {provenance['python']}, {versions}."
