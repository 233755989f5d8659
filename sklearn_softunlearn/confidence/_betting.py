# SPDX-License-Identifier: BSD-3-Clause
"""Limits of a mean of numbers that lie in a known range, whatever their distribution.

Whoever doubts that the mean is m, or less, bets on every row that it is larger::

    capital_t(m) = prod_{i <= t} (1 + stake_i * (x_i - m))

If the mean is m, the capital is a martingale, and by Ville's inequality it exceeds
1 / alpha at any time with probability alpha at most. The smallest m at which it does
not is a lower limit of the mean. Stakes depend on earlier rows only; they are those of
Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting",
Journal of the Royal Statistical Society B 86, 2024. The limits adapt to the variance,
and no tail can break them: what lies outside of the range cannot be.
"""

import numpy as np

# Share of the largest stake that cannot lose everything.
_CAUTION = 0.75
_STEPS = 40


def limits_by_betting(values, value_range, alpha):
    """One-sided limits of a mean, each of which holds with probability 1 - alpha.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Independent, of one distribution; the order does not matter.
    value_range : tuple of (float, float)
        What no value can be below or above.
    alpha : float

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> import numpy as np
    >>> low, high = limits_by_betting(np.full(400, 2.0), (0.0, 10.0), 0.05)
    >>> bool(1.8 < low < 2.0 < high < 2.2)
    True
    """
    least, most = value_range
    # Rows are seldom in the order of their draws, and the bets need one.
    order = np.random.default_rng(0).permutation(len(values))
    unit = (values[order] - least) / (most - least)
    low, high = _lower(unit, alpha), 1.0 - _lower(1.0 - unit, alpha)
    return least + (most - least) * low, least + (most - least) * high


def _lower(unit, alpha):
    """Lower limit of the mean of numbers in [0, 1]."""
    if not len(unit):
        return 0.0
    stakes = _stakes(unit, alpha)
    low, high = 0.0, float(np.mean(unit))
    for _ in range(_STEPS):  # capital falls with m
        m = 0.5 * (low + high)
        bets = np.minimum(stakes, _CAUTION / m) if m > 0 else stakes
        capital = np.cumsum(np.log1p(bets * (unit - m)))
        if np.max(capital) >= np.log(1.0 / alpha):
            low = m
        else:
            high = m
    return low


def _stakes(unit, alpha):
    """What is staked on each row, from the rows before it."""
    n = len(unit)
    seen = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(unit)) / (seen + 1)
    variance = (0.25 + np.cumsum((unit - mean) ** 2)) / (seen + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    return np.sqrt(2.0 * np.log(1.0 / alpha) / (n * before))
