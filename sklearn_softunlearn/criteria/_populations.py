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

    @property
    def positions(self):
        """Where the rows of each population are: slices where they are together."""
        return [_slice_of(np.flatnonzero(member)) for member in self.member.T]

    def weights(self, sample_weight, mask):
        """Weight of each row in the mean of each population over the masked rows.

        Of shape (n_samples, n_populations); the columns sum to 1.
        """
        mass, total = self._counted(sample_weight, mask)
        return mass / total

    def mean(self, values, sample_weight, mask):
        """Weighted mean over the masked rows of each population, (n_populations,).

        A quotient of two sums, not a sum of quotients: of labels these are counts, and
        equal rates are equal numbers, those of all rows exactly 1.
        """
        mass, total = self._counted(sample_weight, mask)
        return values @ mass / total

    def variance(self, values, sample_weight):
        """Weighted variance of each population, of shape (n_populations,)."""
        deviation = values[:, None] - self.mean(values, sample_weight, None)
        return np.sum(self.weights(sample_weight, None) * deviation**2, axis=0)

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

    def _counted(self, sample_weight, mask):
        """Mass of each row in each population, and its sum.

        They are kept: a correction asks for the same a dozen times.
        """
        key = None if mask is None else mask.tobytes()
        of, mass, total = self._kept.get(key, (None, None, None))
        if of is not sample_weight:
            mass = self._mass(sample_weight, mask)
            # Summed as `mean` sums, so that the mean of ones is 1.
            total = np.ones(len(mass)) @ mass
            self._kept[key] = sample_weight, mass, total
        return mass, total

    def empty(self, sample_weight, mask):
        """Names of the populations without a masked row of positive weight."""
        mass = self._mass(sample_weight, mask)
        return [self.names[p] for p in np.flatnonzero(~np.any(mass > 0, axis=0))]

    def _mass(self, sample_weight, mask):
        weight = sample_weight if mask is None else sample_weight * mask
        return self.member * weight[:, None]


def _slice_of(indices):
    """A slice for consecutive indices: it takes a view where they take a copy."""
    if len(indices) and indices[-1] - indices[0] + 1 == len(indices):
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices


@dataclass(frozen=True, eq=False)
class Weightings:
    """One set of rows under several weightings, each in the place of a population.

    For resampling: what a metric computes for all populations at once, it computes for
    all draws at once. The sample weights of the rows are part of the weightings.

    Attributes
    ----------
    weight : ndarray of shape (n_samples, n_weightings)
    """

    weight: np.ndarray
    names = ()

    def mean(self, values, sample_weight, mask):
        """Mean over the masked rows in each weighting; NaN where none has weight."""
        mask = np.ones(len(values)) if mask is None else mask.astype(float)
        dtype, center = self.weight.dtype, 0.0
        if dtype == np.float32 and abs(np.mean(values)) > 10.0 * np.std(values):
            center = float(np.mean(values))  # else the differences would be lost
        deviation = ((values - center) * mask).astype(dtype)
        with np.errstate(invalid="ignore"):
            total = mask.astype(dtype) @ self.weight
            return center + (deviation @ self.weight) / total

    def variance(self, values, sample_weight):
        """Variance in each weighting."""
        # About a number near all means: no array of the size of the weightings.
        deviation = values - np.mean(values)
        mean = self.mean(deviation, sample_weight, None)
        return self.mean(deviation**2, sample_weight, None) - mean**2


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
