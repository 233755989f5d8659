# SPDX-License-Identifier: BSD-3-Clause
"""Influences of all rows of Adult, ours and those of other packages.

    python -m benchmarks.studies.influence_peers [--data-home FOLDER]

Logistic regression without intercept in the setting of the paper's authors (30162 x
102); the functional is the mean log loss of 256 validation rows. Each tool runs in a
process of its own, with one thread, taking turns with ours there; its time is the
median of the ratios. Memory is what the process needed above what it had before. The
reference is retraining without the row, for 300 rows drawn at random.

The others work in single precision, their default, on a linear layer with two outputs,
which with twice the penalty is the same model. Where a package can sum its queries
first, so that it need not form a matrix of queries times rows, it does. A package that
is not installed, fails or takes too long is reported as such.
"""

import argparse
import contextlib
import resource
import time
import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.data.adult import AUTHORS_C, authors_adult
from benchmarks.provenance import provenance, write
from benchmarks.studies import nets
from sklearn_softunlearn import influence, leave_one_out

N_QUERIES, N_RETRAINED, TURNS, LIMIT = 256, 300, 3, 400


def logistic():
    return LogisticRegression(
        C=AUTHORS_C, fit_intercept=False, solver="newton-cholesky", tol=1e-12
    )


def problem(data_home):
    """Rows, queries behind them, and the fitted model."""
    data = authors_adult(data_home)
    X = np.concatenate([data.X, data.X_val[:N_QUERIES]])
    y = np.concatenate([data.y, data.y_val[:N_QUERIES]])
    return X, y, len(data.y), logistic().fit(data.X, data.y)


def ours(model, X, y, n_rows, leverage=False):
    found = influence(
        model,
        X[:n_rows],
        y[:n_rows],
        metric="loss",
        X_val=X[n_rows:],
        y_val=y[n_rows:],
        leverage=leverage,
    )
    return found.values[:, 0]


def as_net(model):
    """The model as a linear layer, in the form that `nets` passes around."""
    import torch

    layer = torch.nn.Linear(model.coef_.shape[1], 2, bias=False)
    half = torch.as_tensor(model.coef_ / 2, dtype=torch.float32)
    layer.weight.data = torch.cat([-half, half])
    identity = torch.nn.Identity
    return SimpleNamespace(module_=torch.nn.Sequential(identity(), identity(), layer))


def damping(n_rows):
    """Of the mean loss and the layer with two outputs."""
    return 2.0 / (AUTHORS_C * n_rows)


def captum_naive(net, X, y, n_rows):
    # By default captum keeps 50 eigenvectors of the Hessian; here all.
    # Its curvature is that of the summed loss.
    summed, n_parameters = n_rows * damping(n_rows), 2 * X.shape[1]
    return nets.captum_naive(
        net, X, y, n_rows, damping=summed, projection_dim=n_parameters
    )


def kronfluence_ekfac(net, X, y, n_rows):
    return nets.kronfluence_ekfac(net, X, y, n_rows, damping=damping(n_rows))


def dattri(net, X, y, n_rows, attributor):
    # One batch: with several, the query is solved for again in each.
    return nets.dattri_tool(
        net,
        X,
        y,
        n_rows,
        attributor,
        batch_size=n_rows,
        regularization=damping(n_rows),
    )


def pydvl(net, X, y, n_rows, kind="DirectInfluence", **options):
    import torch
    from pydvl.influence import torch as tools
    from torch.utils.data import DataLoader, TensorDataset

    X, y = torch.as_tensor(X), torch.as_tensor(y)
    train = DataLoader(TensorDataset(X[:n_rows], y[:n_rows]), batch_size=512)
    tool = getattr(tools, kind)(
        net.module_,
        torch.nn.functional.cross_entropy,
        regularization=damping(n_rows),
        **options,
    ).fit(train)
    factor = tool.influence_factors(X[n_rows:], y[n_rows:]).mean(dim=0, keepdim=True)
    scores = [tool.influences_from_factors(factor, *batch)[0] for batch in train]
    return torch.cat(scores).detach().numpy()


