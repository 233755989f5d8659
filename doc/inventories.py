# SPDX-License-Identifier: BSD-3-Clause
"""Where names of other packages lead, without asking the network.

Intersphinx wants the inventories of scikit-learn, fairlearn and pandas. A build must
not depend on three servers, so they are written here, from the packages that are
installed and from the scheme of their addresses.
"""

import zlib
from importlib import import_module
from inspect import isclass

_SKLEARN = """calibration compose datasets ensemble frozen inspection linear_model
metrics model_selection neural_network pipeline preprocessing svm tree utils""".split()
_FAIRLEARN = ("metrics", "reductions", "postprocessing", "preprocessing", "datasets")
_PANDAS = ("DataFrame", "Series")

SITES = {
    "sklearn": (
        "https://scikit-learn.org/stable/",
        "modules/generated/$",
        [f"sklearn.{module}" for module in _SKLEARN],
    ),
    "fairlearn": (
        "https://fairlearn.org/main/",
        "api_reference/generated/$",
        [f"fairlearn.{module}" for module in _FAIRLEARN],
    ),
    "pandas": ("https://pandas.pydata.org/docs/", "reference/api/$", ["pandas"]),
}


def _names(module):
    """Public classes and functions of a module, with their roles."""
    found = import_module(module)
    public = _PANDAS if module == "pandas" else getattr(found, "__all__", dir(found))
    for name in public:
        try:
            member = getattr(found, name, None)
        except ImportError:  # experimental, to be enabled by hand
            continue
        if callable(member) and not name.startswith("_"):
            yield name, "class" if isclass(member) else "function"


def _lines(site):
    _, address, modules = SITES[site]
    for module in modules:
        for name, role in _names(module):
            full = f"{module}.{name}"
            page = address.replace("$", f"{full}.html#{full}")
            yield f"{full} py:{role} 1 {page} -"
            # docstrings name a class of scikit-learn without its module
            yield f"{name} py:{role} 1 {page} {full}"


def write(folder):
    """Write the inventories; return what ``intersphinx_mapping`` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for site, (url, *_) in SITES.items():
        path = folder / f"{site}.inv"
        head = f"# Sphinx inventory version 2\n# Project: {site}\n# Version: \n"
        head += "# The remainder of this file is compressed using zlib.\n"
        body = "\n".join(sorted(set(_lines(site)))) + "\n"
        path.write_bytes(head.encode() + zlib.compress(body.encode()))
        mapping[site] = (url, str(path))
    return mapping
