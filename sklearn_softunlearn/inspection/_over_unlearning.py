# SPDX-License-Identifier: BSD-3-Clause
"""Why deleting whole rows unlearns too much, measured on the user's data."""

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn.corrector import resolve_weighting
from sklearn_softunlearn.weights import HardDeletion

# A row of the cut that harms less than this share of the cut's mean is borderline.
_BORDERLINE = 0.5


@dataclass(frozen=True)
class OverUnlearning:
    """Causes of over-unlearning, and hard against soft at equal predicted improvement.

    The hard cut deletes the rows that harm the metric most until their influences sum
    to the improvement that the soft weights predict.

    Attributes
    ----------
    metric, utility : str
        Names of the functionals: the largest of the metric, the first of the utility.
    pearson, spearman : float
        Correlation of the influences on metric and utility. Where it is not near 1,
        deleting what harms the metric does not spare the utility.
    n_cut : int
        Rows of the hard cut.
    borderline_share : float
        Share of these that harm the metric less than half as much as their mean:
        they are deleted like the worst ones.
    conflict_share : float
        Share of these whose deletion makes the utility worse.
    harm_left : float
        Share of all harm (the sum of the influences of rows that harm the metric)
        that the cut leaves in the data.
    improvement : float
        Predicted change of the metric, the same for both.
    utility_soft, utility_hard : float
        Predicted change of the utility; positive is worse.
    mass_soft, mass_hard : float
        Sum of the deletion weights.
    norm_soft, norm_hard : float
        Sum of their squares, which the error of the prediction grows with.
    """

    metric: str
    utility: str
    pearson: float
    spearman: float
    n_cut: int
    borderline_share: float
    conflict_share: float
    harm_left: float
    improvement: float
    utility_soft: float
    utility_hard: float
    mass_soft: float
    mass_hard: float
    norm_soft: float
    norm_hard: float

    def frame(self):
        """The numbers as a pandas DataFrame of one row."""
        return pd.DataFrame([asdict(self)])

    def __str__(self):
        """The causes in words."""
        lines = [
            f"Hard deletion of {self.n_cut} rows or soft weights of total "
            f"{self.mass_soft:.4g}, both for a change of {self.improvement:.4g} in "
            f"'{self.metric}' (predicted)",
            f"1. uncorrelated: influences on it and on '{self.utility}' have the "
            f"Spearman correlation {self.spearman:.2f}; {self.conflict_share:.0%} of "
            "the rows cut are worth keeping for it",
            f"2. borderline: {self.borderline_share:.0%} of the rows cut do less than "
            "half of the mean harm and are deleted like the worst",
            f"3. left over: {self.harm_left:.0%} of all harm stays in the data",
            f"predicted change of '{self.utility}': soft {self.utility_soft:+.3g}, "
            f"hard {self.utility_hard:+.3g}; sum of squared weights: soft "
            f"{self.norm_soft:.4g}, hard {self.norm_hard:.4g}",
        ]
        return "\n".join(
            textwrap.fill(line, 88, subsequent_indent="   ", break_on_hyphens=False)
            for line in lines
        )


def over_unlearning(corrector: Any) -> OverUnlearning:
    """Measure the three causes of over-unlearning that the paper names.

    Parameters
    ----------
    corrector : SoftUnlearnCorrector or SoftUnlearnCorrectorCV
        Fitted with soft weights.

    Returns
    -------
    OverUnlearning

    Raises
    ------
    ValueError
        If the corrector changed nothing, or deleted whole rows.

    References
    ----------
    .. [1] X. Qiao, N. Ding, Y. Cheng, M. Zhang, "Beyond Binary Erasure: Soft-Weighted
       Unlearning for Fairness and Robustness", AAAI 2026, 40(29):24936-24944,
       doi:10.1609/aaai.v40i29.39681. Preprint: "Soft Weighted Machine Unlearning",
       arXiv:2505.18783. Section 4.

    Examples
    --------
    >>> from sklearn_softunlearn import SoftUnlearnCorrector, over_unlearning
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector().fit(X, y, sensitive_features=group)
    >>> causes = over_unlearning(corrector)
    >>> bool(causes.norm_soft < causes.norm_hard)
    True
    """
    check_is_fitted(corrector)
    corrector = getattr(corrector, "corrector_", corrector)
    problem, influence = corrector._first_order.problem, corrector.influence_
    kept = slice(None)
    if len(corrector.deletion_weights_) != len(problem.constraints):
        # Held-out rows have no influence.
        kept = np.any(influence != 0, axis=1)
    soft = corrector.deletion_weights_[kept]
    _check_soft(soft, resolve_weighting(corrector.weighting))
    metric = np.flatnonzero(problem.tighten > 0)
    worst = int(metric[np.argmin(problem.bounds[metric])])
    utility = int(np.argmin(problem.tighten > 0))
    harm, cost = (influence[kept][:, j] for j in (worst, utility))
    improvement = float(harm @ soft)
    share = -improvement / np.max(problem.tighten)
    cut = HardDeletion().choose(problem, harm, share).weights > 0
    rank = stats.spearmanr(harm, cost).statistic
    return OverUnlearning(
        metric=corrector.functional_names_[worst],
        utility=corrector.functional_names_[utility],
        pearson=float(np.corrcoef(harm, cost)[0, 1]),
        spearman=float(rank),
        n_cut=int(cut.sum()),
        borderline_share=float(np.mean(harm[cut] > _BORDERLINE * harm[cut].mean())),
        conflict_share=float(np.mean(cost[cut] > 0)),
        harm_left=float(harm[(harm < 0) & ~cut].sum() / harm[harm < 0].sum()),
        improvement=improvement,
        utility_soft=float(cost @ soft),
        utility_hard=float(cost[cut].sum()),
        mass_soft=float(np.abs(soft).sum()),
        mass_hard=float(cut.sum()),
        norm_soft=float(soft @ soft),
        norm_hard=float(cut.sum()),
    )


def _check_soft(weights, weighting):
    if not np.any(weights):
        raise ValueError(
            "The corrector deleted nothing, so there is nothing to compare. Give one "
            "that was fitted with delta > 0."
        )
    if isinstance(weighting, HardDeletion):
        raise ValueError(
            "The corrector deleted whole rows. Give one that was fitted with "
            "weighting='soft'."
        )
