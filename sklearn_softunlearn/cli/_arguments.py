# SPDX-License-Identifier: BSD-3-Clause
"""The options of the command line."""

import argparse
import os
from pathlib import Path

DATASETS = ("adult", "bank", "credit", "simulated")
DATA_HOME_VARIABLE = "SOFTUNLEARN_DATA_HOME"

DESCRIPTION = (
    "Fit a logistic regression, correct it towards a metric with soft deletion "
    "weights, and print the audit before and after on held-out rows."
)


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
    data.add_argument("--csv", metavar="FILE", type=Path, help="your own table")
    data.add_argument("--target", metavar="COLUMN", help="two-class column to predict")
    data.add_argument(
        "--sensitive",
        metavar="COLUMN",
        nargs="+",
        help="column that holds the groups; several columns mean intersections",
    )


def _add_correction_options(parser):
    correction = parser.add_argument_group("correction")
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


def _add_output_options(parser):
    output = parser.add_argument_group("output")
    output.add_argument(
        "--save",
        metavar="MODEL",
        type=Path,
        help="write the corrected model, a plain scikit-learn Pipeline, with skops; "
        "with joblib if the name ends in .joblib or .pkl, or skops is not installed",
    )
    output.add_argument(
        "--plot",
        metavar="PNG",
        type=Path,
        default=Path("softunlearn_tradeoff.png"),
        help="trade-off curve over delta, if matplotlib is installed. "
        "Default: %(default)s",
    )
    output.add_argument(
        "--html",
        metavar="PAGE",
        type=Path,
        help="write the audit as one self-contained page for readers who write no "
        "code: by group and with intervals, what got worse, whose rows were deleted",
    )
    output.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON, with status, notes, warnings and the audit",
    )


def parse_arguments(argv=None):
    """Parse and cross-check the options; a misuse exits with code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_softunlearn", description=DESCRIPTION
    )
    _add_data_options(parser)
    _add_correction_options(parser)
    _add_output_options(parser)
    options = parser.parse_args(argv)
    table_options = (options.csv, options.target, options.sensitive)
    if any(table_options) and not all(table_options):
        parser.error("--csv, --target and --sensitive are given together")
    if options.csv and options.dataset:
        parser.error("give either --dataset or --csv")
    return options
