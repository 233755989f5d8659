# SPDX-License-Identifier: BSD-3-Clause
"""A few elements of HTML. Attributes and texts are escaped here and nowhere else."""

from html import escape


def text(value):
    """Text of any value, escaped, also for an attribute."""
    return escape(str(value), quote=True)


def element(name, *inside, **attributes):
    """An element around HTML; attributes are escaped, ``class_`` is ``class``."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(inside)}</{name}>"


def paragraph(words, **attributes):
    """A paragraph of plain text."""
    return element("p", text(words), **attributes)


def items(texts, **attributes):
    """A list of plain texts."""
    return element("ul", *(element("li", text(t)) for t in texts), **attributes)


def table(caption, header, bodies):
    """A table whose first column names the rows.

    Parameters
    ----------
    caption : str
    header : sequence of str
    bodies : sequence of (str or None, rows)
        Rows under a heading of their own, or without one; a row is a sequence of HTML
        cells.
    """
    head = element("tr", *(element("th", text(h), scope="col") for h in header))
    inside = [
        element("caption", text(caption)),
        element("thead", head),
        *(_body(heading, rows, len(header)) for heading, rows in bodies),
    ]
    return element("div", element("table", *inside), class_="scroll", tabindex="0")


def _body(heading, rows, n_columns):
    lines = []
    if heading is not None:
        cell = element("th", heading, colspan=n_columns, scope="rowgroup")
        lines.append(element("tr", cell, class_="heading"))
    for first, *others in rows:
        cells = [element("th", first, scope="row")]
        cells += [element("td", cell) for cell in others]
        lines.append(element("tr", *cells))
    return element("tbody", *lines)


def details(summary, *inside):
    """What is shown on demand, and on paper."""
    return element("details", element("summary", text(summary)), *inside)


def figure(drawing, caption, *, above=False):
    """A drawing with its caption."""
    words = element("figcaption", text(caption))
    return element("figure", *([words, drawing] if above else [drawing, words]))
