# SPDX-License-Identifier: BSD-3-Clause
"""The encoding, the model and its correction, the last two with their seconds."""

import warnings
from dataclasses import replace
from time import perf_counter

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.cli._models import ENDING, load_model, make_model

DELTAS = np.linspace(0.0, 1.0, 11)  # of the trade-off curve
MAX_CATEGORIES = 50  # of a column; rarer ones are pooled, lest an id become 1e5 columns


def make_encoder(X):
    """Impute and one-hot encode the columns, then standardise."""
    is_numeric = X.dtypes == np.float64
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MAX_CATEGORIES,
        sparse_output=False,
    )
    encode = ColumnTransformer(
        [
            ("numeric", SimpleImputer(strategy="median"), list(X.columns[is_numeric])),
            # a missing category is a category of its own
            ("categorical", one_hot, list(X.columns[~is_numeric])),
        ]
    )
    return make_pipeline(encode, StandardScaler())


def encode_parts(parts):
    """Encode all parts with what the first one, the training rows, teaches."""
    encoder = make_encoder(parts[0].X).fit(parts[0].X)
    return encoder, [replace(part, X=encoder.transform(part.X)) for part in parts]


def fitted_model(name, parts):
    """The encoder and the rows that it encodes, the fitted model, and its seconds.

    ``name`` is one of `MODELS`, or a file whose model takes the rows as they are.
    """
    if name.endswith(ENDING):
        model = load_model(name, parts[0])
        names = list(getattr(model, "feature_names_in_", parts[0].X.columns))
        return (), [replace(part, X=part.X[names]) for part in parts], model, 0.0
    model = make_model(name, parts[0].y)
    encoder, parts = encode_parts(parts)
    model, seconds = fit_model(model, parts[0])
    return encoder, parts, model, seconds


def fit_model(model, train):
    """Fit on encoded training rows; return the model and the seconds that it took."""
    start = perf_counter()
    model.fit(train.X, train.y)
    return model, perf_counter() - start


def _rows(train, evaluation):
    """Arguments of the corrector's fit: where to learn, and where to measure."""
    return {
        "X": train.X,
        "y": train.y,
        "sensitive_features": train.groups,
        "X_val": evaluation.X,
        "y_val": evaluation.y,
        "sensitive_features_val": evaluation.groups,
    }


def correct_model(model, train, evaluation, *, delta, **options):
    """Correct the fitted model; return the corrector and the seconds that it took.

    ``options`` are parameters of the corrector.
    """
    corrector = _corrector(model, train, delta=delta, **options)
    start = perf_counter()
    corrector.fit(**_rows(train, evaluation))
    return corrector, perf_counter() - start


def _corrector(model, train, **options):
    return SoftUnlearnCorrector(
        FrozenEstimator(model), pos_label=train.positive, **options
    )


def correct_path(model, train, evaluation, *, deltas=DELTAS, **options):
    """Correct the fitted model for several deltas, without a word on the way."""
    corrector = _corrector(model, train, **options)
    with warnings.catch_warnings():
        # the deltas are ours: that the last ones may be out of reach is no news
        warnings.simplefilter("ignore")
        return corrector.path(**_rows(train, evaluation), deltas=deltas)
