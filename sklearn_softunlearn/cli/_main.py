# SPDX-License-Identifier: BSD-3-Clause
"""The command: load, encode, fit, correct, audit, print, in this order."""

from sklearn.pipeline import make_pipeline

from sklearn_softunlearn.cli._arguments import parse_arguments
from sklearn_softunlearn.cli._audit import audit_parts, values
from sklearn_softunlearn.cli._curve import save_curve
from sklearn_softunlearn.cli._model import (
    correct_model,
    correct_path,
    encode_parts,
    fit_model,
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
from sklearn_softunlearn.cli._sources import load_table
from sklearn_softunlearn.cli._table import split

# The first number rises when keys change their meaning or are gone, the second when
# keys are added; doc/howto/command_line.md documents them.
SCHEMA = {"name": "sklearn_softunlearn.cli", "version": "1.0"}


def _result(options, parts, corrector, document, seconds, warned):
    """Everything that is printed, as numbers and strings only."""
    train, evaluation, held_out = parts
    report = corrector.report_
    return {
        "schema": SCHEMA,
        "status": str(report.status),
        "notes": [str(note) for note in report.notes],
        "warnings": warned,
        "dataset": train.name,
        "groups": train.groups_name,
        "positive_class": str(train.positive),
        "rows": {
            "training": len(train.y),
            "evaluation": len(evaluation.y),
            "held_out": len(held_out.y),
        },
        "metric": options.metric,
        "delta": options.delta,
        "delta_max": float(corrector.delta_max_),
        "report": report.frame().to_dict(orient="records"),
        "before": values(document, options.metric, "before"),
        "after": values(document, options.metric, "after"),
        "deleted_mass": float(corrector.deletion_weights_.sum()),
        "seconds": seconds,
        "audit": document,
    }


def _run(options):
    check_files(options)
    given = split(load_table(options))
    with values_are_the_users(), warnings_as_notices() as warned:
        encoder, parts = encode_parts(given)
        model, fit_seconds = fit_model(parts[0])
        corrector, correction_seconds = correct_model(
            model, *parts[:2], metric=options.metric, delta=options.delta
        )
    path = correct_path(model, *parts[:2], metric=options.metric)
    pipeline = make_pipeline(*encoder, corrector)
    audit = audit_parts(pipeline, given, path=path, metric=options.metric)
    seconds = {"fit": fit_seconds, "correction": correction_seconds}
    document = audit.to_dict()
    result = _result(options, parts, corrector, document, seconds, warned)
    print(as_json(result) if options.json else as_text(result, corrector.report_))
    if options.save:
        save_model(make_pipeline(*encoder, corrector.estimator_), options.save)
        notice(f"corrected model: {options.save}")
    if options.html:
        save_page(audit, options.html)
        notice(f"audit: {options.html}")
    save_curve(path, parts[2], metric=options.metric, file=options.plot)


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
