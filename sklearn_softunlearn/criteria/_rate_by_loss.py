# SPDX-License-Identifier: BSD-3-Clause
"""Rates among the rows of one true class, with the log loss as their smooth form.

    share of wrong labels  ~  mean of -log p
    share of right labels  ~  mean of  log p

over the positive rows (true positive and false negative rate) or the negative ones. The
difference of the true positive rates of two groups becomes that of the log losses on
their positive rows, the surrogate of equal opportunity in Qiao et al. (AAAI 2026). It
has no bound and counts the most confident errors most.
"""

from dataclasses import dataclass

from sklearn_softunlearn.criteria._base_metrics import BASE_METRICS, MeanMetric, Term
from sklearn_softunlearn.criteria._quantities import ClassShare, LogShare, RestShare

SURROGATES = ("probability", "log_loss")

_P, _REST = ClassShare(), RestShare()
# The logarithm of what share, with which sign, on the rows of which true class.
_RATES = {
    "true_positive_rate": (LogShare(_P, 1), "own"),
    "recall_score": (LogShare(_P, 1), "own"),
    "false_negative_rate": (LogShare(_P, -1), "own"),
    "true_negative_rate": (LogShare(_REST, 1), "other"),
    "false_positive_rate": (LogShare(_REST, -1), "other"),
}


@dataclass(frozen=True)
class RateByLoss(MeanMetric):
    """A rate whose smooth form is a mean of logarithms.

    Attributes
    ----------
    rate : MeanMetric
        What labels are counted by.
    """

    rate: MeanMetric | None = None

    @classmethod
    def of(cls, rate):
        """The rate of this base metric."""
        terms = (Term(*_RATES[rate.name]),)
        better = rate.greater_is_better
        return cls(rate.name, terms, rate.combine, better, rate=rate)

    def values(self, raw_prediction, rows, groups, label, *, hard=False):
        """Metric of each population, of shape (n_populations,)."""
        if hard:
            return self.rate.values(raw_prediction, rows, groups, label, hard=True)
        return super().values(raw_prediction, rows, groups, label)

    def row_values(self, raw_prediction, rows, label):
        """What the rate averages, row by row."""
        return self.rate.row_values(raw_prediction, rows, label)


def smooth_forms(bases, surrogate):
    """The base metrics of these names, with the surrogate that is wanted."""
    found = [BASE_METRICS[base] for base in bases]
    return found if surrogate == "probability" else [RateByLoss.of(b) for b in found]


def check_surrogate(surrogate, spec):
    """The surrogate, or a ValueError if the metric of this spec has no such form."""
    if surrogate not in SURROGATES:
        raise ValueError(
            f"surrogate={surrogate!r} is not known. Give one of {SURROGATES}."
        )
    of_rates = all(base in _RATES for base in spec.bases)
    if surrogate != "probability" and not (of_rates and spec.transform == "difference"):
        raise ValueError(
            f"surrogate={surrogate!r} is for differences of rates among the rows of "
            "one true class, such as equal_opportunity_difference or "
            f"false_positive_rate_difference, and not for {spec.name}."
        )
    return surrogate
