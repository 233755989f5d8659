# SPDX-License-Identifier: BSD-3-Clause
"""Linear datamodeling score of influences on nets that can be retrained.

    python -m benchmarks.studies.lds [--data-home FOLDER] [--runs FOLDER]
        [--problems NAME ...]

A net is trained on 50 random halves of its rows, with 3 seeds each. The score (Park et
al. 2023) of a test row is the rank correlation, over the halves, of its log odds of the
true class (mean of the seeds) with the sum of the attributions of the rows in the half;
it is averaged over 100 test rows. Attributions come from a net trained on all rows, one
for each of 3 seeds; the standard error is that of the mean over test rows, which share
the halves. Retrained margins are kept in the folder of runs.

Ours: the last layer (exact curvature), all parameters or those of LoRA (the damped
Gauss-Newton matrix where it is dense, else its diagonal); without curvature, the inner
products of gradients of all parameters; dattri's TRAK (one net, projected to 512
dimensions) where dattri is installed; and a random attribution.
"""

import argparse
import os
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.stats import rankdata

from benchmarks.provenance import provenance, read, write
from benchmarks.studies.lds_problems import PROBLEMS
from benchmarks.studies.lds_truth import (
    N_SEEDS,
    N_SUBSETS,
    margin_gradient,
    raw_prediction,
    truth,
)

# Dense curvature of all parameters up to here; the diagonal beyond.
DENSE = 2000


class NoCurvature:
    """The identity in the place of H: inner products of gradients."""

    def factorize(self, model, row_weight, parameters=None):
        return lambda gradients: gradients


def ours(net, problem, layer, curvature):
    """Attribution of each row to each test row, (n_rows, n_test): minus deletion."""
    from sklearn_softunlearn.influence import resolve_curvature, row_influence
    from sklearn_softunlearn.models import model_class

    make = model_class(net, layer)
    model = make(net, make.embed(net, problem.X), problem.y, np.ones(len(problem.y)))
    raw = raw_prediction(net, problem.X_test)
    n_test, n_outputs = raw.shape
    cotangents = np.zeros((n_test, n_outputs, n_test))
    own = np.arange(n_test)
    cotangents[own, :, own] = margin_gradient(raw, problem.y_test)
    if curvature == "auto" and layer != "last":
        dense = model.parameters.size <= DENSE
        curvature = "cholesky" if dense else "diagonal"
    solver = resolve_curvature(curvature, model.parameters.size)
    gradients = model.vjp(make.embed(net, problem.X_test), cotangents)
    return -row_influence(model, solver.factorize(model, model.row_weight), gradients)


def damped(net, problem, times):
    """All parameters, with so many times the default damping."""
    from sklearn_softunlearn import Cholesky
    from sklearn_softunlearn.models import model_class

    make = model_class(net, "all")
    model = make(net, make.embed(net, problem.X), problem.y, np.ones(len(problem.y)))
    diagonal = model.gram_diagonal(model.loss_curvature(model.row_weight))
    damping = times * model.relative_damping * np.mean(diagonal)
    return ours(net, problem, "all", Cholesky(damping=damping))


def trak(net, problem):
    from dattri.algorithm import TRAKAttributor
    from dattri.task import AttributionTask
    from torch.utils.data import DataLoader, TensorDataset

    module = net.module_.eval()

    def log_odds(parameters, data):
        rows, target = data
        out = torch.func.functional_call(module, parameters, rows[None])[0]
        others = out.masked_fill(torch.arange(len(out)) == target, -1e9)
        return out.gather(0, target.reshape(1).long())[0] - torch.logsumexp(
            others, dim=0
        )

    def probability(parameters, data):
        return torch.sigmoid(log_odds(parameters, data))

    def loader(X, y):
        rows = TensorDataset(torch.as_tensor(X), torch.as_tensor(y))
        return DataLoader(rows, batch_size=100)

    weights = {name: p.detach() for name, p in module.named_parameters()}
    task = AttributionTask(loss_func=log_odds, model=module, checkpoints=weights)
    tool = TRAKAttributor(
        task=task, correct_probability_func=probability,
        projector_kwargs={"proj_dim": 512}, regularization=1.0,
    )  # fmt: skip
    tool.cache(loader(problem.X, problem.y))
    return tool.attribute(loader(problem.X_test, problem.y_test)).detach().numpy()


def random_attribution(net, problem):
    rng = np.random.default_rng(0)
    return rng.normal(size=(len(problem.y), len(problem.y_test)))


def tools(problem):
    """Name and function of every attribution for this problem."""
    found = {"random": random_attribution}
    for layer in problem.layers:
        found[f"ours, {layer}"] = partial(ours, layer=layer, curvature="auto")
    found["gradients alone, all"] = partial(ours, layer="all", curvature=NoCurvature())
    if not isinstance(problem.X, dict):
        found["dattri TRAK"] = trak
        for times in (10, 100):
            name = f"ours, all, {times} times the damping"
            found[name] = partial(damped, times=times)
    return found


def scores(attribution, margins, kept):
    """Rank correlation over the subsets for each test row, of shape (n_test,)."""
    first, second = kept @ attribution, margins.mean(axis=0)
    ranks = [rankdata(each, axis=0) for each in (first, second)]
    centred = [each - each.mean(axis=0) for each in ranks]
    norms = [np.linalg.norm(each, axis=0) for each in centred]
    return np.sum(centred[0] * centred[1], axis=0) / np.maximum(np.prod(norms, 0), 1e-9)


def study(name, data_home, runs):
    """Lines of one problem: each tool with its score and standard error."""
    problem = PROBLEMS[name](data_home)
    margins, kept = truth(problem, runs / name.replace(", ", "_").lower())
    nets = [problem.net(seed).fit(problem.X, problem.y) for seed in range(N_SEEDS)]
    half = [margins[:1], margins[1:]]
    agree = scores_between(half[0].mean(axis=0), half[1].mean(axis=0))
    lines = [_line(name, "retraining with other seeds", [agree])]
    for tool, function in tools(problem).items():
        try:
            found = [scores(function(net, problem), margins, kept) for net in nets]
            lines.append(_line(name, tool, found))
        except Exception as error:  # reported as the result of this tool
            failed = f"{type(error).__name__}: {error}"[:200]
            lines.append({"problem": name, "tool": tool, "failed": failed})
        print(lines[-1], flush=True)
    return lines


def scores_between(first, second):
    """Rank correlation over the subsets of the margins of two sets of nets."""
    return scores(first, second[None], np.eye(len(first)))


def _line(name, tool, found):
    by_row = np.mean(found, axis=0)
    return {
        "problem": name,
        "tool": tool,
        "score": float(by_row.mean()),
        "standard error": float(by_row.std(ddof=1) / np.sqrt(len(by_row))),
        "by seed": [float(each.mean()) for each in found],
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home", default=os.environ.get("SOFTUNLEARN_DATA_HOME"))
    parser.add_argument("--runs", type=Path, default=Path("lds_runs"))
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    kept = read("lds") or {"scores": []}
    for name in options.problems:
        others = [line for line in kept["scores"] if line["problem"] != name]
        lines = study(name, options.data_home, options.runs)
        kept = {
            "provenance": provenance(
                "torch", "skorch", "transformers", "peft", "dattri"
            ),
            "subsets": N_SUBSETS,
            "seeds": N_SEEDS,
            "scores": others + lines,
        }
        print(write("lds", kept), flush=True)


if __name__ == "__main__":
    main()
