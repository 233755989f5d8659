# SPDX-License-Identifier: BSD-3-Clause
"""What a group metric given by name, or as a function of fairlearn, consists of."""

import functools
from dataclasses import dataclass, field

from sklearn_softunlearn.arguments import (
    class_for_object,
    closest,
    did_you_mean,
    unknown_choice,
)
from sklearn_softunlearn.criteria._aggregation import (
    Differences,
    Largest,
    Ratios,
    Smallest,
)
from sklearn_softunlearn.criteria._base_metrics import BASE_METRICS

TRANSFORMS = ("difference", "ratio", "group_min", "group_max")

# Names of fairlearn that are not the name of their base metric.
_TITLES = {
    "demographic_parity": ("selection_rate",),
    "equal_opportunity": ("true_positive_rate",),
    "equalized_odds": ("true_positive_rate", "false_positive_rate"),
}
_OPTIONS = ("method", "agg", "pos_label")
_METHODS = ("between_groups", "to_overall")
_AGGREGATES = ("worst_case", "mean")


@dataclass(frozen=True)
class GroupMetricSpec:
    """A group metric in parts.

    Attributes
    ----------
    name : str
        As fairlearn names it, such as "accuracy_score_ratio".
    bases : tuple of str
        Names of base metrics; two for equalized odds.
    transform : {"difference", "ratio", "group_min", "group_max"}
    options : dict
        What a functools.partial brought along.
    """

    name: str
    bases: tuple
    transform: str
    options: dict = field(default_factory=dict)


def parse_metric(given, parameter="metric"):
    """Parts of a group metric.

    Parameters
    ----------
    given : str or callable
        A name, a metric function of fairlearn.metrics, the result of
        `fairlearn.metrics.make_derived_metric`, or a functools.partial of these with
        ``method``, ``agg`` or ``pos_label``.
    parameter : str
        What it was given for, used in messages.

    Returns
    -------
    GroupMetricSpec

    Raises
    ------
    ValueError
        If it is not known or has no smooth counterpart.
    """
    function, options = _unwrapped(given, parameter)
    if not isinstance(function, str):
        function = _function_name(function, given, parameter)
        if isinstance(function, tuple):
            function, own = function
            options = own | options
    for transform in TRANSFORMS:
        title = function.removesuffix(f"_{transform}")
        bases = _TITLES.get(title, (title,))
        titled_extreme = title in _TITLES and transform.startswith("group")
        if title != function and bases[0] in BASE_METRICS and not titled_extreme:
            return GroupMetricSpec(function, bases, transform, options)
    raise ValueError(_unknown(given, parameter))


def build_aggregation(spec, method):
    """The object that turns metrics of groups into functionals.

    Raises
    ------
    ValueError
        If the transform makes no sense for the base metric, or ``method`` for the
        transform.
    """
    if method not in _METHODS:
        raise ValueError(unknown_choice("method", method, _METHODS))
    if spec.transform in ("difference", "ratio"):
        _check_ratio(spec)
        return {"difference": Differences, "ratio": Ratios}[spec.transform](method)
    if method != "between_groups":
        raise ValueError(
            f"{spec.name} compares no groups: leave out method={method!r}."
        )
    wrong_direction = spec.transform == "group_max"
    if BASE_METRICS[spec.bases[0]].greater_is_better is wrong_direction:
        other = "group_min" if wrong_direction else "group_max"
        raise ValueError(
            f"{spec.name} is the metric of the group that fares best, which is no "
            f"target to improve. Give {spec.bases[0]}_{other}."
        )
    return Largest() if spec.transform == "group_max" else Smallest()


def check_options(spec, agg, pos_label):
    """Raise ValueError for an option that the metric does not have."""
    if agg not in _AGGREGATES:
        raise ValueError(unknown_choice("agg", agg, _AGGREGATES))
    if agg != "worst_case" and len(spec.bases) == 1:
        raise ValueError(f"{spec.name} is one metric: leave out agg={agg!r}.")
    per_class = all(BASE_METRICS[base].task == "class" for base in spec.bases)
    if pos_label is not None and not per_class:
        raise ValueError(
            f"{spec.name} is not about one class: leave out pos_label={pos_label!r}."
        )


def _check_ratio(spec):
    if spec.transform == "ratio" and "r2_score" in spec.bases:
        raise ValueError(
            "r2_score_ratio: r2_score may be negative, so its ratio has no meaning. "
            "Use r2_score_difference or r2_score_group_min."
        )


