# SPDX-License-Identifier: BSD-3-Clause
"""The pages of the documentation keep their word."""

import contextlib
import importlib
import inspect
import io
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

DOC = Path(__file__).resolve().parents[1] / "doc"
PAGES = sorted(
    page
    for page in [
        DOC.parent / "README.md",
        *DOC.glob("*.md"),
        *DOC.glob("guide/*.md"),
        *DOC.glob("howto/*.md"),
    ]
    if "```python" in page.read_text()
)
# A block of Python, indented if it is in a list, and the output shown below it, if any.
BLOCK = re.compile(
    r"^( *)```python\n(.*?)^ *```\n(?:\n```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE
)
NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?")
# What a page may need beside the package: absent, it is skipped. Their own remarks on
# what will change are not this package's.
OPTIONAL = (
    "torch", "skorch", "mlflow", "skl2onnx", "onnxruntime", "onnxmltools", "lightgbm",
    "skops", "dask",
)  # fmt: skip
PUBLIC = [
    "sklearn_softunlearn",
    "sklearn_softunlearn.criteria",
    "sklearn_softunlearn.datasets",
    "sklearn_softunlearn.display",
    "sklearn_softunlearn.exceptions",
    "sklearn_softunlearn.models",
    "sklearn_softunlearn.pointwise",
    "sklearn_softunlearn.updates",
    "sklearn_softunlearn.weights",
]


def blocks(page):
    """Code and shown output (or "") of each block of Python."""
    for indent, code, output in BLOCK.findall(page.read_text()):
        yield re.sub(f"^{indent}", "", code, flags=re.MULTILINE), output


def assert_same(printed, shown):
    """Equal words, and numbers that differ by no more than solvers do."""
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", shown).split()
    numbers = [[float(x) for x in NUMBER.findall(text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.02, abs=2e-3)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_of_the_page_runs_and_prints_what_is_shown(page, monkeypatch, tmp_path):
    text = page.read_text()
    needed = [m for m in OPTIONAL if re.search(rf"^ *(import|from) {m}\b", text, re.M)]
    monkeypatch.chdir(tmp_path)  # pages may write files
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    for package in needed:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reason = f"{package} is not installed"
            pytest.importorskip(package, reason=reason, exc_type=ImportError)
    module = ModuleType("page")
    # A class is pickled by the module that it is found in.
    monkeypatch.setitem(sys.modules, "page", module)
    for code, shown in blocks(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            if needed:
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.simplefilter("ignore", FutureWarning)
                warnings.filterwarnings("ignore", module=r"mlflow\.")
            exec(compile(code, str(page), "exec"), vars(module))
        if shown:
            assert_same(printed.getvalue(), shown)


def public_names():
    for dotted in PUBLIC:
        module = importlib.import_module(dotted)
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", None) == dotted and name[0] != "_"
        ]
        yield from ((dotted, name) for name in names)


def test_every_public_name_is_in_the_reference():
    listed = set(re.findall(r"^   (\w+)$", (DOC / "api.rst").read_text(), re.MULTILINE))
    internal = {
        "warn",
        "unsaid",
        "held_back",
        "warn_of_held",
    }  # of exceptions: how the package itself warns
    missing = [
        f"{module}.{name}"
        for module, name in public_names()
        if name not in listed | internal
    ]
    assert missing == []


def test_everything_public_has_an_example():
    """Warnings and errors excepted: the reference shows once how they are caught."""
    without = []
    for dotted, name in public_names():
        member = getattr(importlib.import_module(dotted), name)
        if not dotted.endswith("exceptions") and callable(member):
            if ">>> " not in (inspect.getdoc(member) or ""):
                without.append(f"{dotted}.{name}")
    assert without == []
    assert ">>> " in importlib.import_module(f"{PUBLIC[0]}.exceptions").__doc__


def test_links_between_pages_lead_somewhere():
    """Sphinx checks these, too, but not what it does not know, such as images."""
    missing = []
    for page in DOC.glob("**/*.md"):
        if "_build" in page.parts or "auto_examples" in page.parts:
            continue
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            found = (page.parent / target).exists()
            if not found and "auto_examples" not in target:
                missing.append(f"{page.relative_to(DOC)}: {target}")
    assert missing == []
