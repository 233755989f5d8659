# SPDX-License-Identifier: BSD-3-Clause
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn.corrector import group_rule, make_table, regrouped
from sklearn_softunlearn.display._drawing import axes_or_new, legend_above, literal
from sklearn_softunlearn.models import RowBlocks, in_memory

_RESERVED = ["row", "deletion_weight", "group", "label"]


class DeletionWeightsDisplay:
    """Which rows a correction deletes, and of which group and label.

    A reviewer sees whether a group is being silenced: `mass` says how much of each
    group and label is deleted, `frame` lists the rows with the largest weights next to
    their features. Make one with :meth:`from_estimator`.

    Parameters
    ----------
    deletion_weight : array-like of shape (n_samples,)
    y : array-like of shape (n_samples,)
        Labels.
    group : array-like of shape (n_samples,), default=None
        Name of the sensitive group of each row. None is one group.
    sample_weight : array-like of shape (n_samples,), default=None
        Rows count by it in the mass.
    X : DataFrame, Series or array-like of shape (n_samples, n_features) or \
            (n_samples,), default=None
        What `frame` shows next to the weights.
    n_bins : int, default=None
        For a numeric target: `mass` and `plot` count intervals between quantiles of
        ``y``, so many (fewer where ties make some empty), if it has more distinct
        values. None counts each value.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What `plot` drew on.

    Examples
    --------
    >>> from sklearn_softunlearn import SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> from sklearn_softunlearn.display import DeletionWeightsDisplay
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector().fit(X, y, sensitive_features=group)
    >>> display = DeletionWeightsDisplay.from_estimator(
    ...     corrector, X, y, sensitive_features=group
    ... )
    >>> list(display.frame(3).columns[:4])
    ['row', 'deletion_weight', 'group', 'label']
    >>> display.mass().columns.to_list()
    ['group', 'label', 'total', 'deleted', 'added', 'share']
    """

    def __init__(
        self,
        deletion_weight: ArrayLike,
        y: ArrayLike,
        *,
        group: Any = None,
        sample_weight: ArrayLike | None = None,
        X: Any = None,
        n_bins: int | None = None,
    ) -> None:
        self.deletion_weight = np.asarray(deletion_weight, dtype=float)
        n_rows = len(self.deletion_weight)
        self.label = np.asarray(y)
        self.group = np.full(n_rows, "all") if group is None else np.asarray(group)
        self.sample_weight = (
            np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight)
        )
        self.X = X
        self.n_bins = n_bins
        for name in ("label", "group", "sample_weight"):
            if len(getattr(self, name)) != n_rows:
                raise ValueError(
                    f"{name} has {len(getattr(self, name))} rows where deletion_weight "
                    f"has {n_rows}. Give the rows that the corrector was fitted on."
                )
        if n_bins is not None and n_bins < 1:
            raise ValueError(f"n_bins={n_bins!r} must be None or at least 1.")

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, sensitive_features=None, sample_weight=None, n_bins=4
    ):
        """Weights of a fitted corrector.

        Parameters
        ----------
        estimator : fitted SoftUnlearnCorrector or SoftUnlearnCorrectorCV
        X, y, sensitive_features, sample_weight
            The rows that it was fitted on, as they were passed to `fit`.
        n_bins : int, default=4
            Number of intervals of the target of a regressor; classes are never binned.

        Returns
        -------
        DeletionWeightsDisplay
        """
        check_is_fitted(estimator)
        ids = getattr(estimator, "sensitive_feature_ids", None)
        table = make_table(
            X, y, sensitive_features, sample_weight, ids, "", estimator.base_estimator_
        )
        # Of a search, the corrector that it was made with.
        owner = estimator if hasattr(estimator, "bins") else estimator._corrector()
        (table,) = regrouped([table], **group_rule(owner))
        group = None
        if table.sensitive_features is not None:
            groups = table.groups()
            group = np.array(groups.names, dtype=object)[groups.codes]
        return cls(
            estimator.deletion_weights_,
            table.y,
            group=group,
            sample_weight=table.sample_weight,
            X=X,
            n_bins=None if is_classifier(estimator) else n_bins,
        )

    def frame(self, n_rows: int | None = None) -> pd.DataFrame:
        """Rows with the largest weights, with the features that the user gave.

        Parameters
        ----------
        n_rows : int, default=None
            Number of rows; None shows all whose weight is not 0.

        Returns
        -------
        pandas DataFrame
            The index is that of X, if it has one; "row" is the position. Features
            whose names clash get a suffix "_X".
        """
        order = np.argsort(-self.deletion_weight, kind="stable")
        n_deleted = int(np.sum(self.deletion_weight > 0))
        order = order[: n_deleted if n_rows is None else min(n_rows, n_deleted)]
        own = [order] + [
            values[order] for values in (self.deletion_weight, self.group, self.label)
        ]
        table = pd.DataFrame(dict(zip(_RESERVED, own, strict=True)))
        if self.X is None:
            return table
        table.index = self.X.index[order] if hasattr(self.X, "iloc") else table.index
        features = _rows_of(self.X, order).set_axis(table.index)
        # Not with the suffixes of join, whose names differ between versions of pandas.
        clashes = {name: f"{name}_X" for name in features if name in _RESERVED}
        return pd.concat([table, features.rename(columns=clashes)], axis=1)

    def mass(self) -> pd.DataFrame:
        """Rows deleted of each group and label.

        Returns
        -------
        pandas DataFrame
            "total" and "deleted" count rows by their sample weight, "share" is their
            ratio; "added" is what negative weights made rows count more. "label" has
            intervals of the target where ``n_bins`` asks for them.
        """
        binned = self.n_bins is not None and len(np.unique(self.label)) > self.n_bins
        table = pd.DataFrame(
            {
                "group": self.group,
                "label": _intervals(self.label, self.n_bins) if binned else self.label,
                "total": self.sample_weight,
                "deleted": self.sample_weight * np.maximum(self.deletion_weight, 0.0),
                "added": self.sample_weight * np.maximum(-self.deletion_weight, 0.0),
            }
        )
        cells = table.groupby(["group", "label"], as_index=False, observed=True).sum()
        return cells.assign(share=cells["deleted"] / cells["total"])

    def plot(self, ax: Any = None, *, bar_kwargs: dict[str, Any] | None = None) -> Self:
        """Draw the share deleted of each group, a bar for each label or interval.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        bar_kwargs : dict, default=None
            Further arguments of :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        DeletionWeightsDisplay
            This display.
        """
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        shares = self.mass().pivot(index="group", columns="label", values="share")
        kind = "label" if self.n_bins is None else "target"
        height = 0.8 / len(shares.columns)
        places = np.arange(len(shares))[::-1]
        for position, label in enumerate(shares.columns):
            at = places + 0.4 - (position + 0.5) * height
            values = 100 * shares[label].fillna(0.0)
            style = {"height": 0.92 * height, "label": f"{kind} {literal(label)}"}
            bars = self.ax_.barh(at, values, **style | (bar_kwargs or {}))
            self.ax_.bar_label(bars, fmt="%.1f", padding=3, fontsize="small")
        self.ax_.set_yticks(places, [literal(group) for group in shares.index])
        self.ax_.set_xlabel(f"rows deleted (% of the rows of this group and {kind})")
        self.ax_.set_ylabel("group")
        self.ax_.margins(x=0.12)
        legend_above(self.ax_)
        return self


