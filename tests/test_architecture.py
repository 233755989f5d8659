# SPDX-License-Identifier: BSD-3-Clause
"""The rooms of the package, and the one way in which data flows through them."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_softunlearn

ROOT = "sklearn_softunlearn"
PACKAGE = Path(sklearn_softunlearn.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
IDS = [str(path.relative_to(PACKAGE)) for path in FILES]

# A room imports only from rooms on lines above its own, and from itself: rooms that
# share a line do not know each other. A room is a folder or a file of the package.
LAYERS = [
    {"arguments", "calls"},
    {"exceptions", "_sklearn_compat"},
    {"pointwise"},
    {"criteria", "models"},
    {"confidence"},
    {"influence", "weights"},
    {"updates"},
    {"corrector"},
    {"inspection", "scoring"},
    {"tuning", "display", "reweighting"},
    {"auditing"},
    {"dask"},
    {"datasets"},
    {"__init__"},
    {"cli"},
    {"__main__"},
]
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer}
MAX_LINES = 400


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def room_of_module(dotted):
    """The room of ``sklearn_softunlearn.a.b``: ``a``; of the package: ``__init__``."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported_modules(tree):
    """Every (module, name) that is imported anywhere in the file; name may be None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)


def imported_rooms(tree):
    for module, name in imported_modules(tree):
        if module == ROOT and name in RANK:
            yield name
        elif module.split(".")[0] == ROOT:
            yield room_of_module(module)


def layer_violations(source, room):
    """Imports of ``source``, which lives in ``room``, that run against the layers."""
    rooms = set(imported_rooms(ast.parse(source))) - {room}
    return sorted(
        other for other in rooms if other not in RANK or RANK[other] >= RANK[room]
    )


def private_doors(source, room):
    """Modules of other rooms that ``source``, of ``room``, enters past their door."""
    imports = imported_modules(ast.parse(source))
    paths = {tuple(module.split(".")) for module, _ in imports}
    return sorted(
        ".".join(parts)
        for parts in paths
        if parts[0] == ROOT and len(parts) > 2 and parts[1] != room
    )


def is_private_sklearn(module, name):
    """Whether an import reaches a module or a name that scikit-learn keeps private."""
    parts = module.split(".") + ([name] if name else [])
    dunder = parts[-1].startswith("__")  # sklearn.__version__ is public
    return parts[0] == "sklearn" and not dunder and any(p[0] == "_" for p in parts)


def imports_outside_functions(tree):
    """Modules imported when the file is, at top level or in a class body or branch."""
    pending, found = [tree], set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        found |= {module for module, _ in imported_modules_here(node)}
        pending.extend(ast.iter_child_nodes(node))
    return found


def imported_modules_here(node):
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from imported_modules(ast.Module(body=[node], type_ignores=[]))


def top_level_packages(modules):
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_follow_the_layers(path):
    room = room_of(path)
    assert room in RANK, f"{room} has no place in LAYERS: put it where it belongs"
    assert layer_violations(path.read_text(), room) == []


@pytest.mark.parametrize(
    ("source", "room", "expected"),
    [
        ("from sklearn_softunlearn.corrector import X", "weights", ["corrector"]),
        ("import sklearn_softunlearn.models", "criteria", ["models"]),
        ("from sklearn_softunlearn import models", "criteria", ["models"]),
        ("from sklearn_softunlearn import SoftWeighter", "updates", ["__init__"]),
        ("def f():\n    from sklearn_softunlearn.cli import g", "display", ["cli"]),
        ("from sklearn_softunlearn.attic import x", "updates", ["attic"]),
        ("from sklearn_softunlearn.criteria._base import X", "criteria", []),
        ("from sklearn_softunlearn.criteria import X", "updates", []),
        ("import numpy.linalg", "criteria", []),
    ],
)
def test_the_layer_walk_sees_what_it_should(source, room, expected):
    assert layer_violations(source, room) == expected


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_room_is_entered_through_its_init(path):
    assert private_doors(path.read_text(), room_of(path)) == []


def test_an_import_past_the_door_is_seen():
    source = "from sklearn_softunlearn.weights._dual import x"
    assert private_doors(source, "updates") == ["sklearn_softunlearn.weights._dual"]
    assert private_doors(source, "weights") == []


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_are_absolute(path):
    modules = [module for module, _ in imported_modules(ast.parse(path.read_text()))]
    assert not [module for module in modules if module.startswith(".")]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_private_scikit_learn_is_quarantined(path):
    imports = imported_modules(ast.parse(path.read_text()))
    private = [pair for pair in imports if is_private_sklearn(*pair)]
    assert not private or path.name == "_sklearn_compat.py"


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("sklearn.linear_model._base", "LinearModel", True),
        ("sklearn.utils.validation", "_check_sample_weight", True),
        ("sklearn._loss", None, True),
        ("sklearn.utils.validation", "validate_data", False),
        ("sklearn", "__version__", False),
        ("scipy._lib", None, False),
    ],
)
def test_private_scikit_learn_is_recognised(module, name, expected):
    assert is_private_sklearn(module, name) is expected


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_torch_enters_through_one_folder(path):
    modules = {module for module, _ in imported_modules(ast.parse(path.read_text()))}
    uses_torch = top_level_packages(modules) & {"torch", "skorch"}
    assert not uses_torch or path.parent == PACKAGE / "models" / "skorch"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_matplotlib_is_imported_inside_functions_of_display(path):
    tree = ast.parse(path.read_text())
    anywhere = top_level_packages(module for module, _ in imported_modules(tree))
    assert "matplotlib" not in top_level_packages(imports_outside_functions(tree))
    assert "matplotlib" not in anywhere or room_of(path) == "display"


def test_a_matplotlib_import_at_the_top_would_be_seen():
    tree = ast.parse(
        "if True:\n    import matplotlib.pyplot\ndef f():\n    import torch"
    )
    assert imports_outside_functions(tree) == {"matplotlib.pyplot"}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_dask_enters_through_one_folder(path):
    modules = {module for module, _ in imported_modules(ast.parse(path.read_text()))}
    uses_dask = top_level_packages(modules) & {"dask", "distributed"}
    assert not uses_dask or path.parent == PACKAGE / "dask"


def test_importing_the_package_loads_no_optional_dependency():
    code = (
        "import sys, sklearn_softunlearn\n"
        "print(*sorted({'torch', 'skorch', 'matplotlib', 'dask'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_public_names_are_those_of_all():
    public = {
        name
        for name, value in vars(sklearn_softunlearn).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(sklearn_softunlearn.__all__)


@pytest.mark.parametrize("name", sklearn_softunlearn.__all__)
def test_a_public_name_is_documented_with_an_example(name):
    public = getattr(sklearn_softunlearn, name)
    assert inspect.isclass(public) or inspect.isfunction(public)
    assert public.__module__.split(".")[0] == ROOT
    doc = inspect.getdoc(public)
    assert doc
    is_exception = inspect.isclass(public) and issubclass(public, Exception)
    assert is_exception or ">>> " in doc


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_file_is_a_room_not_a_hall(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES
