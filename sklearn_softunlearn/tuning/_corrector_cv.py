# SPDX-License-Identifier: BSD-3-Clause
"""`SoftUnlearnCorrectorCV`: delta chosen by cross-validation."""

import warnings
from numbers import Integral
from time import perf_counter

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn._sklearn_compat import (
    CallbackSupportMixin,
    n_rows,
    safe_indexing,
    with_callbacks,
)
from sklearn_softunlearn.corrector import (
    CorrectedEstimatorMixin,
    Progress,
    ReportHTMLMixin,
    SoftUnlearnCorrector,
    check_target,
    make_table,
    warn_of,
)
from sklearn_softunlearn.exceptions import (
    InfeasibleDeltaWarning,
    NothingToCorrectWarning,
    UpdateStoppedWarning,
)
from sklearn_softunlearn.tuning._cv_results import cv_results
from sklearn_softunlearn.tuning._requirement import Requirement
from sklearn_softunlearn.tuning._scoring import resolve_scorers, scorers_on
from sklearn_softunlearn.tuning._search_progress import SCORES, SearchProgress

_SAID_ONCE = (InfeasibleDeltaWarning, NothingToCorrectWarning, UpdateStoppedWarning)
_DEFAULT_REQUIREMENT = Requirement(utility_loss_at_most=0.005)


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
    best_params_ : dict
        ``{"delta": delta_}``.
    cv_results_ : dict
        Scores of all candidates, shaped as those of `GridSearchCV`.
    deltas_ : ndarray of shape (n_deltas,)
        The candidates.
    scorer_ : dict of str to callable
    path_ : list of SoftUnlearnCorrector
        Correctors of all rows, one for each candidate; for `TradeoffDisplay.from_path`.
    corrector_ : SoftUnlearnCorrector
        The one chosen, ``path_[best_index_]``; its ``report_``, ``deletion_weights_``,
        ``estimator_``, ``base_estimator_`` and other fitted attributes are those of
        this object, too.
    n_splits_ : int
        Number of folds.

    See Also
    --------
    SoftUnlearnCorrector : The corrector with a given delta.
    Requirement : Choice in the words of a requirement.

    Notes
    -----
    Validation data passed to `fit` measures metric and utility for the corrections in
    every fold, whose held-out rows judge them. A `FrozenEstimator` has seen the
    held-out rows: its scores are flattering.

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
    }

    def __init__(
        self,
        estimator=None,
        *,
        deltas=20,
        cv=5,
        scoring=None,
        refit=None,
        n_jobs=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.deltas = deltas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    def fit(
        self,
        X,
        y,
        *,
        sensitive_features=None,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sensitive_features_val=None,
        sample_weight_val=None,
        **fit_params,
    ):
        """Choose delta by cross-validation, then correct with it on all rows.

        Parameters
        ----------
        X, y, sensitive_features, sample_weight
            As in `SoftUnlearnCorrector.fit`. Sample weights count in the scores, too,
            of scorers that take them.
        X_val, y_val, sensitive_features_val, sample_weight_val : default=None
            Rows to measure metric and utility on, in every fold.
        **fit_params : dict
            Passed on to the `fit` of the estimator; what has one value for each row
            is cut to the rows of a fold.

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
        choose = _chooser(self.refit, self.scoring, scorers)
        ids = corrector.sensitive_feature_ids
        model = corrector._get_estimator()
        table = make_table(X, y, sensitive_features, sample_weight, ids, "", model)
        check_target(table, model)
        validation = {
            "X_val": X_val,
            "y_val": y_val,
            "sensitive_features_val": sensitive_features_val,
            "sample_weight_val": sample_weight_val,
        }
        fixed = {name: v for name, v in validation.items() if v is not None}
        weighted = sample_weight is not None
        self.cv_results_ = self._cross_validated(
            progress, corrector, table, deltas, scorers, fixed, fit_params, weighted
        )
        self.best_index_ = _checked_index(choose(self.cv_results_), len(deltas))
        self.deltas_, self.scorer_ = deltas, scorers
        self.delta_ = float(deltas[self.best_index_])
        self.best_params_ = {"delta": self.delta_}
        with progress.all_rows() as context:
            options = fixed | fit_params | {"context": context}
            self.path_ = _path(corrector, table, deltas, weighted, options)
        self._adopt(self.path_[self.best_index_])
        warn_of([self.report_])
        progress.end()
        return self

    @property
    def delta_max_(self):
        """Largest attainable delta to first order, at most 1."""
        check_is_fitted(self)
        return self.corrector_.delta_max_

    def _adopt(self, corrector):
        """Take over what the chosen corrector has learnt."""
        self.corrector_ = corrector
        for name, value in vars(corrector).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(self, name, value)

    def _corrector(self):
        if isinstance(self.estimator, SoftUnlearnCorrector):
            return clone(self.estimator)
        return SoftUnlearnCorrector(self.estimator)

    def _get_estimator(self):
        # The model inside: what metadata is routed to, and whose tags are shown.
        return self._corrector()._get_estimator()

    def _cross_validated(self, progress, corrector, table, deltas, scorers, *options):
        """Scores of all candidates in all folds, as ``cv_results_`` has them."""
        splitter = check_cv(self.cv, table.y, classifier=is_classifier(corrector))
        folds = list(splitter.split(table.X, table.y))
        self.n_splits_ = len(folds)
        with progress.cross_validation(len(folds)) as contexts:
            done = Parallel(n_jobs=self.n_jobs)(
                delayed(_fit_and_score)(
                    clone(corrector), table, fold, deltas, scorers, *options,
                    self.verbose, context,
                )
                for fold, context in zip(folds, contexts, strict=True)
            )  # fmt: skip
        scores, fit_times, score_times = map(np.array, zip(*done, strict=True))
        named = {name: scores[:, :, j] for j, name in enumerate(scorers)}
        return cv_results(deltas, named, fit_times, score_times)


def candidates(deltas):
    """Values of delta for a number or a list of these.

    Raises
    ------
    ValueError
        If a value is out of range.
    """
    if isinstance(deltas, Integral) and not isinstance(deltas, bool):
        if deltas < 2:
            raise ValueError(f"deltas={deltas} must be at least 2, or a list.")
        return np.linspace(0.0, 1.0, deltas)
    values = np.asarray(deltas, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"deltas={deltas!r} must hold numbers in [0, 1].")
    return values


def _chooser(refit, scoring, scorers):
    """Function from ``cv_results_`` to an index."""
    if callable(refit):
        return refit
    if refit is None and scoring is None:
        return _DEFAULT_REQUIREMENT
    name = next(iter(scorers)) if refit is None and len(scorers) == 1 else refit
    if name not in scorers:
        raise ValueError(
            f"refit={refit!r} must be a Requirement, a function of cv_results_, or the "
            f"name of one of the scorers {list(scorers)}."
        )
    # As GridSearchCV: the first of the best.
    return lambda results: int(np.argmin(results[f"rank_test_{name}"]))


def _checked_index(index, n_candidates):
    if not isinstance(index, Integral) or not 0 <= index < n_candidates:
        raise ValueError(
            f"refit returned {index!r}. It must return the index of one of the "
            f"{n_candidates} candidates."
        )
    return int(index)


def _fit_and_score(
    corrector, table, fold, deltas, scorers, fixed, fit_params, weighted, verbose,
    context,
):  # fmt: skip
    """Scores (n_deltas, n_scorers) of one fold, and seconds for fit and scores."""
    context.call_on_fit_task_begin(estimator=corrector)
    train, test = fold
    rows = table.take(train)
    n_samples = len(table.y)
    cut = {name: _rows(v, train, n_samples) for name, v in fit_params.items()}
    start = perf_counter()
    with warnings.catch_warnings():
        # Of most candidates in most folds; the fit on all rows says it once.
        for category in _SAID_ONCE:
            warnings.simplefilter("ignore", category)
        options = fixed | cut | {"context": context}
        path = _path(corrector, rows, deltas, weighted, options, report=False)
    fit_time = perf_counter() - start
    with Progress(corrector, context).task(context.subcontext(task_name=SCORES)):
        scores, times = _scores(scorers, path, table.take(test))
    if verbose:
        print(f"{len(deltas)} deltas: fit {fit_time:.2f} s, score {sum(times):.2f} s")
    context.call_on_fit_task_end(estimator=corrector)
    return scores, fit_time, times


def _scores(scorers, path, held_out):
    """Scores (n_deltas, n_scorers), and seconds of each delta."""
    measures = scorers_on(scorers, path[0], held_out)
    scores, times = [], []
    for model in path:
        start = perf_counter()
        scores.append([measure(model) for measure in measures])
        times.append(perf_counter() - start)
    return scores, times


def _path(corrector, table, deltas, weighted, options, report=True):
    """Correctors for all deltas, in the order given."""
    given = corrector.sensitive_feature_ids is None
    return corrector._path(
        table.X,
        table.target,
        deltas,
        report=report,
        sensitive_features=table.sensitive_features if given else None,
        sample_weight=table.sample_weight if weighted else None,
        **options,
    )


def _rows(value, indices, n_samples):
    """The rows of a fold of what has one value for each row, else the value."""
    if not hasattr(value, "shape") and not isinstance(value, list | tuple):
        return value
    return safe_indexing(value, indices) if n_rows(value) == n_samples else value
