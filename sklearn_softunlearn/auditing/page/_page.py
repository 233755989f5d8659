# SPDX-License-Identifier: BSD-3-Clause
"""The sections in their order, as a page or as a part of one."""

from sklearn_softunlearn.auditing.page import _evidence as evidence
from sklearn_softunlearn.auditing.page import _sections as sections
from sklearn_softunlearn.auditing.page._format import count
from sklearn_softunlearn.auditing.page._html import element, paragraph, text
from sklearn_softunlearn.auditing.page._style import DARK, LIGHT, style

# Anchor, heading, and the function that writes it; those that write nothing are left
# out.
_SECTIONS = (
    ("in-short", "In short", sections.summary),
    ("groups", "Group by group", sections.groups),
    ("gaps", "Gaps between groups", sections.gaps),
    ("worse", "What got worse", sections.got_worse),
    ("notes", "Notes", sections.notes),
    ("asked", "Asked, predicted, reached", sections.promise),
    ("tradeoff", "What a smaller gap costs", evidence.tradeoff),
    ("calibration", "Whether scores mean what they say", evidence.calibration),
    ("deletion", "Whose rows were deleted", evidence.deletion),
    ("provenance", "How this was made", evidence.provenance),
    ("terms", "What the terms mean", evidence.glossary),
)


def page(document):
    """A whole HTML document that needs nothing from elsewhere."""
    written = _written(document)
    links = [
        element("li", element("a", text(heading), href=f"#{anchor}"))
        for anchor, heading, _ in written
    ]
    body = element(
        "main",
        _head(document),
        element("nav", element("ul", *links), aria_label="Sections"),
        *(
            element("section", element("h2", text(heading), id=anchor), inside)
            for anchor, heading, inside in written
        ),
        class_="softunlearn-audit",
    )
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(document['title'][:60])}</title>"
        f"<style>{_BACKDROP}{style()}</style>"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n'
        "</html>\n"
    )


def fragment(document):
    """The same without anchors, to stand inside another page, such as a notebook."""
    inside = (
        element("section", element("h2", text(heading)), html)
        for _, heading, html in _written(document)
    )
    return element("style", style()) + element(
        "div", _head(document), *inside, class_="softunlearn-audit"
    )


# Around the column of text, on wide screens and on paper.
_BACKDROP = (
    f"body {{ background: {LIGHT['bg']}; margin: 0; }} @page {{ margin: 15mm; }}"
    "@media screen and (prefers-color-scheme: dark) "
    f"{{ body {{ background: {DARK['bg']}; }} }}"
)


def _written(document):
    found = ((anchor, heading, write(document)) for anchor, heading, write in _SECTIONS)
    return [section for section in found if section[2]]


def _head(document):
    rows = document["rows"]
    who = f"{count(rows['n'])} held-out rows"
    if rows["groups"]:
        each = ", ".join(f"{g['name']} ({count(g['n'])})" for g in rows["groups"])
        who += f", {len(rows['groups'])} groups: {each}"
    if rows["positive_class"] is not None:
        who += ". The positive answer is \N{LEFT DOUBLE QUOTATION MARK}"
        who += f"{rows['positive_class']}\N{RIGHT DOUBLE QUOTATION MARK}"
    models = document["models"]
    return "".join(
        [
            element("h1", text(document["title"])),
            paragraph(f"{who}.", class_="muted"),
            paragraph(
                f"Before: {models['before']['name']}. After: "
                f"{models['after']['name']}. Made {_date(document)}.",
                class_="muted",
            ),
        ]
    )


def _date(document):
    created = document["provenance"]["created"]
    return f"{created[:10]} {created[11:16]} UTC"
