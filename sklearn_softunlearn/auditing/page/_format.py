# SPDX-License-Identifier: BSD-3-Clause
"""Numbers as people read them: shares in per cent, their differences in points."""

from sklearn_softunlearn.auditing.page._html import element, text

_SHARES = (
    "selection_rate",
    "demographic_parity",
    "equalized_odds",
    "equal_opportunity",
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
    "accuracy",
    "balanced_accuracy",
    "zero_one_loss",
    "precision",
    "recall",
    "mean_score",
)
_MINUS = "\N{MINUS SIGN}"
_EMPTY = "\N{EN DASH}"
_SPACE = "\N{NO-BREAK SPACE}"
# In a narrow column "points" may stand on a line of its own.
_PERCENT, _POINTS = f"{_SPACE}%", " points"


def is_share(name):
    """Whether a quantity or metric is a share of rows, or a difference of shares."""
    return name.startswith(_SHARES) and not _ends(name, "_ratio")


def number(value, name=""):
    """A value in the words of its kind; a dash where there is none."""
    if value is None:
        return _EMPTY
    if not is_share(name):
        return _plain(value).replace("-", _MINUS)
    unit = _POINTS if _ends(name, "_difference") else _PERCENT
    return f"{100 * value:.1f}{unit}".replace("-", _MINUS)


def tick(value, name=""):
    """A round value on an axis."""
    if not is_share(name):
        return f"{value:.4g}".replace("-", _MINUS)
    return f"{100 * value:.4g}{_PERCENT}".replace("-", _MINUS)


def change(value, name=""):
    """A change with its sign; of shares in points."""
    if value is None:
        return _EMPTY
    if value == 0:
        return "0"
    if not is_share(name):
        thousands = abs(value) >= 1000
        shown = _grouped(f"{value:+,.0f}") if thousands else f"{value:+.3g}"
        return shown.replace("-", _MINUS)
    points = f"{100 * value:+.1f}"
    if not float(points):
        points = "0.0"  # a sign would say more than the digits do
    return f"{points}{_POINTS}".replace("-", _MINUS)


def share(value):
    """A share in per cent."""
    return number(value, "selection_rate")


def count(value):
    """A number of rows."""
    if value is None:
        return _EMPTY
    return _grouped(f"{value:,.0f}")


def span(estimate, name="", shown=number):
    """The interval of an estimate as "low to high"; "" where there is none."""
    if estimate["low"] is None or estimate["high"] is None:
        return ""
    low, high = (shown(estimate[end], name) for end in ("low", "high"))
    for unit in (_PERCENT, _POINTS):
        low, high = low.removesuffix(unit), high.removesuffix(unit)
    return f"{low} to {high}"


def cell(estimate, name="", shown=number):
    """HTML of an estimate with its interval below."""
    interval = span(estimate, name, shown)
    below = element("small", text(interval)) if interval else ""
    return text(shown(estimate["value"], name)) + below


def _grouped(digits):
    return digits.replace(",", "\N{NARROW NO-BREAK SPACE}")


def _plain(value):
    """Three digits or so, and all of a number of thousands."""
    size = abs(value)
    if size >= 1000:
        return count(value)
    if 0 < size < 0.1:
        return f"{value:.3g}"
    decimals = 3 if size < 10 else 2 if size < 100 else 1
    return f"{value:.{decimals}f}"


def _ends(name, suffix):
    return name.partition("(")[0].endswith(suffix)
