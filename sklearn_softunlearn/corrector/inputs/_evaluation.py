# SPDX-License-Identifier: BSD-3-Clause
"""Which rows a model is trained on, and on which rows the metric is measured."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils import indexable

from sklearn_softunlearn._sklearn_compat import (
    check_sample_weight,
    n_rows,
    safe_indexing,
)
from sklearn_softunlearn.arguments import check_unmasked, label_vector, named
from sklearn_softunlearn.corrector.inputs._groups import columns_of, encode_groups
from sklearn_softunlearn.corrector.inputs._order import check_same_order
from sklearn_softunlearn.models import (
    indexable_rows,
    keeps_target_column,
    same_rows,
    transformed,
)


@dataclass(frozen=True)
class Table:
    """Rows as the user gave them: features, target, groups and weights.

    ``suffix`` completes the names of the arguments in messages: "" or "_val";
    ``groups_name`` is what the user called the sensitive features; ``as_column`` says
    that y was a column, (n_samples, 1), for an estimator that wants one. ``inputs`` is
    what the last step of a Pipeline was given for these rows, where that is known;
    ``metadata`` is what else a search was given, by name, for scorers that ask for it.
    """

    X: Any
    y: np.ndarray
    sensitive_features: Any
    sample_weight: np.ndarray
    suffix: str = ""
    groups_name: str = "sensitive_features"
    as_column: bool = False
    inputs: Any = None
    metadata: dict = field(default_factory=dict)

    @property
    def target(self):
        """The y that the estimator is fitted to."""
        return self.y[:, None] if self.as_column else self.y

    def seen_by(self, base, indices=None):
        """What the predictor inside a fitted estimator is given for (some) rows."""
        rows = self.X if self.inputs is None else self.inputs
        rows = rows if indices is None else safe_indexing(rows, indices)
        return transformed(base, rows) if self.inputs is None else rows

    def take(self, indices):
        """The rows at these positions."""
        groups, inputs, n_samples = self.sensitive_features, self.inputs, len(self.y)
        return replace(
            self,
            inputs=None if inputs is None else safe_indexing(inputs, indices),
            X=safe_indexing(self.X, indices),
            y=self.y[indices],
            sensitive_features=None if groups is None else _take(groups, indices),
            sample_weight=self.sample_weight[indices],
            metadata={
                name: rows_of(value, indices, n_samples)
                for name, value in self.metadata.items()
            },
        )

    def groups(self):
        """Encoded sensitive features.

        Raises
        ------
        ValueError
            If there are none, or they do not form groups.
        """
        if self.sensitive_features is None:
            name = f"sensitive_features{self.suffix}"
            raise ValueError(
                f"The metric compares sensitive groups, but {name} was not given. (a) "
                f"Pass it to fit, fit(..., {name}=...); or (b) name columns of X in "
                "the constructor, sensitive_feature_ids=[...]."
            )
        return encode_groups(
            self.sensitive_features, self.sample_weight, self.groups_name
        )


def make_table(
    X,
    y,
    sensitive_features,
    sample_weight,
    sensitive_feature_ids,
    suffix,
    estimator=None,
):
    """Table of the arguments that a user gave, checked for their lengths.

    The ``estimator`` that is fitted to y, if any, decides whether a column stays one.

    Raises
    ------
    ValueError
        If lengths differ, values of y are missing, weights are negative or all zero,
        or the sensitive features are given in two ways.
    """
    given = {f"X{suffix}": X, f"y{suffix}": y, f"sample_weight{suffix}": sample_weight}
    for parameter, values in given.items():
        check_unmasked(values, parameter)
    if estimator is not None:
        X, y = indexable_rows(estimator, X, y)
    with named(f"y{suffix}"):
        as_column = np.asarray(y).ndim == 2 and _keeps_column(estimator)
    with named(f"X{suffix}"):
        X = indexable(X)[0]
    y = label_vector(y, f"y{suffix}", warn=not as_column)
    if n_rows(X) == 0:
        raise ValueError(f"X{suffix} has 0 sample(s) while a minimum of 1 is required.")
    if len(y) != n_rows(X):
        raise ValueError(
            f"y{suffix} has {len(y)} values where X{suffix} has {n_rows(X)} rows. Give "
            "one label for each row."
        )
    weight = check_sample_weight(sample_weight, X, f"sample_weight{suffix}")
    name = f"sensitive_features{suffix}"
    if sensitive_feature_ids is not None:
        if sensitive_features is not None:
            raise ValueError(
                f"{name} and sensitive_feature_ids are both given. Give one of them."
            )
        sensitive_features = columns_of(X, sensitive_feature_ids)
        name = f"sensitive_feature_ids={sensitive_feature_ids!r} of X{suffix}"
    check_same_order(**given, **{name: sensitive_features})
    return Table(X, y, sensitive_features, weight, suffix, name, as_column)


def _keeps_column(estimator):
    return estimator is not None and keeps_target_column(estimator)


def validation_table(
    X_val,
    y_val,
    sensitive_features_val,
    sample_weight_val,
    sensitive_feature_ids,
    estimator=None,
):
    """Table of the validation data, or None if there is none.

    Raises
    ------
    ValueError
        If only a part of the validation data was given, or lengths differ.
    """
    given = {
        "X_val": X_val,
        "y_val": y_val,
        "sensitive_features_val": sensitive_features_val,
        "sample_weight_val": sample_weight_val,
    }
    present = [name for name, value in given.items() if value is not None]
    if not present:
        return None
    missing = [name for name in ("X_val", "y_val") if given[name] is None]
    if missing:
        raise ValueError(
            f"{', '.join(present)} given without {' and '.join(missing)}. Validation "
            "data consists of X_val, y_val and, for a metric that compares groups, "
            "sensitive_features_val."
        )
    return make_table(
        X_val,
        y_val,
        sensitive_features_val,
        sample_weight_val,
        sensitive_feature_ids,
        "_val",
        estimator,
    )


@dataclass(frozen=True)
class Split:
    """Rows to train on and rows to evaluate on; the same object if they coincide.

    Attributes
    ----------
    training, evaluation : Table
    positions : ndarray of shape (n_train,) or None
        Positions of the training rows among those given to `fit`; None for all.
    n_samples : int
        Number of rows given to `fit`.
    source : str
        What the evaluation rows are, for reports.
    """

    training: Table
    evaluation: Table
    positions: np.ndarray | None
    n_samples: int
    source: str

    def trained_on(self, base, inputs):
        """The same rows, with what the last step of a Pipeline was fitted on.

        Evaluation rows are what the fitted Pipeline makes of them.
        """
        if inputs is None:
            return self
        again = transformed(base, self.training.X)
        if same_rows(inputs, again):
            return self
        training = replace(self.training, inputs=inputs)
        if self.evaluation is not self.training:
            return replace(self, training=training)
        evaluation = replace(self.evaluation, inputs=again)
        return replace(self, training=training, evaluation=evaluation)

    def scatter(self, values):
        """Values of the training rows, with zeros for rows that were held out."""
        if self.positions is None:
            return values
        full = np.zeros((self.n_samples, *values.shape[1:]))
        full[self.positions] = values
        return full


def split_rows(
    table,
    validation,
    validation_fraction,
    random_state,
    *,
    already_trained,
    classes=True,
    together=None,
):
    """Decide where metric and utility are measured.

    On the validation data if there is some, else on a held-out fraction of the rows,
    else on the training rows. The held-out fraction is stratified by groups and, if
    the target holds ``classes``, by these; or whole sets of rows that have the same
    value in ``together``.

    Raises
    ------
    ValueError
        If rows should be held out of a model that is ``already_trained``.
    """
    n_samples = len(table.y)
    if validation is not None:
        return Split(table, validation, None, n_samples, "validation rows")
    if validation_fraction is None:
        return Split(table, table, None, n_samples, "training rows")
    if already_trained:
        raise ValueError(
            "validation_fraction cannot be used with a FrozenEstimator: it was trained "
            "already, so no row can be held out. Pass X_val and y_val to fit."
        )
    if together is None:
        train, held_out = _held_out(table, validation_fraction, random_state, classes)
    else:
        drawn = GroupShuffleSplit(
            1, test_size=validation_fraction, random_state=random_state
        )
        train, held_out = next(drawn.split(table.y, groups=together))
    return Split(
        table.take(train), table.take(held_out), train, n_samples, "held-out rows"
    )


def _held_out(table, fraction, random_state, classes):
    """Positions to train on and to hold out, stratified as finely as cells allow."""
    try:
        train, held_out = train_test_split(
            np.arange(len(table.y)),
            test_size=fraction,
            random_state=random_state,
            stratify=_strata(table, min(fraction, 1 - fraction), classes),
        )
    except ValueError as error:
        raise ValueError(
            f"validation_fraction={fraction:g} does not leave enough of the "
            f"{len(table.y)} rows on either side: {error}"
        ) from error
    return np.sort(train), np.sort(held_out)


def _strata(table, smaller_share, classes):
    strata = np.zeros(len(table.y), dtype=int)
    if classes:
        _, strata = np.unique(table.y, return_inverse=True)
    if table.sensitive_features is not None:
        groups = table.groups()
        cells = strata * len(groups.labels) + groups.codes
        # Each cell needs a row on either side of the split.
        smallest_cell = np.min(np.unique(cells, return_counts=True)[1])
        if smallest_cell * smaller_share >= 1:
            return cells
    return strata if classes and np.min(np.bincount(strata)) > 1 else None


def rows_of(value, indices, n_samples):
    """These rows of what has one value for each row, else the value."""
    if not hasattr(value, "shape") and not isinstance(value, list | tuple):
        return value
    return _take(value, indices) if n_rows(value) == n_samples else value


def _take(groups, indices):
    if isinstance(groups, dict):
        return {name: _take(column, indices) for name, column in groups.items()}
    if hasattr(groups, "take") and hasattr(groups, "to_pylist"):  # of pyarrow
        return groups.take(indices)
    if isinstance(groups, pd.Index | pd.api.extensions.ExtensionArray):
        return groups[indices]  # they have a shape, and not the indexing of arrays
    return safe_indexing(groups, indices)
