# SPDX-License-Identifier: BSD-3-Clause
"""The result as text or JSON, and the files that may be written."""

import json
import os
from contextlib import suppress
from pathlib import Path

import joblib

from sklearn_softunlearn.cli._audit import shown_lines
from sklearn_softunlearn.cli._models import ENDING
from sklearn_softunlearn.cli._notices import CommandError, notice, one_line

_BY_GROUP = "selection_rate"
_WHEN = ("before", "after")
_OF_JOBLIB = (".joblib", ".pkl", ".pickle")
_OF_PAGES = (".html", ".htm")
_OF_PLOTS = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".eps")


def check_files(options):
    """Refuse names that cannot be written, before minutes are spent on the result.

    And those that would replace the table, the model or another result.
    """
    taken = {name: read for name, read in _read_files(options) if read.exists()}
    for option, endings in (("save", None), ("plot", _OF_PLOTS), ("html", _OF_PAGES)):
        path = getattr(options, option)
        if path is None:
            continue
        try:
            problem = _problem(path, option, endings, taken)
        except (OSError, ValueError) as error:  # a name that no system takes
            problem = one_line(error)
        if problem:
            raise CommandError(f"cannot write {path}: {problem}")
        taken[f"--{option}"] = path


def _read_files(options):
    for name, path in (("--csv", options.table), ("--test", options.test)):
        if path is not None:
            yield name, path
    if str(options.model).endswith(ENDING):
        yield "--model", Path(options.model)


def _problem(path, option, endings, taken):
    """What is wrong with the name of a file that is to be written, or None."""
    with suppress(FileNotFoundError, NotADirectoryError):
        os.lstat(path)  # says what is wrong with a name that no system takes
    if not path.parent.is_dir():
        return f"{path.parent} is not a folder"
    if path.is_dir():
        return "it is a folder"
    if endings and path.suffix.lower() not in endings:
        return f"--{option} takes a name that ends in {', '.join(endings)}"
    same = [name for name, other in taken.items() if other.resolve() == path.resolve()]
    if same:
        return f"it is the file of {same[0]}. Give another name"
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return "permission denied"
    return None


def as_text(result, report):
    """Lay the result and the corrector's own report out for a reader."""
    rows, seconds = result["rows"], result["seconds"]
    mass = result["deleted_mass"]
    lines = [
        f"{result['dataset']}: groups = {result['groups']}, positive class = "
        f"{result['positive_class']}, {rows['training']} training, "
        f"{rows['evaluation']} evaluation, {rows['held_out']} held-out rows",
        _said_of_groups(result),
        f"metric = {result['metric']}, delta = {result['delta']:g}",
        "",
        *_table(result),
        "",
        result["held_out"]["message"],
        "",
        *_group_table(result),
        "",
        f"deleted mass: {mass:.1f} of {rows['training']} training rows "
        f"({mass / rows['training']:.2%}); added: {result['added_mass']:.1f}",
        f"seconds: {seconds['fit']:.3f} for the fit, "
        f"{seconds['correction']:.3f} for the correction",
        "",
        str(report),
    ]
    return "\n".join(lines)


def _said_of_groups(result):
    name = result["groups"]
    if result["groups_are_features"]:
        return f"the model sees {name} and may predict by it (--keep-sensitive)"
    return f"the model does not see {name} (--keep-sensitive would let it)"


def _table(result):
    """Before, after and the change with its interval, a line each."""
    document = result["audit"]
    lines = list(shown_lines(document, result["metric"]))
    width = max(len(name) for name, _ in lines)
    level = f"{document['confidence_level']:.0%} of the change"
    heads = f"{'before':>10}{'after':>10}{'change':>10}{level:>22}"
    yield f"{'on held-out rows':<{width}}{heads}"
    for name, measured in lines:
        before, after, moved = (measured[k] for k in ("before", "after", "change"))
        interval = f"{_number(moved['low'], '+')} to {_number(moved['high'], '+')}"
        yield (
            f"{name:<{width}}{_number(before['value']):>10}"
            f"{_number(after['value']):>10}{_number(moved['value'], '+'):>10}"
            f"{interval:>22}"
        )


def _group_table(result):
    """Sizes of each group, and its selection rates with their intervals."""
    document, sizes = result["audit"], result["rows_by_group"]
    rates = {m["group"]: m for m in document["by_group"] if m["name"] == _BY_GROUP}
    width = max(len("selection rate of"), *(len(name) for name in rates))
    parts = "".join(f"{name.replace('_', '-'):>12}" for name in sizes)
    yield f"{'selection rate of':<{width}}{'before':>26}{'after':>26}{parts}"
    for group, measured in rates.items():
        ends = "".join(f"{_interval(measured[when]):>26}" for when in _WHEN)
        counts = "".join(f"{of.get(group, 0):>12}" for of in sizes.values())
        yield f"{group:<{width}}{ends}{counts}"


def _interval(measured):
    value, low, high = (_number(measured[end]) for end in ("value", "low", "high"))
    return value if measured["low"] is None else f"{value} ({low} to {high})"


def _number(value, sign=""):
    return "undefined" if value is None else f"{value:{sign}.4f}"


def as_json(result):
    """Serialise the result."""
    return json.dumps(result, indent=2)


def save_page(audit, path):
    """Write the audit as a page."""
    try:
        audit.to_html(path)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {one_line(error)}") from error


def save_model(model, path):
    """Write a model with skops; with joblib if the name says so or skops is missing."""
    dump = joblib.dump
    if path.suffix not in _OF_JOBLIB:
        try:
            from skops.io import dump
        except ImportError:
            notice(f"skops is not installed: {path} is written with joblib")
    try:
        dump(model, path)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {one_line(error)}") from error
