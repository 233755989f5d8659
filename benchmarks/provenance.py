# SPDX-License-Identifier: BSD-3-Clause
"""Machine and versions that results were measured with, and the file they go to."""

import json
import os
import platform
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).with_name("results")

_PACKAGES = ("numpy", "scipy", "scikit-learn", "fairlearn", "pandas")


def provenance(*more_packages):
    """Versions and machine, for the results of a study."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} CPUs, 1 BLAS thread",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in (*_PACKAGES, *more_packages)},
    }


def write(study, results):
    """Write the results of a study to ``results/<study>.json``; returns the path."""
    path = RESULTS / f"{study}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    return path


def read(study):
    """Results of a study, or None where it has not been run."""
    path = RESULTS / f"{study}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor():
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
