# SPDX-License-Identifier: BSD-3-Clause
"""Where tasks are computed: by a client of Dask, else by its default scheduler."""

import sys
from asyncio import CancelledError as AsyncCancelled
from concurrent.futures import CancelledError
from contextlib import contextmanager

import dask

# Below this, what goes with a task is shipped as a part of it.
_SCATTERED_BYTES = 2**20


class Computing:
    """Computes delayed values, and counts the blocks of rows that were read.

    Parameters
    ----------
    client : distributed.Client or None
        None is the current client, else the default scheduler of Dask.

    Attributes
    ----------
    n_read : int
        Blocks of rows that were read so far.
    """

    def __init__(self, client=None):
        self.client = _current_client() if client is None else _open(client)
        self.n_read = 0

    def compute(self, tasks):
        """Values of delayed tasks, a list.

        Raises
        ------
        RuntimeError
            If workers died over a task, or the client was closed.
        """
        with _explained():
            if self.client is None:
                return list(dask.compute(*tasks))
            return self.client.gather(self.client.compute(list(tasks)))

    def placed(self, parts):
        """Arrays as the tasks that need them take them: on workers, if there are any.

        In the graph they would all pass through the scheduler.
        """
        large = sum(getattr(part, "nbytes", 0) for part in parts) > _SCATTERED_BYTES
        if self.client is None or not large:
            return parts
        with _explained():
            return self.client.scatter(parts, hash=False)


def _current_client():
    distributed = sys.modules.get("distributed")
    wanted = dask.config.get("scheduler", None)
    if distributed is None or wanted not in (None, "distributed", "dask.distributed"):
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


def _open(client):
    status = getattr(client, "status", None)
    if status not in ("running", "connecting"):
        raise ValueError(
            f"client is {status}: a correction needs workers to read X. Open another, "
            "distributed.Client(...), or leave client out to use the threads of this "
            "process."
        )
    return client


@contextmanager
def _explained():
    """Say what happened where Dask speaks of keys of tasks."""
    try:
        yield
    except (CancelledError, AsyncCancelled) as error:
        raise RuntimeError(
            "The computation was cancelled: the client or its cluster was closed while "
            "the rows were read. Nothing was corrected; fit again with an open client."
        ) from error
    except Exception as error:
        if type(error).__name__ != "KilledWorker":
            raise
        raise RuntimeError(
            "Several workers died while they read the same block of rows, most likely "
            "out of memory. Nothing was corrected. (a) Make the blocks smaller: "
            "X.rechunk((rows, -1)), or repartition; (b) give the workers more memory; "
            f"(c) give each worker fewer threads. {error}"
        ) from error
