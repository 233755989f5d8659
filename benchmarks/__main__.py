# SPDX-License-Identifier: BSD-3-Clause
"""Run every study, or those named, each in a process of its own.

    python -m benchmarks [STUDY ...] [--data-home FOLDER]

Studies write ``results/<study>.json``; ``python -m benchmarks.reports`` makes the page
from these files. Some need packages that the ``test`` extra does not bring: ``nets``,
``influence_peers`` and one part of ``claims`` need torch and skorch, and report other
packages that are missing as such. The whole takes some hours.
"""

import argparse
import os
import subprocess
import sys

from benchmarks.provenance import RESULTS

# Options beyond those that a study has by default; {} is the file of the study.
_HOME = ("--data-home", "DATA_HOME")
_JSON = ("--json", "{study}.json")
_RUNS = ("--runs", "{study}_runs.jsonl")
STUDIES = {
    "backbone": (*_HOME, *_JSON),
    "metrics": _HOME,
    "weights": _JSON,
    "tuning": _HOME,
    "updates": (*_HOME, *_JSON, *_RUNS),
    "robustness": (*_HOME, *_JSON),
    "flipped_labels": ("DATA_HOME",),
    "nets": _JSON,
    "net_retraining": _HOME,
    "tradeoff": (*_HOME, *_RUNS),
    "tradeoff_time": _HOME,
    "confidence": _HOME,
    "thresholds": _HOME,
    "claims": _HOME,
    "comparison": (*_HOME, *_RUNS),
    "influence_peers": _HOME,
    "lds": _HOME,
    "language_cost": _JSON,
    "exact": _HOME,
    "exact_cost": _HOME,
    "rows": (),
    "trees": (*_HOME, *_RUNS),
    "trees_cost": (),
    "trees_retraining": _HOME,
}
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
}


def command(study, data_home):
    """The command line of a study; options that need a folder only if there is one."""
    options = list(STUDIES[study])
    if data_home is None:
        options = [o for o in options if o not in ("--data-home", "DATA_HOME")]
    filled = [
        data_home if o == "DATA_HOME" else o.replace("{study}", f"{RESULTS / study}")
        for o in options
    ]
    return [sys.executable, "-m", f"benchmarks.studies.{study}", *filled]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("studies", nargs="*", help=", ".join(STUDIES))
    parser.add_argument(
        "--data-home", default=os.environ.get("SOFTUNLEARN_DATA_HOME"),
        help="OpenML cache; by default the folder SOFTUNLEARN_DATA_HOME names",
    )  # fmt: skip
    options = parser.parse_args()
    unknown = set(options.studies) - set(STUDIES)
    if unknown:
        parser.error(f"no study {sorted(unknown)}; there are {', '.join(STUDIES)}")
    failed = []
    for study in options.studies or STUDIES:
        print(f"== {study}", flush=True)
        line = command(study, options.data_home)
        if subprocess.run(line, env=os.environ | ONE_THREAD).returncode:
            failed.append(study)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
