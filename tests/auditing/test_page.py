# SPDX-License-Identifier: BSD-3-Clause
"""The page: safe, whole, self-contained and readable."""

import re
from html.parser import HTMLParser
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import SoftUnlearnCorrectorCV, audit
from sklearn_softunlearn.auditing.page._draw import axis
from sklearn_softunlearn.auditing.page._format import change, count, number, span
from sklearn_softunlearn.auditing.page._style import DARK, LIGHT, style
from sklearn_softunlearn.auditing.page._words import driver
from sklearn_softunlearn.datasets import make_biased_classification

EVIL = "<script>alert('x')</script>"
WORSE = '"><img src=x onerror=alert(1)>&'
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Elements(HTMLParser):
    """Every element with its attributes, and the text; balanced, or an error."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open, self.words = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len({name for name, _ in attrs})
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def named(self, tag):
        return [attrs for name, attrs in self.found if name == tag]

    @property
    def text(self):
        return " ".join(self.words)


@pytest.fixture(scope="module")
def done():
    """An audit of data whose every name tries to be more than a name."""
    X, y, codes = make_biased_classification(1200, random_state=0)
    X = pd.DataFrame(X, index=[f"{EVIL}{i}" for i in range(len(y))])
    X.columns = [f"{WORSE}{j}" for j in range(X.shape[1])]
    labels, group = np.array(["no", EVIL])[y], np.array([EVIL, WORSE])[codes]
    search = SoftUnlearnCorrectorCV(LogisticRegression(), deltas=[0, 0.3, 0.6], cv=3)
    search.fit(X[:700], labels[:700], sensitive_features=group[:700])
    return audit(
        search, X[700:], labels[700:], sensitive_features=group[700:],
        X_train=X[:700], y_train=labels[:700], sensitive_features_train=group[:700],
        title=f"Audit {EVIL}", n_bootstrap=50,
    )  # fmt: skip


@pytest.fixture(scope="module")
def elements(done):
    return Elements(done.to_html())


def test_what_comes_from_the_data_is_text_and_nothing_else(done, elements):
    for parsed in (elements, Elements(done._repr_html_())):
        assert parsed.named("script") == [] and parsed.named("img") == []
        attributes = {name for _, attrs in parsed.found for name in attrs}
        assert not {name for name in attributes if name.startswith("on")}
        # shown as it is written: group, label, index, feature and title
        for shown in (EVIL, WORSE, f"{EVIL}1", f"{WORSE}3", f"Audit {EVIL}"):
            assert shown in parsed.text


def test_the_page_needs_nothing_from_elsewhere(done, elements):
    attributes = [pair for _, attrs in elements.found for pair in attrs.items()]
    assert not [v for k, v in attributes if k in ("src", "srcset", "xlink:href")]
    assert all(v.startswith("#") for k, v in attributes if k == "href")
    assert "url(" not in style() and "@import" not in style()
    assert elements.named("link") == elements.named("iframe") == []


def test_every_link_leads_somewhere_and_no_name_is_used_twice(elements):
    ids = [attrs["id"] for _, attrs in elements.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [a["href"][1:] for a in elements.named("a")] == ids


def test_a_page_says_its_language_its_title_and_how_wide_it_is(elements):
    assert elements.named("html") == [{"lang": "en"}]
    assert len(elements.named("title")) == len(elements.named("h1")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in (
        elements.named("meta")
    )


def test_every_drawing_says_in_words_what_it_shows(elements):
    drawings = elements.named("svg")
    assert len(drawings) == 5  # groups, curve, two of calibration, mass
    for attrs in drawings:
        assert attrs["role"] == "img" and len(attrs["aria-label"]) > 40


def test_every_table_has_a_caption_and_headers_with_a_scope(elements):
    tables = elements.named("table")
    assert len(elements.named("caption")) == len(tables) > 5
    assert all(attrs["scope"] in ("col", "row", "rowgroup")
               for attrs in elements.named("th"))  # fmt: skip


def test_places_in_drawings_are_numbers_inside_the_frame(elements):
    frame = None
    for tag, attrs in elements.found:
        if tag == "svg":
            frame = [float(v) for v in attrs["viewbox"].split()][2:]
        for key, size in (("cx", 0), ("x1", 0), ("x2", 0), ("cy", 1), ("y1", 1)):
            if tag in ("circle", "line") and key in attrs:
                assert 0 <= float(attrs[key]) <= frame[size]


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


def contrast(first, second):
    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_can_be_read(colors):
    for name, background in product(("fg", "muted", "bad", "link"), ("bg", "card")):
        assert contrast(colors[name], colors[background]) >= 4.5, (name, background)
    for name in ("before", "after"):
        assert contrast(colors[name], colors["bg"]) >= 3.0, name


def test_both_schemes_define_every_colour_that_is_used():
    used = set(re.findall(r"var\(--([a-z]+)\)", style()))
    assert used == set(LIGHT) == set(DARK)


def test_every_rule_stays_inside_the_audit():
    rules = re.sub(r"@[a-z-]+[^{]*\{", "{", style())
    selectors = [
        part.strip()
        for rule in re.findall(r"([^{}]+)\{", rules)
        for part in rule.split(",")
        if part.strip()
    ]
    assert len(selectors) > 40
    assert all(s.startswith(".softunlearn-audit") for s in selectors)


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(1e-6, 1e6, allow_nan=False),
    st.integers(2, 6),
)
def test_an_axis_has_a_few_round_numbers_around_the_values(low, extent, n_ticks):
    high = low + extent
    ticks = axis(low, high, n_ticks)
    slack = 1e-6 * (ticks[-1] - ticks[0]) + 1e-9 * abs(low)
    assert ticks[0] <= low + slack and ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= n_ticks + 3
    assert ticks == sorted(set(ticks))


def test_an_axis_of_one_value_has_room():
    ticks = axis(0.3, 0.3)
    assert ticks[0] < 0.3 < ticks[-1]


def test_numbers_as_people_read_them():
    rate, gap, loss = "selection_rate", "demographic_parity_difference", "log_loss"
    assert number(0.1234, rate) == "12.3\xa0%"
    assert number(0.1234, gap) == "12.3 points"
    assert number(0.1234, "demographic_parity_ratio") == "0.123"
    assert number(-0.51164, loss) == "\N{MINUS SIGN}0.512"
    shown = [number(v, loss) for v in (0, 0.00123, 9.5, 12.34, 123.4, 1234.5)]
    assert shown == ["0.000", "0.00123", "9.500", "12.34", "123.4",
                     "1\N{NARROW NO-BREAK SPACE}234"]  # fmt: skip
    assert change(-0.05, rate) == "\N{MINUS SIGN}5.0 points"
    assert change(-0.0001, rate) == "0.0 points"
    assert change(1.5, loss) == "+1.5"
    assert change(-12345.6, "mean_squared_error") == (
        "\N{MINUS SIGN}12\N{NARROW NO-BREAK SPACE}346"
    )
    assert change(0.0, rate) == "0" and number(None, rate) == "\N{EN DASH}"
    assert span({"low": 0.1, "high": 0.2}, rate) == "10.0 to 20.0"
    assert span({"low": None, "high": None}, rate) == ""
    assert count(12345.4) == "12\N{NARROW NO-BREAK SPACE}345"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a - b", "a \N{MINUS SIGN} b"),
        ("a | b - c", "a | b \N{MINUS SIGN} c"),
        ("1 - a | b / c", "a | b / c"),
        (
            "a | b - c | false_positive_rate high",
            "a | b \N{MINUS SIGN} c, false positive rate high",
        ),
    ],
)
def test_groups_of_a_gap_keep_their_names(name, words):
    assert driver(name) == words


def test_the_page_is_written_to_a_file_in_utf_8(done, tmp_path):
    path = tmp_path / "audit.html"
    assert done.to_html(path) == path.read_text(encoding="utf-8")


def test_a_summary_in_plain_words(done):
    text = str(done)
    assert text.startswith(f"Audit {EVIL}\n- Demographic parity difference: ")
    assert "of the way to parity" in text and "training rows" in text
