# SPDX-License-Identifier: BSD-3-Clause
"""Whatever container holds the rows: the answer of plain arrays, or an error that names
the argument; never another answer, and never a change of what was passed.
"""

import traceback
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from fairlearn.metrics import demographic_parity_difference
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression

import sklearn_softunlearn
from sklearn_softunlearn import SoftUnlearnCorrector, fairness_scorer

try:
    import pyarrow as pa
except ImportError:
    pa = None

N = 60
ODD_INDEX = np.random.default_rng(1).permutation(N) * 7 + 3
OWN = (Path(sklearn_softunlearn.__file__).parent, Path(sklearn.__file__).parent)


def _plain():
    """Numbers that every floating type holds exactly."""
    rng = np.random.default_rng(0)
    groups = np.tile([0, 1], N // 2)
    X = np.round(8 * rng.normal(size=(N, 3))) / 8
    X[:, 0] += groups
    y = (X[:, 0] + X[:, 1] + rng.normal(size=N) > 0.7).astype(int)
    weight = np.round(8 * rng.uniform(0.5, 2.0, N)) / 8
    return {"X": X, "y": y, "sensitive_features": groups, "sample_weight": weight}


PLAIN = _plain()


def _read_only(values):
    values = values.copy()
    values.setflags(write=False)
    return values


def _strided(values):
    return np.repeat(values, 2, axis=0)[::2]


def _backwards(values):
    return values[::-1].copy()[::-1]


TABLES = {
    "list": lambda a: a.tolist(),
    "float32": lambda a: a.astype(np.float32),
    "float16": lambda a: a.astype(np.float16),
    "object": lambda a: a.astype(object),
    "other byte order": lambda a: a.astype(">f8"),
    "Fortran": np.asfortranarray,
    "strided": _strided,
    "backwards": _backwards,
    "read-only": _read_only,
    "masked, nothing hidden": np.ma.array,
    "frame, odd index": lambda a: pd.DataFrame(a, index=ODD_INDEX, columns=list("abc")),
    "frame, one index": lambda a: pd.DataFrame(a, index=[0] * N, columns=list("abc")),
    "Float64": lambda a: pd.DataFrame(a, columns=list("abc")).astype("Float64"),
    "polars": lambda a: pl.DataFrame(a, schema=list("abc")),
    **{
        name: getattr(sparse, name)
        for name in ("csr_matrix", "csc_array", "coo_array", "dok_array", "bsr_array")
    },
}
VECTORS = {
    "list": lambda a: a.tolist(),
    "float32": lambda a: a.astype(np.float32),
    "strided": _strided,
    "backwards": _backwards,
    "read-only": _read_only,
    "series, odd index": lambda a: pd.Series(a, index=ODD_INDEX),
    "series, one index": lambda a: pd.Series(a, index=[0] * N),
    "polars": pl.Series,
    "masked, nothing hidden": np.ma.array,
}
OF_GROUPS = VECTORS | {
    "strings": lambda a: a.astype(str),
    "categorical": lambda a: pd.Series(a).astype("category"),
    "unused category": lambda a: pd.Categorical(a, categories=[0, 1, 99]),
    "nullable": lambda a: pd.Series(a).astype("Int64"),
    "column": lambda a: a[:, None],
    "frame": lambda a: pd.DataFrame({"g": a}, index=ODD_INDEX),
    "tuples": lambda a: [(1, value) for value in a.tolist()],
}
# pyarrow is large; where it is installed, its containers are drawn too.
if pa is not None:
    OF_GROUPS |= {
        "arrow": pa.array,
        "chunks": lambda a: pa.chunked_array([a[:7], a[7:]]),
        "arrow table": lambda a: pa.table({"g": a}),
    }
CONTAINERS = {
    "X": TABLES,
    "y": VECTORS,
    "sensitive_features": OF_GROUPS,
    "sample_weight": VECTORS,
}


def _with(where, value):
    def spoiled(values):
        values = np.array(values, dtype=object if value is None else float)
        values[where] = value
        return values

    return spoiled


SPOILED = {
    "NaN": _with(1, np.nan),
    "infinite": _with(1, np.inf),
    "None": _with(1, None),
    "one row less": lambda a: a[:-1],
    "empty": lambda a: a[:0],
    "one row": lambda a: a[:1],
    "three dimensions": lambda a: np.reshape(a, (N, -1, 1))[:, :, :, None],
    "a word": lambda a: "abc",
    "a number": lambda a: 5,
    "complex": lambda a: a + 1j,
    "dates": lambda a: np.full(np.shape(a), np.datetime64("2020-01-01")),
    "masked": lambda a: np.ma.array(a, mask=np.arange(a.size).reshape(a.shape) == 4),
    "fields": lambda a: np.rec.fromarrays([a, a]),
}
# Names of groups may be any values, and fields are columns.
FINE = {"complex", "dates", "infinite", "fields"}


def _fit(arguments):
    corrector = SoftUnlearnCorrector(LogisticRegression(tol=1e-8), delta=0.3)
    corrector.fit(**arguments)
    found = corrector.predict_proba(arguments["X"])[:, 1]
    return np.concatenate([found, corrector.sample_weight_])


def _score(arguments):
    model = LogisticRegression().fit(PLAIN["X"], PLAIN["y"])
    arguments = dict(arguments)
    X, y = arguments.pop("X"), arguments.pop("y")
    return fairness_scorer(demographic_parity_difference)(model, X, y, **arguments)


ENTRIES = {"fit": _fit, "scorer": _score}


@cache
def answer(entry):
    """Of plain arrays."""
    return ENTRIES[entry](PLAIN)


def _contents(arguments):
    """What containers hold, without what they remember of having been looked at."""
    return {
        name: (type(held), np.asarray(_dense(held), dtype=object).tolist())
        for name, held in arguments.items()
    }


def _dense(held):
    return held.toarray() if sparse.issparse(held) else held


def _is_of_ours(error):
    """Raised where inputs are checked: here, or in scikit-learn's own validation."""
    last = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    return any(folder in last.parents for folder in OWN)


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("entry", list(ENTRIES))
@given(chosen=st.fixed_dictionaries(
    {name: st.sampled_from(sorted(of)) for name, of in CONTAINERS.items()}
))  # fmt: skip
def test_the_container_does_not_change_the_answer(entry, chosen):
    arguments = {
        name: CONTAINERS[name][kind](PLAIN[name]) for name, kind in chosen.items()
    }
    before = _contents(arguments)
    found = ENTRIES[entry](arguments)
    # A fit in single precision stops where the rounding of its processor has it.
    tolerance = 1e-3 if chosen["X"] == "float32" else 1e-5
    np.testing.assert_allclose(found, answer(entry), atol=tolerance)
    assert _contents(arguments) == before


@pytest.mark.parametrize("entry", list(ENTRIES))
@given(
    name=st.sampled_from(sorted(PLAIN)),
    kind=st.sampled_from(sorted(SPOILED)),
    container=st.sampled_from(["as it is", "list"]),
)
def test_what_cannot_be_read_is_refused_by_name(entry, name, kind, container):
    spoiled = SPOILED[kind](PLAIN[name])
    if container == "list" and isinstance(spoiled, np.ndarray):
        spoiled = np.ma.getdata(spoiled).tolist() if kind != "masked" else spoiled
    arguments = PLAIN | {name: spoiled}
    if name == "sensitive_features":
        assume(kind not in FINE)
    with pytest.raises((ValueError, TypeError)) as caught:
        ENTRIES[entry](arguments)
    assert _is_of_ours(caught.value), caught.value
