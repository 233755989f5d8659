# SPDX-License-Identifier: BSD-3-Clause
"""Where tasks are computed: by a client of Dask, else by its default scheduler."""

import sys
from asyncio import CancelledError as AsyncCancelled
from concurrent.futures import CancelledError
from contextlib import contextmanager

import dask

# Below this, what goes with a task is shipped as a part of it.
_SCATTERED_BYTES = 2**20
# How often a pass is begun anew after a worker died with what was sent to it.
_ATTEMPTS = 4
_ALIVE = ("running", "connecting")


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
        return self.compute_with((), lambda _: tasks)

    def compute_with(self, parts, make_tasks):
        """Values of the delayed tasks ``make_tasks(parts)``, a list.

        Large parts, arrays, are sent to the workers first: in the graph they would all
        be held by the scheduler. Dask cannot make anew what was sent to a worker that
        died, so they are sent again then, and the tasks begun anew.
        """
        for last in [False] * (_ATTEMPTS - 1) + [True]:
            with self._explained():
                try:
                    return self._values(make_tasks(self._placed(parts)))
                except (CancelledError, AsyncCancelled):
                    if last or self._is_closed():
                        raise

    def _values(self, tasks):
        if self.client is None:
            return list(dask.compute(*tasks))
        return self.client.gather(self.client.compute(list(tasks)))

    def _placed(self, parts):
        large = sum(getattr(part, "nbytes", 0) for part in parts) > _SCATTERED_BYTES
        if self.client is None or not large:
            return parts
        return self.client.scatter(parts, hash=False)

    def _is_closed(self):
        return self.client is not None and self.client.status not in _ALIVE

    @contextmanager
    def _explained(self):
        """Say what happened where Dask speaks of keys of tasks."""
        try:
            yield
        except (Exception, AsyncCancelled) as error:
            if self._is_closed():
                raise RuntimeError(
                    "The client or its cluster was closed while the rows were read. "
                    "Nothing was corrected; fit again with an open client."
                ) from error
            if isinstance(error, CancelledError | AsyncCancelled):
                raise RuntimeError(
                    "The computation was cancelled again and again, most likely since "
                    "workers keep dying. Nothing was corrected; fit again when they "
                    f"stay. {error}"
                ) from error
            if type(error).__name__ != "KilledWorker":
                raise
            raise RuntimeError(
                "Workers died, again and again, while they read the same block of "
                "rows, most likely out of memory. Nothing was corrected. (a) Make the "
                "blocks smaller: X.rechunk((rows, -1)), or repartition; (b) give the "
                f"workers more memory; (c) give each worker fewer threads. {error}"
            ) from error


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
    if status not in _ALIVE:
        raise ValueError(
            f"client is {status}: a correction needs workers to read X. Open another, "
            "distributed.Client(...), or leave client out to use the threads of this "
            "process."
        )
    return client
