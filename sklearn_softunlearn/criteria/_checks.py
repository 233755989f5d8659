# SPDX-License-Identifier: BSD-3-Clause
"""Whether a criterion, perhaps a user's own, returns what it must."""

import numpy as np


def check_shapes(criterion, value, factors, raw_prediction, rows):
    """Raise ValueError if value and gradient do not fit each other and the rows.

    Parameters
    ----------
    criterion : Criterion
    value : what `Criterion.value` returned
    factors : what `Criterion.gradient_factors` returned
    raw_prediction : ndarray of shape (n_samples, n_outputs)
    rows : EvaluationRows

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_softunlearn.criteria import EvaluationRows, MeanLoss, check_shapes
    >>> from sklearn_softunlearn.pointwise import BinaryLogLoss, LogisticResponse
    >>> rows = EvaluationRows(
    ...     np.array([0, 1]), np.ones(2), BinaryLogLoss(), LogisticResponse()
    ... )
    >>> raw, loss = np.zeros((2, 1)), MeanLoss()
    >>> factors = loss.gradient_factors(raw, rows)
    >>> check_shapes(loss, loss.value(raw, rows), factors, raw, rows)  # as it should be
    """
    name = type(criterion).__name__
    if np.ndim(value) != 1:
        raise ValueError(
            f"{name}.value returned an array of shape {np.shape(value)}. It must have "
            "shape (n_functionals,), (1,) for a single number."
        )
    gradient, jacobian = factors
    shape = (*gradient.shape[:-1], jacobian.shape[1])
    expected = (*raw_prediction.shape, len(value))
    if shape != expected:
        raise ValueError(
            f"{name}.gradient returned an array of shape {shape} where {expected} is "
            "needed: (n_samples, n_outputs, n_functionals)."
        )
    n_names = len(criterion.names(rows))
    if n_names != len(value):
        raise ValueError(
            f"{name}.names gives {n_names} names for {len(value)} functionals. Let "
            "names(rows) return one for each."
        )
    if not np.all(np.isfinite(value)):
        raise ValueError(f"{name}.value is not finite: {np.asarray(value).tolist()}.")