TOOLS = {
    "ours, leverage-exact": None,
    "captum, explicit Hessian": captum_naive,
    "kronfluence, EK-FAC": kronfluence_ekfac,
    "dattri, explicit Hessian": partial(dattri, attributor="IFAttributorExplicit"),
    "dattri, conjugate gradients": partial(dattri, attributor="IFAttributorCG"),
    "pyDVL, explicit Hessian": pydvl,
    "pyDVL, Nystroem of rank 50": partial(
        pydvl, kind="NystroemSketchInfluence", rank=50
    ),
}


def agreement(values, rows, actual):
    """Correlations with the changes by retraining; the sign is a convention."""
    pearson = stats.pearsonr(values[rows], actual).statistic
    rank = stats.spearmanr(values[rows], actual).statistic
    return {"pearson": abs(float(pearson)), "spearman": abs(float(rank))}


def _measure(name, data_home, reference, queue):
    warnings.simplefilter("ignore")
    X, y, n_rows, model = problem(data_home)
    base = partial(ours, model, X, y, n_rows)
    tool = partial(base, leverage=True) if TOOLS[name] is None else None
    with threadpool_limits(1):
        if tool is None:
            tool = _ready(name, model, X, y, n_rows)
        base()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        values = np.asarray(tool())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        ratios = [_seconds(tool) / _seconds(base) for _ in range(TURNS)]
    queue.put(
        {
            "time, in ours": float(np.median(ratios)),
            "peak memory, copies of X": peak * 1024 / X.nbytes,
        }
        | agreement(values, *reference)
    )


def _ready(name, model, X, y, n_rows):
    """The tool with its data; imports and first calls are over."""
    import torch

    torch.set_num_threads(1)
    net, X, y = as_net(model), X.astype(np.float32), y.astype(np.int64)
    with contextlib.suppress(Exception):
        few = np.r_[:600, n_rows : len(y)]
        TOOLS[name](net, X[few], y[few], 600)
    return partial(TOOLS[name], net, X, y, n_rows)


def _seconds(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def _guarded(name, data_home, reference, queue):
    try:
        _measure(name, data_home, reference, queue)
    except Exception as error:  # reported as the result of this tool
        queue.put({"failed": f"{type(error).__name__}: {error}"[:200]})


def retrained(data_home, seed):
    """Rows drawn at random, and what retraining without each changes."""
    X, y, n_rows, model = problem(data_home)
    rows = np.random.default_rng(seed).choice(n_rows, N_RETRAINED, replace=False)
    found = leave_one_out(
        model,
        X[:n_rows],
        y[:n_rows],
        ["loss"],
        indices=rows,
        X_val=X[n_rows:],
        y_val=y[n_rows:],
    )
    return rows, found.actual[:, 0]


def unit(data_home, reference):
    """Ours, first order: its own agreement, and its time beside the fit."""
    X, y, n_rows, model = problem(data_home)
    run = partial(ours, model, X, y, n_rows)

    def fit():
        return LogisticRegression(C=AUTHORS_C, fit_intercept=False).fit(
            X[:n_rows], y[:n_rows]
        )

    ratios = [_seconds(run) / _seconds(fit) for _ in range(2 * TURNS)]
    return {"time, in lbfgs fits": float(np.median(ratios))} | agreement(
        run(), *reference
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        reference = retrained(options.data_home, seed=0)
        results = {"ours, first order": unit(options.data_home, reference)}
    for name in TOOLS:
        results[name] = nets.in_own_process(
            _guarded, (name, options.data_home, reference), LIMIT
        )
        print(name, results[name], flush=True)
    packages = ("torch", "captum", "kronfluence", "dattri", "pyDVL")
    content = {
        "provenance": provenance(*packages),
        "seed": 0,
        "rows retrained": N_RETRAINED,
        "tools": results,
    }
    print(write("influence_peers", content))


if __name__ == "__main__":
    main()
