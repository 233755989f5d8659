# SPDX-License-Identifier: BSD-3-Clause
"""The options of the command line."""

import argparse
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from sklearn_softunlearn import __version__
from sklearn_softunlearn.arguments import did_you_mean
from sklearn_softunlearn.cli._models import ENDING, MODELS
from sklearn_softunlearn.cli._require import required

DATASETS = ("adult", "bank", "credit", "simulated")
DATA_HOME_VARIABLE = "SOFTUNLEARN_DATA_HOME"
WEIGHTINGS = ("auto", "exact", "soft", "sparse", "hard")

DESCRIPTION = (
    "Fit a model, correct it towards a metric with soft deletion "
    "weights, and print the audit before and after on held-out rows."
)
EXIT_CODES = (
    "Exit codes: 0, the audit was printed, whether or not the metric improved (read "
    "the sentence below the table, or held_out.outcome of --json); 2, the options or "
    "the data do not allow a correction, and one line on stderr says why; 1, an error "
    "of this program, with a traceback."
)


def _versions():
    libraries = ("numpy", "scipy", "scikit-learn", "fairlearn", "pandas")
    named = ", ".join(f"{name} {version(name)}" for name in libraries)
    python = platform.python_version()
    return f"sklearn_softunlearn {__version__} (Python {python}, {named})"


def _count(text):
    """An integer of at least 2: fewer rows are no group."""
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"{number} is less than 2")
    return number