def described(given):
    """What a user gave, for a message: functions by name, not by their address.

    Parameters
    ----------
    given : object
        A metric, known or not.

    Returns
    -------
    str

    Examples
    --------
    >>> from fairlearn.metrics import make_derived_metric
    >>> from sklearn.metrics import jaccard_score
    >>> from sklearn_softunlearn.criteria._names import described
    >>> described(make_derived_metric(metric=jaccard_score, transform="ratio"))
    "make_derived_metric(metric=sklearn.metrics.jaccard_score, transform='ratio')"
    """
    if isinstance(given, list | tuple):
        return f"[{', '.join(described(each) for each in given)}]"
    if isinstance(given, functools.partial):
        options = [f"{name}={value!r}" for name, value in given.keywords.items()]
        return f"partial({', '.join([described(given.func), *options])})"
    if hasattr(given, "_metric_fn"):
        base = described(given._metric_fn)
        transform = getattr(given, "_transform", None)
        return f"make_derived_metric(metric={base}, transform={transform!r})"
    name = getattr(given, "__qualname__", None)
    return repr(given) if name is None else f"{_public_module(given)}.{name}"


def _public_module(function):
    # With it a function of the user is told from that of fairlearn of this name.
    parts = str(getattr(function, "__module__", "")).split(".")
    return ".".join(p for p in parts if p == "__main__" or not p.startswith("_"))


def _unwrapped(given, parameter):
    options = {}
    while isinstance(given, functools.partial):
        options = given.keywords | options
        given = given.func
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise ValueError(
            f"{parameter} is a functools.partial with {', '.join(unknown)}. Only "
            f"{', '.join(_OPTIONS)} can be set; fit knows the data."
        )
    return given, options


def _function_name(function, given, parameter):
    """Name of a function of fairlearn; with options where its base metric has some."""
    if not _from(function, "fairlearn"):
        raise ValueError(_unknown(given, parameter))
    base = getattr(function, "_metric_fn", None)
    if base is None:
        return getattr(function, "__name__", "")
    # The result of make_derived_metric. fairlearn offers no public way to ask.
    base, options = _unwrapped(base, parameter)
    name = getattr(base, "__name__", "")
    if not _from(base, "fairlearn", "sklearn") or name not in BASE_METRICS:
        raise ValueError(_unknown(given, parameter))
    return f"{name}_{function._transform}", options


def _from(function, *packages):
    # By module rather than by identity, so that criteria need not import fairlearn.
    return str(getattr(function, "__module__", "")).partition(".")[0] in packages


def metric_names():
    """Every name that `GroupMetric` takes.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from sklearn_softunlearn.criteria import metric_names
    >>> [name for name in metric_names() if "zero_one" in name]
    ['zero_one_loss_difference', 'zero_one_loss_ratio', 'zero_one_loss_group_max']
    """
    names = [f"{title}_{gap}" for title in _TITLES for gap in TRANSFORMS[:2]]
    for base, metric in BASE_METRICS.items():
        worst = {True: ["min"], False: ["max"], None: ["min", "max"]}
        names += [f"{base}_difference"]
        names += [f"{base}_ratio"] if base != "r2_score" else []
        names += [f"{base}_group_{end}" for end in worst[metric.greater_is_better]]
    return names


def _unknown(given, parameter):
    if isinstance(given, type):
        return class_for_object(parameter, given)
    if given in ("loss", "group_loss"):
        return (
            f"{parameter}={given!r} is a criterion of its own and no GroupMetric: give "
            "the name alone, or one such as zero_one_loss_group_max."
        )
    names = [*metric_names(), "loss", "group_loss"]
    if closest(given, names):
        return (
            f"{parameter}={given!r} is not known.{did_you_mean(given, names)} Metrics "
            "are named as in fairlearn, such as equalized_odds_difference; the "
            "reference of GroupMetric lists them."
        )
    bases = ", ".join(base for base in BASE_METRICS if base != "recall_score")
    return (
        f"{parameter}={described(given)} is not known, or has no smooth counterpart. "
        "Give (a) demographic_parity_difference, equal_opportunity_difference, "
        "equalized_odds_difference, or _ratio instead of _difference; (b) one of "
        f"{bases}, followed by _difference, _ratio, _group_min or _group_max; (c) a "
        "function of fairlearn.metrics of such a name; (d) 'loss' or 'group_loss'; (e) "
        "a Criterion of your own; (f) a list of these."
    )
