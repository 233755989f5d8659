# SPDX-License-Identifier: BSD-3-Clause
"""Numbers as people write them: 1.5 and 1,5, 1,234 and 1.234, 12 %, $5.

Taken for text, such columns would become categories, each value one of its own, and
nobody would be told. What is not a plain number is read and said; what may mean two
numbers is refused by name.
"""

import re
from dataclasses import dataclass

import pandas as pd

from sklearn_softunlearn.cli._notices import CommandError, notice

# Apostrophes, the low line and spaces may group thousands in either spelling.
_GROUPERS = "'\u2019_\u0020\u00a0\u2009\u202f"
_UNIT = "%|[$€£¥₹]|USD|EUR|GBP|CHF|JPY|CAD|AUD|INR|CNY"
_CELL = re.compile(rf"([+-]?)\s*({_UNIT})?\s*(.*?)\s*({_UNIT})?", re.DOTALL)
_BOOLEANS = {"true": True, "false": False}
_PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# What stands for a missing number among numbers, in lower case. Among categories,
# groups and labels these are values as any other.
_MARKERS = frozenset(
    {"na", "n/a", "#n/a", "#na", "<na>", "n.a.", "nan", "-nan", "null", "nil", "none"}
    | {"missing", "unknown", "-", "--", "?", "."}
)
_MANY = 20  # numbers of a column, above which text among them is remarkable


def _pattern(thousands, decimal):
    grouped = rf"[1-9]\d{{0,2}}([{thousands}{_GROUPERS}])\d{{3}}(?:\1\d{{3}})*"
    number = rf"(?:{grouped}|\d+)(?:{decimal}\d*)?|{decimal}\d+"
    return re.compile(rf"[+-]?(?:(?:{number})(?:e[+-]?\d+)?|inf(?:inity)?)", re.I)


# By the character before the fraction; the other one may group thousands.
_PATTERNS = {".": _pattern(",", r"\."), ",": _pattern(r"\.", ",")}
_GROUPING = {
    decimal: str.maketrans("", "", f"{thousands}{_GROUPERS}")
    for decimal, thousands in ((".", ","), (",", "."))
}


def _value(body, decimal):
    """The number that a text says, or None if it says none in this spelling."""
    if not _PATTERNS[decimal].fullmatch(body):
        return None
    return float(body.translate(_GROUPING[decimal]).replace(decimal, "."))


@dataclass(frozen=True)
class _Spelling:
    """How the cells of a column of text may be read as numbers.

    Attributes
    ----------
    name : str
    values : dict of str to dict
        For each decimal character with which every cell is a number or a marker: the
        number of each cell. Both, where both give the same numbers or may be meant.
    units : set of str
        Percent and currency signs, "" for none.
    markers : set of str
        Cells that stand for a missing number.
    text : list of str
        Cells that are no number, where most are.
    """

    name: str
    values: dict
    units: set
    markers: set
    text: list

    @property
    def decimal(self):
        """The only decimal character that is possible; None of none or of both."""
        return next(iter(self.values)) if len(self.values) == 1 else None

    @property
    def ambiguous(self):
        """Whether two spellings give different numbers."""
        return len(self.values) == 2 and self.values["."] != self.values[","]


def _spelling(name, cells):
    """Spelling of a column with these distinct cells."""
    said = {cell: cell.replace("\N{MINUS SIGN}", "-").strip() for cell in cells}
    markers = {cell for cell, text in said.items() if text.lower() in _MARKERS}
    parts = {c: _CELL.fullmatch(t) for c, t in said.items() if c not in markers}
    read = {
        decimal: {c: _value(p[1] + p[3], decimal) for c, p in parts.items()}
        for decimal in _PATTERNS
    }
    whole = {d: v for d, v in read.items() if v and None not in v.values()}
    best = max(read.values(), key=lambda v: sum(x is not None for x in v.values()))
    text = [cell for cell, value in best.items() if value is None]
    if len(parts) - len(text) < max(len(text), _MANY):
        text = []  # categories, of which some are called by a number
    units = {p[2] or p[4] or "" for p in parts.values()}
    return _Spelling(name, whole, units, markers, text)


