# SPDX-License-Identifier: BSD-3-Clause
"""`DaskSoftUnlearnCorrector`: the corrector for rows in blocks."""

from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any, Self

import dask.array as da
import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn.auditing import Audit
from sklearn_softunlearn.corrector import SoftUnlearnCorrector, check_parameters
from sklearn_softunlearn.dask._audit import audit_of_blocks
from sklearn_softunlearn.dask._collections import in_blocks, row_counts, unpacked
from sklearn_softunlearn.dask._computing import Computing
from sklearn_softunlearn.dask._prediction import LazyEstimator
from sklearn_softunlearn.dask._support import check_supported

_ALIGNED = ("deletion_weights_", "sample_weight_")


class DaskSoftUnlearnCorrector(SoftUnlearnCorrector):
    """Correct a model whose training rows do not fit in memory.

    The same correction as that of `SoftUnlearnCorrector`, of X in the blocks of a Dask
    array or DataFrame: the parameters, the attributes and their numbers are the same,
    whatever the blocks. X is read block by block, a few times in all, and never held.
    What else there is of a row (label, group, weight, influences, deletion weight) is
    held in the memory of this process while it is fitted.

    The estimator is given fitted, in a `FrozenEstimator`: a linear classifier or
    regressor, or trees (``trees="joint"``), alone or at the end of a Pipeline, trained
    wherever it was. Or it is fitted here by Newton's method over blocks:
    `LogisticRegression`, `LinearRegression`, `Ridge`, `RidgeClassifier`,
    `PoissonRegressor`, `GammaRegressor` or `TweedieRegressor`.

    Parameters
    ----------
    estimator, metric, delta, utility, utility_tol, weighting, regularization, \
            max_weight, min_weight, update, curvature, layer, trees, on_infeasible, \
            calibrate, sensitive_feature_ids, bins, min_group_size, small_groups, \
            validation_fraction, random_state, pos_label, memory, verbose
        As in `SoftUnlearnCorrector`. Not supported are nets, metrics that look at the
        features (`AdversarialLoss`, `NeighborInconsistency`), updates other than
        "auto", "influence" and "newton", and ``memory``.

    Attributes
    ----------
    estimator_ : estimator
        The corrected estimator, plain and in memory.
    deletion_weights_, sample_weight_ : dask.array.Array of shape (n_samples,)
        Lazy, in blocks as long as those of X.
    influence_ : dask.array.Array of shape (n_samples, n_functionals)
        Likewise.
    n_passes_ : float
        How many times X was read: blocks that were, divided by their number.
    report_, base_estimator_, multipliers_, delta_max_, groups_, ...
        As in `SoftUnlearnCorrector`.

    See Also
    --------
    SoftUnlearnCorrector : With a `numpy.memmap`, for rows that fit on one disk.

    Notes
    -----
    `predict` and its kin are lazy for Dask collections, and plain for others.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn.dask import DaskSoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> X, y, group = (da.from_array(each, chunks=400) for each in (X, y, group))
    >>> corrector = DaskSoftUnlearnCorrector(LogisticRegression(), delta=0.5)
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> corrector.deletion_weights_.chunks
    ((400, 400, 200),)
    >>> corrector.predict(X)[:3].compute().shape
    (3,)
    """

    def fit(  # type: ignore[override]
        self,
        X: Any,
        y: Any,
        *,
        sensitive_features: Any = None,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sensitive_features_val: Any = None,
        sample_weight_val: Any = None,
        client: Any = None,
    ) -> Self:
        """Fit the estimator, unless it is frozen, and correct it.

        Parameters
        ----------
        X : dask array or DataFrame of shape (n_samples, n_features)
            Training rows, from parquet files, Zarr, delayed blocks or elsewhere. It is
            read several times: persist it, or keep it in a form that is quick to read.
            Sparse blocks are CSR.
        y : dask array or Series, or array-like, of shape (n_samples,)
            Class labels, or the numbers of a regression.
        sensitive_features : dask collection or array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            Sensitive group of each row.
        sample_weight : dask collection or array-like of shape (n_samples,), \
                default=None
        X_val, y_val, sensitive_features_val, sample_weight_val : default=None
            Rows to measure metric and utility on, in Dask collections or in memory.
        client : distributed.Client, default=None
            None is the current client, else the default scheduler of Dask.

        Returns
        -------
        self : DaskSoftUnlearnCorrector

        Raises
        ------
        ValueError
            As in `SoftUnlearnCorrector`; if partitions do not match; if a block holds
            NaN, which is named by block and row.
        TypeError
            If the estimator, the metric or the update is not supported.
        RuntimeError
            If workers died over a block, or the client was closed. Nothing is
            corrected then.
        """
        given, lengths, computing = self._given(
            X, y, sensitive_features, sample_weight,
            X_val, y_val, sensitive_features_val, sample_weight_val, client=client,
        )  # fmt: skip
        with _all_or_nothing(self):
            super().fit(**given)
            return self._aligned(lengths, computing)

    def path(
        self, X: Any, y: Any, *, deltas: Iterable[float], **fit_options: Any
    ) -> list[Self]:
        """Fitted correctors for several values of delta, from one base fit.

        Parameters
        ----------
        X, y : as in `fit`
        deltas : iterable of float in [0, 1]
        **fit_options : dict
            Everything else that `fit` accepts.

        Returns
        -------
        list of DaskSoftUnlearnCorrector
            One for each delta, equal to what `fit` gives with that delta.
        """
        names = ("sensitive_features", "sample_weight", "X_val", "y_val",
                 "sensitive_features_val", "sample_weight_val")  # fmt: skip
        values = [fit_options.pop(name, None) for name in names]
        given, lengths, computing = self._given(X, y, *values, **fit_options)
        found = super().path(deltas=deltas, **given)
        return [corrector._aligned(lengths, computing) for corrector in found]

    def audit(
        self,
        X: Any,
        y: Any,
        *,
        sensitive_features: Any = None,
        sample_weight: Any = None,
        X_train: Any = None,
        y_train: Any = None,
        sensitive_features_train: Any = None,
        sample_weight_train: Any = None,
        client: Any = None,
        metric: Any = None,
        pos_label: Any = None,
        n_largest: int = 10,
        confidence_level: float = 0.95,
        n_bootstrap: int = 2000,
        random_state: Any = 0,
        title: str | None = None,
    ) -> Audit:
        """Measure the model before and after the correction on held-out rows.

        What `audit` measures, without a trade-off curve. X is read twice, for what the
        models say and for its digest, block by block; predictions, target, groups and
        weights are held in memory.

        Parameters
        ----------
        X : dask array or DataFrame, or in memory, of shape (n_samples, n_features)
            Rows that the fit has not seen.
        y, sensitive_features, sample_weight : dask collection or array-like
            As in `fit`.
        X_train, y_train, sensitive_features_train, sample_weight_train : default=None
            The rows of the fit, to show whose were deleted.
        client : distributed.Client, default=None
            As in `fit`.
        metric, pos_label, n_largest, confidence_level, n_bootstrap, random_state, \
                title
            As in `audit`.

        Returns
        -------
        Audit
            Its SHA-256 of rows in blocks is one of other blocks, too.

        Raises
        ------
        ValueError, RuntimeError
            As `audit` and `fit` do.
        """
        check_is_fitted(self)
        options = {
            "metric": metric,
            "pos_label": pos_label,
            "n_largest": n_largest,
            "confidence_level": confidence_level,
            "n_bootstrap": n_bootstrap,
            "random_state": random_state,
            "title": title,
        }
        return audit_of_blocks(
            self,
            (X, y, sensitive_features, sample_weight),
            (X_train, y_train, sensitive_features_train, sample_weight_train),
            client,
            options,
        )

    def _given(self, X, y, sensitive_features, sample_weight, *validation, client=None):
        """Arguments of the fit in memory, lengths of the blocks of X, and scheduler."""
        check_parameters(self)
        check_supported(self, self._get_estimator())
        computing = Computing(client)
        names = ("X", "y", "sensitive_features", "sample_weight")
        training = dict(
            zip(names, (X, y, sensitive_features, sample_weight), strict=True)
        )
        found = in_blocks(training, "", computing)
        X_val, y_val, sensitive_features_val, weight_val = unpacked(*validation)
        held_out = dict(
            zip(names, (X_val, y_val, sensitive_features_val, weight_val), strict=True)
        )
        # With a count of its own: passes are those over the training rows.
        held_out = in_blocks(held_out, "_val", Computing(client))
        lengths = row_counts(X, found["X"])
        found |= {f"{name}_val": value for name, value in held_out.items()}
        return found, lengths, computing

    def _aligned(self, lengths, computing):
        """The fitted corrector, with collections in blocks as long as those of X."""
        for name in _ALIGNED:
            setattr(self, name, da.from_array(getattr(self, name), chunks=(lengths,)))
        self.n_passes_ = computing.n_read / np.count_nonzero(lengths)
        return self

    @property
    def influence_(self) -> Any:
        """Change of each functional if a row were deleted, a dask array."""
        values = super().influence_
        (lengths,) = self.deletion_weights_.chunks
        return da.from_array(values, chunks=(lengths, (values.shape[1],)))

    def _corrected(self):
        return LazyEstimator(super()._corrected())


@contextmanager
def _all_or_nothing(corrector):
    """Leave the corrector as it was if a fit fails, for example in its last pass."""
    before = dict(vars(corrector))
    try:
        yield
    except BaseException:
        vars(corrector).clear()
        vars(corrector).update(before)
        raise
