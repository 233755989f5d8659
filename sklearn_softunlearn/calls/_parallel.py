# SPDX-License-Identifier: BSD-3-Clause
"""Calls side by side, in threads or processes, that leave the process as it was.

joblib carries neither scikit-learn's configuration nor warning filters to its workers.
scikit-learn's own `Parallel` does, by setting the filters of `warnings` in each call.
These belong to the whole process: of two threads that set and restore them, one leaves
what the other had set. Threads see the filters anyway, so here only other processes set
them.
"""

import os
import warnings
from uuid import uuid4

from joblib import Parallel, delayed
from sklearn import config_context, get_config

_TOKEN = uuid4().hex  # a worker on another machine may have the same process number


def run_parallel(function, arguments, *, n_jobs, **options):
    """Results of a function for several tuples of arguments, in their order.

    Parameters
    ----------
    function : callable
    arguments : iterable of tuple
    n_jobs : int or None
    **options : dict
        Of `joblib.Parallel`.
    """
    settings = (_here(), get_config(), list(warnings.filters))
    calls = (delayed(_configured)(settings, function, given) for given in arguments)
    return Parallel(n_jobs=n_jobs, **options)(calls)


def _here():
    return os.getpid(), _TOKEN


def _configured(settings, function, arguments):
    caller, config, filters = settings
    with config_context(**config):
        if caller == _here():
            return function(*arguments)
        with warnings.catch_warnings():  # of a process that does nothing else
            _set_filters(filters)
            return function(*arguments)


def _set_filters(filters):
    warnings.resetwarnings()
    for action, message, category, module, line in reversed(filters):
        warnings.filterwarnings(
            action, _pattern(message), category, _pattern(module), line
        )


def _pattern(given):
    return getattr(given, "pattern", given) or ""
