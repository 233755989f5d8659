# SPDX-License-Identifier: BSD-3-Clause
"""Rows in blocks: passes, seconds, memory and bytes of a correction with Dask.

    python -m benchmarks.studies.rows [--rows N] [--folder FOLDER]

A logistic regression, trained on the first block, is corrected on N rows of 100
features in float32, which lie in FOLDER in files of 100 000 rows. Workers are processes
with one thread and 2 GB each. Every case runs in a process of its own:

- *large*: N rows with 2 workers, first order;
- *exact*: 1e6 rows with 2 workers;
- *one worker*, *two workers*: 5e5 rows with 1, 1e6 with 2: as many for each;
- *in memory*: 1e6 rows, `SoftUnlearnCorrector` and blocks in the same memory by turns.

The unit of time is one reading of all blocks by the same workers. Bytes are those that
connections wrote, by who wrote them.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from distributed.comm.tcp import TCP
from scipy.special import expit
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from benchmarks.peers.corrections import FIRST_ORDER
from benchmarks.provenance import provenance, write
from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.dask import DaskSoftUnlearnCorrector, _corrector
from sklearn_softunlearn.dask._computing import Computing

BLOCK = 100_000
N_FEATURES = 100
N_IN_MEMORY = 1_000_000
TURNS = 3
MEMORY = "2GB"
WEIGHTS = {"first order": FIRST_ORDER, "exact": {"weighting": "exact"}}


def block(i):
    """X, y and groups of a block; its last features tell the groups."""
    coef = np.random.default_rng(0).standard_normal(N_FEATURES)
    coef *= 2.0 / np.linalg.norm(coef)
    rng = np.random.default_rng(1 + i)
    group = rng.integers(0, 2, BLOCK)
    X = rng.standard_normal((BLOCK, N_FEATURES), dtype=np.float32)
    X[:, -5:] += 0.5 * group[:, None]
    true = rng.random(BLOCK) < expit(X @ coef)
    kept = rng.random(BLOCK) >= 0.3 * group
    return X, (true & kept).astype(int), group


def write_blocks(folder, n_rows):
    """Files of X for so many rows, and one each of y and groups."""
    beside = []
    for i in range(n_rows // BLOCK):
        X, *columns = block(i)
        np.save(folder / f"{i}.npy", X)
        beside.append(columns)
    y, group = map(np.concatenate, zip(*beside, strict=True))
    np.save(folder / "y.npy", y)
    np.save(folder / "group.npy", group)


def read_blocks(folder, n_rows):
    """X as a dask array of delayed files, y and groups in memory."""
    load = dask.delayed(np.load, pure=True)
    pieces = [
        da.from_delayed(load(folder / f"{i}.npy"), (BLOCK, N_FEATURES), np.float32)
        for i in range(n_rows // BLOCK)
    ]
    y, group = (np.load(folder / f"{name}.npy")[:n_rows] for name in ("y", "group"))
    return da.concatenate(pieces), y, group


def base_model(folder):
    """Trained on the first block, wherever that was."""
    X = np.load(folder / "0.npy").astype(float)
    y = np.load(folder / "y.npy")[:BLOCK]
    return FrozenEstimator(LogisticRegression().fit(X, y))


class Watched(Computing):
    """Adds up the seconds that passes take, as the client sees them."""

    seconds = 0.0

    def compute_with(self, parts, make_tasks):
        start = time.perf_counter()
        values = super().compute_with(parts, make_tasks)
        Watched.seconds += time.perf_counter() - start
        return values


def on_workers(folder, n_rows, n_workers, weights):
    """Correct so many rows with so many workers; a dict of figures."""
    _count_bytes()
    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            memory_limit=MEMORY,
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(n_workers)
        client.run(_count_bytes)
        X, y, group = read_blocks(folder, n_rows)
        base = base_model(folder)
        reading = min(_reading(client, X) for _ in range(3))
        before, busy, own = _written(client), _busy(client), time.process_time()
        found = _corrected(DaskSoftUnlearnCorrector(base, **weights), X, y, group)
        return found | {
            "rows": n_rows,
            "workers": n_workers,
            "seconds of reading": reading,
            "processor seconds of workers": _busy(client) - busy,
            "processor seconds of client and scheduler": time.process_time() - own,
            "bytes written by": {
                who: after - before[who] for who, after in _written(client).items()
            },
            "peak MiB of workers": sorted(client.run(_peak_mib).values()),
            "peak MiB of the client": _peak_mib(),
        }


def _corrected(corrector, X, y, group):
    _corrector.Computing = Watched
    start = time.perf_counter()
    corrector.fit(X, y, sensitive_features=group)
    seconds = time.perf_counter() - start
    line = corrector.report_[corrector.metric, "surrogate"]
    return {
        "seconds": seconds,
        "seconds in passes": Watched.seconds,
        "passes": corrector.n_passes_,
        "metric before": line.before,
        "metric after": line.after,
    }


def _reading(client, X):
    start = time.perf_counter()
    client.gather(client.compute([dask.delayed(_touched)(b) for b in _delayed(X)]))
    return time.perf_counter() - start


def _delayed(X):
    return X.to_delayed().ravel()


def _touched(X):
    return float(X[0, 0])  # np.load has read the whole file


def _busy(client):
    return sum(client.run(time.process_time).values())


def _peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _count_bytes():
    """Count from now on what this process writes to its connections."""
    write_to = TCP.write
    TCP.written = {}

    async def counted(self, message, *arguments, **options):
        n_bytes = await write_to(self, message, *arguments, **options)
        ours = self.local_address
        TCP.written[ours] = TCP.written.get(ours, 0) + n_bytes
        return n_bytes

    TCP.write = counted


def _written(client):
    scheduler = client.scheduler.address
    here = dict(TCP.written)
    workers = client.run(lambda: sum(TCP.written.values()))
    return {
        "client": sum(n for who, n in here.items() if who != scheduler),
        "scheduler": here.get(scheduler, 0),
        "workers": sum(workers.values()),
    }


def in_memory(folder):
    """Times of corrections of blocks, as multiples of those of one array."""
    X, y, group = read_blocks(folder, N_IN_MEMORY)
    X = X.compute()
    base = base_model(folder)
    blocks = da.from_array(X, chunks=(BLOCK, -1))
    one = SoftUnlearnCorrector(base, **FIRST_ORDER)
    other = DaskSoftUnlearnCorrector(base, **FIRST_ORDER)
    runs = {
        "array": partial(one.fit, X, y, sensitive_features=group),
        "blocks": partial(other.fit, blocks, y, sensitive_features=group),
    }
    with dask.config.set(scheduler="synchronous"):
        ratios = [_turn(runs) for _ in range(TURNS)]
    with dask.config.set(scheduler="threads", num_workers=2):
        threads = [_turn(runs) for _ in range(TURNS)]
    return {
        "rows": N_IN_MEMORY,
        "passes": other.n_passes_,
        "processor time, blocks / array": [r[0] for r in ratios],
        "seconds, blocks / array": [r[1] for r in ratios],
        "processor time, two threads / array": [r[0] for r in threads],
        "seconds, two threads / array": [r[1] for r in threads],
    }


def _turn(runs):
    """Ratios of processor time and of seconds."""
    times = {}
    for name, run in runs.items():
        start = time.process_time(), time.perf_counter()
        run()
        times[name] = (
            time.process_time() - start[0],
            time.perf_counter() - start[1],
        )
    pairs = zip(times["blocks"], times["array"], strict=True)
    return [blocks / array for blocks, array in pairs]


def run_case(case, folder):
    """The figures of a case, from a process of its own."""
    line = [sys.executable, "-m", "benchmarks.studies.rows", "--folder", str(folder)]
    done = subprocess.run(
        [*line, "--case", json.dumps(case)], stdout=subprocess.PIPE, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(found), flush=True)
    return found


def case_here(case, folder):
    if not case:
        return in_memory(folder)
    return on_workers(
        folder, case["rows"], case["workers"], WEIGHTS[case["weights"]]
    ) | {"weights": case["weights"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--case", type=json.loads, default=None)
    options = parser.parse_args()
    if options.case is not None:
        print(json.dumps(case_here(options.case, options.folder)))
        return
    folder = options.folder or Path(tempfile.mkdtemp())
    try:
        write("rows", study(folder, options.rows))
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


def study(folder, n_rows):
    """All cases."""
    folder.mkdir(exist_ok=True)
    if not (folder / "group.npy").exists():
        write_blocks(folder, n_rows)
    run = partial(run_case, folder=folder)
    return {
        "provenance": provenance("dask", "distributed"),
        "features": N_FEATURES,
        "block": BLOCK,
        "memory limit": MEMORY,
        "large": run(_on(n_rows, 2, "first order")),
        "exact": run(_on(N_IN_MEMORY, 2, "exact")),
        "one worker": run(_on(N_IN_MEMORY // 2, 1, "first order")),
        "two workers": run(_on(N_IN_MEMORY, 2, "first order")),
        "in memory": run({}),
    }


def _on(n_rows, n_workers, weights):
    return {"rows": n_rows, "workers": n_workers, "weights": weights}


if __name__ == "__main__":
    main()
