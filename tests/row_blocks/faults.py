# SPDX-License-Identifier: BSD-3-Clause
"""Blocks whose reading goes wrong, in the process that reads them."""

import os
from threading import Event

import numpy as np


def dies_once(block, folder, at):
    """The block; the process that reads one for the at-th time dies, once."""
    log = os.path.join(folder, "reads")
    # Appended by processes side by side.
    handle = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(handle, b".")
    os.close(handle)
    if os.path.getsize(log) == at:
        os._exit(1)
    return block


def needs_more_than_there_is(block):
    """Takes 1.5 GB, and does not end before the nanny has ended it."""
    taken = [np.ones(2**24) for _ in range(12)]
    Event().wait(60)
    raise AssertionError(f"{len(taken)} arrays did not exceed the limit of memory")


def sums_or_dies_once(folder, block, part):
    """Sums of columns with the part of the rows; the first process to call it dies."""
    return part @ dies_once(block, folder, 1)
