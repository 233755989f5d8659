# SPDX-License-Identifier: BSD-3-Clause
"""The scorers of a search, and what each wants to know of the rows."""

from inspect import signature

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils.metadata_routing import (
    MetadataRequest,
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
)

from sklearn_softunlearn._sklearn_compat import routing_enabled
from sklearn_softunlearn.criteria import criterion_name, usual_score
from sklearn_softunlearn.scoring import fairness_scorer, metric_scorer

SINGLE = "score"


def resolve_scorers(scoring, corrector):
    """Scorers by name; a single one is called "score".

    Parameters
    ----------
    scoring : None, str, callable, list of str, or dict
    corrector : SoftUnlearnCorrector
        None scores its metric, and its accuracy or R^2.

    Returns
    -------
    dict of str to callable
    """
    if scoring is None:
        utility = usual_score(is_classifier(corrector))
        name = criterion_name(corrector.metric)
        scorer = metric_scorer(
            corrector.metric,
            classification=is_classifier(corrector),
            probabilities=hasattr(corrector, "predict_proba"),
            pos_label=corrector.pos_label,
        )
        return {name: _weighted(scorer), utility: _weighted(get_scorer(utility))}
    if isinstance(scoring, str) or callable(scoring):
        return {SINGLE: _scorer(scoring)}
    named = scoring if isinstance(scoring, dict) else {name: name for name in scoring}
    if not named:
        raise ValueError("scoring is empty. Give at least one scorer.")
    return {name: _scorer(given) for name, given in named.items()}


def _weighted(scorer):
    """Of rows as they count, which a user's own scorers must ask for."""
    return scorer.set_score_request(sample_weight=True) if routing_enabled() else scorer


def scorers_on(scorers, model, rows):
    """Functions from a model to its score, for models like this one on these rows.

    Parameters
    ----------
    scorers : dict of str to callable
    model : fitted estimator
        Of the classes of those to come.
    rows : Table

    Returns
    -------
    list of callable
        In the order of the scorers.
    """
    return [_on_rows(scorer, model, rows) for scorer in scorers.values()]


def _on_rows(scorer, model, rows):
    metadata = metadata_of(scorer, rows)
    if hasattr(scorer, "on_rows"):
        return scorer.on_rows(model, rows.X, rows.y, **metadata)
    if repr(scorer) == repr(get_scorer("accuracy")):
        # The same number without the checks of y, which take longer than the count.
        weight = metadata.get("sample_weight")
        return lambda model: np.average(model.predict(rows.X) == rows.y, weights=weight)
    return lambda model: scorer(model, rows.X, rows.y, **metadata)


def _scorer(given):
    if not callable(given) and given in get_scorer_names():
        return get_scorer(given)
    return given if callable(given) else fairness_scorer(given)


def metadata_of(scorer, rows):
    """What of the rows a scorer takes beside X and y, as keyword arguments."""
    known = {"sensitive_features": rows.sensitive_features}
    if not np.all(rows.sample_weight == 1.0):
        known["sample_weight"] = rows.sample_weight
    known = {name: value for name, value in known.items() if value is not None}
    known |= rows.metadata
    given = _routed(scorer, known)
    if not routing_enabled() and "sample_weight" in known and _takes_weight(scorer):
        given["sample_weight"] = known["sample_weight"]
    return given


def split_metadata(fit_params, own, corrector, scorers):
    """What else `fit` was given: what scorers ask for, and what the estimator gets.

    Scorers may ask for ``own`` as well, which the search itself uses.

    What neither asks for goes to the estimator, which refuses it.
    """
    if not routing_enabled():
        return {}, fit_params
    known = fit_params | {k: value for k, value in own.items() if value is not None}
    asked = requests_of(scorers).consumes("score", known)
    fitted = get_routing_for_object(corrector).consumes("fit", fit_params)
    return {name: known[name] for name in asked}, {
        name: value
        for name, value in fit_params.items()
        if name in fitted or name not in asked
    }


def requests_of(scorers):
    """What any of the scorers asks for, under the names that `fit` knows.

    Without what they leave open, such as sample_weight: a search decides that itself.
    """
    request = MetadataRequest(owner="scorers")
    for scorer in scorers.values():
        asked = getattr(get_routing_for_object(scorer), "score", None)
        for name, alias in getattr(asked, "requests", {}).items():
            known = name if alias is True else alias
            if isinstance(known, str) and known.isidentifier():  # no mark of a default
                request.score.add_request(param=known, alias=True)
    return request


def _routed(scorer, known):
    """What of known the scorer asks for, under its own names.

    Raises
    ------
    UnsetMetadataPassedError
        As in a search of scikit-learn: whether rows count as their sample_weight says
        is left open.
    """
    requests = get_routing_for_object(scorer)
    asked = requests.consumes("score", known)
    of_score = getattr(getattr(requests, "score", None), "requests", {})
    if routing_enabled() and "sample_weight" in known:
        asked |= {name for name, alias in of_score.items() if alias is None} & {
            "sample_weight"
        }
    mapping = MethodMapping().add(caller="fit", callee="score")
    router = MetadataRouter(owner="search").add(scorer=scorer, method_mapping=mapping)
    params = {name: known[name] for name in asked}
    return dict(router.route_params(caller="fit", params=params).scorer.score)


def _takes_weight(scorer):
    """As scikit-learn >= 1.9 asks; scorers of all versions take the keyword."""
    asked = getattr(scorer, "_accept_sample_weight", None)
    if asked is not None:
        return asked()
    return "sample_weight" in signature(scorer).parameters
