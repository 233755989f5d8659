# SPDX-License-Identifier: BSD-3-Clause
"""Influence stage on a net: time and peak memory beside captum, dattri, kronfluence.

    python -m benchmarks.studies.nets [--rows N ...] [--parameters P ...] [--json FILE]

Every tool is asked for the influence of all training rows on one functional (the mean
loss of 256 held-out rows) of the same trained MLP, each in a process of its own with
one thread. Times are ratios to one epoch of training; absolute times hold on no other
machine. What the tools compute differs:

- ours, whole correction: influences on two criteria, weights, update and report; a net
  trained for 20 epochs takes 20 times the unit;
- ours, last layer: exact curvature of the last layer;
- ours, all: Gauss-Newton, dense up to 4096 parameters, else its diagonal;
- captum TracInCPFast: gradients of the last layer, without curvature;
- captum NaiveInfluenceFunction: dense Hessian of all parameters (small nets only);
- dattri IFAttributorCG: Hessian by 10 steps of conjugate gradients, all parameters;
- dattri IFAttributorDataInf: closed-form approximation of the curvature;
- kronfluence: EK-FAC factors and scores of the linear layers.

A tool that is not installed, fails or exceeds the time limit is reported as such.
"""

import argparse
import contextlib
import json
import multiprocessing
import resource
import tempfile
import time
import warnings

import numpy as np

from benchmarks.provenance import provenance

N_FEATURES, N_QUERIES = 50, 256


def make_net(n_parameters):
    """One hidden layer of the width that gives about this many parameters."""
    from torch import nn

    width = max(2, n_parameters // (N_FEATURES + 3))
    return nn.Sequential(nn.Linear(N_FEATURES, width), nn.ReLU(), nn.Linear(width, 2))


def problem(n_rows):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows + N_QUERIES, N_FEATURES)).astype(np.float32)
    odds = np.tanh(X[:, :10]) @ rng.normal(size=10) + rng.logistic(size=len(X))
    return X, (odds > 0).astype(np.int64)


def trained(n_rows, n_parameters):
    import torch
    from skorch import NeuralNetClassifier

    torch.manual_seed(0)
    X, y = problem(n_rows)
    net = NeuralNetClassifier(
        make_net(n_parameters),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=1e-3,
        lr=1e-3,
        max_epochs=1,
        train_split=None,
        batch_size=128,
        verbose=0,
    ).fit(X[:n_rows], y[:n_rows])
    start = time.perf_counter()
    net.partial_fit(X[:n_rows], y[:n_rows])
    return net, X, y, time.perf_counter() - start


def ours(net, X, y, n_rows, layer):
    from sklearn_softunlearn.influence._curvature import resolve_curvature
    from sklearn_softunlearn.influence._first_order import row_influence
    from sklearn_softunlearn.models import model_class

    make = model_class(net, layer)
    features = make.embed(net, X)
    model = make(net, features[:n_rows], y[:n_rows], np.ones(n_rows))
    name = model.curvature_beyond_dense
    solve = resolve_curvature("auto", model.parameters.size, name).factorize(
        model, model.row_weight
    )
    raw = model.raw_prediction(features[n_rows:])
    gradient = model.loss.gradient(y[n_rows:], raw)[:, :, None] / N_QUERIES
    return row_influence(model, solve(model.vjp(features[n_rows:], gradient)))[:, 0]


def ours_last(net, X, y, n_rows):
    return ours(net, X, y, n_rows, "last")


def ours_all(net, X, y, n_rows):
    return ours(net, X, y, n_rows, "all")


def ours_whole(net, X, y, n_rows):
    """The whole correction of the last layer, from the net to weights and report."""
    from sklearn.frozen import FrozenEstimator

    from sklearn_softunlearn import SoftUnlearnCorrector

    groups = (X[:n_rows, 0] > 0).astype(int)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(net), delta=0.3, weighting="soft", utility_tol=0.1
    )
    corrector.fit(X[:n_rows], y[:n_rows], sensitive_features=groups)
    return corrector.deletion_weights_


def _datasets(X, y, n_rows):
    import torch
    from torch.utils.data import TensorDataset

    X, y = torch.as_tensor(X), torch.as_tensor(y)
    return TensorDataset(X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])


def captum_tracin(net, X, y, n_rows):
    import torch
    from captum.influence import TracInCPFast

    train, queries = _datasets(X, y, n_rows)
    module = net.module_.eval()
    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        torch.save(module.state_dict(), file.name)
        tool = TracInCPFast(
            module,
            module[2],
            train,
            [file.name],
            checkpoints_load_func=_load,
            loss_fn=torch.nn.CrossEntropyLoss(reduction="sum"),
            batch_size=512,
        )
        return tool.influence(queries).mean(dim=0).numpy()


def captum_naive(net, X, y, n_rows, damping=1e-3, projection_dim=50):
    import torch
    from captum.influence import NaiveInfluenceFunction

    train, queries = _datasets(X, y, n_rows)
    module = net.module_.eval()
    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        torch.save(module.state_dict(), file.name)
        tool = NaiveInfluenceFunction(
            module,
            train,
            file.name,
            checkpoints_load_func=_load,
            loss_fn=torch.nn.CrossEntropyLoss(reduction="sum"),
            batch_size=512,
            sample_wise_grads_per_batch=True,
            hessian_reg=damping,
            projection_dim=projection_dim,
        )
        return tool.influence(queries).mean(dim=0).numpy()


