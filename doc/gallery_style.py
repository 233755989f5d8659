# SPDX-License-Identifier: BSD-3-Clause
"""How the figures of the gallery look: legible on light and on dark pages."""

import matplotlib
from cycler import cycler

# Text and lines of one grey, which differs from white and from the theme's near-black
# by about the same ratio; colours of the same middle lightness.
GREY = "#7d7d7d"
COLOURS = ["#2b7bba", "#d9730d", "#8e5fc7", "#2e9b57", "#d1495b", "#1a9ba1"]

STYLE = {
    "savefig.transparent": True,
    "figure.figsize": (6.4, 4.0),
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "legend.frameon": False,
} | {
    name: GREY
    for name in (
        "text.color",
        "axes.edgecolor",
        "axes.labelcolor",
        "axes.titlecolor",
        "xtick.color",
        "ytick.color",
    )
}


def set_style(gallery_conf=None, fname=None, when="before"):
    """Reset matplotlib before each example; the signature is sphinx-gallery's."""
    matplotlib.rcdefaults()
    matplotlib.use("agg")
    matplotlib.rcParams.update(STYLE)