def _file(text):
    """A file to write: not one without a name, which would be the folder itself."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return Path(text)


def _model(text):
    if text in MODELS or text.endswith(ENDING):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is none of {', '.join(MODELS)}, and no file that ends in {ENDING}"
    )


def _tolerance(text):
    return None if text == "none" else float(text)


def _add_data_options(parser):
    data = parser.add_argument_group("data")
    data.add_argument(
        "--dataset",
        choices=DATASETS,
        help="Adult by sex, Bank Marketing by age under 30, Credit Card by sex (all "
        "through fairlearn), or simulated data. Default: adult, or simulated if "
        "Adult is neither cached nor reachable",
    )
    data.add_argument(
        "--data-home",
        metavar="FOLDER",
        default=os.environ.get(DATA_HOME_VARIABLE),
        help="cache of the data sets. Default: the environment variable "
        f"{DATA_HOME_VARIABLE}, else fairlearn's own",
    )
    data.add_argument(
        "--csv",
        "--table",
        dest="table",
        metavar="FILE",
        type=Path,
        help="your own table: CSV, Parquet (.parquet, .pq) or Arrow (.arrow, "
        ".feather, .ipc)",
    )
    data.add_argument(
        "--test",
        metavar="FILE",
        type=Path,
        help="held-out rows in a table of their own, with the same columns; the audit "
        "is made on these. Default: 15 %% of the rows, drawn",
    )
    data.add_argument("--target", metavar="COLUMN", help="two-class column to predict")
    data.add_argument(
        "--positive",
        metavar="LABEL",
        help="class of the target whose selection is counted. Default: the last one "
        "in sorted order",
    )
    data.add_argument(
        "--drop",
        metavar="COLUMN",
        nargs="+",
        default=[],
        help="columns that the model must not see: identifiers, names, what is only "
        "known later",
    )
    _add_group_options(data)


def _add_group_options(data):
    data.add_argument(
        "--sensitive",
        metavar="COLUMN",
        nargs="+",
        help="column that holds the groups; several columns mean intersections. It is "
        "not a feature of the model",
    )
    data.add_argument(
        "--keep-sensitive",
        action="store_true",
        help="let the model see the columns that hold the groups, and predict by them",
    )
    data.add_argument(
        "--min-group-size",
        metavar="ROWS",
        type=_count,
        default=10,
        help="rows that each group must have. Default: %(default)s",
    )
    data.add_argument(
        "--small-groups",
        choices=("refuse", "merge"),
        default="refuse",
        help="what to do with smaller groups: end with an error, or make them one "
        "group, 'other'. Default: %(default)s",
    )


def _add_correction_options(parser):
    correction = parser.add_argument_group("correction")
    correction.add_argument(
        "--model",
        metavar="NAME",
        type=_model,
        default="logistic_regression",
        help=f"what is fitted and corrected: {', '.join(MODELS)}; or a fitted "
        "classifier or Pipeline in a file that ends in .skops, which takes the columns "
        "of the table as they are and was trained on its rows. Default: %(default)s",
    )
    correction.add_argument(
        "--metric",
        default="demographic_parity_difference",
        help="fairlearn metric to improve. Default: %(default)s",
    )
    correction.add_argument(
        "--delta",
        type=float,
        default=0.5,
        help="fraction of the metric to remove, in [0, 1]. Default: %(default)s",
    )
    correction.add_argument(
        "--require",
        metavar="REQUIREMENT",
        type=required,
        help="choose delta by cross-validation so that a requirement is met, instead "
        "of --metric and --delta: 'demographic_parity_difference<=0.05@0.95' promises "
        "with 95 %% confidence that the metric is at most 0.05 on new rows, or says "
        "what can be promised; without @0.95 what the folds measure decides",
    )
    # The three below are the corrector's own unless given.
    correction.add_argument(
        "--utility-tol",
        metavar="FRACTION",
        type=_tolerance,
        default=argparse.SUPPRESS,
        help="how much of the utility, the log loss, may be lost, relative to its "
        "value; 'none' sets no bound. Default: that of SoftUnlearnCorrector",
    )
    correction.add_argument(
        "--weighting",
        choices=WEIGHTINGS,
        default=argparse.SUPPRESS,
        help="how the deletion weights are found. Default: that of "
        "SoftUnlearnCorrector",
    )
    correction.add_argument(
        "--update",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="how the parameters are moved: influence, newton, retrain, hamu, ... "
        "Default: that of SoftUnlearnCorrector",
    )
    correction.add_argument(
        "--seed",
        metavar="NUMBER",
        type=int,
        default=0,
        help="of the draw of the held-out and the evaluation rows, and of the "
        "intervals. Default: %(default)s",
    )


def _add_output_options(parser):
    output = parser.add_argument_group("output")
    output.add_argument(
        "--save",
        metavar="MODEL",
        type=_file,
        help="write the corrected model, a plain scikit-learn Pipeline, with skops; "
        "with joblib if the name ends in .joblib or .pkl, or skops is not installed",
    )
    output.add_argument(
        "--plot",
        metavar="PNG",
        type=_file,
        default=Path("softunlearn_tradeoff.png"),
        help="trade-off curve over delta, if matplotlib is installed. "
        "Default: %(default)s",
    )
    output.add_argument(
        "--html",
        metavar="PAGE",
        type=_file,
        help="write the audit as one self-contained page for readers who write no "
        "code: by group and with intervals, what got worse, whose rows were deleted",
    )
    output.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON, with status, notes, warnings and the audit",
    )
    output.add_argument("--version", action="version", version=_versions())


def parse_arguments(argv=None):
    """Parse and cross-check the options; a misuse exits with code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_softunlearn", description=DESCRIPTION, epilog=EXIT_CODES
    )
    _add_data_options(parser)
    _add_correction_options(parser)
    _add_output_options(parser)
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        known = re.findall(r"--[a-z-]+", parser.format_usage())
        words = [word for word in unknown if word.startswith("--")]
        hints = "".join(did_you_mean(word, known) for word in words)
        parser.error(f"unrecognized arguments: {' '.join(unknown)}.{hints}")
    table_options = (options.table, options.target, options.sensitive)
    if any(table_options) and not all(table_options):
        parser.error("--csv, --target and --sensitive are given together")
    if options.table and options.dataset:
        parser.error("give either --dataset or --csv")
    if options.test and not options.table:
        parser.error("--test goes with --csv: the data sets are split here")
    if options.require:
        named = parser.get_default("metric"), options.require.metric
        if options.metric not in named or options.delta != parser.get_default("delta"):
            parser.error("--require has the metric and chooses delta: leave these out")
        options.metric = options.require.metric
    if not 0 <= options.seed < 2**32:
        parser.error("--seed takes a number from 0 to 2**32 - 1")
    return options
