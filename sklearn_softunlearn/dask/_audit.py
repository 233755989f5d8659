# SPDX-License-Identifier: BSD-3-Clause
"""The audit of a correction on held-out rows in blocks."""

from copy import copy

from sklearn_softunlearn.auditing import audit
from sklearn_softunlearn.dask._collections import in_blocks
from sklearn_softunlearn.dask._computing import Computing

_TABLE = ("X", "y", "sensitive_features", "sample_weight")


def audit_of_blocks(corrector, held_out, training, client, options):
    """Audit of rows of which X stays in its blocks.

    Parameters
    ----------
    corrector : fitted DaskSoftUnlearnCorrector
    held_out, training : tuple of (X, y, sensitive_features, sample_weight)
        X and y of the training rows may be None.
    client : distributed.Client or None
    options : dict
        Of `audit`.

    Returns
    -------
    Audit
    """
    computing = Computing(client)
    given = in_blocks(_named(*held_out), "", computing)
    if any(values is not None for values in training):
        of_training = in_blocks(_named(*training), "_train", computing)
        given |= {f"{name}_train": value for name, value in of_training.items()}
    plain = copy(corrector)
    # They are in memory, whatever the scheduler.
    plain.deletion_weights_ = corrector.deletion_weights_.compute(scheduler="sync")
    return audit(plain, given.pop("X"), given.pop("y"), **given, **options)


def _named(*values):
    return dict(zip(_TABLE, values, strict=True))
