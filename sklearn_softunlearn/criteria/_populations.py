# SPDX-License-Identifier: BSD-3-Clause
"""Sets of rows that a metric compares: groups, marginal groups, and all rows."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_softunlearn.exceptions import SmallGroupWarning, warn

# Fewer rows than this make a rate uncertain by 0.1 and more: the standard error of
# a rate of one half is 0.5 / sqrt(30) = 0.09.
SMALL_GROUP = 30


@dataclass(frozen=True)
class Populations:
    """Sets of rows, each with a name.

    Attributes
    ----------
    member : ndarray of shape (n_samples, n_populations), bool
    names : tuple of str
    families : tuple of ndarray
        Positions of the populations that are compared with one another: all groups,
        or those of each sensitive column.
    overall : int or None
        Position of the population of all rows.
    """

    member: np.ndarray
    names: tuple
    families: tuple
    overall: int | None
    _kept: dict = field(default_factory=dict, repr=False, compare=False)

    def weights(self, sample_weight, mask):
        """Weight of each row in the mean of each population over the masked rows.

        Of shape (n_samples, n_populations); the columns sum to 1. They are kept: a
        correction asks for the same weights a dozen times.
        """
        key = None if mask is None else mask.tobytes()
        of, weight = self._kept.get(key, (None, None))
        if of is not sample_weight:
            weight = self._mass(sample_weight, mask)
            weight = weight / np.sum(weight, axis=0)
            self._kept[key] = sample_weight, weight
        return weight

    def __getstate__(self):
        """Without what is kept, on which no pickle or hash may depend."""
        return {**vars(self), "_kept": {}}

    def share(self, sample_weight):
        """Share of each population in the total weight, of shape (n_populations,)."""
        return np.sum(self._mass(sample_weight, None), axis=0) / np.sum(sample_weight)

    def check(self, sample_weight, mask, rows_text):
        """Refuse populations without rows, warn of those with few.

        Parameters
        ----------
        sample_weight : ndarray of shape (n_samples,)
        mask : ndarray of shape (n_samples,) or None
        rows_text : str
            What the masked rows are, such as "positive rows".

        Raises
        ------
        ValueError
            If a population has no masked row of positive weight.
        """
        count = np.sum(self._mass(sample_weight, mask) > 0, axis=0)
        empty = self.empty(sample_weight, mask)
        if empty:
            raise ValueError(
                f"The evaluation data has no {rows_text} (of positive sample weight) "
                "in these sensitive groups, so their rate is undefined: "
                f"{', '.join(empty)}. Give evaluation data (X_val, y_val, "
                "sensitive_features_val) that holds them, or merge small groups in "
                "sensitive_features."
            )
        few = np.flatnonzero(count < SMALL_GROUP)
        small = [f"{self.names[p]} ({count[p]})" for p in few]
        if small:
            warn(
                f"Fewer than {SMALL_GROUP} {rows_text} in the sensitive groups "
                f"{', '.join(small)} of the evaluation data: what is measured on them "
                "is mostly noise. Merge small groups, or give more evaluation data.",
                SmallGroupWarning,
            )

    def empty(self, sample_weight, mask):
        """Names of the populations without a masked row of positive weight."""
        mass = self._mass(sample_weight, mask)
        return [self.names[p] for p in np.flatnonzero(~np.any(mass > 0, axis=0))]

    def _mass(self, sample_weight, mask):
        weight = sample_weight if mask is None else sample_weight * mask
        return self.member * weight[:, None]


def populations(rows, *, marginal=False, overall=False):
    """The groups of some rows.

    Parameters
    ----------
    rows : EvaluationRows
        With groups.
    marginal : bool, default=False
        Whether each sensitive column makes its own groups, instead of the
        combinations of values that occur.
    overall : bool, default=False
        Whether to add the population of all rows.

    Returns
    -------
    Populations
    """
    single = not marginal or rows.group_labels is None
    single = single or rows.group_labels.shape[1] == 1
    of_group, names, families = _intersections(rows) if single else _marginals(rows)
    if overall:
        names = [*names, "overall"]
        of_group = np.column_stack([of_group, np.ones(len(of_group), dtype=bool)])
    return Populations(
        of_group[rows.group_codes],
        tuple(names),
        families,
        len(names) - 1 if overall else None,
    )


def _intersections(rows):
    n_groups = len(rows.group_names)
    return np.eye(n_groups, dtype=bool), rows.group_names, (np.arange(n_groups),)


def _marginals(rows):
    """A marginal group is a union of intersections: (n_groups, n_populations)."""
    blocks, names, families, start = [], [], [], 0
    for j, column in enumerate(rows.group_labels.T):
        # By name: values of a column of objects need not be comparable.
        values, level = np.unique(column.astype(str), return_inverse=True)
        prefix = f"{rows.group_columns[j]}=" if rows.group_columns else ""
        blocks.append(level[:, None] == np.arange(len(values)))
        names.extend(prefix + str(value) for value in values)
        families.append(np.arange(start, start + len(values)))
        start += len(values)
    return np.column_stack(blocks), names, tuple(families)
