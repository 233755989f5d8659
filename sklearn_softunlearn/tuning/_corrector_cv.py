# SPDX-License-Identifier: BSD-3-Clause
"""`SoftUnlearnCorrectorCV`: delta chosen by cross-validation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn._sklearn_compat import (
    CallbackSupportMixin,
    with_callbacks,
)
from sklearn_softunlearn.corrector import (
    CorrectedEstimatorMixin,
    ReportHTMLMixin,
    SoftUnlearnCorrector,
    check_target,
    make_table,
    rows_of,
    split_rows,
    warn_of,
)
from sklearn_softunlearn.tuning._choosing import (
    candidates,
    checked_index,
    chooser,
    evidence_for,
)
from sklearn_softunlearn.tuning._evidence import joined
from sklearn_softunlearn.tuning._folds import (
    Search,
    checked_groups,
    cross_validated,
    path_of,
)
from sklearn_softunlearn.tuning._grouping import grouped_once
from sklearn_softunlearn.tuning._intervals import Intervals
from sklearn_softunlearn.tuning._requirement import Requirement
from sklearn_softunlearn.tuning._scoring import (
    requests_of,
    resolve_scorers,
    split_metadata,
)
from sklearn_softunlearn.tuning._search_progress import SearchProgress
from sklearn_softunlearn.tuning._threshold import check_threshold, fixed_threshold


class SoftUnlearnCorrectorCV(
    CallbackSupportMixin,
    ReportHTMLMixin,
    CorrectedEstimatorMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Soft-weighted unlearning with delta chosen by cross-validation.

    Each fold costs one fit of the base model and one computation of influences, from
    which the corrections for all deltas follow; `GridSearchCV` over ``delta`` gives
    the same scores with a fit for each delta. Then all rows are corrected with the
    delta chosen.

    Parameters
    ----------
    estimator : SoftUnlearnCorrector or estimator, default=None
        Corrector with the settings to use (its own ``delta`` is not used), or a model
        to correct with the default settings; None corrects ``LogisticRegression()``.
    metric : str, callable, Criterion or list, default=None
        What to improve, as in `SoftUnlearnCorrector`; None leaves it to the corrector.
        For other settings give a corrector around the model.
    deltas : int or array-like of float in [0, 1], default=20
        Candidates. A number stands for that many evenly spaced from 0 to 1.
    cv : int, splitter or iterable, default=5
        As in `sklearn.model_selection.GridSearchCV`.
    scoring : str, callable, list or dict, default=None
        As in `GridSearchCV`; names of fairlearn metrics are known, too, and scorers
        get the sensitive features where they ask for them. None scores the metric of
        the corrector, under its name, and "accuracy" ("r2" for a regressor).
    refit : str, Requirement or callable, default=None
        How to choose: the name of the scorer whose mean should be greatest, a
        `Requirement`, or a function that takes ``cv_results_`` and returns an index.
        None takes the only scorer, or, where ``scoring`` is None, the best metric
        among the candidates that lose at most half a point of accuracy:
        ``Requirement(utility_loss_at_most=0.005)``.
    threshold : {"tuned"} or None, default=None
        "tuned" chooses the decision threshold of a classifier of two classes together
        with delta: every pair is a candidate, and ``estimator_`` is a
        `FixedThresholdClassifier` around the corrected model. Thresholds are on the
        log-odds, from -1 to 1; 0 is that of the model itself.
    test_size : float in (0, 1), default=None
        For a `Requirement` with a ``confidence``: share of the rows that is held out of
        everything else and tests. The promise is then one of the very model that is
        returned, which is fitted to the other rows. None tests on the predictions of
        the folds for the rows held out of each, and fits the model to all rows: it
        needs no rows of its own, and the promise is one of the models of the folds,
        which have the same delta.
    random_state : int, RandomState instance or None, default=None
        Determines the rows of ``test_size``, and the draws of the intervals, which
        are the same in each fit for None.
    confidence_level : float in (0, 1), default=0.95
        Of each interval in ``cv_results_`` on its own.
    n_bootstrap : int, default=None
        Number of draws for the intervals; 0 leaves the ends out. None draws 1000 times
        where that takes no longer with more rows: metrics of labels, few weights.
    n_jobs : int, default=None
        Number of folds computed at the same time.
    verbose : int, default=0
        1 prints a line for each fold. Where scikit-learn has callbacks (1.9 and
        later), `set_callbacks` is supported too.

    Attributes
    ----------
    delta_ : float
        The delta chosen.
    best_index_ : int
        Its position among the candidates.
    threshold_ : float
        The threshold chosen, on the log-odds; only with ``threshold="tuned"``.
    best_params_ : dict
        ``{"delta": delta_}``, and the threshold.
    cv_results_ : dict
        Scores of all candidates, shaped as those of `GridSearchCV`, and intervals.
    deltas_ : ndarray of shape (n_deltas,)
        The candidates.
    scorer_ : dict of str to callable
    path_ : list of SoftUnlearnCorrector
        Correctors of all rows, one for each candidate; for `TradeoffDisplay.from_path`.
    corrector_ : SoftUnlearnCorrector
        The one of ``path_`` with the delta chosen; its ``report_``,
        ``deletion_weights_``, ``estimator_`` (without the threshold),
        ``base_estimator_`` and other fitted attributes are those of this object, too.
    n_splits_ : int
        Number of folds.

    See Also
    --------
    SoftUnlearnCorrector : The corrector with a given delta.
    Requirement : Choice in the words of a requirement.

    Notes
    -----
    Validation data of `fit` measures the corrections in every fold. A `FrozenEstimator`
    has seen the held-out rows: its scores are flattering.

    ``cv_results_`` knows more of scorers that count rows (metrics by name, "accuracy",
    "r2", "neg_log_loss", ...; no function of your own) where no row is held out twice.
    ``pooled_test_<name>`` is the score of the answers to all rows together, each by the
    model of the fold that it was held out of: a `Requirement` chooses by it, since a
    mean of the gaps of folds is too large by their noise. ``low_test_<name>`` and
    ``high_test_<name>`` are the ends of its percentile interval, with rows drawn again
    within each group; ``change_test_<name>``, ``change_low_test_<name>`` and
    ``change_high_test_<name>`` are the difference to the candidate without a correction
    on the same draws. They are about one candidate and the models of the folds (Bayle
    et al., "Cross-validation confidence intervals for test error", NeurIPS 2020); that
    of the best of many is too good.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn import Requirement, SoftUnlearnCorrectorCV
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> search = SoftUnlearnCorrectorCV(
    ...     LogisticRegression(), deltas=5, refit=Requirement(metric_at_most=0.1)
    ... ).fit(X, y, sensitive_features=group)
    >>> search.delta_
    0.75
    >>> search.cv_results_["mean_test_accuracy"].shape
    (5,)
    """

    # Requested without a call of set_fit_request, as in SoftUnlearnCorrector.
    __metadata_request__fit = {
        "sensitive_features": True,
        "X_val": True,
        "y_val": True,
        "sensitive_features_val": True,
        "sample_weight_val": True,
        "groups": True,
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        metric: Any = None,
        deltas: int | ArrayLike = 20,
        cv: Any = 5,
        scoring: str | Callable | Sequence | Mapping[str, Any] | None = None,
        refit: str | Requirement | Callable | None = None,
        threshold: str | None = None,
        test_size: float | None = None,
        random_state: Any = None,
        confidence_level: float = 0.95,
        n_bootstrap: int | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.metric = metric
        self.deltas = deltas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.threshold = threshold
        self.test_size = test_size
        self.random_state = random_state
        self.confidence_level = confidence_level
        self.n_bootstrap = n_bootstrap
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sensitive_features: Any = None,
        sample_weight: ArrayLike | None = None,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
        sensitive_features_val: Any = None,
        sample_weight_val: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Choose delta by cross-validation, then correct with it on all rows.

        Parameters
        ----------
        X, y, sensitive_features, sample_weight
            As in `SoftUnlearnCorrector.fit`. Sample weights count in the scores, too,
            of scorers that take them.
        X_val, y_val, sensitive_features_val, sample_weight_val : default=None
            Rows to measure metric and utility on, in every fold.
        groups : array-like of shape (n_samples,), default=None
            What must not be on both sides of a split, such as persons with several
            rows, for a ``cv`` such as `GroupKFold` and for ``test_size``. Not to be
            confused with ``sensitive_features``. A ``confidence`` counts rows: where
            those of a person are alike, less is known than it says.
        **fit_params : dict
            Passed on to the `fit` of the estimator and, with metadata routing, to the
            scorers that ask for it; what has one value for each row is cut to the rows
            of a fold.

        Returns
        -------
        self : SoftUnlearnCorrectorCV

        Raises
        ------
        ValueError
            If a parameter or the data are not usable; see `SoftUnlearnCorrector.fit`.
        """
        progress = SearchProgress(self, X, y)
        corrector, deltas = self._corrector(), candidates(self.deltas)
        scorers = resolve_scorers(self.scoring, corrector)
        choose = chooser(self.refit, self.scoring, scorers, deltas)
        evidence = evidence_for(choose, scorers, self.test_size)
        intervals = Intervals.of(self)
        thresholds = check_threshold(self.threshold, get_tags(self))
        ids = corrector.sensitive_feature_ids
        model = corrector._get_estimator()
        table = make_table(X, y, sensitive_features, sample_weight, ids, "", model)
        check_target(table, model)
        groups = checked_groups(groups, len(table.y))
        own = {"groups": groups}
        metadata, fit_params = split_metadata(fit_params, own, corrector, scorers)
        table = replace(table, metadata=metadata)
        validation = {
            "X_val": X_val,
            "y_val": y_val,
            "sensitive_features_val": sensitive_features_val,
            "sample_weight_val": sample_weight_val,
        }
        fixed = {name: v for name, v in validation.items() if v is not None}
        corrector, table, fixed = grouped_once(corrector, table, fixed)
        split = self._split(table, corrector, groups)
        if split.positions is not None:
            n, rows = len(table.y), split.positions
            fit_params = {k: rows_of(v, rows, n) for k, v in fit_params.items()}
            groups = None if groups is None else np.asarray(groups)[rows]
        search = Search(
            corrector=corrector,
            table=split.training,
            deltas=deltas,
            thresholds=thresholds,
            scorers=scorers,
            evidence=evidence if split.positions is None else None,
            intervals=intervals,
            fixed=fixed,
            fit_params=fit_params,
            weighted=sample_weight is not None,
            verbose=self.verbose,
        )
        folds, seen, answers = self._cross_validated(progress, search, groups)
        with progress.all_rows() as context:
            options = search.fixed | fit_params | {"context": context}
            weighted, rows = search.weighted, search.table
            self.path_ = path_of(corrector, rows, deltas, weighted, options)
        self.cv_results_ |= intervals.columns(search, self.path_, folds, answers)
        if evidence is not None:
            of_folds = joined(folds, seen) if split.positions is None else None
            given = self.path_, split, of_folds, self.cv_results_
            choose = evidence.tested_choice(choose, search, *given)
        index = choose(self.cv_results_)
        self.best_index_ = checked_index(index, len(self.cv_results_["params"]))
        self.deltas_, self.scorer_ = deltas, scorers
        self._adopt(search, split)
        warn_of([self.report_])
        progress.end()
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Metadata of `fit`: its own, that of the estimator and of the scorers."""
        scorers = resolve_scorers(self.scoring, self._corrector())
        return (
            super()
            .get_metadata_routing()
            .add(
                scorers=requests_of(scorers),
                method_mapping=MethodMapping().add(caller="fit", callee="score"),
            )
        )

    @property
    def delta_max_(self) -> float:
        """Largest delta known to be attainable on all rows, at most 1."""
        check_is_fitted(self)
        self._check_may_compute("delta_max_")
        return self.corrector_.delta_max_

    def _adopt(self, search, split):
        """Take over what the chosen corrector has learnt."""
        self.best_params_ = dict(self.cv_results_["params"][self.best_index_])
        self.delta_ = self.best_params_["delta"]
        n_thresholds = 1 if search.thresholds is None else len(search.thresholds)
        self.corrector_ = corrector = self.path_[self.best_index_ // n_thresholds]
        for name, value in vars(corrector).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(self, name, value)
        for name in ("deletion_weights_", "influence_"):
            setattr(self, name, split.scatter(getattr(corrector, name)))
        self.sample_weight_ = 1.0 - self.deletion_weights_
        if search.thresholds is not None:
            self.threshold_ = self.best_params_["threshold"]
            rows = search.table
            self.estimator_ = fixed_threshold(
                corrector.estimator_, self.threshold_, rows.X, rows.target
            )

    def _split(self, table, corrector, groups):
        """Rows that fit and choose, and rows that only test a promise."""
        size = self.test_size
        if size is not None and (not isinstance(size, Real) or not 0 < size < 1):
            raise ValueError(f"test_size={size!r} must be a number between 0 and 1.")
        return split_rows(
            table, None, size, self.random_state, already_trained=False,
            classes=is_classifier(corrector), together=groups,
        )  # fmt: skip

    def _corrector(self):
        if isinstance(self.estimator, SoftUnlearnCorrector):
            corrector = clone(self.estimator)
        else:
            corrector = SoftUnlearnCorrector(self.estimator)
        if self.metric is not None:
            corrector.set_params(metric=self.metric)
        return corrector

    def _measured(self):
        return self._corrector()._measured()

    def _get_estimator(self):
        # The model inside: what metadata is routed to, and whose tags are shown.
        return self._corrector()._get_estimator()

    def _cross_validated(self, progress, search, groups):
        """Score all candidates in all folds; what the tests saw in each fold."""
        table = search.table
        splitter = check_cv(self.cv, table.y, classifier=is_classifier(self))
        folds = list(splitter.split(table.X, table.y, groups))
        self.n_splits_ = len(folds)
        with progress.cross_validation(len(folds)) as contexts:
            found = cross_validated(search, folds, contexts, self.n_jobs)
        self.cv_results_, seen, answers = found
        return folds, seen, answers
