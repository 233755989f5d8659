# SPDX-License-Identifier: BSD-3-Clause
"""What pictures of the gallery say to those who do not see them.

Sphinx-Gallery names a figure without a title after its file, and thumbnails not at
all. A figure is described by the heading and the paragraph above it, a thumbnail by the
title of its example.
"""

import re

from docutils import nodes

_THUMBNAIL = re.compile(r"images/thumb/sphx_glr_(.+)_thumb\.\w+$")
_OF_A_FILE = re.compile(r"^plot \d")


def _title_of(app, example):
    script = app.srcdir / "gallery" / f"{example}.py"
    if not script.exists():
        return ""
    lines = script.read_text(encoding="utf-8").split('"""', 1)[1].strip().splitlines()
    return lines[0].strip()


def _surroundings(image):
    """Heading of the section of a figure, and the last paragraph before it."""
    section = image.parent
    while section is not None and not isinstance(section, nodes.section):
        section = section.parent
    if section is None:
        return ""
    above = []
    for node in section.findall():
        if node is image:
            break
        if isinstance(node, nodes.title | nodes.paragraph):
            above.append(node.astext().replace("\n", " "))
    return ". ".join(dict.fromkeys([above[0], above[-1]])) if above else ""


def describe(app, doctree):
    """Give every picture of the gallery its alternative text."""
    for image in doctree.findall(nodes.image):
        thumbnail = _THUMBNAIL.search(image["uri"])
        if thumbnail:
            image["alt"] = _title_of(app, thumbnail[1])
        elif not image.get("alt") or _OF_A_FILE.match(image["alt"]):
            image["alt"] = _surroundings(image) or image.get("alt", "")
    for figure in doctree.findall(lambda node: hasattr(node, "get")):
        # Sphinx-Gallery's own node of a figure with several resolutions
        if type(figure).__name__ == "imgsgnode":
            alt = figure.get("alt") or ""
            if not alt or _OF_A_FILE.match(alt):
                figure["alt"] = _surroundings(figure) or alt


def setup(app):
    """Sphinx extension."""
    app.connect("doctree-read", describe)
    return {"parallel_read_safe": True}
