# SPDX-License-Identifier: BSD-3-Clause
"""The command: load, encode, fit, correct, audit, print, in this order."""

from sklearn.pipeline import make_pipeline

from sklearn_softunlearn.cli._arguments import parse_arguments
from sklearn_softunlearn.cli._audit import audit
from sklearn_softunlearn.cli._curve import save_curve
from sklearn_softunlearn.cli._model import correct_model, encode_parts, fit_model
from sklearn_softunlearn.cli._notices import CommandError, notice
from sklearn_softunlearn.cli._output import as_json, as_text, save_model
from sklearn_softunlearn.cli._sources import load_table
from sklearn_softunlearn.cli._table import split


def _result(options, parts, model, corrector, seconds):
    """Everything that is printed, as numbers and strings only."""
    train, evaluation, held_out = parts
    return {
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
        "report": corrector.report_.frame().to_dict(orient="records"),
        "before": audit(model, held_out, options.metric),
        "after": audit(corrector, held_out, options.metric),
        "deleted_mass": float(corrector.deletion_weights_.sum()),
        "seconds": seconds,
    }


def _run(options):
    encoder, parts = encode_parts(split(load_table(options)))
    train, evaluation, _ = parts
    model, fit_seconds = fit_model(train)
    corrector, correction_seconds = correct_model(
        model, train, evaluation, metric=options.metric, delta=options.delta
    )
    seconds = {"fit": fit_seconds, "correction": correction_seconds}
    result = _result(options, parts, model, corrector, seconds)
    print(as_json(result) if options.json else as_text(result, corrector.report_))
    if options.save:
        save_model(make_pipeline(*encoder, corrector.estimator_), options.save)
        notice(f"corrected model: {options.save}")
    save_curve(model, parts, metric=options.metric, path=options.plot)


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