def _intervals(values, n_bins):
    """Interval between quantiles in which each value lies, an ordered categorical.

    Intervals are closed on the right, the first one on both sides.
    """
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, n_bins + 1)))
    return pd.cut(values, edges, labels=_interval_names(edges), include_lowest=True)


def _interval_names(edges):
    """Names with as few digits as keep the edges apart, at least four."""
    for digits in range(4, 18):
        shown = [
            np.format_float_positional(edge, digits, fractional=False, trim="-")
            for edge in edges
        ]
        if len(set(shown)) == len(edges):
            break
    return [f"{low} to {high}" for low, high in pairwise(shown)]


def _rows_of(X, order):
    """Rows of what a user gave as X, a data frame."""
    if isinstance(X, RowBlocks):  # which are taken in order
        few = in_memory(X[np.sort(order)]) if len(order) else X.first_rows
        return _rows_of(few, np.argsort(np.argsort(order)))
    if hasattr(X, "to_frame"):  # a Series, whose name polars calls "" if it has none
        X = X.to_frame("x0" if X.name in (None, "") else X.name)
    if hasattr(X, "iloc"):
        return X.iloc[order].reset_index(drop=True)
    if hasattr(X, "to_dicts"):  # of polars, whose to_pandas would need pyarrow
        return pd.DataFrame(X[order].to_dict(as_series=False))
    if hasattr(X, "to_pandas"):
        return X.to_pandas().iloc[order].reset_index(drop=True)
    rows = X[order] if hasattr(X, "shape") else np.asarray(X)[order]
    rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
    return pd.DataFrame(rows).add_prefix("x")
