# SPDX-License-Identifier: BSD-3-Clause
"""`SoftUnlearnCorrector`: the facade, which only sequences the stages."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_softunlearn._sklearn_compat import CallbackSupportMixin, with_callbacks
from sklearn_softunlearn.corrector._path import PathMixin
from sklearn_softunlearn.corrector._prediction import CorrectedEstimatorMixin
from sklearn_softunlearn.corrector._progress import Progress
from sklearn_softunlearn.corrector._sequence import adopt, prepare_fit
from sklearn_softunlearn.corrector.report._report import ReportHTMLMixin
from sklearn_softunlearn.corrector.report._signatures import warn_of
from sklearn_softunlearn.corrector.stages._requests import carry_out
from sklearn_softunlearn.criteria import Criterion


class SoftUnlearnCorrector(
    CallbackSupportMixin,
    PathMixin,
    ReportHTMLMixin,
    CorrectedEstimatorMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Correct a model after training by soft-weighted unlearning.

    The estimator is fitted as usual. Then each training row i gets a deletion weight
    eps_i, 0 for keeping and 1 for deleting it, so that ``metric`` improves by the
    fraction ``delta`` at little cost; and the parameters are corrected with these
    weights, without retraining:

    1. *influence*: ``a_i``, what deleting row i would do to each functional;
    2. *weights*: the smallest eps with ``sum_i eps_i a_i <= -delta * metric``;
    3. *update*: ``theta + H^-1 sum_i eps_i s_i grad loss_i(theta)``.

    Where the training problem is convex in the corrected parameters these stages are
    repeated until nothing changes any more (see ``weighting``): the request is met
    exactly, at the least training loss, and training with the weights gives the same
    model. Elsewhere they are gone through once, to first order.

    Parameters
    ----------
    estimator : estimator, default=None
        Alone or as the last step of a Pipeline; None is ``LogisticRegression()``. A
        linear classifier of two or more classes (`LogisticRegression`,
        `RidgeClassifier`, `LinearSVC`, `SGDClassifier`), a linear regression
        (`LinearRegression`, `Ridge`, `Lasso`, `ElasticNet`, `SGDRegressor`,
        `HuberRegressor`, `PoissonRegressor`, `GammaRegressor`, `TweedieRegressor`),
        the CV form of one of these; trees, of which the leaf values are corrected
        (`HistGradientBoosting*`, `GradientBoosting*`, `RandomForest*`, `ExtraTrees*`,
        `DecisionTree*`, LightGBM, XGBoost, CatBoost); or a net, of which the last
        layer is (`MLPClassifier`, `MLPRegressor`, skorch). It is cloned and fitted. A
        `FrozenEstimator` is kept as fitted: pass `fit` the very rows that it was
        trained with. A corrected copy is made in either case.
    metric : str, callable, Criterion or list, \
            default="demographic_parity_difference"
        What to improve: the name of a metric of fairlearn.metrics that compares any
        number of groups ("equalized_odds_ratio", "accuracy_score_group_min", ..., see
        `GroupMetric`), its function, a functools.partial of it with `method` or
        `agg`, what `fairlearn.metrics.make_derived_metric` returns, "loss", or a
        `Criterion`. Each metric of a list is to improve by ``delta`` of its own.
    delta : float in [0, 1], default=0.5
        Fraction of the way to parity: 0 changes nothing, 1 asks for parity. A
        difference is to shrink by this fraction; of a ratio, its distance from 1.
        The worst group of a ``group_min`` or ``group_max`` is to move this fraction of
        the way to the mean over all groups.
    utility : str, callable, Criterion or list, default="loss"
        What must not get worse. "group_loss" is the loss of each group:
        ``["loss", "group_loss"]`` asks that no group fares worse.
    utility_tol : float >= 0 or None, default=None
        How much of the utility may be lost, relative to its current value. None sets no
        bound: exact weights lose as little of the training loss as the request allows.
    weighting : {"auto", "exact", "soft", "sparse", "hard"} or object, default="auto"
        "exact" solves the three stages to the end: what is asked is realised, at the
        least loss, and retraining with ``sample_weight_`` gives the corrected model;
        see `ExactDeletion`. "soft" is the first order of this, the paper's method: it
        spreads the request over all rows that help. "auto" is "exact" where the
        training problem is convex in at most 4096 corrected parameters and ``update``
        is "auto", else "soft". "sparse" deletes as little
        as possible in total, which touches few rows: see `SparseDeletion`. "hard" is
        the baseline that deletes the most harmful rows altogether until the predicted
        improvement is reached, without regard to the utility; `HardDeletion` has the
        choice of how many.
    regularization : float > 0, default=1.0
        Weight of ``|eps|^2`` in units of the threshold above which the weights no
        longer depend on it. 1.0 gives the smallest weights that reach ``delta``
        exactly; smaller values give larger weights and more improvement than asked.
        For soft weights only.
    max_weight : float in (0, 1], default=1.0
        Largest deletion weight of a row.
    min_weight : float <= 0, default=-1.0
        Smallest deletion weight of a row, for exact weights. A negative weight lets a
        row count more: at -1 up to twice. 0 allows deletion only, which may be unable
        to explain a request where features are rare; the report then says so.
    update : str or object, default="auto"
        How to move the parameters. "auto" takes those that exact weights were found
        for, and the influence step otherwise. By name: "influence", "newton",
        "retrain", "gradient_ascent", "negative_gradient", "fine_tune", "fisher", "ntk",
        "scrub", "bad_teacher" or "hamu", or an object such as
        ``NewtonUpdate(max_iter=5)``.
    curvature : {"auto", "cholesky", "conjugate_gradient", "diagonal"} or object, \
            default="auto"
        How to solve with the Hessian: `Cholesky`, `ConjugateGradient`, `Diagonal`.
        "auto" is Cholesky up to 4096 parameters, and above conjugate gradients or,
        for all parameters of a net, the diagonal.
    layer : {"last", "all", "lora"} or list of str, default="last"
        Which parameters of a skorch net are corrected: those of its last linear
        layer, all, the factors of peft, or those of these names or patterns.
    trees : {"auto", "joint", "refit"}, default="auto"
        How training moves the leaf values of trees, whose structure is held. "joint":
        as the optimum of one objective over all leaf values, made stationary where
        they are. "refit": as training itself sets them, boosting round after round, a
        forest tree by tree. "auto" is "joint" for boosting, "refit" for forests and
        single trees. Not used for other estimators.
    on_infeasible : {"warn", "raise"}, default="warn"
        What to do when ``delta`` is out of reach. "warn" uses the largest attainable.
    calibrate : {"safeguard", "labels", None}, default="safeguard"
        What the weights are solved for. None: ``delta``, which the smooth surrogate of
        the metric then meets to first order. "safeguard": the same, unless the metric
        (surrogate or labels) would end up worse than it was, the utility lose a larger
        share than the metric gains, or one class be predicted for nearly all rows;
        then a smaller request, which the report names. "labels": the request is
        searched, with at most two dozen solves, until the metric of the predicted
        labels has fallen by ``delta`` on the evaluation rows, or as near as its steps
        allow; never so that it grows. The safeguard leaves weights alone that are not
        soft.
    sensitive_feature_ids : str, int or list of these, default=None
        Columns of X that hold the sensitive features, if they are not passed to
        `fit`. They remain features of the model unless its Pipeline drops them.
    bins : int >= 2, array-like of float or None, default=None
        Of numeric sensitive features such as an age: how many intervals of about as
        many rows, or their inner edges. None refuses more than 20 distinct numbers.
    min_group_size : int >= 1, default=30
        Rows that a group should have: of fewer, a rate of one half has a standard
        error above 0.09. See ``small_groups``.
    small_groups : {"keep", "merge", "refuse"}, default="keep"
        What to do with smaller groups. "merge" makes them one group, "other", and
        "refuse" raises an error; both name them. "keep" warns of those that have fewer
        than 30 rows of the kind that the metric counts.
    validation_fraction : float in (0, 1), default=None
        Share of the rows to hold out of training and to measure metric and utility
        on, when no validation data is passed to `fit`. None measures on the training
        rows. Held-out rows get deletion weight 0.
    random_state : int, RandomState instance or None, default=None
        Controls the split of ``validation_fraction``.
    pos_label : str, int, bool or None, default=None
        The class, of two, whose rates and probabilities metrics are about; None is
        ``classes_[1]``. For more classes see the parameter of `GroupMetric`.
    memory : str or object with the joblib.Memory interface, default=None
        Caches the fitted estimator and the influences, so that a grid search over
        ``delta`` computes them once for each fold. By default nothing is cached.
        Where you edit a class or a function of your own, a constant or a helper that
        it refers to by name, both are computed anew; not where you change what it
        reads from a file, or imports only when it runs.
    verbose : int, default=0
        Whether to print the time of each stage. Where scikit-learn has callbacks (1.9
        and later), `set_callbacks` is supported too.

    Attributes
    ----------
    estimator_ : estimator
        The corrected estimator.
    base_estimator_ : estimator
        The estimator before the correction.
    deletion_weights_ : ndarray of shape (n_samples,)
        Deletion weight of each row.
    sample_weight_ : ndarray of shape (n_samples,)
        ``1 - deletion_weights_``.
    influence_ : ndarray of shape (n_samples, n_functionals)
        Change of each functional if the row were deleted, to first order; negative
        values mean that deletion lowers it. The functionals of the metric come
        first, those of the utility last.
    functional_names_ : list of str
        Name of each column of ``influence_``.
    multipliers_ : ndarray of shape (n_functionals,)
        Lagrange multiplier of each functional.
    delta_max_ : float
        Largest ``delta`` known to be attainable, at most 1. Of exact weights what
        was reached: ask for ``delta=1`` to see how far they go. Of others the largest
        there is, to first order.
    update_result_, n_iter_ : UpdateResult, int
        Why and after how many steps the update stopped, and what it recorded.
    report_ : CorrectionReport
        Before, predicted and after.
    classes_ : ndarray of shape (n_classes,)
        Only around a classifier.
    groups_ : ndarray of shape (n_groups,) or (n_groups, n_columns)
        Sensitive groups; None for a metric that needs none.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Only if X has feature names that are all strings.

    See Also
    --------
    fairness_scorer : Score a fairness metric in a grid search.

    Notes
    -----
    `predict` never needs the sensitive features.

    References
    ----------
    .. [1] X. Qiao, N. Ding, Y. Cheng, M. Zhang, "Beyond Binary Erasure: Soft-Weighted
       Unlearning for Fairness and Robustness", AAAI 2026, 40(29):24936-24944,
       doi:10.1609/aaai.v40i29.39681 (arXiv:2505.18783).
    .. [2] P. W. Koh, P. Liang, "Understanding Black-box Predictions via Influence
       Functions", ICML 2017.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_softunlearn import SoftUnlearnCorrector
    >>> from sklearn_softunlearn.datasets import make_biased_classification
    >>> X, y, group = make_biased_classification(random_state=0)
    >>> corrector = SoftUnlearnCorrector(LogisticRegression(), delta=0.5)
    >>> corrector = corrector.fit(X, y, sensitive_features=group)
    >>> line = corrector.report_["demographic_parity_difference", "surrogate"]
    >>> round(line.after / line.before, 1)
    0.5
    """

    # Requested without a call of set_fit_request, so that the corrector receives
    # them in a Pipeline and a grid search. scikit-learn leaves sample_weight to users.
    __metadata_request__fit = {
        "sensitive_features": True,
        "X_val": True,
        "y_val": True,
        "sensitive_features_val": True,
        "sample_weight_val": True,
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        metric: str | Callable | Criterion | Sequence = "demographic_parity_difference",
        delta: float = 0.5,
        utility: str | Callable | Criterion | Sequence = "loss",
        utility_tol: float | None = None,
        weighting: Any = "auto",
        regularization: float = 1.0,
        max_weight: float = 1.0,
        min_weight: float = -1.0,
        update: Any = "auto",
        curvature: Any = "auto",
        layer: str | Sequence[str] = "last",
        trees: str = "auto",
        on_infeasible: str = "warn",
        calibrate: str | None = "safeguard",
        sensitive_feature_ids: Any = None,
        bins: int | ArrayLike | None = None,
        min_group_size: int = 30,
        small_groups: str = "keep",
        validation_fraction: float | None = None,
        random_state: Any = None,
        pos_label: Any = None,
        memory: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.metric = metric
        self.delta = delta
        self.utility = utility
        self.utility_tol = utility_tol
        self.weighting = weighting
        self.regularization = regularization
        self.max_weight = max_weight
        self.min_weight = min_weight
        self.update = update
        self.curvature = curvature
        self.layer = layer
        self.trees = trees
        self.on_infeasible = on_infeasible
        self.calibrate = calibrate
        self.sensitive_feature_ids = sensitive_feature_ids
        self.bins = bins
        self.min_group_size = min_group_size
        self.small_groups = small_groups
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.pos_label = pos_label
        self.memory = memory
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
        **fit_params: Any,
    ) -> Self:
        """Fit the estimator and correct it.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Training rows, in any form that the estimator accepts.
        y : array-like of shape (n_samples,)
            Class labels, or the numbers of a regression.
        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            Sensitive group of each row; several columns are intersected, unless the
            metric is a `GroupMetric` with ``marginal=True``. Missing values raise an
            error: fill in a value of their own to make them a group.
        sample_weight : array-like of shape (n_samples,), default=None
            A row of weight 0 counts as deleted, one of weight 2 as two rows, in the
            fit, the influences, the metric and the weights.
        X_val, y_val, sensitive_features_val, sample_weight_val : default=None
            Rows to measure metric and utility on instead of the training rows. In a
            cross-validation, which may cut them, pass a `ValidationData` as X_val.
        **fit_params : dict
            Passed on to the `fit` of the estimator.

        Returns
        -------
        self : SoftUnlearnCorrector

        Raises
        ------
        ValueError
            If an argument is out of range, the metric needs groups and none are
            given, or the data do not allow the metric to be measured.
        TypeError
            If the estimator is of an unsupported class.
        InfeasibleDeltaError
            If ``delta`` is out of reach and ``on_infeasible="raise"``.
        """
        progress = Progress.of_fit(self, X, y)
        prepared = prepare_fit(
            self,
            X,
            y,
            progress=progress,
            sensitive_features=sensitive_features,
            sample_weight=sample_weight,
            X_val=X_val,
            y_val=y_val,
            sensitive_features_val=sensitive_features_val,
            sample_weight_val=sample_weight_val,
            **fit_params,
        )
        with progress.stage(2) as context, progress.task(context):
            adopt(self, prepared, *carry_out([self], prepared))
        warn_of([self.report_])
        progress.end(X, y)
        return self

    @property
    def influence_(self) -> NDArray[np.floating[Any]]:
        """Change of each functional if a row were deleted, to first order.

        Formed each time that it is asked for: a gap between G groups has G (G - 1)
        functionals.
        """
        check_is_fitted(self)
        of_statistics, factors = self._influence
        return of_statistics @ factors

    @property
    def delta_max_(self) -> float:
        """Largest delta known to be attainable, at most 1.

        Of exact weights what was reached: at least delta where the request was met.
        Asked for ``delta=1``, they go as far as they can. Of others the largest there
        is, to first order, and solved for when first asked for.
        """
        check_is_fitted(self)
        self._check_may_compute("delta_max_")
        return float(min(self._reach.delta_max, 1.0))