def _decided(spelling, decimals, separator):
    """Decimal character of a column, by those of the other columns if need be."""
    if not spelling.ambiguous:
        return next(iter(spelling.values))
    if len(decimals) == 1:
        return next(iter(decimals))
    point, comma = spelling.values["."], spelling.values[","]
    shown = next(cell for cell in point if point[cell] != comma[cell])
    if not decimals and "." in shown:
        return "."  # what a CSV file means, unless it says otherwise
    if not decimals and separator == ",":
        return "."  # commas in a file whose cells are separated by commas
    raise CommandError(
        f"column {spelling.name!r}: {shown!r} may be {point[shown]:g} or "
        f"{comma[shown]:g}, and other columns do not tell. Write its numbers without "
        "separators of thousands, and with a decimal point"
    )


def _check_units(spelling):
    if len(spelling.units) > 1:
        units = ", ".join(sorted(unit or "none" for unit in spelling.units))
        raise CommandError(
            f"column {spelling.name!r}: its numbers have different units ({units}). "
            "Write all of them in one"
        )


def _is_plain(spelling, decimal):
    """Whether the numbers are written as Python would write them."""
    if decimal != "." or spelling.units != {""} or spelling.markers:
        return False
    return not any(re.search(rf"[,{_GROUPERS}]", c) for c in spelling.values["."])


def _converted(column, spelling, decimal):
    """A column of text as float64."""
    scale = 0.01 if spelling.units == {"%"} else 1.0
    numbers = {c: v * scale for c, v in spelling.values[decimal].items()}
    return column.map(numbers).astype(float)


def _true_as_one(column):
    """True and False as numbers, as pandas reads them; other columns as given."""
    distinct = {str(cell).lower() for cell in column.dropna().unique()}
    if not distinct or not distinct <= set(_BOOLEANS):
        return column
    return column.str.lower().map(_BOOLEANS).astype(float)


def _say(names, what):
    if names:
        shown = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
        notice(f"column{'s' if len(names) > 1 else ''} {shown}: {what}")


def _say_all(read):
    """Say what was read in another way than it is written."""
    of = [(s.name, s, d) for s, d in read if not _is_plain(s, d)]
    _say([n for n, _, d in of if d == ","], "numbers with a decimal comma")
    grouped = [n for n, s, d in of if d == "." and any("," in c for c in s.values[d])]
    _say(grouped, "commas in numbers are taken to group thousands")
    _say([n for n, s, _ in of if s.units == {"%"}], "12% is read as 0.12")
    currency = [n for n, s, _ in of if not s.units <= {"%", ""}]
    _say(currency, "currency signs are left out")
    for name, spelling, _ in of:
        if spelling.markers:
            marks = ", ".join(map(repr, sorted(spelling.markers)))
            _say([name], f"{marks} among numbers is taken as missing")


def plain_values(column):
    """Labels as they are written: as numbers or bool where all are, else as str.

    Parameters
    ----------
    column : Series of str, without missing values
    """
    if column.str.fullmatch(_PLAIN).all():
        return pd.to_numeric(column)
    booleans = column.str.lower().map(_BOOLEANS)
    return column if booleans.isna().any() else booleans.astype(bool)


def read_numbers(frame, separator):
    """Columns of text as float64 where their cells are numbers, the others as given.

    Parameters
    ----------
    frame : DataFrame of str, missing values as NaN
    separator : str
        Between the cells of the file.

    Returns
    -------
    DataFrame

    Raises
    ------
    CommandError
        If the numbers of a column may mean two things.
    """
    frame = frame.apply(_true_as_one)
    texts = [name for name in frame if not pd.api.types.is_float_dtype(frame[name])]
    spellings = [_spelling(name, frame[name].dropna().unique()) for name in texts]
    decimals = {s.decimal for s in spellings if s.decimal}
    read, columns = [], {name: frame[name] for name in frame}
    for spelling in spellings:
        column = frame[spelling.name]
        if spelling.values:
            _check_units(spelling)
            decimal = _decided(spelling, decimals, separator)
            read.append((spelling, decimal))
            column = _converted(column, spelling, decimal)
        elif spelling.text:
            shown = ", ".join(map(repr, spelling.text[:3]))
            _say([spelling.name], f"taken as categories, since {shown} is no number")
        columns[spelling.name] = column
    _say_all(read)
    return pd.DataFrame(columns, index=frame.index)
