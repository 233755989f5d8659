# SPDX-License-Identifier: BSD-3-Clause
"""How the figures of the gallery look: legible on light and on dark pages."""

import matplotlib
from cycler import cycler

# Dark ink, which the style sheet turns light on a dark page; it keeps the hues. No grey
# has a contrast of 4.5 with white and with the theme's near-black alike.
GREY = "#4a4a4a"
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
