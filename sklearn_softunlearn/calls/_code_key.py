# SPDX-License-Identifier: BSD-3-Clause
"""What a cache on disk must know of a user's own code.

joblib tells arguments apart by their pickles, and a pickle has classes and functions by
name only: who edits a transformer, a module or a criterion and runs again would be
given what the old one led to. `code_key` digests what these names stand for.

It looks at the compiled code, not at the file: a file that is edited while the process
runs does not change what runs. Of installed packages the version is enough.
"""

import hashlib
import pickle
import site
import sys
import sysconfig
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType

import joblib
import numpy as np

_INSTALLED = {
    Path(folder).resolve()
    for folder in (
        *(sysconfig.get_path(key) for key in ("stdlib", "purelib", "platlib")),
        *site.getsitepackages(),
        site.getusersitepackages(),
    )
}
_KNOWN = {*sys.stdlib_module_names, __name__.partition(".")[0]} - {"__main__"}
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
# Where Python and its tools keep parts of what stands around a function.
_PARTS = {
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    property: ("fget", "fset"),
    partial: ("func", "args", "keywords"),
    MethodType: ("__func__", "__self__"),
}


def code_key(*objects):
    """Digest of all code of the user's own that some objects bring with them.

    Parameters
    ----------
    *objects : objects, classes or functions
        Objects are searched as pickle does.

    Returns
    -------
    str
        The same in every process; another one where a function, a class or what these
        refer to by name (a base, a helper, a constant of the module) is another.
    """
    search = _Search()
    search.look_through(objects)
    digest = _Digest()
    for found in search.found:
        digest.add(found)
    return digest.hexdigest()


@contextmanager
def remedy_for_names():
    """Turn joblib's message about what has no name, and holds all rows, into ours."""
    try:
        yield
    except pickle.PicklingError as error:
        if len(error.args) < 2 or "while hashing" not in str(error.args[1]):
            raise
        raise ValueError(
            "memory: a later run finds classes and functions by their names. "
            f"{error.args[0]}. Define it at the top of a module, not as a lambda or in "
            "a function, or leave memory=None."
        ) from None


class _Search(pickle.Pickler):
    """Finds classes and functions below an object; what it writes goes nowhere."""

    def __init__(self):
        super().__init__(_Nowhere(), protocol=pickle.HIGHEST_PROTOCOL)
        self.found = []

    def look_through(self, objects):
        for given in objects:
            try:
                self.dump(given)
            except Exception:  # joblib meets it again, and says so
                continue

    def reducer_override(self, obj):
        if isinstance(obj, np.ndarray) and obj.dtype != object:
            return str, ("",)
        if not isinstance(obj, type | FunctionType) or obj is str:
            return NotImplemented
        self.found.append(obj)
        return str, ("",)  # also of what has no name that pickle would find


class _Nowhere:
    def write(self, data):
        return len(data)


class _Digest:
    """Sum of what code consists of, without where it stands and when it was loaded."""

    def __init__(self):
        self._sum = hashlib.sha256()
        self._seen = {}

    def hexdigest(self):
        return self._sum.hexdigest()

    def add(self, value):
        kind = type(value)
        if kind in _PLAIN:
            return self._text(kind.__name__, repr(value))
        if kind is frozenset or kind is set:
            return self._text(kind.__name__, *sorted(map(repr, value)))
        if kind is np.ndarray:
            return self._text("array", joblib.hash(value))
        if id(value) in self._seen:
            return self._text("again", str(self._seen[id(value)][0]))
        self._seen[id(value)] = len(self._seen), value  # kept, or its id is used anew
        self._add_new(value)

    def _add_new(self, value):
        kind = type(value)
        if isinstance(value, type):
            self._class(value)
        elif kind is FunctionType:
            self._function(value)
        elif kind is CodeType:
            self._code(value)
        elif kind is dict:
            self._all("dict", [*value.keys(), *value.values()])
        elif kind in (list, tuple):
            self._all(kind.__name__, value)
        elif kind in _PARTS:
            self._all(kind.__name__, [getattr(value, part) for part in _PARTS[kind]])
        else:
            self._object(value)

    def _text(self, *texts):
        for text in texts:
            self._sum.update(text.encode(errors="surrogatepass") + b"\0")

    def _all(self, name, values):
        self._text(name, str(len(values)))
        for value in values:
            self.add(value)

    def _object(self, value):
        """By its class, and by functions that it stands around.

        Not by its state: counters and logs are other ones with every call.
        """
        self.add(type(value))
        held = getattr(value, "__dict__", {})
        around = [getattr(value, "__wrapped__", None), *held.values()]
        self._all("object", [part for part in around if _is_code(part)])

    def _class(self, value):
        if not _is_own(value.__module__):
            return self._installed(value.__module__, value.__qualname__)
        members = {
            name: member
            for name, member in vars(value).items()
            if _is_code(member) or not name.startswith(("__", "_abc_"))
        }
        named = [members[name] for name in sorted(members)]
        self._all("class", [value.__qualname__, *value.__bases__, *sorted(members)])
        self._all("members", named)

    def _function(self, value):
        module = value.__globals__.get("__name__", "")
        inside = [_content(cell) for cell in value.__closure__ or ()]
        inside.append(getattr(value, "__wrapped__", None))
        if not _is_own(module):
            self._installed(module, value.__qualname__)
            return self._all("around", [part for part in inside if _is_code(part)])
        self._all("function", [value.__defaults__, value.__kwdefaults__, *inside])
        self.add(value.__code__)
        self._names(value)

    def _code(self, code):
        self._all(
            "code",
            [
                code.co_code,
                code.co_exceptiontable,
                (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
                code.co_flags,
                (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
                *code.co_consts,
            ],
        )

    def _names(self, function):
        """What the names in a function stand for, in its module and those it uses."""
        names = sorted(_names_in(function.__code__))
        known = function.__globals__
        for name in names:
            value = known.get(name)
            if isinstance(value, ModuleType):
                self._module(value, names)
            elif name in known:
                self._text(name)
                self.add(value)

    def _module(self, module, names):
        if not _is_own(module.__name__):
            return self._installed(module.__name__, "")
        held = vars(module)
        for name in names:
            if name in held and not isinstance(held[name], ModuleType):
                self._text(module.__name__, name)
                self.add(held[name])

    def _installed(self, module, name):
        package = sys.modules.get(module.partition(".")[0])
        version = getattr(package, "__version__", "")
        self._text("installed", module, name, str(version))


def _names_in(code):
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names_in, inner))


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # of a function that is not defined to the end
        return None


def _is_code(value):
    around = (*_PARTS, FunctionType, type)
    return isinstance(value, around) or hasattr(value, "__wrapped__")


def _is_own(module):
    """Whether a module is neither Python's, nor this package's, nor installed."""
    if module.partition(".")[0] in _KNOWN:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or file is None:
        return True
    return _INSTALLED.isdisjoint(Path(file).resolve().parents)