def _load(module, path):
    import torch

    module.load_state_dict(torch.load(path))
    return 1.0


def dattri_tool(net, X, y, n_rows, attributor, batch_size=512, **options):
    import torch
    from dattri import algorithm
    from dattri.task import AttributionTask
    from torch.utils.data import DataLoader, TensorDataset

    train, queries = _datasets(X, y, n_rows)
    module = net.module_.eval()

    def loss(parameters, data):
        rows, target = data
        out = torch.func.functional_call(module, parameters, rows)
        return torch.nn.functional.cross_entropy(out.reshape(-1, 2), target.reshape(-1))

    task = AttributionTask(
        loss_func=loss, model=module, checkpoints=module.state_dict()
    )
    tool = getattr(algorithm, attributor)(task=task, **options)
    tool.cache(DataLoader(train, batch_size=batch_size))
    # All held-out rows as one query: their mean loss, one functional as for ours.
    query = DataLoader(TensorDataset(*(each[None] for each in queries)))
    scores = tool.attribute(DataLoader(train, batch_size=batch_size), query)
    return scores.detach().numpy()[:, 0]


def dattri_cg(net, X, y, n_rows):
    return dattri_tool(net, X, y, n_rows, "IFAttributorCG", regularization=1e-2)


def dattri_datainf(net, X, y, n_rows):
    return dattri_tool(net, X, y, n_rows, "IFAttributorDataInf", regularization=1e-2)


def kronfluence_ekfac(net, X, y, n_rows, damping=1e-8):
    import torch
    from kronfluence.analyzer import Analyzer, prepare_model
    from kronfluence.arguments import ScoreArguments
    from kronfluence.task import Task
    from torch.utils.data import TensorDataset

    class MeanLoss(Task):
        def compute_train_loss(self, batch, model, sample=False):
            out = model(batch[0].reshape(-1, X.shape[1]))
            target = batch[1].reshape(-1)
            if sample:
                target = torch.multinomial(out.detach().softmax(-1), 1).flatten()
            return torch.nn.functional.cross_entropy(out, target, reduction="sum")

        def compute_measurement(self, batch, model):
            return self.compute_train_loss(batch, model)

    train, queries = _datasets(X, y, n_rows)
    task = MeanLoss()
    with tempfile.TemporaryDirectory() as folder:
        module = prepare_model(net.module_.eval(), task)
        analyzer = Analyzer(
            "bench", module, task, cpu=True, disable_tqdm=True, output_dir=folder
        )
        analyzer.fit_all_factors("f", train, per_device_batch_size=512)
        query = TensorDataset(*(each[None] for each in queries))
        analyzer.compute_pairwise_scores(
            "s",
            "f",
            query,
            train,
            1,
            512,
            score_args=ScoreArguments(damping_factor=damping),
        )
        scores = analyzer.load_pairwise_scores("s")
    return scores["all_modules"].mean(dim=0).numpy()


TOOLS = {
    "ours, whole correction (last layer)": ours_whole,
    "ours, last layer": ours_last,
    "captum TracInCPFast (last layer)": captum_tracin,
    "ours, all": ours_all,
    "captum NaiveInfluenceFunction": captum_naive,
    "dattri CG": dattri_cg,
    "dattri DataInf": dattri_datainf,
    "kronfluence EK-FAC": kronfluence_ekfac,
}


def _measure(name, n_rows, n_parameters, queue):
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    net, X, y, epoch = trained(n_rows, n_parameters)
    small, X_small, y_small, _ = trained(600, 500)
    with contextlib.suppress(Exception):  # imports and first calls are not counted
        TOOLS[name](small, X_small, y_small, 600)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    try:
        values = np.asarray(TOOLS[name](net, X, y, n_rows))
    except Exception as error:  # reported as the result of this tool
        queue.put({"failed": f"{type(error).__name__}: {error}"[:200]})
        return
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    queue.put(
        {
            "epochs": seconds / epoch,
            "seconds": seconds,
            "peak_mib": peak / 1024,
            "influences": len(values),
        }
    )


def in_own_process(target, arguments, limit):
    """What ``target(*arguments, queue)`` puts into the queue, within the limit."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=target, args=(*arguments, queue))
    process.start()
    process.join(limit)
    if process.is_alive():
        process.terminate()
        process.join()
        return {"failed": f"more than {limit} s"}
    return queue.get() if process.exitcode == 0 else {"failed": "out of memory?"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument(
        "--parameters", type=int, nargs="+", default=[1_000, 100_000, 1_000_000]
    )
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--limit", type=float, default=600, help="seconds for a tool")
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    results = []
    for n_rows in options.rows:
        for n_parameters in options.parameters:
            print(f"\n{n_rows} rows, about {n_parameters} parameters")
            for name in options.tools:
                figures = in_own_process(
                    _measure, (name, n_rows, n_parameters), options.limit
                )
                results.append({"tool": name, "n": n_rows, "p": n_parameters} | figures)
                print(f"  {name:34s}", _shown(figures), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            packages = ("torch", "skorch", "captum", "dattri", "kronfluence")
            found = {"provenance": provenance(*packages), "figures": results}
            json.dump(found, file, indent=1)


def _shown(figures):
    if "failed" in figures:
        return figures["failed"]
    return f"{figures['epochs']:8.2f} epochs  {figures['peak_mib']:8.0f} MiB more"


if __name__ == "__main__":
    main()
