# SPDX-License-Identifier: BSD-3-Clause
"""Metrics of several models on resampled rows, all draws at once.

A draw takes as many rows of each group as there are, with replacement. What it needs
is only how often each row was taken. Rows that agree in label, group, weight and in
every model's answer are one *cell*, and the counts of the cells are multinomial: of
labels, a few dozen numbers stand for any number of rows. Every model is measured on
the same draws, so that differences between models are paired.
"""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_softunlearn.criteria import EvaluationRows
from sklearn_softunlearn.pointwise import AsGivenResponse

# Numbers in one array of draws.
_CHUNK = 2**21
# Distinct weights up to which rows of unlike weight are cells of their own, and rows
# of a group from which on each draw is counted alone, in a cache.
_FEW_WEIGHTS, _MANY_ROWS, _MANY_CELLS = 32, 2048, 2**31


@dataclass(frozen=True, eq=False)
class PairedAnswers:
    """Answers of several models on the same rows, equal rows as one cell.

    Cells are sorted by group.

    Attributes
    ----------
    rows : EvaluationRows
        One row for each cell, whose sample weight is that of all rows of the cell.
    answers : tuple of ndarray of shape (n_cells, n_columns)
        Of each model, in the place of raw predictions.
    count : ndarray of shape (n_cells,)
        Number of rows of each cell.
    weight : ndarray of shape (n_samples,) or None
        Weights of the rows, sorted by cell; None where those of a cell are equal.
    """

    rows: EvaluationRows
    answers: tuple
    count: np.ndarray
    weight: np.ndarray | None = None

    @classmethod
    def of_labels(cls, rows, hard):
        """Cells of labels.

        Parameters
        ----------
        rows : EvaluationRows
        hard : sequence of ndarray of shape (n_samples, n_classes)
            1 in the column of the predicted class, for each model.
        """
        labels = [np.argmax(columns, axis=1) for columns in hard]
        level = _few_levels(rows.sample_weight)
        return cls._of(rows, hard, _cells([_strata(rows), rows.y, *labels, *level]))

    @classmethod
    def of_rows(cls, rows, answers):
        """A cell for each row, for answers that seldom agree, such as scores."""
        return cls._of(rows, answers, _cells([_strata(rows), np.arange(len(rows.y))]))

    @classmethod
    def of_counts(cls, rows, answers, count):
        """Cells that are counted already, those without a row left out."""
        kept = np.flatnonzero(count)
        kept = kept[np.argsort(_strata(rows)[kept], kind="stable")]
        cells = replace(rows.take(kept), sample_weight=count[kept].astype(float))
        return cls(cells, tuple(a[kept] for a in answers), count[kept])

    @classmethod
    def _of(cls, rows, answers, cell):
        kept = np.flatnonzero(rows.sample_weight > 0)
        kept = kept[np.argsort(cell[kept], kind="stable")]
        _, start, count = np.unique(cell[kept], return_index=True, return_counts=True)
        weight = rows.sample_weight[kept]
        total = np.add.reduceat(weight, start)
        uniform = np.allclose(weight, np.repeat(total / count, count), rtol=1e-12)
        first = kept[start]
        cells = replace(
            rows.take(first), sample_weight=total, loss=None, response=AsGivenResponse()
        )
        answers = tuple(a[first] for a in answers)
        return cls(cells, answers, count, None if uniform else weight)

    @property
    def squared_weight(self):
        """Sum of the squared weights of the rows of each cell."""
        if self.weight is None:
            return self.rows.sample_weight**2 / self.count
        starts = np.cumsum(self.count) - self.count
        return np.add.reduceat(self.weight**2, starts)

    def same_cells(self, other):
        """Whether the same draws are those of another one."""
        of = self.weight, other.weight
        same = of[0] is of[1] or (
            all(w is not None for w in of) and np.array_equal(*of)
        )
        return (
            same
            and np.array_equal(self.count, other.count)
            and np.array_equal(_strata(self.rows), _strata(other.rows))
            and np.array_equal(self.rows.sample_weight, other.rows.sample_weight)
        )

    def draws(self, n_bootstrap, rng):
        """Weights of the cells in the draws, in arrays of (n_cells, n_draws)."""
        size = len(self.count) if self.weight is None else len(self.weight)
        at_once = max(1, _CHUNK // size)
        for start in range(0, n_bootstrap, at_once):
            yield self._weights(min(at_once, n_bootstrap - start), rng)

    def _weights(self, n_draws, rng):
        strata = _strata(self.rows)
        if len(self.count) == self.count.sum():
            return _taken(strata, n_draws, rng, self.rows.sample_weight)
        # Draw after draw in memory, as the counts come.
        weights = np.empty((n_draws, len(self.count))).T
        ends = np.cumsum(self.count)
        for code in np.unique(strata):
            cells = np.flatnonzero(strata == code)
            count = self.count[cells]
            if self.weight is None:
                mean = self.rows.sample_weight[cells] / count
                weights[cells] = _multinomial(count, n_draws, rng) * mean[:, None]
                continue
            weight = self.weight[ends[cells[0]] - count[0] : ends[cells[-1]]]
            drawn = _multinomial(np.ones_like(weight, dtype=int), n_draws, rng)
            starts = np.cumsum(count) - count
            weights[cells] = np.add.reduceat(drawn * weight[:, None], starts, axis=0)
        return weights


def functionals_of_draws(measured, n_bootstrap, rng):
    """Functionals of each criterion and model in each draw.

    Parameters
    ----------
    measured : list of (sequence of criteria, PairedAnswers)
        Criteria with ``reweighting``, and what they are measured on. Where the cells
        are the same, the draws are.
    n_bootstrap : int
    rng : numpy Generator

    Returns
    -------
    list of list of ndarray of shape (n_models, n_functionals, n_bootstrap)
        For each of those measured one array for each criterion.
    """
    found = [None] * len(measured)
    for same in _of_same_cells([paired for _, paired in measured]):
        draws = _of_draws([measured[k] for k in same], n_bootstrap, rng)
        for k, functionals in zip(same, draws, strict=True):
            found[k] = functionals
    return found


def _of_same_cells(paired):
    """Positions by what is drawn."""
    kinds = []
    for k, each in enumerate(paired):
        for same in kinds:
            if each.same_cells(paired[same[0]]):
                same.append(k)
                break
        else:
            kinds.append([k])
    return kinds


def _of_draws(measured, n_bootstrap, rng):
    ready = [
        [[c.reweighting(a, paired.rows) for a in paired.answers] for c in criteria]
        for criteria, paired in measured
    ]
    blocks = [
        [[[of_model(weight) for of_model in each] for each in of] for of in ready]
        for weight in measured[0][1].draws(n_bootstrap, rng)
    ]
    return [
        [
            np.concatenate([block[i][j] for block in blocks], axis=-1)
            for j in range(len(criteria))
        ]
        for i, (criteria, _) in enumerate(measured)
    ]


def interval(draws, confidence_level):
    """Percentile interval along the last axis, without draws that are NaN.

    Returns
    -------
    low, high : ndarray
    """
    tail = (1.0 - confidence_level) / 2.0
    some = np.isnan(draws).any()
    if some and np.isnan(draws).all():
        return np.full((2, *draws.shape[:-1]), np.nan)
    quantile = np.nanquantile if some else np.quantile
    return quantile(draws, [tail, 1.0 - tail], axis=-1)


def _strata(rows):
    if rows.group_codes is None:
        return np.zeros(len(rows.y), dtype=int)
    return rows.group_codes


def _cells(columns):
    """Number of the cell of each row, in the order of the columns."""
    code, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        levels = int(np.max(column, initial=0)) + 1
        code, size = code * levels + column, size * levels
        if size > _MANY_CELLS:  # lest the product overflows
            found, code = np.unique(code, return_inverse=True)
            size = len(found)
    # Small numbers are sorted in one pass.
    return code.astype(np.int16) if size <= np.iinfo(np.int16).max else code


def _few_levels(weight):
    """Number of the weight of each row, if there are a few: a list of one column."""
    if np.all(weight == weight[:1]):
        return []
    values, level = np.unique(weight, return_inverse=True)
    return [level] if len(values) <= _FEW_WEIGHTS else []


def _taken(strata, n_draws, rng, weight):
    """Weight of each row in each draw, of shape (n_rows, n_draws).

    In single precision: counts are exact, and what is summed is not exact anyway. Draw
    after draw in memory. ``strata`` is sorted.
    """
    drawn = np.empty((n_draws, len(strata)), dtype=np.float32)
    starts = np.flatnonzero(np.diff(strata, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(strata)], strict=True):
        size = int(stop - start)
        if size < _MANY_ROWS:
            drawn[:, start:stop] = _multinomial(np.ones(size, int), n_draws, rng).T
            continue
        taken = rng.integers(0, size, size=(n_draws, size), dtype=np.int32)
        for draw, rows in zip(drawn, taken, strict=True):
            draw[start:stop] = np.bincount(rows, minlength=size)
    if np.any(weight != 1.0):
        drawn *= weight.astype(np.float32)
    return drawn.T


def _multinomial(count, n_draws, rng):
    """How often each cell is taken, of shape (n_cells, n_draws)."""
    size = int(count.sum())
    if len(count) * 4 < size:
        return rng.multinomial(size, count / size, size=n_draws).T
    # A binomial for each of nearly as many cells as rows costs more than the rows.
    taken = rng.integers(0, size, size=(n_draws, size), dtype=np.int32)
    taken = np.repeat(np.arange(len(count)), count)[taken]
    taken += np.arange(n_draws)[:, None] * len(count)
    drawn = np.bincount(taken.ravel(), minlength=n_draws * len(count))
    return drawn.reshape(n_draws, len(count)).T
