# SPDX-License-Identifier: BSD-3-Clause
"""Real data for tests: found, or the test is skipped with the reason. Own modules."""

import os
import socket
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fairlearn.datasets import fetch_adult, fetch_bank_marketing, fetch_credit_card
from hypothesis import settings

# A deadline is a timed assertion, and machines are shared. What gates a change draws
# the same examples each time; at a desk they are new ones.
settings.register_profile(
    "softunlearn", deadline=None, derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("softunlearn")

DATA_HOME_VARIABLE = "SOFTUNLEARN_DATA_HOME"
REPOSITORY = Path(__file__).resolve().parents[1]


def _find_data_home():
    """The folder named by the environment, else ``../shared/data``, else None."""
    named = os.environ.get(DATA_HOME_VARIABLE)
    candidate = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return candidate.resolve() if (candidate / "openml").is_dir() else None


@contextmanager
def _no_network():
    default = socket.getdefaulttimeout()
    socket.setdefaulttimeout(0.001)
    try:
        with warnings.catch_warnings():
            # Not as errors: scikit-learn deletes a cached file whose reading raises.
            warnings.simplefilter("ignore")
            # Except this one, after which it would try again, and again.
            warnings.filterwarnings("error", "A network error occurred")
            yield
    finally:
        socket.setdefaulttimeout(default)


def _fetch(fetcher, data_home):
    """Read from the cache only: a table that is not in it skips, never downloads."""
    try:
        with _no_network():
            return fetcher(data_home=str(data_home))
    except (OSError, Warning) as error:
        pytest.skip(f"{fetcher.__name__}: not in {data_home} ({error})")


@pytest.fixture(scope="session")
def data_home():
    found = _find_data_home()
    if found is None:
        pytest.skip(f"real data absent: set {DATA_HOME_VARIABLE} to an OpenML cache")
    # An older scikit-learn does not find what a newer one has cached.
    _fetch(fetch_adult, found)
    return found


@pytest.fixture(scope="session")
def adult(data_home):
    return _fetch(fetch_adult, data_home)


@pytest.fixture(scope="session")
def bank(data_home):
    return _fetch(fetch_bank_marketing, data_home)


@pytest.fixture(scope="session")
def credit(data_home):
    return _fetch(fetch_credit_card, data_home)


@pytest.fixture(scope="session")
def adult_encoded(adult):
    """Adult as 0/1 labels and a standardised one-hot design of 108 columns."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    one_hot = make_column_transformer(
        (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude=int)),
        remainder="passthrough",
    )
    return SimpleNamespace(
        X=make_pipeline(one_hot, StandardScaler()).fit_transform(adult.data),
        y=np.asarray(adult.target == ">50K", dtype=int),
        sex=np.asarray(adult.data["sex"], dtype=str),
        race=np.asarray(adult.data["race"], dtype=str),
    )


@pytest.fixture
def own_code(monkeypatch):
    """Imports a source as the module ``own_code``, in the place of what was there."""

    def imported(source, **names):
        module = ModuleType("own_code")
        vars(module).update(names)
        exec(source, vars(module))
        monkeypatch.setitem(sys.modules, "own_code", module)
        return module

    return imported
