# SPDX-License-Identifier: BSD-3-Clause
"""Workers in processes of their own: the same numbers, and what may happen to them."""

import multiprocessing
import pickle
from functools import partial
from threading import Thread

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

import dask
from distributed import Client, LocalCluster
from distributed.utils import get_mp_context

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.dask import DaskSoftUnlearnCorrector, _computing
from sklearn_softunlearn.dask._collections import rows_of
from sklearn_softunlearn.dask._computing import Computing
from tests.row_blocks.faults import (
    dies_once,
    needs_more_than_there_is,
    sums_or_dies_once,
)
from tests.row_blocks.same import CHUNKS, assert_same, both, in_chunks, table

SOFT = {"weighting": "soft", "utility_tol": 0.0}
EXACT = {"weighting": "exact", "utility_tol": None}
CONFIG = {
    # Else a worker that asks one that has died waits half a minute for an answer.
    "distributed.comm.timeouts.connect": "3s",
    "distributed.scheduler.allowed-failures": 1,
}


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set(CONFIG | start_method()),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit="900MiB",
            dashboard_address=":0",
        ) as cluster,
    ):
        yield cluster


def start_method():
    """Where there are forks: of a process that has imported what workers need."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return {}
    method = {"distributed.worker.multiprocessing-method": "forkserver"}
    with dask.config.set(method):
        get_mp_context().set_forkserver_preload(["sklearn_softunlearn.dask"])
    return method


@pytest.fixture
def client(cluster):
    with Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def rows():
    X, y, group, _ = table()
    base = FrozenEstimator(LogisticRegression(tol=1e-10).fit(X, y))
    return X, y, group, base


def blocks_read_by(function, X, *arguments):
    blocks = in_chunks(X, CHUNKS["three"])
    return blocks.map_blocks(function, *arguments, meta=np.empty((0, 0)))


@pytest.mark.parametrize(
    ("options", "sent"), [(SOFT, False), (EXACT, True)], ids=["soft", "exact, sent"]
)
def test_the_same_numbers(rows, client, options, sent, monkeypatch):
    if sent:
        monkeypatch.setattr(_computing, "_SCATTERED_BYTES", 0)
    X, y, group, base = rows
    fit = {"sensitive_features": group}
    pair = both(base, X, y, CHUNKS["three"], client=client, fit=fit, **options)
    assert_same(*pair, X)


def test_fitted_on_the_workers_of_the_current_client(rows, client, monkeypatch):
    X, y, group, _ = rows
    used = []
    values = Computing._values
    monkeypatch.setattr(
        Computing,
        "_values",
        lambda self, tasks: used.append(self.client) or values(self, tasks),
    )
    estimator = LogisticRegression(tol=1e-12, max_iter=1000)
    with client.as_current():
        pair = both(
            estimator, X, y, (0, 150, 90), fit={"sensitive_features": group}, **SOFT
        )
    assert_same(*pair, X, tolerance=1e-6)
    assert set(used) == {client}


def test_a_worker_that_dies_in_the_middle(rows, client, tmp_path):
    X, y, group, base = rows
    one = SoftUnlearnCorrector(base, **SOFT).fit(X, y, sensitive_features=group)
    blocks = blocks_read_by(dies_once, X, str(tmp_path), 9)
    other = DaskSoftUnlearnCorrector(base, **SOFT).fit(
        blocks, y, sensitive_features=group, client=client
    )
    assert_same(one, other, X)


def test_a_worker_that_dies_with_what_was_sent_to_it(client, tmp_path, monkeypatch):
    monkeypatch.setattr(_computing, "_SCATTERED_BYTES", 0)
    rng = np.random.default_rng(0)
    X, of_row = rng.normal(size=(80_000, 2)), rng.normal(size=80_000)
    rows = rows_of(in_chunks(X, (20_000,) * 4), None, "X", Computing(client))
    total = rows.sum(partial(sums_or_dies_once, str(tmp_path)), of_row)
    np.testing.assert_allclose(total, of_row @ X)


def test_a_worker_out_of_memory(rows, cluster, client, monkeypatch):
    X, y, group, base = rows
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    corrector = DaskSoftUnlearnCorrector(base, **SOFT)
    with pytest.raises(RuntimeError, match=r"out of memory.*Make the blocks smaller"):
        corrector.fit(
            blocks_read_by(needs_more_than_there_is, X),
            y,
            sensitive_features=group,
            client=client,
        )
    assert vars(corrector) == vars(DaskSoftUnlearnCorrector(base, **SOFT))


def test_a_block_with_nan_leaves_the_former_fit(rows, client):
    X, y, group, base = rows
    blocks = in_chunks(X, CHUNKS["three"])
    given = {"sensitive_features": group, "client": client}
    corrector = DaskSoftUnlearnCorrector(base, **SOFT).fit(blocks, y, **given)
    former = dict(vars(corrector))
    bad = X.copy()
    bad[150, 1] = np.nan
    where = r"X, block 1, row 50 of it \(row 150 of all\): .* NaN.*Drop such rows"
    with pytest.raises(ValueError, match=where):
        corrector.fit(in_chunks(bad, CHUNKS["three"]), y, **given)
    assert vars(corrector) == former


def test_a_client_that_is_closed(rows, cluster):
    X, y, group, base = rows
    blocks = in_chunks(X, CHUNKS["three"])
    client = Client(cluster, set_as_default=False)
    corrector = DaskSoftUnlearnCorrector(base, **SOFT)
    given = {"sensitive_features": group, "client": client}
    corrector.fit(blocks, y, **given)
    client.close()
    # What was fitted needs no client.
    again = pickle.loads(pickle.dumps(corrector))
    np.testing.assert_array_equal(again.influence_, corrector.influence_)
    np.testing.assert_array_equal(again.predict(blocks), corrector.predict(X))
    assert again.delta_max_ == corrector.delta_max_
    with pytest.raises(ValueError, match="client is closed"):
        corrector.fit(blocks, y, **given)


def test_a_client_that_is_closed_while_rows_are_read(rows, cluster, monkeypatch):
    X, y, group, base = rows
    client = Client(cluster, set_as_default=False)
    gather, closing = client.gather, Thread(target=client.close)

    def gather_while_it_closes(futures):
        if len(futures) > 1 and not closing.ident:  # all blocks, for the first time
            closing.start()
        return gather(futures)

    monkeypatch.setattr(client, "gather", gather_while_it_closes)
    corrector = DaskSoftUnlearnCorrector(base, **SOFT)
    with pytest.raises(RuntimeError, match="closed while the rows were read"):
        corrector.fit(
            in_chunks(X, CHUNKS["three"]), y, sensitive_features=group, client=client
        )
    closing.join()
    assert vars(corrector) == vars(DaskSoftUnlearnCorrector(base, **SOFT))
