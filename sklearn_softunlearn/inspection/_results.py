# SPDX-License-Identifier: BSD-3-Clause
"""What the inspection of a fitted estimator returns."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from sklearn_softunlearn.arguments import unknown_choice

ESTIMATES = ("first_order", "leverage_exact", "one_step")


@dataclass(frozen=True)
class RowInfluence:
    """What deleting each training row does to each functional.

    Attributes
    ----------
    values : ndarray of shape (n_samples, n_functionals)
        Change of the functional if the row is deleted; negative means that deletion
        lowers it. ``np.asarray`` of the object gives this array.
    names : list of str
        Name of each functional.
    current : ndarray of shape (n_functionals,)
        Value of each functional before any deletion.
    leverage : ndarray of shape (n_samples,) or None
        Leverage of each row, if it was asked for.

    Notes
    -----
    A gap has a functional for each direction, ``a - b`` and ``b - a``, and the rows
    that lower one raise the other. `direction` names the one that exists, and `of`
    gives its influences; the first column of ``values`` may be the other one.
    """

    values: np.ndarray
    names: list
    current: np.ndarray
    leverage: np.ndarray | None = None

    @property
    def direction(self):
        """Name of the functional of the metric that is largest now."""
        title = self.names[0].partition(": ")[0]
        own = [j for j, n in enumerate(self.names) if n.partition(": ")[0] == title]
        return self.names[max(own, key=lambda j: self.current[j])]

    def of(self, name=None):
        """Influences on one functional, of shape (n_samples,).

        Parameters
        ----------
        name : str, default=None
            One of ``names``; None is the `direction` of the metric.

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        name = self.direction if name is None else name
        if name not in self.names:
            raise ValueError(unknown_choice("name", name, self.names))
        return self.values[:, self.names.index(name)]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)

    def frame(self):
        """One row for each training row, one column for each functional."""
        table = pd.DataFrame(self.values, columns=self.names)
        return table if self.leverage is None else table.assign(leverage=self.leverage)


@dataclass(frozen=True)
class LeaveOneOut:
    """Actual retraining without single rows, beside what influences foretell.

    Attributes
    ----------
    indices : ndarray of shape (n_rows,)
        Positions of the deleted rows among the training rows.
    names : list of str
        Name of the functional of each criterion: its largest one before deletion.
    current : ndarray of shape (n_criteria,)
        Value before deletion.
    actual : ndarray of shape (n_rows, n_criteria)
        Change by retraining.
    first_order, leverage_exact, one_step : ndarray of shape (n_rows, n_criteria)
        Its estimates: the influences; the influences with leverage, exact for one
        Newton step of the parameters but linear in the functional; the functional
        itself after this step, which also sees how it curves along the step. Without
        a Hessian (trees that are refitted) leverage_exact is None, and the one step is
        that of first order.
    leverage : ndarray of shape (n_rows,) or None
    """

    indices: np.ndarray
    names: list
    current: np.ndarray
    actual: np.ndarray = field(repr=False)
    first_order: np.ndarray = field(repr=False)
    leverage_exact: np.ndarray | None = field(repr=False)
    one_step: np.ndarray = field(repr=False)
    leverage: np.ndarray | None = field(repr=False)

    @property
    def estimates(self):
        """Names of the estimates that there are."""
        return [name for name in ESTIMATES if getattr(self, name) is not None]

    def frame(self):
        """One row for each deleted row and criterion, as a pandas DataFrame."""
        n_criteria = len(self.names)
        columns = {
            "row": np.repeat(self.indices, n_criteria),
            "criterion": np.tile(self.names, len(self.indices)),
        }
        if self.leverage is not None:
            columns["leverage"] = np.repeat(self.leverage, n_criteria)
        for name in ("actual", *self.estimates):
            columns[name] = getattr(self, name).ravel()
        return pd.DataFrame(columns)

    def agreement(self):
        """Pearson, Spearman and slope of each estimate against the actual change.

        The slope is that of the least-squares line of the estimate over the actual
        change: 1 if the estimates have the right size.
        """
        lines = []
        for j, name in enumerate(self.names):
            for estimate in self.estimates:
                numbers = agreement(self.actual[:, j], getattr(self, estimate)[:, j])
                lines.append({"criterion": name, "estimate": estimate} | numbers)
        return pd.DataFrame(lines)


def agreement(actual, estimated):
    """Pearson and Spearman correlation, and slope of estimated over actual."""
    if len(actual) < 2 or np.ptp(actual) == 0 or np.ptp(estimated) == 0:
        return {"pearson": np.nan, "spearman": np.nan, "slope": np.nan}
    line = stats.linregress(actual, estimated)
    rank = stats.spearmanr(actual, estimated).statistic
    return {
        "pearson": float(line.rvalue),
        "spearman": float(rank),
        "slope": float(line.slope),
    }
