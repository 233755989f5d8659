# SPDX-License-Identifier: BSD-3-Clause
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_softunlearn.display._drawing import (
    axes_or_new,
    axis_label,
    draw_bars,
    draw_models,
    label_points,
    legend_above,
    legend_label,
)
from sklearn_softunlearn.display._tables import (
    COLUMNS,
    curve_table,
    display_table,
    point_at_zero,
)
from sklearn_softunlearn.display._tradeoff_sources import TradeoffSources


class TradeoffDisplay(TradeoffSources):
    """Trade-off between a metric and utility along `delta`.

    Shows what a correction costs: one point for each value of `delta`, utility against
    the metric, from the base model onwards, and other models for comparison. Nothing
    is drawn, and matplotlib not needed, until :meth:`plot` is called; :meth:`frame`
    returns the numbers. Make one with :meth:`from_path`, :meth:`from_estimator` or
    :meth:`from_cv_results`.

    Parameters
    ----------
    delta : array-like of shape (n_deltas,)
        Fractions of the metric that were asked to be removed.
    metric, utility : array-like of shape (n_deltas,)
        What is to be improved, and what is to be kept, for example a difference
        between groups and the accuracy. Points with NaN are left out.
    metric_spread, utility_spread : array-like of shape (n_deltas,), default=None
        Half the length of the error bars, for example standard deviations over folds,
        in the units of the metric and the utility.
    metric_interval, utility_interval : array-like of shape (n_deltas, 2), default=None
        Low and high ends of the error bars, for example of confidence intervals, which
        need not have the point in their middle.
    base : tuple of (float, float), default=None
        Metric and utility of the model before correction. None takes the point of
        ``delta=0``, which changes nothing, if there is one.
    others : dict of str to tuple of (float, float), default=None
        Metric and utility of other models, by name.
    metric_name, utility_name : str, default="metric", "utility"
        Names for the axes.
    name : str, default="corrected"
        Name of the curve.

    Attributes
    ----------
    ax_, figure_, line_ : matplotlib Axes, Figure and Line2D
        What :meth:`plot` drew on, and the curve.

    See Also
    --------
    fairness_scorer : Scorer of group metrics, for a grid search over `delta`.

    Examples
    --------
    >>> from sklearn_softunlearn.display import TradeoffDisplay
    >>> display = TradeoffDisplay(
    ...     delta=[0.0, 0.5, 1.0],
    ...     metric=[0.2, 0.1, 0.02],
    ...     utility=[0.85, 0.848, 0.83],
    ...     others={"threshold optimizer": (0.03, 0.82)},
    ...     metric_name="demographic_parity_difference",
    ...     utility_name="accuracy",
    ... )
    >>> display.frame()[["model", "delta", "metric", "utility"]]
                     model  delta  metric  utility
    0           base model    NaN    0.20    0.850
    1            corrected    0.0    0.20    0.850
    2            corrected    0.5    0.10    0.848
    3            corrected    1.0    0.02    0.830
    4  threshold optimizer    NaN    0.03    0.820
    """

    def __init__(
        self,
        *,
        delta: ArrayLike,
        metric: ArrayLike,
        utility: ArrayLike,
        metric_spread: ArrayLike | None = None,
        utility_spread: ArrayLike | None = None,
        metric_interval: ArrayLike | None = None,
        utility_interval: ArrayLike | None = None,
        base: tuple[float, float] | None = None,
        others: dict[str, Any] | None = None,
        metric_name: str = "metric",
        utility_name: str = "utility",
        name: str = "corrected",
    ) -> None:
        curve = curve_table(
            delta, metric, utility, metric_spread, utility_spread,
            metric_interval=metric_interval, utility_interval=utility_interval,
        )  # fmt: skip
        for column in COLUMNS:
            setattr(self, column, curve[column].to_numpy())
        self.base = base if base is not None else point_at_zero(curve)
        self.others = dict(others or {})
        self.metric_name = metric_name
        self.utility_name = utility_name
        self.name = name

    def frame(self) -> pd.DataFrame:
        """Return the numbers of the display.

        Returns
        -------
        frame : pandas DataFrame
            One row for the base model, for each delta and for each other model, with
            the columns "model", "delta", "metric", "utility", "metric_spread" and
            "utility_spread", and the ends of intervals, "metric_low", "metric_high",
            "utility_low" and "utility_high". What does not apply is NaN.
        """
        curve = {"model": self.name} | {name: getattr(self, name) for name in COLUMNS}
        base = {} if self.base is None else {"base model": self.base}
        return display_table(base, curve, self.others)

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        curve_kwargs: dict[str, Any] | None = None,
        label_delta: bool = True,
    ) -> Self:
        """Draw utility against the metric.

        Of points close together one has error bars; `frame` has the spread of each.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.
        name : str, default=None
            Name of the curve in the legend. None takes the `name` of the display.
        curve_kwargs : dict, default=None
            Further arguments of :meth:`matplotlib.axes.Axes.plot` for the curve.
        label_delta : bool, default=True
            Whether to write delta beside the points, as far as there is room.

        Returns
        -------
        display : TradeoffDisplay
            This display, with `ax_`, `figure_` and `line_` set.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        label = legend_label(self.name if name is None else name)
        label += ", labelled by delta" if label_delta else ""
        style = {"label": label, "marker": "o", "markersize": 5}
        style |= curve_kwargs or {}
        (self.line_,) = self.ax_.plot(self.metric, self.utility, **style)
        draw_bars(self.line_, self._ends("metric"), self._ends("utility"))
        draw_models(self.ax_, self.base, self.others)
        self.ax_.set_xlabel(axis_label(self.metric_name))
        self.ax_.set_ylabel(axis_label(self.utility_name))
        legend_above(self.ax_)
        if label_delta:
            points = self.metric, self.utility, self.delta
            label_points(self.ax_, *points, self.others.values())
        return self

    def _ends(self, name):
        """Both ends of the error bars, of shape (n_deltas, 2)."""
        value, spread = getattr(self, name), getattr(self, f"{name}_spread")
        ends = zip((-1, 1), (f"{name}_low", f"{name}_high"), strict=True)
        return np.column_stack(
            [
                np.where(np.isnan(end), value + sign * spread, end)
                for sign, end in (
                    (sign, getattr(self, column)) for sign, column in ends
                )
            ]
        )
