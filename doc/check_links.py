# SPDX-License-Identifier: BSD-3-Clause
"""Check the built pages: local links, anchors within them, and images.

Run ``python doc/check_links.py doc/_build/html`` after Sphinx, which warns of its own
references but knows nothing of raw links, anchors and pictures. Links to other servers
are not followed.
"""

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """Where a page leads, and which anchors it has."""

    def __init__(self):
        super().__init__()
        self.targets, self.anchors = [], {""}

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors.update(found[key] for key in ("id", "name") if found.get(key))
        self.targets += [found[key] for key in ("href", "src") if found.get(key)]


@cache
def read(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def broken(path, target):
    """What is wrong with a link of the page at this path, or None."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    file = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    if file.is_dir():
        file = file / "index.html"
    if not file.exists():
        return f"{target}: no such file"
    if file.suffix == ".html" and unquote(parts.fragment) not in read(file).anchors:
        return f"{target}: no such anchor"
    return None


def main(folder):
    pages = sorted(Path(folder).resolve().rglob("*.html"))
    problems = [
        f"{path.name}: {problem}"
        for path in pages
        # Source pages link to names by the module that defines them.
        if not {"_static", "_modules"} & set(path.parts)
        for target in read(path).targets
        if (problem := broken(path, target))
    ]
    print("\n".join(problems) or f"{len(pages)} pages, all local links lead somewhere")
    return bool(problems) or not pages


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
