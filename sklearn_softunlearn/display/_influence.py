# SPDX-License-Identifier: BSD-3-Clause
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.display._drawing import axes_or_new, legend_above, literal
from sklearn_softunlearn.inspection import agreement


class InfluenceDisplay:
    """Effects of single rows: estimated against actual, and sorted.

    `plot` draws the change by actual retraining against its estimate, to see whether
    influences can be trusted. `plot_effects` draws the rows in the order of their
    effect on the metric, with their effect on the utility: rows whose deletion helps
    one and hurts the other are why deletion of whole rows costs utility. Make one
    with :meth:`from_leave_one_out` or :meth:`from_influence`.

    Parameters
    ----------
    metric, utility : array-like of shape (n_rows,)
        Effect of deleting each row; negative is better. ``utility=None`` if unknown.
    actual : array-like of shape (n_rows,), default=None
        Change of the metric by retraining.
    rows : array-like of shape (n_rows,), default=None
        Positions of the rows. None counts them.
    metric_name, utility_name : str, default="metric", "utility"

    Attributes
    ----------
    agreement_ : dict
        Pearson and Spearman correlation and slope of the estimate over the actual
        change; NaN without an actual change.
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on.

    See Also
    --------
    leave_one_out : Actual retraining without single rows.

    References
    ----------
    .. [1] X. Qiao, N. Ding, Y. Cheng, M. Zhang, "Beyond Binary Erasure: Soft-Weighted
       Unlearning for Fairness and Robustness", AAAI 2026, 40(29):24936-24944,
       doi:10.1609/aaai.v40i29.39681. Preprint: "Soft Weighted Machine Unlearning",
       arXiv:2505.18783. Figures 1 and 3.

    Examples
    --------
    >>> from sklearn_softunlearn.display import InfluenceDisplay
    >>> display = InfluenceDisplay(
    ...     metric=[-0.2, 0.1, -0.1], utility=[0.1, 0.2, -0.1], actual=[-0.3, 0.1, -0.1]
    ... )
    >>> display.frame()[["row", "metric", "utility", "conflict"]]
       row  metric  utility  conflict
    0    0    -0.2      0.1      True
    1    2    -0.1     -0.1     False
    2    1     0.1      0.2     False
    """

    def __init__(
        self,
        *,
        metric: ArrayLike,
        utility: ArrayLike | None = None,
        actual: ArrayLike | None = None,
        rows: ArrayLike | None = None,
        metric_name: str = "metric",
        utility_name: str = "utility",
    ) -> None:
        self.metric = np.asarray(metric, dtype=float)
        n_rows = len(self.metric)
        unknown = np.full(n_rows, np.nan)
        self.utility = unknown if utility is None else np.asarray(utility, dtype=float)
        self.actual = unknown if actual is None else np.asarray(actual, dtype=float)
        self.rows = np.arange(n_rows) if rows is None else np.asarray(rows)
        self.metric_name = metric_name
        self.utility_name = utility_name
        lengths = {len(self.utility), len(self.actual), len(self.rows), n_rows}
        if len(lengths) > 1:
            raise ValueError(f"The arguments must have one length; got {lengths}.")
        self.agreement_ = agreement(self.actual, self.metric)

    @classmethod
    def from_leave_one_out(cls, result, *, criterion=0, utility=None, estimate=None):
        """Effects of the rows that `leave_one_out` deleted.

        Parameters
        ----------
        result : LeaveOneOut
        criterion, utility : int or str, default=0, None
            Positions of the criteria in `result`, or their names, such as "loss".
            ``utility=None`` takes the one after ``criterion`` if there is one.
        estimate : {"leverage_exact", "first_order", "one_step"}, default=None
            None is "leverage_exact", or "first_order" where there is no leverage.

        Returns
        -------
        InfluenceDisplay
        """
        known = result.estimates
        if estimate is None:
            estimate = "leverage_exact" if "leverage_exact" in known else "first_order"
        if estimate not in known:
            raise ValueError(unknown_choice("estimate", estimate, known))
        values = getattr(result, estimate)
        criterion = _position(result, criterion, "criterion")
        if utility is None and criterion + 1 < values.shape[1]:
            utility = criterion + 1
        if utility is not None:
            utility = _position(result, utility, "utility")
        return cls(
            metric=values[:, criterion],
            utility=None if utility is None else values[:, utility],
            actual=result.actual[:, criterion],
            rows=result.indices,
            metric_name=result.names[criterion],
            utility_name="utility" if utility is None else result.names[utility],
        )

    @classmethod
    def from_influence(cls, result, *, metric=None, utility=-1):
        """Effects of all rows, from what `influence` returns.

        Parameters
        ----------
        result : RowInfluence
        metric, utility : int or str, default=None, -1
            Positions of the functionals, or their names. A criterion's name, such as
            "demographic_parity_difference", stands for its functional that is largest
            now; None for the one of all that is, other than the utility.

        Returns
        -------
        InfluenceDisplay
        """
        utility = _position(result, utility, "utility")
        if metric is None:
            others = np.delete(np.arange(len(result.names)), utility)
            metric = int(others[np.argmax(result.current[others])])
        metric = _position(result, metric, "metric")
        return cls(
            metric=result.values[:, metric],
            utility=result.values[:, utility],
            metric_name=result.names[metric],
            utility_name=result.names[utility],
        )

    @property
    def conflict(self):
        """Whether deleting the row lowers the metric and raises the utility's loss."""
        return (self.metric < 0) & (self.utility > 0)

    def frame(self) -> pd.DataFrame:
        """One row for each training row, those that lower the metric most first."""
        columns = {
            "row": self.rows,
            "metric": self.metric,
            "utility": self.utility,
            "actual": self.actual,
            "conflict": self.conflict,
        }
        table = pd.DataFrame(columns)
        return table.sort_values("metric", ignore_index=True, kind="stable")

    def plot(
        self, ax: Any = None, *, scatter_kwargs: dict[str, Any] | None = None
    ) -> Self:
        """Draw estimated over actual change, with the line of equality.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        scatter_kwargs : dict, default=None
            Further arguments of :meth:`matplotlib.axes.Axes.plot` for the points.

        Returns
        -------
        InfluenceDisplay
            This display.

        Raises
        ------
        ValueError
            If there is no actual change to compare with.
        """
        if np.isnan(self.actual).all():
            raise ValueError(
                "There is no actual change to plot: make the display with "
                "InfluenceDisplay.from_leave_one_out, or use plot_effects."
            )
        self._new_axes(ax)
        style = {"marker": "o", "linestyle": "", "markersize": 3.5, "alpha": 0.6}
        ends = [np.nanmin(self.actual), np.nanmax(self.actual)]
        grey = self.ax_.xaxis.label.get_color()
        self.ax_.plot(ends, ends, color=grey, linewidth=0.8, label="equal")
        self.ax_.plot(
            self.actual,
            self.metric,
            **style | {"label": "rows"} | (scatter_kwargs or {}),
        )
        # The points lie along the diagonal: the other two corners are free.
        self.ax_.text(
            0.98,
            0.03,
            "\n".join(f"{k} {v:.4f}" for k, v in self.agreement_.items()),
            transform=self.ax_.transAxes,
            ha="right",
            fontsize="small",
        )
        self.ax_.set_xlabel(f"actual change by retraining\n{literal(self.metric_name)}")
        self.ax_.set_ylabel("estimated change")
        self.ax_.legend(loc="upper left", frameon=False, fontsize="small")
        return self

    def plot_effects(self, ax: Any = None) -> Self:
        """Draw the effects in order, rows that help one and hurt the other marked.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        InfluenceDisplay
            This display.
        """
        self._new_axes(ax)
        table, order = self.frame(), np.arange(len(self.rows))
        share = table["conflict"].sum() / max((table["metric"] < 0).sum(), 1)
        for name, marker, keep in (
            ("utility", ".", ~table["conflict"]),
            (f"utility, in conflict ({share:.0%} of helpful)", "x", table["conflict"]),
        ):
            values = _by_size(table["utility"])
            self.ax_.plot(
                order[keep], values[keep], marker, markersize=3, alpha=0.6, label=name
            )
        grey = self.ax_.xaxis.label.get_color()
        self.ax_.plot(order, _by_size(table["metric"]), color=grey, label="metric")
        self.ax_.axhline(0, color=grey, linewidth=0.5)
        self.ax_.set_xlabel(
            f"rows, in the order of their effect on\n{literal(self.metric_name)}"
        )
        self.ax_.set_ylabel("effect of deletion\n(1: mean size over rows)")
        self.ax_.set_yscale("symlog", linthresh=1.0)
        legend_above(self.ax_)
        return self

    def _new_axes(self, ax):
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure


def _position(result, given, parameter):
    """Position of a functional that is given as one, by its or its criterion's name."""
    names = result.names
    if not isinstance(given, str):
        return range(len(names))[given]
    named = [j for j, n in enumerate(names) if n == given or n.startswith(f"{given}: ")]
    if not named:
        raise ValueError(unknown_choice(parameter, given, names))
    return max(named, key=lambda j: result.current[j])


def _by_size(values):
    size = np.mean(np.abs(values))
    return (values / size if size > 0 else values).to_numpy()
