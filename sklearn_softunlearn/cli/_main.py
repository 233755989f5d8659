# SPDX-License-Identifier: BSD-3-Clause
"""The command: load, look, encode, fit, correct, audit, print, in this order."""

from dataclasses import replace

from sklearn.pipeline import make_pipeline

from sklearn_softunlearn.cli._arguments import parse_arguments
from sklearn_softunlearn.cli._audit import audit_parts, values
from sklearn_softunlearn.cli._columns import remarks
from sklearn_softunlearn.cli._curve import save_curve
from sklearn_softunlearn.cli._model import (
    correct_model,
    correct_path,
    fitted_model,
)
from sklearn_softunlearn.cli._notices import (
    CommandError,
    notice,
    values_are_the_users,
    warnings_as_notices,
)
from sklearn_softunlearn.cli._output import (
    as_json,
    as_text,
    check_files,
    save_model,
    save_page,
)
from sklearn_softunlearn.cli._remedies import in_options
from sklearn_softunlearn.cli._require import (
    correct_as_required,
    sentence,
    with_evaluation,
)
from sklearn_softunlearn.cli._sources import load_table, load_test
from sklearn_softunlearn.cli._table import split
from sklearn_softunlearn.cli._verdict import verdict

# The first number rises when keys change their meaning or are gone, the second when
# keys are added; doc/howto/command_line.md documents them.
SCHEMA = {"name": "sklearn_softunlearn.cli", "version": "1.2"}
# Parameters of the corrector that are its own unless an option names them.
_OF_THE_CORRECTOR = ("utility_tol", "weighting", "update")
_PARTS = ("training", "evaluation", "held_out")


def _rows(parts):
    """How many rows each part has, of all groups and of each."""
    named = dict(zip(_PARTS, parts, strict=True))
    return {
        "rows": {name: len(part.y) for name, part in named.items()},
        "rows_by_group": {name: part.group_sizes() for name, part in named.items()},
    }


def _result(options, parts, corrector, document, **found):
    """Everything that is printed, as numbers and strings only."""
    train, report = parts[0], found["report"]
    return {
        "schema": SCHEMA,
        "status": str(report.status),
        "notes": list(report.notes),
        "warnings": found["warnings"],
        "columns": found["columns"],
        "dataset": train.name,
        "groups": train.groups_name,
        "groups_are_features": train.sees_groups,
        "positive_class": str(train.positive),
        **_rows(parts),
        "model": options.model,
        "metric": options.metric,
        "delta": float(corrector.delta),
        "requirement": found["requirement"],
        "delta_max": float(corrector.delta_max_),
        **{name: getattr(corrector, name) for name in _OF_THE_CORRECTOR},
        "seed": options.seed,
        "report": report.frame().to_dict(orient="records"),
        "before": values(document, options.metric, "before"),
        "after": values(document, options.metric, "after"),
        "held_out": verdict(document, options.metric, corrector.delta),
        "deleted_mass": report.deleted_mass,
        "added_mass": report.added_mass,
        "seconds": found["seconds"],
        "audit": document,
    }


def _wanted(options):
    """Parameters of the corrector that the options name."""
    given = {n: v for n, v in vars(options).items() if n in _OF_THE_CORRECTOR}
    return {"metric": options.metric, **given}


def _load(options):
    """The three parts, as they were read, and what looks wrong with their columns."""
    table = load_table(options)
    parts = split(table, seed=options.seed, held_out=load_test(options, table))
    columns = remarks(parts[0])
    for remark in columns:
        notice(f"note: {remark['message']} (--drop leaves it out)")
    if options.require:
        parts = (with_evaluation(*parts[:2]), *parts[1:])
    return parts, columns


def _corrected(options, parts, model, wanted):
    """Last step, path, what was required, and seconds, where delta is given."""
    corrector, seconds = correct_model(model, *parts[:2], delta=options.delta, **wanted)
    path = correct_path(model, *parts[:2], **wanted)
    return corrector, path, None, seconds


def _required(options, parts, model, wanted):
    """The same where a requirement chooses delta."""
    required, seed = options.require, options.seed
    search, seconds = correct_as_required(
        model, parts[0], required, seed=seed, **wanted
    )
    return search, search.path_, required.outcome(search), seconds


def _run(options):
    check_files(options)
    given, columns = _load(options)
    wanted = _wanted(options)
    with values_are_the_users(), warnings_as_notices() as warned:
        encoder, parts, model, fit_seconds = fitted_model(options.model, given)
        correct = _required if options.require else _corrected
        last, path, requirement, seconds = correct(options, parts, model, wanted)
    corrector = getattr(last, "corrector_", last)
    pipeline = make_pipeline(*encoder, last)
    with warnings_as_notices() as of_the_audit:
        audit = audit_parts(
            pipeline, given, path=path, metric=options.metric, seed=options.seed
        )
    report = corrector.report_
    report = replace(report, notes=tuple(map(in_options, report.notes)))
    result = _result(
        options,
        parts,
        corrector,
        audit.to_dict(),
        report=report,
        warnings=[*warned, *(each for each in of_the_audit if each not in warned)],
        columns=columns,
        seconds={"fit": fit_seconds, "correction": seconds},
        requirement=requirement,
    )
    print(as_json(result) if options.json else as_text(result, report))
    if requirement and not options.json:
        print(sentence(requirement))
    _write(options, audit, make_pipeline(*encoder, corrector.estimator_))
    save_curve(path, parts[2], metric=options.metric, file=options.plot)


def _write(options, audit, model):
    """The model and the page, if they are wanted."""
    if options.save:
        save_model(model, options.save)
        notice(f"corrected model: {options.save}")
    if options.html:
        save_page(audit, options.html)
        notice(f"audit: {options.html}")


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        The options; None takes them from the command line.

    Returns
    -------
    int
        0, or 2 if the options or the data do not allow a correction; one line on
        stderr then says why.
    """
    options = parse_arguments(argv)
    try:
        _run(options)
    except CommandError as error:
        notice(f"error: {error}")
        return 2
    return 0
