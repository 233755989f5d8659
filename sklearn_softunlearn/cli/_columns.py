# SPDX-License-Identifier: BSD-3-Clause
"""Columns that a model should perhaps not see, named before anything is fitted.

Nothing is left out by itself: only who knows the data can say whether a column that
looks like an identifier is one. ``--drop`` leaves it out.
"""

import re

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

MIN_ROWS = 50  # of fewer, nearly any column could be an identifier
NEARLY_DISTINCT = 0.9  # share of rows with a value of their own
DETERMINES = 0.99  # area under the ROC curve of a column alone, cross-validated
MAX_LEAVES = 50  # of its tree, and of its categories, as in the model's encoding
WORDS_OF_A_TEXT = 4  # on average
MAX_ROWS = 5000  # of the search for columns that determine the target

_NAMED_ID = re.compile(r"(^|[_\W])(id|uuid|guid|key|index|row|nr)$", re.IGNORECASE)
_NAMED_NAME = re.compile(r"(^|_|\b)(\w*name)$", re.IGNORECASE)
# Two or more words that begin with a capital, as "Ada Lovelace" or "Lovelace, Ada".
_LIKE_A_NAME = re.compile(r"^[A-Z][\w'.-]*,?( [A-Z][\w'.-]*)+$")


def _share_distinct(column):
    return column.nunique() / max(len(column), 1)


def _is_numbered(column, name):
    """Whether whole numbers count the rows, or are called an identifier."""
    whole = (column % 1 == 0).all()
    if not whole or not column.is_unique:
        return False
    dense = column.max() - column.min() < 2 * len(column)
    return bool(dense or _NAMED_ID.search(name))


def _kind_of_text(column, name):
    """Kind of a column of strings, or None for ordinary categories."""
    if _share_distinct(column) < NEARLY_DISTINCT / 2:
        return None
    if column.str.split().str.len().mean() >= WORDS_OF_A_TEXT:
        return "text"
    if _share_distinct(column) < NEARLY_DISTINCT:
        return None
    looks = column.str.match(_LIKE_A_NAME).mean() > NEARLY_DISTINCT
    return "name" if looks or _NAMED_NAME.search(name) else "identifier"


def _kind(column, name):
    known = column.dropna()
    if known.nunique() == 1 and len(known) == len(column):
        return "constant"
    if len(known) < MIN_ROWS:
        return None
    if column.dtype == np.float64:
        return "identifier" if _is_numbered(known, name) else None
    return _kind_of_text(known, name)


def _alone(column, y):
    """Area under the ROC curve of a column alone, on rows not used to learn it."""
    # A tree, since a column may determine the target without a monotone relation.
    model = DecisionTreeClassifier(
        max_leaf_nodes=MAX_LEAVES, min_samples_leaf=5, random_state=0
    )
    if column.dtype != np.float64:
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=MAX_LEAVES
        )
        model = make_pipeline(encoder, model)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    X = column.to_frame()
    scores = cross_val_predict(model, X, y, cv=folds, method="predict_proba")
    return roc_auc_score(y, scores[:, 1])


def _message(kind, name, column, auc):
    distinct = f"{column.nunique()} distinct values in {len(column)} rows"
    says = {
        "constant": "has one value only and teaches nothing",
        "identifier": f"has {distinct} and looks like an identifier",
        "name": "looks like names of people",
        "text": "looks like free text, of which only whole values are compared",
        "determines": "nearly determines the target by itself (area under the ROC "
        f"curve {auc}): is it known when a decision is made?",
    }
    return f"column {name!r} {says[kind]}"


def remarks(table):
    """What looks wrong with the columns of a table.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of dict
        Each with "column", "kind" ("constant", "identifier", "name", "text",
        "determines") and "message".
    """
    y = (table.y == table.positive).astype(int)
    rows = np.random.default_rng(0).permutation(len(y))[:MAX_ROWS]
    found = []
    for name in table.X.columns:
        column, auc = table.X[name], None
        kind = _kind(column, name)
        if kind is None and min(np.bincount(y[rows], minlength=2)) >= 3:
            auc = _alone(column.iloc[rows], y[rows])
            kind = "determines" if auc >= DETERMINES else None
        if kind is not None:
            message = _message(kind, name, column, auc and round(auc, 3))
            found.append({"column": name, "kind": kind, "message": message})
    return found
