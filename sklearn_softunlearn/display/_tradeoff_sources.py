# SPDX-License-Identifier: BSD-3-Clause
"""Where the points of a `TradeoffDisplay` come from: correctors, a fit, a search."""

import numpy as np

from sklearn_softunlearn.confidence import check_level, check_n_bootstrap, generator
from sklearn_softunlearn.display._measure import measures_of, point, points_of_others
from sklearn_softunlearn.display._tables import cv_table


class TradeoffSources:
    """The constructors of `TradeoffDisplay`."""

    @classmethod
    def from_path(
        cls,
        correctors,
        X,
        y,
        *,
        sensitive_features=None,
        metric=None,
        utility=None,
        others=None,
        confidence_level=0.95,
        n_bootstrap=None,
        random_state=0,
        name=None,
    ):
        """Measure fitted correctors, which differ in `delta`, on given rows.

        Parameters
        ----------
        correctors : list of fitted SoftUnlearnCorrector
            As returned by their method `path`.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows to measure on; best such that no model has seen.
        y : array-like of shape (n_samples,)
            True labels.
        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            Sensitive features of these rows, for metrics that compare groups.
        metric : str, callable or Criterion, default=None
            Metric for the horizontal axis: whatever :func:`fairness_scorer` takes,
            "loss", or the name of a scorer of scikit-learn. None takes the `metric`
            of the correctors.
        utility : str, callable or Criterion, default=None
            Utility for the vertical axis, given in the same way. None takes the
            accuracy of classifiers and the R^2 of regressors.
        others : dict of str to estimator or to tuple of (float, float), default=None
            Other fitted models, for example of fairlearn, to be measured on the same
            rows; of a tuple, metric and utility are known. Models whose `predict`
            takes sensitive features get them.
        confidence_level : float in (0, 1), default=0.95
            Of each interval on its own.
        n_bootstrap : int, default=None
            Number of times that the rows are drawn again, within each group, for the
            intervals; 0 leaves them out. None draws 1000 times where that takes no
            longer with more rows, as for metrics of labels. A function of your own
            has no interval.
        random_state : int, RandomState instance or None, default=0
            Determines the draws; passed to models in `others` whose `predict` takes it.
        name : str, default=None
            Name of the curve. None takes the class name of the correctors.

        Returns
        -------
        display : TradeoffDisplay
            Call its method `plot` to draw it.

        Raises
        ------
        ValueError
            If there is no corrector, or if the metric is not known.

        Examples
        --------
        >>> from sklearn_softunlearn import SoftUnlearnCorrector
        >>> from sklearn_softunlearn.datasets import make_biased_classification
        >>> from sklearn_softunlearn.display import TradeoffDisplay
        >>> X, y, A = make_biased_classification(2000, random_state=0)
        >>> correctors = SoftUnlearnCorrector().path(
        ...     X[:1000], y[:1000], deltas=[0, 0.4, 0.8], sensitive_features=A[:1000]
        ... )
        >>> display = TradeoffDisplay.from_path(
        ...     correctors, X[1000:], y[1000:], sensitive_features=A[1000:]
        ... )
        >>> display.metric.shape
        (3,)
        """
        correctors = sorted(correctors, key=lambda corrector: corrector.delta)
        if not correctors:
            raise ValueError("correctors is empty. Give at least one fitted corrector.")
        check_level(confidence_level, "confidence_level")
        if n_bootstrap is not None and n_bootstrap != 0:
            check_n_bootstrap(n_bootstrap)
        first = correctors[0]
        measures = measures_of(metric, utility, first, sensitive_features)
        rows = X, y, sensitive_features
        curve = np.array([point(measures, model, rows) for model in correctors])
        drawn = confidence_level, n_bootstrap, generator(random_state)
        intervals = [of.intervals(correctors, rows, *drawn) for of in measures]
        return cls(
            delta=[corrector.delta for corrector in correctors],
            metric=curve[:, 0],
            utility=curve[:, 1],
            metric_interval=intervals[0],
            utility_interval=intervals[1],
            base=point(measures, first.base_estimator_, rows),
            others=points_of_others(measures, others, rows, random_state),
            metric_name=measures[0].name,
            utility_name=measures[1].name,
            name=type(first).__name__ if name is None else name,
        )

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sensitive_features=None,
        deltas=None,
        X_test=None,
        y_test=None,
        sensitive_features_test=None,
        fit_params=None,
        **kwargs,
    ):
        """Fit a corrector for several values of delta and measure the results.

        Parameters
        ----------
        estimator : SoftUnlearnCorrector
            Corrector, fitted or not: it is cloned, and its base estimator fitted once
            for all deltas.
        X, y, sensitive_features : array-like
            Training rows, as for its method `fit`.
        deltas : iterable of float in [0, 1], default=None
            None means 0, 0.1, ..., 1.
        X_test, y_test, sensitive_features_test : array-like, default=None
            Rows to measure on, best such that are not among the training rows. None
            measures on the training rows, which flatters all models.
        fit_params : dict, default=None
            Further arguments of `fit`, for example `X_val`.
        **kwargs : dict
            `metric`, `utility`, `others`, `confidence_level`, `n_bootstrap`,
            `random_state` and `name` as in :meth:`from_path`.

        Returns
        -------
        display : TradeoffDisplay
            Call its method `plot` to draw it.

        Raises
        ------
        ValueError
            If only one of `X_test` and `y_test` is given; and as in :meth:`from_path`.

        Examples
        --------
        >>> from sklearn_softunlearn import SoftUnlearnCorrector
        >>> from sklearn_softunlearn.datasets import make_biased_classification
        >>> from sklearn_softunlearn.display import TradeoffDisplay
        >>> X, y, A = make_biased_classification(2000, random_state=0)
        >>> display = TradeoffDisplay.from_estimator(
        ...     SoftUnlearnCorrector(), X, y, sensitive_features=A, deltas=[0, 0.5]
        ... )
        >>> bool(display.metric[1] < display.metric[0])
        True
        """
        if (X_test is None) != (y_test is None):
            raise ValueError("Give X_test and y_test together, or neither of them.")
        deltas = np.linspace(0.0, 1.0, 11) if deltas is None else deltas
        if not hasattr(estimator, "path"):
            raise ValueError(
                f"estimator is a {type(estimator).__name__}, which has no method path. "
                "Give a SoftUnlearnCorrector; a Pipeline goes inside it, as "
                "SoftUnlearnCorrector(pipeline). A fitted SoftUnlearnCorrectorCV has "
                "its path_, for from_path, and its cv_results_, for from_cv_results."
            )
        rows = X_test, y_test, sensitive_features_test
        if X_test is None:
            rows = X, y, sensitive_features
        # Before the fits: what cannot be measured should not wait for them.
        metric, utility = kwargs.get("metric"), kwargs.get("utility")
        measures = measures_of(metric, utility, estimator, rows[2])
        others = points_of_others(
            measures, kwargs.pop("others", None), rows, kwargs.get("random_state", 0)
        )
        groups = {"sensitive_features": sensitive_features}
        path = estimator.path(X, y, deltas=deltas, **groups, **(fit_params or {}))
        groups = {"sensitive_features": rows[2]}
        return cls.from_path(path, *rows[:2], **groups, others=others, **kwargs)

    @classmethod
    def from_cv_results(
        cls,
        cv_results,
        *,
        metric_key,
        utility_key,
        param=None,
        spread=None,
        metric_name=None,
        utility_name=None,
        others=None,
        name="corrected",
    ):
        """Take the points from a grid search over `delta`.

        Parameters
        ----------
        cv_results : dict or DataFrame
            `cv_results_` of a :class:`~sklearn.model_selection.GridSearchCV` with
            several scorers. If other parameters vary as well, keep the rows of one
            setting, for example with ``pandas.DataFrame(cv_results).query(...)``.
        metric_key, utility_key : str
            Names of the scorers of the metric and the utility. Where all scores are
            negative or zero they are taken for negated, as those of
            :func:`fairness_scorer` for differences, and shown as positive.
        param : str, default=None
            Column of `cv_results` that holds delta, such as
            ``"param_softunlearncorrector__delta"``. None takes the only one whose
            name is ``"param_delta"`` or ends in ``"__delta"``.
        spread : {"interval", "std"}, default=None
            "std" shows means over the folds, with their standard deviations as error
            bars; "interval" the scores of all held-out rows together, with the
            intervals that `SoftUnlearnCorrectorCV` draws. None takes intervals where
            both scorers have them.
        metric_name, utility_name : str, default=None
            Names for the axes. None takes the names of the scorers.
        others : dict of str to tuple of (float, float), default=None
            Metric and utility of other models.
        name : str, default="corrected"
            Name of the curve.

        Returns
        -------
        display : TradeoffDisplay
            Call its method `plot` to draw it.

        Raises
        ------
        ValueError
            If a column is missing, or if several rows have the same delta.

        Examples
        --------
        >>> from sklearn_softunlearn.display import TradeoffDisplay
        >>> cv_results = {
        ...     "param_delta": [0.0, 0.5],
        ...     "mean_test_gap": [-0.2, -0.1],
        ...     "std_test_gap": [0.02, 0.02],
        ...     "mean_test_accuracy": [0.85, 0.84],
        ...     "std_test_accuracy": [0.01, 0.01],
        ... }
        >>> display = TradeoffDisplay.from_cv_results(
        ...     cv_results, metric_key="gap", utility_key="accuracy"
        ... )
        >>> display.metric
        array([0.2, 0.1])
        """
        curve = cv_table(
            cv_results, param, {"metric": metric_key, "utility": utility_key}, spread
        )
        return cls(
            **curve,
            others=others,
            metric_name=metric_key if metric_name is None else metric_name,
            utility_name=utility_key if utility_name is None else utility_name,
            name=name,
        )
