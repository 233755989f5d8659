# SPDX-License-Identifier: BSD-3-Clause
"""The page as validators and screen readers see it: strictly parsed, then asked.

The rules are those of axe-core that can be asked of a page without drawing it.
`test_page` computes the contrast of the colours.
"""

import re
from itertools import pairwise

import html5lib
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from sklearn_softunlearn import SoftUnlearnCorrector, SoftUnlearnCorrectorCV, audit
from sklearn_softunlearn.datasets import make_biased_classification

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Of what HTML lets stand inside another element, what the page could get wrong.
FORBIDDEN = {
    "p": {"p", "div", "ul", "table", "figure", "details"},
    "a": {"a"},
    "ul": {"p", "div"},
    "dl": {"p", "ul"},
    "small": {"p", "div", "ul"},
}


def _of_labels():
    X, y, group = make_biased_classification(900, random_state=0)
    search = SoftUnlearnCorrectorCV(LogisticRegression(), deltas=[0, 0.3, 0.6], cv=3)
    search.fit(X[:500], y[:500], sensitive_features=group[:500])
    return audit(
        search, X[500:], y[500:], sensitive_features=group[500:],
        X_train=X[:500], y_train=y[:500], sensitive_features_train=group[:500],
        n_bootstrap=50,
    )  # fmt: skip


def _of_a_pair():
    X, y, group = make_biased_classification(600, random_state=0)
    before, after = (LogisticRegression(C=c).fit(X, y) for c in (1.0, 1e-3))
    return audit((before, after), X, y, sensitive_features=group, n_bootstrap=0)


def _of_numbers():
    X, y, group = make_biased_classification(600, random_state=0)
    corrector = SoftUnlearnCorrector(
        LinearRegression(), metric="mean_prediction_difference", delta=0.5
    ).fit(X, X[:, 0] + y, sensitive_features=group)
    return audit(
        corrector, X, X[:, 0] + y, sensitive_features=group, n_bootstrap=50
    )  # fmt: skip


@pytest.fixture(scope="module", params=[_of_labels, _of_a_pair, _of_numbers])
def html(request):
    return request.param().to_html()


@pytest.fixture(scope="module")
def tree(html):
    # An error is raised for all that the standard calls one.
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(html)


def _words(element):
    return "".join(element.itertext()).strip()


def _named(tree, *names):
    """In the order of the page, also those in a namespace of their own."""
    return [e for e in tree.iter() if str(e.tag).rpartition("}")[2] in names]


def test_it_is_html_as_the_standard_has_it(html, tree):
    assert html.startswith("<!DOCTYPE html>")
    assert tree.get("lang") == "en"
    for parent, inside in FORBIDDEN.items():
        for element in _named(tree, parent):
            found = {child.tag for child in element.iter()} - {parent}
            assert not found & inside, (parent, found & inside)
    for parent in _named(tree, "ul"):
        assert {child.tag for child in parent} == {"li"}


def test_no_id_is_used_twice_and_every_target_is_there(tree):
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "aria-describedby", "for"):
        assert {e.get(name) for e in tree.iter() if e.get(name)} <= set(ids)
    links = _named(tree, "a")
    assert links and all(link.get("href")[1:] in ids for link in links)
    assert all(_words(link) for link in links)


def test_one_title_one_first_heading_and_none_left_out(tree):
    assert [bool(_words(e)) for e in _named(tree, "title")] == [True]
    headings = _named(tree, *HEADINGS)
    levels = [HEADINGS.index(e.tag) for e in headings]
    assert levels[0] == 0 and levels.count(0) == 1
    assert all(lower <= upper + 1 for upper, lower in pairwise(levels))
    assert all(map(_words, headings))


def test_landmarks_hold_the_page(tree):
    assert len(_named(tree, "main")) == 1
    for nav in _named(tree, "nav"):
        assert nav.get("aria-label")
    [viewport] = [e for e in _named(tree, "meta") if e.get("name") == "viewport"]
    # Whoever needs larger letters may have them.
    assert not re.search("user-scalable|maximum-scale", viewport.get("content"))


def test_what_is_drawn_is_said(tree):
    drawings = _named(tree, "svg", "img")
    assert len(drawings) >= 3
    for drawing in drawings:
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label", "").strip()


def test_tables_say_what_their_cells_are(tree):
    tables = _named(tree, "table")
    assert len(tables) >= 3
    for table in tables:
        assert _words(_named(table, "caption")[0])
        for cell in _named(table, "th"):
            assert cell.get("scope") in ("col", "row", "rowgroup") and _words(cell)
        [header] = _named(table, "thead")
        n_columns = len(_named(header, "th"))
        for row in _named(table, "tr"):
            cells = _named(row, "th", "td")
            assert sum(int(c.get("colspan", 1)) for c in cells) == n_columns
            assert cells[0].tag == "th"


def test_what_scrolls_can_be_reached_with_the_keyboard(tree):
    for element in tree.iter():
        if "scroll" in (element.get("class") or "").split():
            assert element.get("tabindex") == "0"
        # The order of the keyboard is that of the page.
        assert element.get("tabindex") in (None, "0")
    assert all(_words(_named(e, "summary")[0]) for e in _named(tree, "details"))
