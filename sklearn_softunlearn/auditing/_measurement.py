# SPDX-License-Identifier: BSD-3-Clause
"""One measured number, before and after."""

import math
from dataclasses import dataclass, field

_NONE = (math.nan, math.nan)


@dataclass(frozen=True)
class Measurement:
    """A quantity before and after, with intervals.

    Attributes
    ----------
    name : str
        "selection_rate", "demographic_parity_difference", ...
    before, after : float
        NaN where it is undefined.
    better : {"smaller", "greater", None}
        None where neither is better as such.
    group : str or None
        None is all rows.
    of_class : str or None
        The class that a rate is about, of more than two.
    n : int or None
        Number of rows that are counted.
    before_interval, after_interval, change_interval : tuple of (float, float)
        Low and high end; NaN where there is none.
    drivers : tuple of (str, str)
        What the number comes from before and after, such as the pair of groups.
    """

    name: str
    before: float
    after: float
    better: str | None = None
    group: str | None = None
    of_class: str | None = None
    n: int | None = None
    before_interval: tuple = _NONE
    after_interval: tuple = _NONE
    change_interval: tuple = _NONE
    drivers: tuple = field(default=())

    @property
    def change(self):
        """After minus before."""
        return self.after - self.before

    @property
    def beyond_noise(self):
        """Whether the interval of the change leaves 0 out; None without an interval."""
        low, high = self.change_interval
        if math.isnan(low) or math.isnan(high):
            return None
        return bool(low > 0 or high < 0)

    @property
    def worse(self):
        """Whether it changed in the direction that is not better."""
        if self.better is None or math.isnan(self.change):
            return False
        # Sums in another order differ by rounding.
        harm = self.change if self.better == "smaller" else -self.change
        return harm > 1e-12

    def as_dict(self):
        """All of it under plain names."""
        return {
            "name": self.name,
            "group": self.group,
            "class": self.of_class,
            "n": self.n,
            "better": self.better,
            "before": _estimate(self.before, self.before_interval),
            "after": _estimate(self.after, self.after_interval),
            "change": _estimate(self.change, self.change_interval),
            "beyond_noise": self.beyond_noise,
            "worse": self.worse,
            "drivers": dict(zip(("before", "after"), self.drivers, strict=False)),
        }


def _estimate(value, interval):
    return {"value": value, "low": interval[0], "high": interval[1]}
