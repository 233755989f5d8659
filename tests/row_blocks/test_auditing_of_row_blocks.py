# SPDX-License-Identifier: BSD-3-Clause
"""The audit of rows in blocks says what that of rows in memory says."""

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

import dask.dataframe as dd

from sklearn_softunlearn import SoftUnlearnCorrector, audit
from sklearn_softunlearn.dask import DaskSoftUnlearnCorrector
from tests.row_blocks.same import CHUNKS, N, in_chunks, table

OPTIONS = {"weighting": "soft", "utility_tol": 0.0}
FEW_DRAWS = {"n_bootstrap": 50}
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_softunlearn.exceptions.HeldOutWorseWarning"
)


def in_blocks(given, chunks):
    return {name: in_chunks(values, chunks) for name, values in given.items()}


def assert_same_audit(mine, theirs):
    frames = [each.frame() for each in (mine, theirs)]
    pd.testing.assert_frame_equal(*frames, rtol=0, atol=1e-8)
    mine, theirs = (each.to_dict() for each in (mine, theirs))
    assert mine["rows"] == theirs["rows"]
    assert mine["notes"] == theirs["notes"]
    _assert_close(mine["calibration"], theirs["calibration"])
    _assert_close(mine["deletion"], theirs["deletion"])
    _assert_close(mine["promise"], theirs["promise"])


def _assert_close(mine, theirs):
    """Nested dictionaries and lists with the same words, and numbers to 1e-8."""
    if isinstance(theirs, dict):
        assert mine.keys() == theirs.keys()
        for key in theirs:
            _assert_close(mine[key], theirs[key])
    elif isinstance(theirs, list):
        assert len(mine) == len(theirs)
        for pair in zip(mine, theirs, strict=True):
            _assert_close(*pair)
    elif isinstance(theirs, float):
        assert mine == pytest.approx(theirs, rel=0, abs=1e-8)
    else:
        assert mine == theirs


@pytest.mark.parametrize("chunks", ["three", "empty ones"])
def test_of_arrays_and_of_the_rows_that_were_deleted(chunks):
    X, y, group, weight = table()
    train = {"sensitive_features": group, "sample_weight": weight}
    X_held, y_held, *beside = table(seed=1)
    held = dict(zip(("sensitive_features", "sample_weight"), beside, strict=True))
    base = FrozenEstimator(LogisticRegression(tol=1e-10).fit(X, y, weight))
    one = SoftUnlearnCorrector(base, **OPTIONS).fit(X, y, **train)
    chunks = CHUNKS[chunks]
    rows = in_chunks(X, chunks), in_chunks(y, chunks)
    other = DaskSoftUnlearnCorrector(base, **OPTIONS)
    other.fit(*rows, **in_blocks(train, chunks))
    whose = {f"{name}_train": values for name, values in train.items()}
    theirs = audit(one, X_held, y_held, **held, X_train=X, y_train=y, **whose,
                   **FEW_DRAWS)  # fmt: skip
    mine = other.audit(
        in_chunks(X_held, chunks), in_chunks(y_held, chunks),
        **in_blocks(held, chunks), X_train=rows[0], y_train=rows[1],
        **in_blocks(whose, chunks), **FEW_DRAWS,
    )  # fmt: skip
    assert_same_audit(mine, theirs)
    assert mine.to_dict()["provenance"]["data"]["held_out"]["rows"] == N
    assert "<html" in mine.to_html()
    # Held-out rows in memory are audited as they are, by either door.
    plain = other.audit(X_held, y_held, **held, **FEW_DRAWS)
    assert_same_audit(plain, audit(other, X_held, y_held, **held, **FEW_DRAWS))


def test_of_frames_with_groups_among_the_columns():
    X, y, group, _ = table()
    whole = pd.DataFrame(X).add_prefix("x").assign(sex=group)
    label = pd.Series(np.where(y == 1, "yes", "no"), name="label")
    base = FrozenEstimator(LogisticRegression(tol=1e-10).fit(whole, label))
    options = {"sensitive_feature_ids": "sex"} | OPTIONS
    one = SoftUnlearnCorrector(base, **options).fit(whole, label)
    frames = [dd.from_pandas(each, npartitions=3) for each in (whole, label)]
    other = DaskSoftUnlearnCorrector(base, **options).fit(*frames)
    theirs = audit(one, whole, label, **FEW_DRAWS)
    assert_same_audit(other.audit(*frames, **FEW_DRAWS), theirs)
    # That these are the training rows is seen, in memory and of the same blocks.
    theirs = audit(one, whole, label, X_train=whole, y_train=label, **FEW_DRAWS)
    mine = other.audit(*frames, X_train=frames[0], y_train=frames[1], **FEW_DRAWS)
    assert_same_audit(mine, theirs)
    assert any(
        "rows that the model was fitted to" in n for n in mine.to_dict()["notes"]
    )


def test_of_a_regression():
    X, _, group, _ = table()
    y = X[:, 0] + 0.5 * group
    base = FrozenEstimator(Ridge().fit(X, y))
    options = OPTIONS | {"metric": "mean_prediction_difference", "utility_tol": 0.1}
    one = SoftUnlearnCorrector(base, **options).fit(X, y, sensitive_features=group)
    other = DaskSoftUnlearnCorrector(base, **options).fit(
        in_chunks(X, CHUNKS["three"]), y, sensitive_features=group
    )
    theirs = audit(one, X, y, sensitive_features=group, **FEW_DRAWS)
    mine = other.audit(
        in_chunks(X, CHUNKS["three"]), y, sensitive_features=group, **FEW_DRAWS
    )
    assert_same_audit(mine, theirs)


def test_the_function_for_rows_in_memory_names_the_method_for_blocks():
    X, y, group, _ = table()
    corrector = SoftUnlearnCorrector(**OPTIONS).fit(X, y, sensitive_features=group)
    with pytest.raises(TypeError, match="method audit of a DaskSoftUnlearnCorrector"):
        audit(corrector, in_chunks(X, CHUNKS["three"]), y, sensitive_features=group)
