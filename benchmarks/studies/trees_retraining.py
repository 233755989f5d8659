# SPDX-License-Identifier: BSD-3-Clause
"""Estimated effects of deleted rows of trees beside training anew without them.

    python -m benchmarks.studies.trees_retraining [--data-home FOLDER]

Training anew grows other trees, which no estimate at held structure can see. Single
rows of 2000 of Adult are deleted, and random twentieths of them; effects are those on
the mean loss and on the surrogate of demographic parity of other rows. Beside the
estimates stands the refit at held structure, of trees="refit"; that of the joint model
costs more than training anew and is left out. A forest is trained anew with weights 0,
so that its bootstrap stays.
"""

import argparse
import warnings
from functools import partial

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from threadpoolctl import threadpool_limits

from benchmarks.data.label_metrics import DP
from benchmarks.data.tables import load
from benchmarks.provenance import provenance, write
from sklearn_softunlearn.corrector import make_table
from sklearn_softunlearn.inspection import agreement
from sklearn_softunlearn.inspection._functions import linearized

N_ROWS, N_MEASURED, SEED = 2000, 4000, 0
N_SINGLE, N_SUBSETS, SHARE = 200, 100, 0.05
MODELS = {
    "LightGBM": LGBMClassifier(
        n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1, random_state=0
    ),
    "HistGradientBoosting": HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=31, early_stopping=False, random_state=0
    ),
    "RandomForest": RandomForestClassifier(100, min_samples_leaf=10, random_state=0),
}


def raw_prediction(model, X):
    """What the corrector takes for the raw prediction, as columns."""
    if _is_forest(model):
        return model.predict_proba(X)
    if isinstance(model, LGBMClassifier):
        return model.predict(X, raw_score=True)[:, None]
    return model.decision_function(X)[:, None]


def _is_forest(model):
    return isinstance(model, RandomForestClassifier)


def trained_anew(model, part, kept):
    """The model trained with some of the rows."""
    if _is_forest(model):
        return clone(model).fit(part.X, part.y, sample_weight=kept.astype(float))
    return clone(model).fit(part.X[kept], part.y[kept])


def deletions(rng):
    """Rows that are kept, in each of the trainings, by the name of the experiment."""
    single = rng.choice(N_ROWS, N_SINGLE, replace=False)
    several = rng.random((N_SUBSETS, N_ROWS)).argsort(axis=1) < SHARE * N_ROWS
    return {
        "single rows": np.arange(N_ROWS) != single[:, None],
        "a twentieth of the rows": ~several,
    }


def effects(model, part, measured):
    """Agreement of estimates and of refits with training anew."""
    fitted = clone(model).fit(part.X, part.y)
    tables = [
        make_table(rows.X, rows.y, rows.groups, None, None, "", fitted)
        for rows in (part, measured)
    ]
    states = {
        trees: linearized(fitted, tables, [DP, "loss"], "auto", trees=trees)
        for trees in (("refit",) if _is_forest(model) else ("joint", "refit"))
    }
    state = states["refit"]
    worst = state.metric.criterion.largest(state.value, state.rows)
    functionals = partial(_functionals, state, worst)
    before = functionals(raw_prediction(fitted, measured.X))
    np.testing.assert_allclose(before, state.value[worst], rtol=1e-4)
    found = []
    for name, kept in deletions(np.random.default_rng(SEED)).items():
        anew = np.array(
            [
                functionals(raw_prediction(trained_anew(model, part, rows), measured.X))
                - before
                for rows in kept
            ]
        )
        estimated = {
            f"influence, {trees}": ~kept @ each.influence[:, worst]
            for trees, each in states.items()
        }
        estimated["structure held, refit"] = np.array(
            [functionals(_refitted(state, rows)) - before for rows in kept]
        )
        found += [
            {"deleted": name, "functional": functional, "estimate": estimate}
            | agreement(anew[:, j], values[:, j])
            for estimate, values in estimated.items()
            for j, functional in enumerate(("gap", "loss"))
        ]
    return found


def _functionals(state, worst, raw):
    return state.metric.criterion.value(raw, state.rows)[worst]


def _refitted(state, kept):
    """Raw predictions after training without some rows, the structure held."""
    theta = state.model.refitted_parameters(state.model.row_weight * kept)
    return state.model.raw_prediction(state.X, theta)


def _part(data, name, n_rows, rng):
    own = getattr(data, name)
    rows = rng.choice(len(own.y), n_rows, replace=False)
    return type(own)(X=own.X[rows], y=own.y[rows], groups=own.groups[rows])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    data, rng = (
        load("adult", options.data_home, SEED, "ordinal"),
        np.random.default_rng(SEED),
    )
    part = _part(data, "train", N_ROWS, rng)
    measured = _part(data, "test", N_MEASURED, rng)
    found = {"rows": N_ROWS, "single": N_SINGLE, "subsets": N_SUBSETS, "found": []}
    with threadpool_limits(1):
        for name, model in MODELS.items():
            found["found"] += [
                {"model": name} | line for line in effects(model, part, measured)
            ]
            print(name, flush=True)
            of = provenance("lightgbm")
            path = write("trees_retraining", {"provenance": of} | found)
    print(path)


if __name__ == "__main__":
    main()
