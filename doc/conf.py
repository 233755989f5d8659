# SPDX-License-Identifier: BSD-3-Clause
"""Sphinx configuration: ``python -m sphinx -W -b html doc doc/_build/html``."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# Before NumPy is imported: the threads of two examples on one core wait for each other.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import inventories  # noqa: E402
from gallery_style import set_style  # noqa: E402

from sklearn_softunlearn import __version__  # noqa: E402

# Where the examples look for real data; the default of the contributors' guide.
_shared = HERE.parents[1] / "shared" / "data"
if (_shared / "openml").is_dir():
    os.environ.setdefault("SOFTUNLEARN_DATA_HOME", str(_shared))

project = "sklearn_softunlearn"
author = "the sklearn_softunlearn contributors"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "mathml",
    "sphinx_gallery.gen_gallery",
    "alternatives",
]
intersphinx_mapping = inventories.write(HERE / "_build" / "inventories")
# Prompts and output are not copied.
copybutton_exclude = ".linenos, .gp, .go"
exclude_patterns = ["_build", "decisions/README.md", "gallery/*"]
suppress_warnings = [
    "config.cache",  # sphinx_gallery_conf holds functions, which are not cached
]

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

templates_path = ["_templates"]
# Explicit roles must lead to something of this package; `name` may be a parameter.
nitpicky = True
nitpick_ignore_regex = [("py:obj", ".*"), ("py:.*", r"(sklearn|matplotlib)\..*")]

autosummary_generate = True
# `name` in a docstring links to what has that name, if anything does.
default_role = "py:obj"
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
numpydoc_class_members_toctree = False
# Attributes of fitted objects are in the class page; a page each adds nothing.
numpydoc_show_class_members = False

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "sklearn_softunlearn"
html_static_path = ["_static"]
html_css_files = ["softunlearn.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_start": ["navbar-logo", "version"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
# Where the pages of several releases are served, a list of them (as the theme describes
# it) lies at an address, and a menu takes the place of the version.
if versions := os.environ.get("SOFTUNLEARN_DOC_VERSIONS"):
    html_theme_options |= {
        "navbar_start": ["navbar-logo", "version-switcher"],
        "switcher": {"json_url": versions, "version_match": version},
        "check_switcher": False,
    }

# The example of a net needs torch. Without it the rest of the gallery is built, and
# the gallery's page says what is missing.
HAS_TORCH = all(find_spec(name) for name in ("torch", "skorch"))
if HAS_TORCH:
    tags.add("torch")  # noqa: F821 (defined by Sphinx)
else:
    print("The gallery's example of a net is left out: torch or skorch is missing.")

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": "__init__" if HAS_TORCH else r"__init__|skorch_net",
    "reset_modules": (set_style,),
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
    # Each page of the reference shows the examples that use what it is about.
    "backreferences_dir": "auto_examples/backreferences",
    "doc_module": ("sklearn_softunlearn",),
    "reference_url": {"sklearn_softunlearn": None},
    "plot_gallery": "True",
}
