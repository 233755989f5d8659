# SPDX-License-Identifier: BSD-3-Clause
"""The result as text or JSON, and the files that may be written."""

import json

import joblib

from sklearn_softunlearn.cli._audit import flatten
from sklearn_softunlearn.cli._notices import CommandError, notice, one_line

_OF_JOBLIB = (".joblib", ".pkl", ".pickle")


def as_text(result, report):
    """Lay the result and the corrector's own report out for a reader."""
    rows, seconds = result["rows"], result["seconds"]
    mass = result["deleted_mass"]
    before, after = (dict(flatten(result[key])) for key in ("before", "after"))
    width = max(map(len, before))
    lines = [
        f"{result['dataset']}: groups = {result['groups']}, positive class = "
        f"{result['positive_class']}, {rows['training']} training, "
        f"{rows['evaluation']} evaluation, {rows['held_out']} held-out rows",
        f"metric = {result['metric']}, delta = {result['delta']:g}",
        "",
        f"{'on held-out rows':<{width}}{'before':>10}{'after':>10}{'change':>10}",
    ]
    lines += [
        f"{name:<{width}}{value:>10.4f}{after[name]:>10.4f}"
        f"{after[name] - value:>+10.4f}"
        for name, value in before.items()
    ]
    lines += [
        "",
        f"deleted mass: {mass:.1f} of {rows['training']} training rows "
        f"({mass / rows['training']:.2%})",
        f"seconds: {seconds['fit']:.3f} for the fit, "
        f"{seconds['correction']:.3f} for the correction",
        "",
        str(report),
    ]
    return "\n".join(lines)


def as_json(result):
    """Serialise the result."""
    return json.dumps(result, indent=2)


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
